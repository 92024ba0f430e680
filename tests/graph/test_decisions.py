"""Who may decide on what and until when, the audit trail, and what is made of decisions."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import DecisionError, NotFoundError, RepeatedError
from agents.records import PairStatus, Verdict
from graph.reviewing.decisions import decided_pairs, judged_by, people_ratings
from graph.reviewing.desk import Via
from graph.store import Store
from tests.graph.crew import assert_adds_up
from tests.graph.deciding import a_judged_pair, open_run

RUN = "run-1"
ONE, TWO = f"{RUN}-1", f"{RUN}-2"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Five pairs of ana's wait for a person."""
    store = open_run(tmp_path)
    store.put_pairs([a_judged_pair(n, sure=n / 10) for n in range(1, 6)])
    yield store
    store.close()


@pytest.fixture
def pairwise(store: Store) -> Store:
    """Of a second run, `run-2`, two people must decide on each pair."""
    settings = {"settings": {"synthesis": {"reviewers": 2}}}
    store.begin_run("run-2", "scripted", settings, [], 4, [])
    store.put_pairs([a_judged_pair(n, "run-2", sure=n / 10) for n in range(1, 6)])
    return store


def put(store: Store, pair_id: str, status: PairStatus, reason: str = "") -> None:
    """The machine decides on a pair."""
    update = {"status": status, "reason": reason}
    store.put_pairs([store.pair(pair_id).model_copy(update=update)])


def refused(store: Store, pair_id: str = ONE, overrule: bool = False) -> str:
    """What one is told who decides on the pair, which stays as it is."""
    before, trail = store.pair(pair_id), store.trail(RUN)
    with pytest.raises(DecisionError) as told:
        store.decide(pair_id, "reject", "bob", overrule=overrule)
    assert (store.pair(pair_id), store.trail(RUN)) == (before, trail)
    assert told.value.field == "pair"
    return str(told.value)


# --- what may be decided ------------------------------------------------------------------------


def test_decisions_and_undo_restore_exactly(store: Store) -> None:
    before = store.pair(ONE)
    approved = store.decide(ONE, "approve", "eve")
    assert (approved.status, approved.reason) == ("accepted", "approve by eve")
    edited = store.decide(ONE, "edit", "eve", "clearer", chosen="Help now.")
    assert (edited.chosen, edited.rejected, edited.reason) == ("Help now.", "Wait 1.", "clearer")
    rejected = store.decide(ONE, "reject", "bob", "dull")
    assert (rejected.status, rejected.reason) == ("rejected", "dull")
    assert store.pair(ONE) == rejected
    assert store.undo(ONE, "cat") == store.pair(ONE) == edited
    assert store.undo(ONE, "eve") == approved
    assert store.undo(ONE, "eve") == store.pair(ONE) == before
    with pytest.raises(NotFoundError, match="Nobody has decided on pair run-1-1"):
        store.undo(ONE, "eve")


def test_an_unsound_decision_changes_nothing(store: Store) -> None:
    before = store.pair(ONE)
    with pytest.raises(DecisionError, match="The chosen answer is empty"):
        store.decide(ONE, "edit", "eve", chosen="  ")
    assert (store.pair(ONE), store.trail(RUN)) == (before, [])


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_what_was_never_in_review_stands_unless_overruled(store: Store, status: PairStatus) -> None:
    put(store, ONE, status, "too short")
    told = refused(store)
    assert told.startswith(f"Pair {ONE} is not in review: {status} without a person (too short).")
    assert "key o" in told
    store.decide(ONE, "reject" if status == "accepted" else "approve", "eve", overrule=True)
    assert store.pair(ONE).status == ("rejected" if status == "accepted" else "accepted")
    assert store.undo(ONE, "eve").status == status


def test_overruling_is_one_persons_word_and_open_to_others(pairwise: Store) -> None:
    put(pairwise, "run-2-1", "rejected")
    assert pairwise.decide("run-2-1", "approve", "eve", overrule=True).status == "accepted"
    assert pairwise.decide("run-2-1", "reject", "bob").status == "rejected"


def test_what_is_not_judged_yet_cannot_be_decided(store: Store) -> None:
    put(store, ONE, "proposed")
    for overrule in (False, True):
        assert refused(store, overrule=overrule) == (
            f"Pair {ONE} has not been judged yet. Wait until it is in review."
        )


