"""The pair critic: gates first, then one judge in both orders; a changed mind is a tie."""

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from agents import gates
from agents.behaviour import pole_axis
from agents.chat import Chat
from agents.embeddings import Embedder, Vectors
from agents.frameworks.catalogue import dimension
from agents.prompting import quoted, render
from agents.records import Dimension, Pair, Scenario, Verdict
from agents.settings import CriticSettings

AGENT = "pair_critic"
MARGIN_SCALE = 0.075
"""Cosine difference that makes the odds e to 1: maximum likelihood over the first 60 shipped twins,
and 0.078 over all 966."""

Outcome = Literal["accept", "revise", "reject", "doubtful"]


@dataclass(frozen=True)
class Judgement:
    """What is to become of a pair, and why."""

    outcome: Outcome
    reason: str
    verdicts: tuple[Verdict, ...] = ()


class Judge(Protocol):
    """Whoever can say how probable it is that the reader prefers the chosen answer."""

    async def judge(self, pair: Pair, scenario: Scenario, portrait: str) -> Verdict:
        """One verdict over both orders on `pair`, which was made from `scenario`.

        Raises:
            ModelError: the judge could not be asked.
        """
        ...


class PairCritic:
    """Judges pairs: what fails a gate may be revised, what a judge refuses is not."""

    def __init__(self, judge: Judge, embedder: Embedder, settings: CriticSettings) -> None:
        self._judge = judge
        self._embedder = embedder
        self._settings = settings

    async def criticise(self, pair: Pair, scenario: Scenario, portrait: str) -> Judgement:
        """The judgement on `pair`, which was made from `scenario`.

        Raises:
            ModelError: the judge could not be asked.
        """
        flaw = self._flaw(pair, scenario, portrait) or await self._sameness(pair)
        if flaw:
            revisable = scenario.provenance == "written"
            return Judgement("revise" if revisable else "reject", flaw)
        verdict = await self._judge.judge(pair, scenario, portrait)
        return Judgement(self._outcome(verdict), verdict.reason, (verdict,))

    def _outcome(self, verdict: Verdict) -> Outcome:
        if verdict.flipped:
            return "doubtful"
        if verdict.probability >= self._settings.accept_from:
            return "accept"
        return "reject" if verdict.probability < self._settings.reject_below else "doubtful"

    def _flaw(self, pair: Pair, scenario: Scenario, portrait: str) -> str | None:
        axis = dimension(scenario.dimension)
        answers = pair.chosen, pair.rejected
        return _first(
            gates.no_question(scenario.situation),
            gates.runs_in_circles(scenario.situation),
            gates.unequal_length(*answers, self._settings.max_length_ratio),
            *(check for answer in answers for check in self._answer_flaws(answer, axis, portrait)),
        )

    def _answer_flaws(self, answer: str, axis: Dimension, portrait: str) -> Iterable[str | None]:
        sources = [portrait, *(statement.text for statement in axis.statements)]
        yield gates.runs_in_circles(answer)
        yield gates.copied_words(answer, sources, self._settings.max_shared_words)
        yield gates.names_dimension(answer, axis)
        yield gates.asserts_nation(answer)
        yield gates.holds_instructions(answer)

    async def _sameness(self, pair: Pair) -> str | None:
        one, other = await asyncio.to_thread(self._embedder.embed, [pair.chosen, pair.rejected])
        if float(one @ other) < self._settings.max_similarity:
            return None
        return "both answers say the same"


class EmbeddedJudge:
    """Compares the answers with the poles in vector space; needs no language model.

    The margin is (chosen - rejected) · (pole - opposite pole); the probability is the logistic of
    margin / MARGIN_SCALE. It has no order to be swayed by, and sees no more of the reader than the
    pole.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._axes: dict[str, Vectors] = {}

    async def judge(self, pair: Pair, scenario: Scenario, portrait: str) -> Verdict:
        """One verdict; equal for both orders by construction."""
        return await asyncio.to_thread(self._judge, pair, dimension(scenario.dimension))

    def _judge(self, pair: Pair, axis: Dimension) -> Verdict:
        chosen, rejected = self._embedder.embed([pair.chosen, pair.rejected])
        toward_high = float((chosen - rejected) @ self._axis(axis))
        margin = toward_high if pair.pole == "high" else -toward_high
        return Verdict(
            judge="embedded",
            probability=1 / (1 + math.exp(-margin / MARGIN_SCALE)),
            criteria={"margin": margin},
            reason=f"the chosen answer lies {margin:+.3f} nearer to the reader's pole",
        )

    def _axis(self, axis: Dimension) -> Vectors:
        if axis.name not in self._axes:
            self._axes[axis.name] = pole_axis(self._embedder, axis)
        return self._axes[axis.name]


class Choice(BaseModel):
    """A judge's answer to: which of the two would this reader prefer?"""

    preferred: Literal["A", "B"]
    confidence: float = Field(ge=0.5, le=1)
    """That the preferred one is preferred: 0.5 a guess, 1 certain."""
    reason: str = Field(max_length=300)


class ChatJudge:
    """Asks a chat model twice, with the answers in both orders."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def judge(self, pair: Pair, scenario: Scenario, portrait: str) -> Verdict:
        """The mean probability over both orders; `flipped` where the choice changed with them."""
        first, second = await asyncio.gather(
            self._ask(pair, portrait, pair.chosen, pair.rejected),
            self._ask(pair, portrait, pair.rejected, pair.chosen),
        )
        forward = first.confidence if first.preferred == "A" else 1 - first.confidence
        backward = second.confidence if second.preferred == "B" else 1 - second.confidence
        return Verdict(
            judge=self._chat.name,
            probability=(forward + backward) / 2,
            flipped=first.preferred == second.preferred,
            criteria={"chosen_first": forward, "chosen_second": backward},
            reason=first.reason,
        )

    async def _ask(self, pair: Pair, portrait: str, a: str, b: str) -> Choice:
        messages = render(
            "pair_critic",
            portrait=portrait,
            situation=quoted(pair.prompt[-1].content),
            a=quoted(a),
            b=quoted(b),
        )
        return await self._chat.ask(AGENT, messages, Choice)


def _first(*flaws: str | None) -> str | None:
    return next((flaw for flaw in flaws if flaw), None)
