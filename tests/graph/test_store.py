"""The run database keeps, finds, counts and takes back; its failures have plain words."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from agents.errors import DecisionError, LockedError, NotFoundError, StorageError
from agents.records import Attribute, Description, Message, Pair, PairStatus, Profile, Reader
from agents.settings import ChatSettings
from agents.verification import Verification
from graph.database import compact, storage_error
from graph.settings import RunSettings
from graph.store import Store
from tests.graph.crew import assert_adds_up

QUOTA = 4


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    yield store
    store.close()


@pytest.fixture
def run(store: Store) -> Store:
    """A run over three readers, of each of whom four pairs are asked."""
    readers = [Reader(id=name) for name in ("ana", "bob", "cat")]
    store.begin_run("run-1", "scripted", {"a": [1, 2.5, None]}, readers, QUOTA, ["f:1: notice"])
    return store


def a_pair(number: int, reader: str = "ana", status: PairStatus = "accepted", **others) -> Pair:
    values = {
        "id": f"{reader}-{number}",
        "run_id": "run-1",
        "reader_id": reader,
        "scenario_id": f"s{number}",
        "facet": "value",
        "dimension": "benevolence",
        "pole": "high",
        "prompt": (Message(role="user", content="What do you do?"),),
        "chosen": f"Help {number}.",
        "rejected": f"Wait {number}.",
        "status": status,
        "reason": "the critic's word",
    }
    return Pair(**values | others)


# --- accounting -------------------------------------------------------------------------------


def test_a_new_run_is_all_pending(run: Store) -> None:
    accounting = run.accounting("run-1")
    assert (accounting.requested, accounting.pending) == (12, 12)
    assert_adds_up(accounting)
    summary = run.run("run-1")
    assert (summary.status, summary.readers, summary.skipped) == ("stopped", 3, ("f:1: notice",))
    assert run.run_settings("run-1") == {"a": [1, 2.5, None]}


def test_accounting_in_every_state_with_several_pairs_a_reader(run: Store) -> None:
    statuses: tuple[PairStatus, ...] = ("accepted", "accepted", "accepted", "rejected", "proposed")
    for reader in ("ana", "bob", "cat"):
        run.put_pairs([a_pair(n, reader, status) for n, status in enumerate(statuses)])
    run.put_pairs([a_pair(9, "bob", "review")])
    assert str(run.accounting("run-1")) == (
        "requested 12 = accepted 9 + rejected 0 + failed 0 + pending 3"
    )
    run.end_reader("run-1", "ana", "finished", starved={"value": "nothing is known"})
    run.end_reader("run-1", "bob", "waiting")
    run.end_reader("run-1", "cat", "failed", error="it broke")
    accounting = run.accounting("run-1")
    assert str(accounting) == "requested 12 = accepted 9 + rejected 1 + failed 1 + pending 1"
    assert_adds_up(accounting)
    summary = run.run("run-1")
    assert (summary.proposals, summary.in_review) == (16, 1)
    assert run.reader("run-1", "ana").starved == {"value": "nothing is known"}
    assert run.reader("run-1", "cat").error == "it broke"


def test_a_pair_more_than_was_asked_for_still_adds_up(run: Store) -> None:
    """A person may approve what the critic refused, when the quota is already met."""
    run.put_pairs([a_pair(n) for n in range(QUOTA)])
    run.put_pairs([a_pair(8, status="rejected"), a_pair(9, status="rejected")])
    run.end_reader("run-1", "ana", "finished")
    with pytest.raises(DecisionError, match="not in review: rejected without a person"):
        run.decide("ana-8", "approve", "eve")
    run.decide("ana-8", "approve", "eve", overrule=True)
    run.decide("ana-9", "approve", "eve", overrule=True)
    run.put_pairs([a_pair(10, status="review")])
    accounting = run.accounting("run-1")
    assert accounting.accepted == QUOTA + 2
    assert_adds_up(accounting)


def test_pairs_put_twice_are_there_once(run: Store) -> None:
    run.put_pairs([a_pair(1), a_pair(2)])
    run.put_pairs([a_pair(1), a_pair(2, status="rejected"), a_pair(3)])
    assert [(p.id, p.status) for p in run.pairs("run-1")] == [
        ("ana-1", "accepted"),
        ("ana-2", "rejected"),
        ("ana-3", "accepted"),
    ]
    assert run.run("run-1").proposals == 3


def test_pairs_are_filtered(run: Store) -> None:
    run.put_pairs([a_pair(1), a_pair(2, status="review"), a_pair(1, "bob")])
    assert [p.id for p in run.pairs("run-1", status="accepted")] == ["ana-1", "bob-1"]
    assert [p.id for p in run.pairs("run-1", reader_id="ana")] == ["ana-1", "ana-2"]
    assert [p.id for p in run.pairs("run-1", limit=1)] == ["ana-1"]
    assert run.pairs("run-2") == []


# --- decisions --------------------------------------------------------------------------------


def test_decisions_and_undo_restore_exactly(run: Store) -> None:
    before = a_pair(1, status="review")
    run.put_pairs([before])
    approved = run.decide("ana-1", "approve", "eve")
    assert (approved.status, approved.reason) == ("accepted", "approve by eve")
    edited = run.decide("ana-1", "edit", "eve", "clearer", chosen="Help now.")
    assert (edited.chosen, edited.rejected, edited.reason) == ("Help now.", "Wait 1.", "clearer")
    rejected = run.decide("ana-1", "reject", "eve", "dull")
    assert (rejected.status, rejected.reason, rejected.chosen) == ("rejected", "dull", "Help now.")
    assert run.pair("ana-1") == rejected
    assert run.undo("ana-1", "eve") == run.pair("ana-1") == edited
    assert run.undo("ana-1", "eve") == approved
    assert run.undo("ana-1", "eve") == run.pair("ana-1") == before
    with pytest.raises(NotFoundError, match="Nobody has decided"):
        run.undo("ana-1", "eve")


def test_decisions_are_kept_for_the_next_process(run: Store) -> None:
    run.put_pairs([a_pair(1, status="review")])
    run.decide("ana-1", "reject", "eve")
    again = Store(run.path)
    assert again.pair("ana-1").status == "rejected"
    assert again.undo("ana-1", "eve").status == "review"
    again.close()


# --- names ------------------------------------------------------------------------------------


def test_names_that_are_not_there(run: Store) -> None:
    for ask in (run.run, run.accounting, run.run_settings):
        with pytest.raises(NotFoundError, match="no run 'nope'"):
            ask("nope")
    with pytest.raises(NotFoundError, match="no run"):
        run.set_run_status("nope", "finished")
    with pytest.raises(NotFoundError, match="no reader 'eve'"):
        run.reader("run-1", "eve")
    for act in (
        run.pair,
        lambda name: run.undo(name, "eve"),
        lambda name: run.decide(name, "approve", "eve"),
    ):
        with pytest.raises(NotFoundError, match="pair"):
            act("nope")


def test_last_and_next(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no run 'last'"):
        store.run("last")
    assert store.next_run_id() == "run-1"
    for name in ("run-1", "other", "run-3"):
        store.begin_run(name, "m", {}, [Reader(id="ana")], 1, [])
    assert store.run("last").id == "run-3"
    assert [run.id for run in store.runs()] == ["run-3", "other", "run-1"]
    assert store.next_run_id() == "run-2"
    assert store.has_run("other")
    assert not store.has_run("nope")


def test_the_newest_unfinished_run_under_the_same_settings(store: Store) -> None:
    source = {"readers": "r.jsonl"}
    for name, quota in (("a", 1), ("b", 1), ("c", 2)):
        kept = {"source": source, "settings": {"synthesis": {"quotas": quota}}}
        store.begin_run(name, "m", kept, [Reader(id="ana")], 1, [])
    wanted = {"synthesis": {"quotas": 1}}
    assert store.unfinished_run(source, wanted) == "b"
    store.set_run_status("b", "finished")
    assert store.unfinished_run(source, wanted) == "a"
    assert store.unfinished_run(source, {"synthesis": {"quotas": 3}}) is None
    assert store.unfinished_run({"readers": "other.jsonl"}, wanted) is None


def test_profiles_and_descriptions_come_back_as_they_were(run: Store) -> None:
    known = Attribute(facet="value", dimension="benevolence", score=61, sd=6, source="stated")
    run.keep_profile("run-1", Profile(reader_id="ana", attributes=(known,)))
    profile = run.reader("run-1", "ana").profile
    assert profile is not None
    assert profile.attributes == (known,)
    assert [r.reader.id for r in run.readers("run-1")] == ["ana", "bob", "cat"]

    told = Description(
        reader_id="ana", book_id="b", method="base", text="x", faithful=True, why=("y",)
    )
    assert run.description("f") is None
    run.keep_description("f", told)
    run.keep_description("f", told)
    assert run.description("f") == told


# --- failures ---------------------------------------------------------------------------------


def test_a_run_begun_twice_leaves_the_first_as_it_was(run: Store) -> None:
    with pytest.raises(StorageError):
        run.begin_run("run-1", "m", {}, [Reader(id="eve")], 1, [])
    assert [r.reader.id for r in run.readers("run-1")] == ["ana", "bob", "cat"]


def test_another_writer_locks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.database.BUSY_TIMEOUT_S", 0.2)
    store = Store(tmp_path / "gravity.db")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockedError, match="locked by another process"):
        store.begin_run("run-1", "m", {}, [], 1, [])
    assert store.runs() == [], "reading goes on beside a writer"
    other.execute("ROLLBACK")
    store.begin_run("run-1", "m", {}, [], 1, [])
    assert store.has_run("run-1")
    other.close()
    store.close()


def test_a_full_disk(run: Store) -> None:
    event.listen(
        run._engine,
        "checkout",
        lambda connection, *_: connection.execute("PRAGMA max_page_count = 1"),
    )
    with pytest.raises(StorageError, match="the disk is full"):
        run.put_pairs([a_pair(n, chosen="x" * 10_000) for n in range(50)])
    assert run.pairs("run-1") == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "gravity.db"
    path.write_bytes(b"This is a shopping list, " * 100)
    with pytest.raises(StorageError, match=r"gravity\.db cannot be read"):
        Store(path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StorageError, match="cannot be made"):
        Store(tmp_path / "home" / "gravity.db")


@contextmanager
def as_nobody() -> Iterator[None]:
    """An administrator may write everywhere; nobody may not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("begun", [False, True])
