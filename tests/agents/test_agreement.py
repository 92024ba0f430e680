"""Agreement is what published examples say, and nothing is claimed where nothing can be said."""

import pytest

from agents.judges.agreement import (
    ALL,
    agreement,
    between_judges,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    ratings_of,
    with_people,
)
from agents.judges.calibration import Judged
from agents.records import Verdict
from tests.graph.deciding import a_judged_pair

FOUR_OBSERVERS = [
    *([1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4]),
    *([4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1]),
    [None, None, 3, None],
]


def table(cells: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    """The units that a contingency table of two raters counts."""
    return [ratings for ratings, count in cells.items() for _ in range(count)]


def test_four_observers_with_missing_ratings() -> None:
    """Krippendorff 2011, section C: alpha 0.743; the same in Gwet's irrCAC as cac.raw4raters."""
    measured = agreement(FOUR_OBSERVERS, categories=5)
    assert measured.units == 11
    assert measured.share == pytest.approx(0.81818, abs=5e-6)
    assert measured.alpha == pytest.approx(0.74342, abs=5e-6)
    assert measured.ac1 == pytest.approx(0.77544, abs=5e-6)


def test_two_raters_and_three_categories() -> None:
    """Gwet's irrCAC, cont3x3abstractors: 0.89, 0.7972585 and 0.8493305."""
    rated = table({(0, 0): 13, (1, 1): 20, (1, 2): 7, (2, 1): 4, (2, 2): 56})
    assert percent_agreement(rated) == pytest.approx(0.89)
    assert krippendorff_alpha(rated) == pytest.approx(0.7972585, abs=5e-8)
    assert gwet_ac1(rated, categories=3) == pytest.approx(0.8493305, abs=5e-8)


def test_two_observers_of_something_that_is_so_or_not() -> None:
    """Krippendorff 2011, section A: alpha 0.095."""
    rated = list(zip([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0], strict=True))
    assert krippendorff_alpha(rated) == pytest.approx(0.095, abs=5e-4)


def test_nearly_all_alike_takes_alpha_down_and_leaves_ac1() -> None:
    """The paradox of kappa that AC1 was made for: 118 of 125 units rated alike."""
    measured = agreement(table({(1, 1): 118, (1, 0): 5, (0, 1): 2}))
    by_chance = 2 * 0.972 * 0.028
    assert measured.share == pytest.approx(0.944)
    assert measured.ac1 == pytest.approx((0.944 - by_chance) / (1 - by_chance))
    assert measured.alpha is not None
    assert measured.alpha < 0


def test_all_ratings_equal_leave_alpha_undefined() -> None:
    measured = agreement([[True, True], [True, True, True], [True, None, True]])
    assert (measured.units, measured.share, measured.alpha, measured.ac1) == (3, 1.0, None, 1.0)


@pytest.mark.parametrize("ratings", [[], [[]], [[True], [False]], [[None, True], [False, None]]])
def test_fewer_than_two_judges_say_nothing_of_agreement(ratings) -> None:
    measured = agreement(ratings)
    assert (measured.units, measured.share, measured.alpha, measured.ac1) == (0, None, None, None)


def test_opposite_ratings_are_worse_than_chance() -> None:
    measured = agreement([[True, False], [False, True]] * 5)
    assert measured.share == 0
    assert measured.alpha is not None and measured.alpha < -0.8
    assert measured.ac1 == pytest.approx(-1)


def test_a_judge_rates_by_what_it_gave_itself() -> None:
    pair = a_judged_pair(1, even=0.5, doubt=0.49)
    mended = Verdict(judge="mended", probability=0.7, criteria={"uncalibrated": 0.3})
    silent = Verdict(judge="silent", failure="refused")
    pair = pair.model_copy(update={"verdicts": (*pair.verdicts, mended, silent)})
    assert ratings_of(pair) == {"even": True, "doubt": False, "mended": False}


def test_judges_are_compared_by_facet_and_over_all() -> None:
    pairs = [a_judged_pair(n, one=0.9, other=0.9 if n % 2 else 0.1) for n in range(8)]
    pairs.append(a_judged_pair(8, one=0.9))
    found = between_judges(pairs)
    assert list(found) == ["personality", "value", ALL]
    assert [found[row].units for row in found] == [4, 4, 8]
    assert [found[row].share for row in found] == [1.0, 0.0, 0.5]


def test_a_judge_is_compared_with_people() -> None:
    judged = [Judged(p, right, "s") for p, right in [(0.9, True), (0.6, False), (0.1, False)]]
    assert with_people(judged).share == pytest.approx(2 / 3)
