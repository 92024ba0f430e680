"""Bayes for one attribute: a normal prior, and measurements of known reliability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MEAN, SD = 50.0, 10.0
"""The T scale: population mean and standard deviation."""
TEXT_RELIABILITY = 0.29
"""Correlation of traits inferred from text with self-reports, the cap for such inference: it
leaves a standard deviation of 10·sqrt(1 - 0.29²) = 9.6 T points."""
ITEM_CORRELATION = 0.30
"""Mean correlation between two items of one short scale, for the Spearman-Brown formula."""


@dataclass(frozen=True)
class Measurement:
    """A standardised observation `z` whose correlation with the truth is `reliability`."""

    z: float
    reliability: float


def combine(measurements: Sequence[Measurement]) -> tuple[float, float]:
    """Posterior mean and standard deviation in T points.

    An observation z = r·t + e of unit variance says t = z / r with noise variance (1 - r²) / r²;
    precisions add, the prior's is 1. A single observation leaves mean 50 + 10·r·z and standard
    deviation 10·sqrt(1 - r²).
    """
    precision, weighted = 1.0, 0.0
    for m in measurements:
        own = m.reliability**2 / (1 - m.reliability**2)
        precision += own
        weighted += own * m.z / m.reliability
    return MEAN + SD * weighted / precision, SD / math.sqrt(precision)


def scale_reliability(items: int) -> float:
    """Correlation with the truth of a scale of `items` items: square root of Spearman-Brown."""
    return math.sqrt(items * ITEM_CORRELATION / (1 + (items - 1) * ITEM_CORRELATION))