def test_a_read_only_folder(begun: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if begun:
            store = Store(folder / "gravity.db")
            store.begin_run("run-1", "m", {}, [], 1, [])
            store.close()
            (folder / "gravity.db").chmod(0o444)
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(StorageError, match=r"gravity\.db cannot be written"):
            Store(folder / "gravity.db").set_run_status("run-1", "finished")
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("cause", "kind", "text"),
    [
        ("database is locked", LockedError, "locked by another process"),
        ("database or disk is full", StorageError, "the disk is full"),
        ("disk I/O error", StorageError, "disk I/O error"),
    ],
)
def test_plain_words(cause: str, kind: type[StorageError], text: str) -> None:
    error = storage_error(Path("x.db"), cause)
    assert type(error) is kind
    assert text in str(error)
    assert error.exit_code == 4


def test_a_run_that_was_begun_meanwhile_is_left_alone(store: Store) -> None:
    store.begin_run("run-1", "m", {}, [Reader(id="ana")], 4, [])
    with pytest.raises(LockedError, match="run-1 has been begun by another process"):
        store.begin_run("run-1", "n", {}, [Reader(id="bob")], 4, [])
    assert [member.reader.id for member in store.readers("run-1")] == ["ana"]


def test_new_quotas_count_for_readers_whose_part_has_not_ended(store: Store) -> None:
    readers = [Reader(id="ana"), Reader(id="bob")]
    store.begin_run("one", "m", {"settings": RunSettings().kept()}, readers, 4, [])
    store.end_reader("one", "ana", "finished")
    settings = RunSettings(chat=ChatSettings(model="n")).kept()
    store.change_settings("one", settings)
    assert [member.requested for member in store.readers("one")] == [4, 12]
    assert store.run("one").model == "n"


def test_no_row_number_makes_one_readers_id_look_like_anothers(store: Store) -> None:
    """In an index SQLite puts the row number after the last column: 50 is the digit 2."""
    store.begin_run("one", "m", {}, [Reader(id="reader1")], 60, [])
    pairs = [a_pair(n, "reader1") for n in range(60)]
    store.put_pairs([pair.model_copy(update={"run_id": "one"}) for pair in pairs])
    said = {"reader_id": "reader1", "item": "pace", "action": "confirm", "by": "ana", "at": 1}
    store.verify(Verification.model_validate(said) for _ in range(60))
    compact(store.path)
    kept = store.path.read_bytes()
    assert not [digit for digit in range(10) if f"reader1{digit}".encode() in kept]
