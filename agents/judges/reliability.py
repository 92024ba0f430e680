"""How far stated probabilities hold: binned shares, calibration error, Brier; it fits nothing."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10
"""Bins at most."""
SMALLEST_BIN = 10
"""Decisions in one bin at least, where there are enough for two: a share of fewer says little."""
Z95 = 1.96
"""Half the width of a normal distribution's central 95 %, in standard deviations."""


@dataclass(frozen=True)
class Bin:
    """Neighbouring probabilities, and how often what they were said of was right."""

    mean_probability: float
    share_right: float
    count: int
    low: float
    """Lower end of the 95 % interval of the share (Wilson)."""
    high: float


@dataclass(frozen=True)
class Reliability:
    """How far the probabilities of one judge hold."""

    bins: tuple[Bin, ...]
    expected_error: float
    """Expected calibration error over `bins`: 0 to 1, 0 is best."""
    brier: float
    """0 to 1, 0 is best; 0.25 is what 0.5 for everything gets."""


def measure(probabilities: Sequence[float], outcomes: Sequence[bool]) -> Reliability:
    """Both errors and as many bins, 2 to 10, as leave ten outcomes for each.

    Args:
        probabilities: 0 to 1, one or more.
        outcomes: whether each was right; as many.
    """
    wanted = max(2, min(BINS, len(outcomes) // SMALLEST_BIN))
    bins = reliability(probabilities, outcomes, wanted)
    return Reliability(bins, expected_calibration_error(bins), brier(probabilities, outcomes))


def reliability(
    probabilities: Sequence[float], outcomes: Sequence[bool], bins: int = BINS
) -> tuple[Bin, ...]:
    """Bins of equal mass in rising order, so far as equal probabilities stay together.

    Args:
        probabilities: 0 to 1.
        outcomes: whether each was right; as many.
        bins: how many at most, 1 or more.
    """
    ranked = sorted(probabilities)
    groups: dict[int, list[tuple[float, bool]]] = {}
    for probability, right in sorted(zip(probabilities, outcomes, strict=True)):
        twice_rank = bisect_left(ranked, probability) + bisect_right(ranked, probability)
        place = twice_rank * bins // (2 * len(ranked))
        groups.setdefault(place, []).append((probability, right))
    return tuple(_bin(group) for group in groups.values())


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Σ n_b / n · |share right − mean probability| (Naeini, Cooper and Hauskrecht 2015, AAAI)."""
    total = sum(b.count for b in bins)
    return sum(b.count / total * abs(b.share_right - b.mean_probability) for b in bins)


def brier(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float:
    """Mean squared distance of probabilities from outcomes (Brier 1950), of one or more."""
    pairs = zip(probabilities, outcomes, strict=True)
    return sum((probability - right) ** 2 for probability, right in pairs) / len(outcomes)


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `right` in `count`, 1 or more (Wilson 1927, JASA 22)."""
    share, spread = right / count, Z95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    reach = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _bin(group: Sequence[tuple[float, bool]]) -> Bin:
    count, right = len(group), sum(right for _, right in group)
    mean = sum(probability for probability, _ in group) / count
    return Bin(mean, right / count, count, *wilson(right, count))
