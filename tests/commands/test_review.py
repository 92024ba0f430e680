"""`gravity review` takes keys from any terminal and keeps each decision at once."""

import pytest

from graph.store import Store
from tests.commands.conftest import Gravity


@pytest.fixture
def waiting(store: Store):
    """The pairs in the order in which they are asked about."""
    return store.pairs("asks", status="review")


def test_every_key(gravity: Gravity, store: Store, waiting) -> None:
    first, second, third, fourth = (p.id for p in waiting[:4])
    keys = ["a", "u", "u", "a", "e", "New chosen.", "", "s", "r", "too dull", "?", "q"]
    told = gravity("review", "asks", "--reviewer", "eve", typed="\n".join(keys) + "\n")
    assert store.pair(first).status == "accepted"
    assert store.pair(first).reason == "approve by eve"
    edited = store.pair(second)
    assert (edited.status, edited.chosen) == ("accepted", "New chosen.")
    assert edited.rejected == waiting[1].rejected
    assert store.pair(third) == waiting[2]
    assert (store.pair(fourth).status, store.pair(fourth).reason) == ("rejected", "too dull")
    assert "Nothing to undo yet." in told.out
    assert "Please answer with one of" in told.out
    assert "3 decided. requested 24 = accepted 2 +" in told.out
    assert "`gravity synth --run asks` goes on" in told.out
    assert len(store.pairs("asks", status="review")) == len(waiting) - 3


def test_undo_restores(gravity: Gravity, store: Store, waiting) -> None:
    told = gravity("review", typed="r\nno\nu\nq\n")
    assert store.pair(waiting[0].id) == waiting[0]
    assert "0 decided." in told.out


@pytest.mark.parametrize("typed", ["", "r\n", "e\n", "e\nHalf an edit.\n"])
def test_the_end_of_input_quits_and_keeps_nothing_half_said(
    gravity: Gravity, store: Store, waiting, typed: str
) -> None:
    told = gravity("review", "asks", typed=typed)
    assert "0 decided." in told.out
    assert store.pairs("asks", status="review") == waiting


def test_nothing_waits(gravity: Gravity, gathered) -> None:
    assert gravity("review", "done").out == "Nothing of done waits for a person.\n"


def test_every_pair_until_none_is_left(gravity: Gravity, store: Store, waiting) -> None:
    told = gravity("review", typed="a\n" * len(waiting))
    assert f"{len(waiting)} decided." in told.out
    assert store.pairs("asks", status="review") == []
