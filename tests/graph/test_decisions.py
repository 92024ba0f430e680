"""Decided pairs are found as their judges saw them, with the last word that stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.records import Verdict
from graph.decisions import decided_pairs, judged_by
from graph.store import Store
from tests.graph.deciding import a_judged_pair, open_run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_run(tmp_path)
    store.put_pairs([a_judged_pair(n, sure=n / 10) for n in range(1, 6)])
    yield store
    store.close()


def words(store: Store) -> dict[str, str]:
    return {one.before.id: one.action for one in decided_pairs(store)}


def test_nobody_has_decided(store: Store) -> None:
    assert decided_pairs(store) == []


def test_a_pair_comes_as_it_was_before(store: Store) -> None:
    before = store.pair("run-1-1")
    store.decide("run-1-1", "reject", "eve", "dull")
    [found] = decided_pairs(store)
    assert (found.before, found.action) == (before, "reject")
    assert store.pair("run-1-1").status == "rejected"


def test_the_last_word_counts_and_what_is_undone_does_not(store: Store) -> None:
    store.decide("run-1-2", "reject", "eve")
    store.decide("run-1-1", "approve", "eve")
    store.decide("run-1-2", "approve", "eve")
    assert words(store) == {"run-1-2": "approve", "run-1-1": "approve"}
    assert list(words(store)) == ["run-1-2", "run-1-1"]
    store.undo("run-1-2")
    assert words(store)["run-1-2"] == "reject"
    store.undo("run-1-2")
    assert words(store) == {"run-1-1": "approve"}


def test_verdicts_are_those_before_the_first_decision(store: Store) -> None:
    store.decide("run-1-1", "reject", "eve")
    later = store.pair("run-1-1").model_copy(
        update={"verdicts": (Verdict(judge="sure", probability=0.99),)}
    )
    store.put_pairs([later])
    store.decide("run-1-1", "approve", "eve")
    [found] = decided_pairs(store)
    assert (found.before.probability, found.action) == (0.1, "approve")


@pytest.mark.parametrize("then", ["approve", "reject"])
def test_an_edited_pair_stays_edited(store: Store, then) -> None:
    store.decide("run-1-1", "edit", "eve", chosen="New.")
    store.decide("run-1-1", then, "eve")
    store.decide("run-1-2", "approve", "eve")
    assert words(store) == {"run-1-1": "edit", "run-1-2": "approve"}
    assert [one.probability for one in judged_by(decided_pairs(store))["sure"]] == [0.2]


def test_only_the_runs_that_are_named(store: Store) -> None:
    store.begin_run("run-2", "scripted", {}, [], 1, [])
    store.put_pairs([a_judged_pair(1, "run-2", sure=0.5)])
    for pair in ("run-1-1", "run-2-1"):
        store.decide(pair, "approve", "eve")
    assert [one.before.run_id for one in decided_pairs(store, ["run-2"])] == ["run-2"]
    assert len(decided_pairs(store)) == len(decided_pairs(store, ["run-1", "run-2"])) == 2
    assert decided_pairs(store, ["run-3"]) == []


def test_each_judge_is_asked_what_it_gave_itself(store: Store) -> None:
    mended = Verdict(judge="mended", probability=0.7, criteria={"uncalibrated": 0.9})
    silent = Verdict(judge="silent", failure="malformed")
    sure = Verdict(judge="sure", probability=0.2)
    pair = a_judged_pair(9).model_copy(update={"verdicts": (sure, mended, silent), "group": "twin"})
    store.put_pairs([pair])
    store.decide(pair.id, "reject", "eve")
    store.decide("run-1-1", "approve", "eve")
    judged = judged_by(decided_pairs(store))
    assert {
        name: [(j.probability, j.right, j.group) for j in said] for name, said in judged.items()
    } == {
        "sure": [(0.2, False, "twin"), (0.1, True, "s1")],
        "mended": [(0.9, False, "twin")],
    }