@pytest.mark.parametrize("ended", ["finished", "failed"])
def test_what_is_published_stands_for_good(store: Store, ended) -> None:
    store.decide(ONE, "approve", "eve")
    put(store, TWO, "accepted")
    store.end_reader(RUN, "ana", ended)
    for overrule in (False, True):
        told = refused(store, overrule=overrule)
        assert re.fullmatch(
            rf"Pair {ONE} is published: accepted by eve on \d{{4}}-\d\d-\d\d \d\d:\d\d, and its"
            r" reader's part of the run has ended\. It stays as it is; .*",
            told,
        )
    assert "is published: accepted without a person, and" in refused(store, TWO)
    with pytest.raises(DecisionError, match="is published: accepted by eve"):
        store.undo(ONE, "eve")


def test_what_a_finished_reader_lacks_may_still_be_taken(store: Store) -> None:
    """The critic was wrong; the account counts what is accepted beyond the quota."""
    put(store, ONE, "rejected")
    store.end_reader(RUN, "ana", "finished")
    store.decide(ONE, "approve", "eve", overrule=True)
    assert_adds_up(store.accounting(RUN))
    assert store.accounting(RUN).accepted == 1
    assert store.undo(ONE, "eve").status == "rejected"
    assert_adds_up(store.accounting(RUN))


def test_a_pair_that_is_not_there(store: Store) -> None:
    for act in (store.decide, store.undo):
        with pytest.raises(NotFoundError, match="no pair 'nope'"):
            act("nope", *(["approve"] if act == store.decide else []), "eve")


# --- taking up ----------------------------------------------------------------------------------


def test_a_batch_is_taken_up_when_all_of_it_is_decided(store: Store) -> None:
    for number in range(1, 5):
        store.decide(f"{RUN}-{number}", "approve", "eve")
    assert not store.take_up(RUN, "ana")
    assert not any(line.taken_up_at for line in store.trail(RUN))
    store.decide(f"{RUN}-5", "reject", "bob", "dull")
    assert store.take_up(RUN, "ana")
    assert all(line.taken_up_at for line in store.trail(RUN))
    assert store.take_up(RUN, "ana"), "a repeated step finds the same"


def test_after_taking_up_a_decision_cannot_be_changed_in_passing(store: Store) -> None:
    for number in range(1, 6):
        store.decide(f"{RUN}-{number}", "reject", "eve", "dull")
    store.take_up(RUN, "ana")
    told = refused(store)
    assert re.match(rf"Pair {ONE} is not in review: rejected by eve on \d{{4}}-", told)
    with pytest.raises(DecisionError, match="is not in review: rejected by eve on"):
        store.undo(ONE, "eve")
    assert store.decide(ONE, "approve", "bob", overrule=True).status == "accepted"
    assert store.undo(ONE, "bob").status == "rejected", "his own word, not hers"
    with pytest.raises(DecisionError, match="rejected by eve"):
        store.undo(ONE, "bob")


def test_what_was_undone_is_not_taken_up(store: Store) -> None:
    store.decide(ONE, "approve", "eve")
    store.undo(ONE, "eve")
    for number in range(1, 6):
        store.decide(f"{RUN}-{number}", "approve", "eve")
    store.take_up(RUN, "ana")
    first, undo, again, *_ = store.trail(RUN)
    assert not first.taken_up_at and not undo.taken_up_at
    assert again.taken_up_at


# --- the trail ----------------------------------------------------------------------------------


def test_every_line_of_the_trail_stays(store: Store) -> None:
    before = store.pair(ONE)
    store.decide(ONE, "edit", "eve", "clearer", chosen="Help now.", via="screen")
    store.undo(ONE, "bob", via="terminal")
    store.decide(TWO, "reject", "cat", via="file")
    edit, undo, reject = store.trail(RUN)
    assert (edit.reviewer, edit.action, edit.reason, edit.via) == (
        *("eve", "edit", "clearer", "screen"),
    )
    assert (edit.before, edit.chosen, edit.rejected) == (before, "Help now.", "Wait 1.")
    assert edit.at <= (edit.undone_at or 0)
    assert edit.undone_by == "bob"
    assert (undo.action, undo.reviewer, undo.via, undo.pair_id) == ("undo", "bob", "terminal", ONE)
    assert (reject.status, reject.undone_at) == ("rejected", None)
    assert store.trail(RUN, TWO) == [reject]
    assert store.trail("run-2") == []


