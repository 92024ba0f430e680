"""Bayes for one attribute: a normal prior, and measurements of known reliability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agents.records import Source

MEAN, SD = 50.0, 10.0
"""The T scale: population mean and standard deviation."""
TEXT_RELIABILITY = 0.29
"""Correlation of traits inferred from text with self-reports (Peters and Matz 2024, PNAS Nexus),
the cap for such inference: it leaves a standard deviation of 10·sqrt(1 - 0.29²) = 9.6 T points."""
ITEM_CORRELATION = 0.30
"""Mean correlation between two items of one short scale, for the Spearman-Brown formula."""
MOST_Z = 2.5
"""Observations are cut here, so that no single source carries anyone off the scale."""


@dataclass(frozen=True)
class Measurement:
    """A standardised observation `z` whose correlation with the truth is `reliability`."""

    z: float
    reliability: float
    source: Source
    method: str
    """The instrument, backend or table it comes from."""

    @property
    def precision(self) -> float:
        """Of the truth it points to: r² / (1 - r²), where the population's own is 1."""
        return self.reliability**2 / (1 - self.reliability**2)


@dataclass(frozen=True)
class NationalPrior:
    """A country's place among countries: `z`, and the share of a person's variance it explains."""

    z: float
    share: float
    method: str


def combine(
    measurements: Sequence[Measurement], prior: NationalPrior | None = None
) -> tuple[float, float]:
    """Posterior mean and standard deviation in T points.

    Population: t ~ N(0, 1). A country that explains the share s of the variance narrows it to
    t ~ N(sqrt(s)·z, 1 - s). An observation z = r·t + e of unit variance says t = z / r with noise
    variance (1 - r²) / r². Precisions add. A single observation without a country leaves mean
    50 + 10·r·z and standard deviation 10·sqrt(1 - r²).
    """
    mean, precision = 0.0, 1.0
    if prior:
        mean, precision = math.sqrt(prior.share) * prior.z, 1 / (1 - prior.share)
    weighted = precision * mean
    for m in measurements:
        z = max(-MOST_Z, min(MOST_Z, m.z))
        precision += m.precision
        weighted += m.precision * z / m.reliability
    return MEAN + SD * weighted / precision, SD / math.sqrt(precision)


def scale_reliability(items: float, correlation: float = ITEM_CORRELATION) -> float:
    """Correlation with the truth of the mean of `items` items: square root of Spearman-Brown."""
    return math.sqrt(items * correlation / (1 + (items - 1) * correlation))


def standardised(mean: float, items: float, sd: float, correlation: float) -> float:
    """The mean of `items` observations over its own standard deviation.

    Items of variance sd² that correlate by c with each other have a mean of variance
    sd²·(c + (1 - c) / items).
    """
    return mean / (sd * math.sqrt(correlation + (1 - correlation) / items))
