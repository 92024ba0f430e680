"""The pair critic: gates first, then a panel of judges; what they doubt is left to a person."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agents.gatekeeper import refusals
from agents.judges.calibration import UNCALIBRATED, Calibration, calibrated
from agents.judges.judge import CRITERIA, Judge, Proposal
from agents.records import Verdict
from agents.settings import CriticSettings

Outcome = Literal["accept", "revise", "reject", "doubtful"]


@dataclass(frozen=True)
class Judgement:
    """What is to become of a pair, and why."""

    outcome: Outcome
    reason: str
    verdicts: tuple[Verdict, ...] = ()


class PairCritic:
    """Decides on pairs by the mean probability of its judges.

    Args:
        judges: one or more; all are asked at the same time.
        settings: thresholds of the gates and of the decision.
        calibrations: what people's decisions taught of each judge, by its name.
    """

    def __init__(
        self,
        judges: Sequence[Judge],
        settings: CriticSettings,
        calibrations: Mapping[str, Calibration] | None = None,
    ) -> None:
        self._judges = judges
        self._settings = settings
        self._calibrations = calibrations or {}

    async def criticise(self, proposal: Proposal) -> Judgement:
        """The judgement on one pair.

        A scenario that was written for this run may be revised, on a reason its writer can act on.

        Raises:
            EndpointError: a judge cannot be reached.
        """
        flaws = refusals(proposal, self._settings)
        if flaws:
            gate, reason = next(iter(flaws.items()))
            return Judgement(_unfit(proposal), f"{gate}: {reason}")
        given = await asyncio.gather(*(judge.judge(proposal) for judge in self._judges))
        verdicts = tuple(calibrated(verdict, self._calibrations) for verdict in given)
        outcome, reason = self.decide(verdicts)
        if outcome == "reject" and _weakest(verdicts) != "prefers":
            outcome = _unfit(proposal)
        return Judgement(outcome, reason, verdicts)

    def decide(self, verdicts: Sequence[Verdict]) -> tuple[Outcome, str]:
        """By the mean; a judge that failed, fell for the order or disagrees leaves a doubt."""
        told = "; ".join(_told(verdict, len(verdicts)) for verdict in verdicts)
        given = [v.probability for v in verdicts if v.probability is not None]
        if len(given) < len(verdicts) or any(verdict.flipped for verdict in verdicts):
            return "doubtful", told
        alone = {self._outcome(probability) for probability in given}
        if {"accept", "reject"} <= alone:
            return "doubtful", f"the judges disagree: {told}"
        return self._outcome(sum(given) / len(given)), told

    def _outcome(self, probability: float) -> Outcome:
        if probability >= self._settings.accept_from:
            return "accept"
        return "reject" if probability < self._settings.reject_below else "doubtful"


def _unfit(proposal: Proposal) -> Outcome:
    return "revise" if proposal.scenario.provenance == "written" else "reject"


def _weakest(verdicts: Sequence[Verdict]) -> str:
    """What the least convinced judge doubts most: `prefers` speaks of the reader, not the scene."""
    least = min(verdicts, key=lambda verdict: verdict.probability or 0.0)
    doubts = {
        name: 1 - p if name in _HOLDS else p
        for name, p in least.criteria.items()
        if name not in _NOTED
    }
    return max(doubts, key=lambda name: doubts[name], default="prefers")


_NOTED = {"chosen_first", "chosen_second", UNCALIBRATED}
"""What verdicts keep beside their criteria."""
_HOLDS = set(CRITERIA)
"""Criteria that speak for a pair; all others are flaws."""


def _told(verdict: Verdict, judges: int) -> str:
    if verdict.failure:
        return f"{verdict.judge} gave no verdict ({verdict.failure}): {verdict.reason}"
    return f"{verdict.judge}: {verdict.reason}" if judges > 1 else verdict.reason
