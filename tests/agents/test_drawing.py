"""Drawing: the order of a cell against the formula, who is given which scenes, and the spread."""

import itertools
import random
from collections import Counter

import numpy as np
import pytest

from agents.cells import Cell, Place
from agents.drawing import MOST_OF_COUNTRY, MOST_ORDERED, RELEVANCE, Scenes, mmr
from agents.embeddings import Vectors


def unit(count: int, width: int, seed: int = 7, positive: bool = False) -> Vectors:
    """Random unit vectors; positive ones have no cosine below nought."""
    rows = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    rows = np.abs(rows) if positive else rows
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def a_place(name: str, culture: str | None = None, ages: tuple[int, int] = (18, 99)) -> Place:
    return Place(name, culture, ages, "home")


def a_cell(*places: Place, seed: int = 7) -> Scenes:
    vectors = unit(len(places) + 1, 8, seed)
    return Scenes(Cell(places, vectors[1:].astype(np.float16)), vectors[0])


def turned_round(scenes: Scenes, dice: random.Random) -> Scenes:
    """The same scenes in another order."""
    places, vectors = scenes.cell.places, scenes.cell.vectors
    rows = dice.sample(range(len(places)), len(places))
    return Scenes(Cell(tuple(places[i] for i in rows), vectors[rows]), scenes.theme)


def named(count: int, **told: object) -> list[Place]:
    return [a_place(f"s{n:03}", **told) for n in range(count)]  # pyright: ignore


def by_the_formula(vectors: Vectors, relevance: Vectors, count: int) -> list[int]:
    """Carbonell and Goldstein's criterion, computed anew for every pick."""
    picked: list[int] = []
    while len(picked) < min(count, len(vectors)):
        worth: dict[int, float] = {}
        for row in (r for r in range(len(vectors)) if r not in picked):
            novelty = max((float(vectors[row] @ vectors[p]) for p in picked), default=0.0)
            worth[row] = RELEVANCE * float(relevance[row]) - (1 - RELEVANCE) * novelty
        picked.append(max(worth, key=lambda row: (worth[row], -row)))
    return picked


@pytest.mark.parametrize(("width", "positive"), [(12, True), (12, False), (3, False)])
def test_the_order_is_that_of_maximal_marginal_relevance(width: int, positive: bool):
    for seed in range(8):
        theme, *_ = vectors = unit(31, width, seed, positive)
        rows = vectors[1:]
        assert mmr(rows, rows @ theme, 30) == by_the_formula(rows, rows @ theme, 30)


def test_the_most_relevant_is_first_and_its_copy_is_last():
    rows = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    relevance = np.array([0.9, 0.9, 0.5, 0.4], dtype=np.float32)
    assert mmr(rows, relevance, 4) == [0, 2, 3, 1]
    assert mmr(rows, relevance, 2) == [0, 2]
    assert mmr(rows, relevance, 9) == [0, 2, 3, 1], "never more than there are"
    assert mmr(rows[:0], relevance[:0], 3) == []


def test_the_order_of_a_cell_does_not_depend_on_that_of_the_pool():
    places = named(20)
    cell = a_cell(*places)
    other = turned_round(cell, random.Random(1))
    assert cell.order == other.order
    assert sorted(p.scenario_id for p in cell.order) == [p.scenario_id for p in places]


def test_of_a_very_large_cell_the_same_sample_is_put_in_order_whoever_looks():
    places = named(3 * MOST_ORDERED)
    cell = a_cell(*places)
    assert len(cell.order) == len(set(cell.order)) == MOST_ORDERED
    assert turned_round(cell, random.Random(2)).order == cell.order
    grown = a_cell(*places, a_place("one-more"))
    assert len({*grown.order} & {*cell.order}) >= MOST_ORDERED - 1, "one scene more moves little"


def test_of_a_very_large_cell_every_country_finds_scenes_of_its_own():
    away = [a_place(f"jp{n}", "JP") for n in range(2000)]
    home = [a_place(f"de{n}", "DE") for n in range(60)]
    cell = a_cell(*away, *home, *named(10))
    drawn = cell.draw("ana", "DE", 30, [], 999, 6)
    assert sum(name.startswith("de") for name in drawn) == MOST_OF_COUNTRY
    assert len(drawn) == MOST_OF_COUNTRY + 10