@pytest.mark.parametrize("via", ["screen", "file"])
def test_a_decision_with_a_key_is_taken_once(store: Store, via: Via) -> None:
    store.decide(ONE, "approve", "eve", via=via, key="k1")
    store.undo(ONE, "eve", via=via, key="k2")
    with pytest.raises(RepeatedError, match=r"approve was taken before \(eve on"):
        store.decide(ONE, "approve", "eve", via=via, key="k1")
    store.decide(ONE, "approve", "eve", via=via, key="k3")
    with pytest.raises(RepeatedError, match="undo was taken before"):
        store.undo(ONE, "eve", via=via, key="k2")
    assert store.pair(ONE).status == "accepted"
    assert len(store.trail(RUN)) == 3


def test_a_decision_is_kept_for_the_next_process(store: Store) -> None:
    store.decide(ONE, "reject", "eve")
    again = Store(store.path)
    assert again.pair(ONE).status == "rejected"
    assert again.undo(ONE, "eve").status == "review"
    again.close()


def test_decisions_at_the_same_moment_are_all_kept(store: Store) -> None:
    """Each thread has a connection of its own, as each process has."""
    stores = [Store(store.path) for _ in range(4)]
    begin = threading.Barrier(len(stores))

    def decide(number: int) -> None:
        begin.wait()
        for _ in range(10):
            action = "approve" if number % 2 else "reject"
            stores[number].decide(ONE, action, f"eve-{number}")
            stores[number].undo(ONE, f"eve-{number}")

    threads = [threading.Thread(target=decide, args=[n]) for n in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trail = store.trail(RUN)
    assert len(trail) == 80
    assert sum(line.action == "undo" for line in trail) == 40
    assert store.pair(ONE) == a_judged_pair(1, sure=0.1)
    for other in stores:
        other.close()


# --- several reviewers --------------------------------------------------------------------------


def test_two_people_must_agree_and_a_third_decides_otherwise(pairwise: Store) -> None:
    assert pairwise.decide("run-2-1", "approve", "eve").status == "review"
    assert pairwise.decide("run-2-1", "approve", "bob").status == "accepted"
    pairwise.decide("run-2-2", "approve", "eve")
    assert pairwise.decide("run-2-2", "reject", "bob", "dull").status == "review"
    settled = pairwise.decide("run-2-2", "reject", "cat")
    assert (settled.status, settled.reason) == ("rejected", "dull; reject by cat")


def test_nobody_sees_what_others_said_before_they_have_spoken(pairwise: Store) -> None:
    before = pairwise.pair("run-2-1")
    pairwise.decide("run-2-1", "edit", "eve", chosen="Hers.")
    assert pairwise.pair("run-2-1") == before
    assert pairwise.waiting("run-2", "eve") == [f"run-2-{n}" for n in (2, 3, 4, 5)]
    assert pairwise.waiting("run-2", "bob") == [f"run-2-{n}" for n in (1, 2, 3, 4, 5)]
    assert pairwise.standings("run-2", "eve", 2) == [("run-2-1", "waiting"), ("run-2-2", "review")]
    [line] = pairwise.trail("run-2")
    assert line.sealed
    pairwise.decide("run-2-1", "approve", "bob")
    assert pairwise.pair("run-2-1").chosen == "Hers."
    assert not any(line.sealed for line in pairwise.trail("run-2"))
    assert pairwise.standings("run-2", "eve", 1) == [("run-2-1", "accepted")]


def test_people_take_back_their_own_word_only(pairwise: Store) -> None:
    pairwise.decide("run-2-1", "approve", "eve")
    with pytest.raises(NotFoundError, match="bob has not decided on pair run-2-1"):
        pairwise.undo("run-2-1", "bob")
    pairwise.decide("run-2-1", "approve", "bob")
    assert pairwise.undo("run-2-1", "eve").status == "review"
    assert pairwise.waiting("run-2", "eve")[0] == "run-2-1"
    assert "run-2-1" not in pairwise.waiting("run-2", "bob")


# --- what is made of decisions ------------------------------------------------------------------


def words(store: Store) -> dict[str, str]:
    return {one.before.id: one.action for one in decided_pairs(store)}


def test_nobody_has_decided(store: Store) -> None:
    assert decided_pairs(store) == []


def test_a_pair_comes_as_it_was_before(store: Store) -> None:
    before = store.pair(ONE)
    store.decide(ONE, "reject", "eve", "dull")
    [found] = decided_pairs(store)
    assert (found.before, found.action) == (before, "reject")


def test_the_last_word_counts_and_what_is_undone_does_not(store: Store) -> None:
    store.decide(TWO, "reject", "eve")
    store.decide(ONE, "approve", "eve")
    store.decide(TWO, "approve", "eve")
    assert words(store) == {TWO: "approve", ONE: "approve"}
    assert list(words(store)) == [TWO, ONE]
    store.undo(TWO, "eve")
    assert words(store)[TWO] == "reject"
    store.undo(TWO, "eve")
    assert words(store) == {ONE: "approve"}


def test_the_machine_leaves_alone_what_people_decided_on(store: Store) -> None:
    store.decide(ONE, "reject", "eve")
    sure = Verdict(judge="sure", probability=0.99)
    later = a_judged_pair(1).model_copy(update={"verdicts": (sure,), "status": "accepted"})
    assert store.put_pairs([later]) == {ONE}
    assert (store.pair(ONE).status, store.pair(ONE).probability) == ("rejected", 0.1)
    store.undo(ONE, "eve")
    assert store.put_pairs([later]) == set()
    assert store.pair(ONE) == later


@pytest.mark.parametrize("then", ["approve", "reject"])
def test_an_edited_pair_stays_edited(store: Store, then) -> None:
    store.decide(ONE, "edit", "eve", chosen="New.")
    store.decide(ONE, then, "eve")
    store.decide(TWO, "approve", "eve")
    assert words(store) == {ONE: "edit", TWO: "approve"}
    assert [one.probability for one in judged_by(decided_pairs(store))["sure"]] == [0.2]


def test_several_peoples_outcome_counts_once_and_when_they_are_done(pairwise: Store) -> None:
    for who, action in (("eve", "approve"), ("bob", "reject"), ("cat", "reject")):
        pairwise.decide("run-2-1", action, who)  # pyright: ignore[reportArgumentType]
    pairwise.decide("run-2-2", "approve", "eve")
    assert words(pairwise) == {"run-2-1": "reject"}
    assert [one.right for one in judged_by(decided_pairs(pairwise))["sure"]] == [False]


def test_a_minoritys_edit_is_no_edit(pairwise: Store) -> None:
    pairwise.decide("run-2-1", "edit", "eve", chosen="Hers.")
    for who in ("bob", "cat"):
        pairwise.decide("run-2-1", "reject", who)
    assert words(pairwise) == {"run-2-1": "reject"}


def test_only_the_runs_that_are_named(store: Store) -> None:
    store.begin_run("run-2", "scripted", {}, [], 1, [])
    store.put_pairs([a_judged_pair(1, "run-2", sure=0.5)])
    for pair in (ONE, "run-2-1"):
        store.decide(pair, "approve", "eve")
    assert [one.before.run_id for one in decided_pairs(store, ["run-2"])] == ["run-2"]
    assert len(decided_pairs(store)) == len(decided_pairs(store, [RUN, "run-2"])) == 2
    assert decided_pairs(store, ["run-3"]) == []


def test_each_judge_is_asked_what_it_gave_itself(store: Store) -> None:
    mended = Verdict(judge="mended", probability=0.7, criteria={"uncalibrated": 0.9})
    silent = Verdict(judge="silent", failure="malformed")
    sure = Verdict(judge="sure", probability=0.2)
    pair = a_judged_pair(9).model_copy(update={"verdicts": (sure, mended, silent), "group": "twin"})
    store.put_pairs([pair])
    store.decide(pair.id, "reject", "eve")
    store.decide(ONE, "approve", "eve")
    judged = judged_by(decided_pairs(store))
    assert {
        name: [(j.probability, j.right, j.group) for j in said] for name, said in judged.items()
    } == {
        "sure": [(0.2, False, "twin"), (0.1, True, "s1")],
        "mended": [(0.9, False, "twin")],
    }


def test_ratings_are_those_that_people_gave_on_their_own(pairwise: Store) -> None:
    pairwise.decide("run-2-1", "approve", "eve")
    pairwise.decide("run-2-1", "reject", "eve")
    pairwise.decide("run-2-1", "edit", "bob", chosen="His.")
    pairwise.decide("run-2-1", "reject", "cat")
    pairwise.decide("run-2-2", "approve", "bob")
    pairwise.decide("run-2-2", "approve", "eve")
    pairwise.decide("run-2-2", "reject", "bob")
    pairwise.decide("run-2-3", "approve", "cat")
    pairwise.undo("run-2-3", "cat")
    assert people_ratings(pairwise, "run-2") == [
        ("personality", {"eve": False, "bob": True}),
        ("value", {"bob": True, "eve": True}),
    ]


def test_where_one_decides_a_second_has_seen_what_the_first_said(store: Store) -> None:
    store.decide(ONE, "approve", "eve")
    store.decide(ONE, "reject", "bob")
    assert people_ratings(store, RUN) == [("personality", {"eve": True})]
