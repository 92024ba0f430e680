"""What people's decisions say of a judge's probabilities: Platt scaling, kept in one file.

A judge that says 0.9 where people approve six pairs of ten is put right by a line on the scale of
log-odds; the order in which it ranks pairs stays. Nothing here asks a judge or a person.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from agents.errors import StorageError, first_fault
from agents.judges.reliability import Reliability, measure
from agents.records import Record, Verdict
from agents.replacing import replacing

LEAST_DECISIONS = 20
"""Ten for each of the two numbers that are fitted, the customary least for logistic regression
(Peduzzi et al. 1996, J. Clin. Epidemiol. 49)."""
FOLDS = 5
"""Parts of the decisions, each judged by what was fitted on the others."""
EDGE = 1e-6
"""Probabilities are kept so far from 0 and 1, where log-odds end."""
UNCALIBRATED = "uncalibrated"
"""The criterion of a verdict that keeps what the judge itself gave."""
CURE = "`gravity critic calibrate --forget` removes it; calibrate again then."


class Calibration(Record):
    """A line on the log-odds of one judge."""

    judge: str
    slope: float = Field(ge=0, allow_inf_nan=False)
    """1 leaves the odds as they are, less brings them nearer to even; at 0 the judge told nothing
    of what people decide, and every pair gets the same."""
    intercept: float = Field(allow_inf_nan=False)
    decisions: int = Field(ge=0)
    """How many it was fitted on."""
    approved: int = Field(ge=0)
    """How many of these were approvals."""
    at: float
    """Unix time in seconds."""

    def apply(self, probability: float) -> float:
        """sigmoid(slope · logit(probability) + intercept)."""
        return _sigmoid(self.slope * _logit(probability) + self.intercept)


@dataclass(frozen=True)
class Judged:
    """What a judge had said of a pair that a person approved or rejected."""

    probability: float
    """As the judge itself gave it."""
    right: bool
    """Whether the person approved."""
    group: str
    """Pairs of one group share their texts and are held out together."""


@dataclass(frozen=True)
class Assessment:
    """A calibration, and how far the probabilities hold without and with it."""

    calibration: Calibration
    before: Reliability
    after: Reliability | None
    """Of probabilities that were calibrated without the pair's group; none for fewer than five."""


def given(verdict: Verdict) -> float | None:
    """The probability as the judge itself gave it, before any calibration; none where it failed."""
    return verdict.criteria.get(UNCALIBRATED, verdict.probability)


def calibrated(verdict: Verdict, calibrations: Mapping[str, Calibration]) -> Verdict:
    """The verdict with the calibration of its judge, where there is one; what was given stays."""
    calibration, probability = calibrations.get(verdict.judge), given(verdict)
    if calibration is None or probability is None:
        return verdict
    return verdict.model_copy(
        update={
            "probability": calibration.apply(probability),
            "criteria": {**verdict.criteria, UNCALIBRATED: probability},
        }
    )


def shortage(judged: Sequence[Judged]) -> str | None:
    """Why so few decisions give no calibration; none where they are enough."""
    approved = sum(one.right for one in judged)
    if len(judged) >= LEAST_DECISIONS and 0 < approved < len(judged):
        return None
    return (
        f"{_counted(len(judged), 'decision')}, {approved} approved and"
        f" {len(judged) - approved} rejected; {LEAST_DECISIONS} are needed, with both among them"
    )


def assess(judge: str, judged: Sequence[Judged], at: float) -> Assessment:
    """Fit a calibration on decisions that have no `shortage`, and measure it on held-out ones."""
    outcomes = [one.right for one in judged]
    slope, intercept = platt([one.probability for one in judged], outcomes)
    calibration = Calibration(
        judge=judge,
        slope=slope,
        intercept=intercept,
        decisions=len(judged),
        approved=sum(outcomes),
        at=at,
    )
    held_out = cross_calibrated(judged)
    return Assessment(
        calibration,
        before=measure([one.probability for one in judged], outcomes),
        after=measure(held_out, outcomes) if held_out else None,
    )


def platt(probabilities: Sequence[float], outcomes: Sequence[bool]) -> tuple[float, float]:
    """Slope and intercept on the log-odds that make the outcomes likeliest; slope 0 or more.

    Platt 1999, "Probabilistic outputs for support vector machines": the targets are his,
    (n₊ + 1) / (n₊ + 2) for what was right and 1 / (n₋ + 2) for what was wrong, which keeps the
    slope finite where a judge parts both without a fault.

    Args:
        probabilities: 0 to 1, one or more.
        outcomes: whether each was right; as many.
    """
    import numpy as np
    from scipy.optimize import minimize  # takes a second

    right = sum(outcomes)
    high, low = (right + 1) / (right + 2), 1 / (len(outcomes) - right + 2)
    odds = np.array([_logit(probability) for probability in probabilities])
    targets = np.where(outcomes, high, low)

    def loss(line: "np.ndarray") -> tuple[float, "np.ndarray"]:
        scores = line[0] * odds + line[1]
        slack = 0.5 * (1 + np.tanh(scores / 2)) - targets
        cost = float(np.sum(np.logaddexp(0, scores) - targets * scores))
        return cost, np.array([slack @ odds, slack.sum()])

    start = np.array([0.0, _logit(float(targets.mean()))])
    bounds = [(0, None), (None, None)]
    slope, intercept = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(slope), float(intercept)


def cross_calibrated(judged: Sequence[Judged]) -> list[float]:
    """Each probability, calibrated by what was fitted without its fold; whole groups to a fold.

    Empty where there are fewer groups than folds.
    """
    groups = [one.group for one in judged]
    if len(set(groups)) < FOLDS:
        return []
    from sklearn.model_selection import GroupKFold

    held_out = [0.0] * len(judged)
    for learnt, left_out in GroupKFold(FOLDS).split(groups, groups=groups):
        known = [judged[i] for i in learnt]
        slope, intercept = platt([k.probability for k in known], [k.right for k in known])
        for i in left_out:
            held_out[i] = _sigmoid(slope * _logit(judged[i].probability) + intercept)
    return held_out


# --- the file -----------------------------------------------------------------------------------

_FILE = TypeAdapter(list[Calibration])


def read_calibrations(path: Path) -> dict[str, Calibration]:
    """The kept calibrations by judge; none where the file is not there.

    Raises:
        StorageError: the file is damaged or cannot be read.
    """
    try:
        kept = _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.", CURE) from error
    except ValidationError as error:
        fault = ": ".join(filter(None, first_fault(error)))
        raise StorageError(f"{path} is damaged: {fault}.", CURE) from error
    return {calibration.judge: calibration for calibration in kept}


def keep_calibrations(path: Path, calibrations: Iterable[Calibration]) -> None:
    """Write the file anew, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    with replacing(path) as draft:
        draft.write_bytes(_FILE.dump_json(list(calibrations), indent=2))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _logit(probability: float) -> float:
    kept = min(max(probability, EDGE), 1 - EDGE)
    return math.log(kept / (1 - kept))


def _sigmoid(score: float) -> float:
    return 0.5 * (1 + math.tanh(score / 2))