def test_an_empty_cell_gives_nothing():
    empty = a_cell()
    assert empty.order == ()
    assert empty.draw("ana", "BR", 30, [], 3, 6) == []


def test_readers_at_opposite_poles_are_given_the_same_scenes():
    cell = a_cell(*named(30))
    one, other = (set(cell.draw(name, "BR", 30, [], 4, 4)) for name in ("ana", "bob"))
    assert one == other, "drawing knows no pole, so the scenes have their twins"
    assert one == {p.scenario_id for p in cell.order[:4]}
    again = cell.draw("ana", "BR", 30, [], 4, 4)
    assert again == cell.draw("ana", "BR", 30, [], 4, 4)


@pytest.mark.parametrize("breadth", [1, 5, 12, 100])
def test_a_reader_is_never_given_a_scene_twice_and_in_the_end_all_of_them(breadth: int):
    cell = a_cell(*named(30))
    taken: list[str] = []
    while drawn := cell.draw("ana", None, None, taken, 4, breadth):
        assert len(drawn) <= 4
        assert not set(drawn) & set(taken)
        taken += drawn
    assert sorted(taken) == sorted(p.scenario_id for p in cell.order)


def test_breadth_spreads_the_readers_and_no_further():
    cell = a_cell(*named(40))
    order = [p.scenario_id for p in cell.order]

    def given(breadth: int) -> Counter[str]:
        drawn = (cell.draw(f"reader-{n}", None, 30, [], 2, breadth) for n in range(120))
        return Counter(itertools.chain.from_iterable(drawn))

    assert set(given(2)) == set(order[:2])
    wide = given(12)
    assert set(wide) == set(order[:12])
    assert max(wide.values()) <= 3 * min(wide.values()), "and rather evenly"
    assert set(given(1000)) <= set(order)


def test_beyond_the_breadth_the_order_is_kept():
    cell = a_cell(*named(12))
    order = [p.scenario_id for p in cell.order]
    for name in ("ana", "bob", "eve", "joe"):
        drawn = cell.draw(name, None, 30, [], 12, 5)
        assert set(drawn[:5]) == set(order[:5])
        assert drawn[5:] == order[5:]


def test_scenes_of_other_countries_are_left_out():
    neutral, home, away = a_place("neutral"), a_place("home", "BR"), a_place("away", "JP")
    cell = a_cell(neutral, home, away)
    assert set(cell.draw("ana", "BR", 30, [], 9, 3)) == {"neutral", "home"}
    assert set(cell.draw("ana", "JP", 30, [], 9, 3)) == {"neutral", "away"}
    assert set(cell.draw("ana", None, 30, [], 9, 3)) == {"neutral"}


@pytest.mark.parametrize(
    ("age", "given"),
    [
        (18, {"any"}),
        (24, {"any"}),
        (25, {"any", "grown"}),
        (64, {"any", "grown"}),
        (65, {"any", "grown", "old"}),
        (80, {"any", "old"}),
        (120, set[str]()),
        (None, {"any", "grown", "old"}),
    ],
)
def test_scenes_that_somebody_of_that_age_would_not_live_are_left_out(
    age: int | None, given: set[str]
):
    cell = a_cell(a_place("any"), a_place("grown", ages=(25, 65)), a_place("old", ages=(65, 99)))
    assert set(cell.draw("ana", None, age, [], 9, 3)) == given


def test_the_spread_is_over_the_scenes_that_suit():
    places = [*named(20), *(a_place(f"br{n}", "BR") for n in range(20))]
    cell = a_cell(*places)
    drawn = {i for n in range(60) for i in cell.draw(f"reader-{n}", "JP", 30, [], 1, 6)}
    assert len(drawn) == 6
    assert not any(i.startswith("br") for i in drawn)


def test_nothing_is_drawn_where_nothing_is_wanted():
    assert a_cell(*named(5)).draw("ana", None, 30, [], 0, 3) == []
    assert len(a_cell(*named(5)).draw("ana", None, 30, [], 2, 0)) == 2
