"""How far judges agree beyond chance: Krippendorff's alpha, Gwet's AC1, and the plain share.

Ratings are rows of units by judges: any value that can be compared, and None where a judge gave
none. Nothing here asks a judge.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from agents.judges.calibration import Judged, given
from agents.records import Pair

RIGHT_FROM = 0.5
"""The probability, as a judge itself gave it, from which it holds a pair for right."""
ALL = "all"
"""The row that counts every facet."""
Ratings = Sequence[Sequence[Hashable]]


@dataclass(frozen=True)
class Agreement:
    """How far raters agree on units that two or more of them rated."""

    units: int
    share: float | None
    """Of two ratings of one unit, that they are equal: 0 to 1; none without such units."""
    alpha: float | None
    """1 at best, 0 for chance; none where all ratings are equal."""
    ac1: float | None
    """1 at best, 0 for chance."""


def agreement(ratings: Ratings, categories: int = 2) -> Agreement:
    """All three measures of the same ratings."""
    return Agreement(
        units=len(_shared(ratings)),
        share=percent_agreement(ratings),
        alpha=krippendorff_alpha(ratings),
        ac1=gwet_ac1(ratings, categories),
    )


def percent_agreement(ratings: Ratings) -> float | None:
    """The share of equal pairs of ratings of a unit, meant over units; 0 to 1.

    None where no unit has two ratings.
    """
    units = _shared(ratings)
    shares = [_equal_pairs(unit) / (unit.total() * (unit.total() - 1)) for unit in units]
    return fmean(shares) if shares else None


def krippendorff_alpha(ratings: Ratings) -> float | None:
    """1 - observed / expected disagreement for nominal ratings.

    Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C: with o the
    coincidences of equal ratings, n_c the ratings c among units that have two or more, and n all
    of these, ((n - 1)·o - Σ n_c (n_c - 1)) / (n (n - 1) - Σ n_c (n_c - 1)).

    None where no unit has two ratings, or all of them are equal: nothing could have differed.
    """
    units = _shared(ratings)
    totals: Counter[Hashable] = sum(units, Counter())
    n = totals.total()
    coincidences = sum(_equal_pairs(unit) / (unit.total() - 1) for unit in units)
    by_chance = sum(count * (count - 1) for count in totals.values())
    possible = n * (n - 1) - by_chance
    return ((n - 1) * coincidences - by_chance) / possible if possible else None


def gwet_ac1(ratings: Ratings, categories: int = 2) -> float | None:
    """(p_a - p_e) / (1 - p_e), which stays steady where nearly all units are rated alike.

    Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high
    agreement", British Journal of Mathematical and Statistical Psychology 61; with missing ratings
    as in his Handbook of Inter-Rater Reliability (2014): p_a is the plain agreement, and p_e =
    Σ π_c (1 - π_c) / (categories - 1), where π_c is the share of c in a unit, meant over all that
    were rated.

    Args:
        ratings: units by judges.
        categories: how many values there might have been, 2 or more.

    Returns:
        None where no unit has two ratings.
    """
    observed = percent_agreement(ratings)
    if observed is None:
        return None
    units = [unit for unit in map(_counts, ratings) if unit]
    prevalence: Counter[Hashable] = Counter()
    for unit in units:
        for value, count in unit.items():
            prevalence[value] += count / unit.total() / len(units)  # pyright: ignore[reportArgumentType]
    by_chance = sum(share * (1 - share) for share in prevalence.values()) / (categories - 1)
    return (observed - by_chance) / (1 - by_chance)


def ratings_of(pair: Pair) -> dict[str, bool]:
    """Whether each judge that gave a usable answer held the pair for right."""
    said = {verdict.judge: given(verdict) for verdict in pair.verdicts}
    return {judge: p >= RIGHT_FROM for judge, p in said.items() if p is not None}


def between_judges(pairs: Iterable[Pair]) -> dict[str, Agreement]:
    """Of the judges with each other: by facet, then `ALL`."""
    facets: dict[str, list[list[bool]]] = {}
    for pair in pairs:
        facets.setdefault(pair.facet, []).append(list(ratings_of(pair).values()))
    rows = [row for facet in facets.values() for row in facet]
    return {facet: agreement(facets[facet]) for facet in sorted(facets)} | {ALL: agreement(rows)}


def with_people(judged: Sequence[Judged]) -> Agreement:
    """Of one judge with those who approved or rejected."""
    return agreement([(one.probability >= RIGHT_FROM, one.right) for one in judged])


def _counts(unit: Sequence[Hashable]) -> Counter[Hashable]:
    return Counter(value for value in unit if value is not None)


def _shared(ratings: Ratings) -> list[Counter[Hashable]]:
    """How often each value was given to a unit, of those units with two ratings or more."""
    return [unit for unit in map(_counts, ratings) if unit.total() > 1]


def _equal_pairs(unit: Counter[Hashable]) -> int:
    """Ordered pairs of equal ratings."""
    return sum(count * (count - 1) for count in unit.values())
