"""A forgotten reader is in no byte of the home, and nobody else loses a word."""

import json
import re
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from agents.errors import LockedError, NotFoundError, StorageError
from agents.pool import Pool, lock_pool
from agents.records import Attribute, Description, Profile, Reader, Review, Scenario
from agents.scripted import ScriptedEmbedder
from agents.verification import Verification
from graph import erasure
from graph.answers import AnswerSheet
from graph.erasure import forget, purge_expired
from graph.export import export_pairs
from graph.marks import FORGOTTEN, Marks, phrases
from graph.reader_rows import marks_of
from graph.remains import search
from graph.store import Store
from tests.graph.crew import assert_adds_up, open_crew, sample_readers, work

NAMES = ("reader1", "reader12", "us-zoé_7", "reader2")
"""An id that begins another; one that is no ASCII; one more."""
CURSED = b"\xff\0" + b"\xed\xa0\x80" * 9 + b"\0"
"""Bytes that are no text, though half of these look like it."""


def words_of(reader: Reader) -> list[str]:
    """Every six words in a row of the reviews, as they were written."""
    texts = (review.text.split() for review in reader.reviews)
    return [" ".join(t[i : i + 6]) for t in texts for i in range(len(t) - 5)]


def files_with(home: Path, reader: Reader) -> set[str]:
    """The files whose bytes hold the id as a word, or six words, plain or escaped."""
    marks = [form for w in words_of(reader) for form in {w, json.dumps(w)[1:-1]}]
    name = "|".join({re.escape(reader.id), re.escape(json.dumps(reader.id)[1:-1])})
    word = re.compile(f"(?<![\\w-])(?:{name})(?![\\w-])".encode())
    found: set[str] = set()
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if word.search(data) or any(mark.encode() in data for mark in marks):
                found.add(path.name)
    return found


@pytest.fixture(scope="session")
def _worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two runs over readers of whom everything is kept that can be."""
    import asyncio

    home = tmp_path_factory.mktemp("worked") / "home"
    readers = [
        r.model_copy(update={"id": n}) for n, r in zip(NAMES, sample_readers(4), strict=True)
    ]
    with open_crew(home) as crew:
        quota = sum(crew.settings.quotas.values())
        notices = [f"f.jsonl:12: id: {name} was there before" for name in NAMES]
        source = {"source": {"readers": "/in/us-zoé_7.jsonl", "books": None}}
        crew.store.begin_run("one", "scripted", source, readers, quota, notices)
        crew.store.begin_run("two", "scripted", {}, readers[:2], quota, [])
        asyncio.run(work(crew, "one", home))
        doubted = crew.store.pairs("one", reader_id=NAMES[0])[0]
        update = {"id": "doubted", "run_id": "two", "status": "review"}
        crew.store.put_pairs([doubted.model_copy(update=update)])
        crew.store.decide("doubted", "approve", "eve")
        others = crew.store.pairs("one", reader_id=NAMES[1])[0]
        quoting = others.model_copy(update=update | {"id": "quoting"})
        crew.store.put_pairs([quoting])
        words = next(review.text for review in readers[0].reviews if review.text)
        crew.store.decide("quoting", "edit", "eve", chosen=words[:400])
        crew.store.undo("quoting", NAMES[0])
        export_pairs(crew.store, "one", home / "exports" / "one")
        for name in NAMES:
            crew.store.keep_sheets(
                [AnswerSheet(reader_id=name, instrument="short", answers={"openness-h1": 5})]
            )
            crew.store.verify(
                [Verification(reader_id=name, item="pace", action="confirm", by=name, at=1)]
            )
            told = Description(
                reader_id=name, book_id="b", method="base", text="x", faithful=True, why=()
            )
            crew.store.keep_description(f"f-{name}", told)
    return home


@pytest.fixture
def home(_worked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_worked, tmp_path / "home"))


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(home / "gravity.db")
    yield store
    store.close()


def kept_of(store: Store, home: Path, reader: str) -> list[Any]:
    """Everything that is kept of one reader."""
    with sqlite3.connect(home / "checkpoints.db") as checkpoints:
        thread = checkpoints.execute(
            "SELECT * FROM checkpoints WHERE thread_id = ? ORDER BY checkpoint_id",
            [f"one/{reader}"],
        ).fetchall()
    exported = (home / "exports" / "one" / "pairs.jsonl").read_text("utf-8").splitlines()
    return [
        store.reader("one", reader),
        store.pairs("one", reader_id=reader),
        store.spans("one", reader),
        store.sheets(reader),
        store.verifications(reader),
        store.description(f"f-{reader}"),
        thread,
        [line for line in exported if json.loads(line)["reader_id"] == reader],
    ]


# --- everywhere -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_byte_is_left_and_nobody_else_loses_anything(
    home: Path, store: Store, name: str
) -> None:
    reader = store.reader("one", name).reader
    requested = store.accounting("one").requested
    others = {other: kept_of(store, home, other) for other in NAMES if other != name}
    assert all(all(kept) for kept in others.values())
    assert files_with(home, reader) >= {"gravity.db", "pairs.jsonl"}

    done = forget(store, home, name)

    assert done.search.left == ()
    assert files_with(home, reader) == set()
    assert {other: kept_of(store, home, other) for other in others} == others
    rows = pyarrow.parquet.read_table(home / "exports" / "one" / "pairs.parquet").to_pylist()
    assert name not in {row["reader_id"] for row in rows}
    assert done.removed["parts of runs"] == (2 if name in NAMES[:2] else 1)
    assert (
        done.removed.items()
        >= {
            "answer sheets": 1,
            "verifications": 1,
            "descriptions": 1,
            "notices": 1,
            "checkpoint threads": 1,
            "exports": 1,
        }.items()
    )
    assert done.removed["pairs"] > 0
    assert done.removed["trace spans"] > 0
    assert store.accounting("one").requested == requested * 3 // 4
    assert_adds_up(store.accounting("one"))
    assert len(store.run("one").skipped) == 3
    assert [p.name for p in home.glob("erasing*")] == []
    with pytest.raises(NotFoundError, match="Nothing is kept of a reader"):
        forget(store, home, name)


def test_the_search_finds_what_is_there(home: Path, store: Store) -> None:
    """Otherwise a clean search would say nothing."""
    for name in NAMES:
        found = {p.rpartition(": ")[0] for p in search(home, marks_of(store, name)).left}
        where = {Path(place.partition(": ")[0]).name for place in found}
        assert where >= {"gravity.db", "checkpoints.db", "pairs.jsonl", "pairs.parquet"}
        columns = {place.partition(": ")[2] for place in found} - {""}
        assert columns >= {"readers.reader_id", "spans.reader_id", "checkpoints.thread_id"}
        assert columns >= {"readers.record", "answers.reader_id", "verifications.by"}


def test_a_run_goes_on_without_the_forgotten(home: Path, store: Store) -> None:
    forget(store, home, "reader12")
    store.close()

    import asyncio

    with open_crew(home) as crew:
        asyncio.run(work(crew, "two", home))
        summary = crew.store.run("two")
        assert (summary.status, summary.readers) == ("finished", 1)
        assert summary.accounting.pending == 0
        assert_adds_up(summary.accounting)
    assert search(home, Marks("reader12", "as a word", frozenset())).left == ()


def test_a_run_follows_when_the_last_reader_with_work_goes(home: Path, store: Store) -> None:
    assert store.run("two").status == "stopped"
    forget(store, home, "reader1")
    assert store.run("two").status == "stopped"
    forget(store, home, "reader12")
    summary = store.run("two")
    assert (summary.status, summary.readers) == ("finished", 0)
    assert str(summary.accounting) == (
        "requested 0 = accepted 0 + rejected 0 + failed 0 + pending 0"
    )


def test_an_export_of_nobody_is_removed(home: Path, store: Store) -> None:
    for name in NAMES:
        forget(store, home, name)
    assert list((home / "exports").iterdir()) == []
    assert store.pairs("one") == []


@pytest.mark.parametrize("name", ["ana", "what", "7", "b", "pairs", "a\\b", 'a"b', "ru/n", "日本"])
def test_ids_that_stand_everywhere_by_chance(tmp_path: Path, name: str) -> None:
    """The id of one reader is a common word, a number or no name at all; others use it, too."""
    other = Review(
        id="x", book_id="b", rating=4, text=f"She said {name} to ana: what, 7 pairs of b?"
    )
    store = Store(tmp_path / "gravity.db")
    readers = [Reader(id=name, age=7), Reader(id="bob", age=7, reviews=(other,))]
    store.begin_run("one", "m", {}, readers, 4, ["f.jsonl:7: age: ana and bob"])
    done = forget(store, tmp_path, name)
    assert done.search.left == ()
    assert [r.reader for r in store.readers("one")] == readers[1:]
    assert done.marks.naming == "as a field"
    store.close()


def test_a_run_that_bears_the_readers_name(tmp_path: Path) -> None:
    store = Store(tmp_path / "gravity.db")
    store.begin_run("us-maya", "m", {}, [Reader(id="us-maya"), Reader(id="bob")], 4, [])
    store.verify([Verification(reader_id="bob", item="pace", action="confirm", by="us-maya", at=1)])
    assert forget(store, tmp_path, "us-maya").search.left == ()
    assert [r.reader.id for r in store.readers("us-maya")] == ["bob"]
    assert [v.by for v in store.verifications("bob")] == ["(forgotten)"]
    store.close()


@pytest.mark.parametrize("name", ["goodreads_zoe", "zoe"])
def test_a_file_that_is_named_for_its_reader(tmp_path: Path, name: str) -> None:
    """As Goodreads' export is, which is the catalogue, too."""
    file = f"/in/{name}.csv"
    store = Store(tmp_path / "gravity.db")
    notices = [f"{name}.csv: My Rating: books without a rating, left out: 3", "f.csv:3: id: none"]
    kept = {"source": {"readers": file, "books": file, "limit": 2}}
    store.begin_run("one", "m", kept, [Reader(id=name), Reader(id="bob")], 4, notices)
    kept = {"source": {"readers": "/in/r.jsonl", "books": file}}
    store.begin_run("two", "m", kept, [Reader(id="bob")], 4, [])
    done = forget(store, tmp_path, name)
    assert done.search.left == ()
    assert store.run_settings("one")["source"] == {
        "readers": FORGOTTEN,
        "books": FORGOTTEN,
        "limit": 2,
    }
    assert store.run_settings("two")["source"] == {"readers": "/in/r.jsonl", "books": FORGOTTEN}
    assert store.run("one").skipped == ("f.csv:3: id: none",)
    store.close()


# --- what others hold of them -----------------------------------------------------------------


def test_scenes_with_a_readers_words_go_with_the_pairs_made_of_them(
    home: Path, store: Store
) -> None:
    own = words_of(store.reader("one", "reader1").reader)[40]
    scenes = [
        Scenario(
            id=f"s{n}",
            facet="personality",
            dimension="openness",
            situation=text,
            high="Go.",
            low="Stay.",
            provenance="written",
            parents=parents,
        )
        for n, (text, parents) in enumerate(
            [
                (f"Someone tells you: {own.upper()}, and waits.", ()),
                ("A quiet morning.", ("for reader1",)),
                ("A quiet evening.", ("for reader12",)),
            ]
        )
    ]
    pool = Pool(home / "pool", ScriptedEmbedder())
    pool.load(scenes)
    before = len(pool)
    pool.close()
    pair = store.pairs("one", reader_id="reader2")[0]
    prompt = pair.prompt[0].model_copy(update={"content": scenes[0].situation})
    store.put_pairs([pair.model_copy(update={"id": "p", "prompt": (prompt,)})])

    done = forget(store, home, "reader1")

    assert (done.removed["scenarios"], done.search.left) == (2, ())
    pool = Pool(home / "pool", ScriptedEmbedder())
    assert pool.get(["s0", "s1", "s2"]) == scenes[2:]
    assert len(pool) == before - 2
    assert len(pool.scenes(("openness",)).order) > 1
    pool.close()
    assert own.upper().encode() not in (home / "pool" / "chroma.sqlite3").read_bytes()
    assert [p.id for p in store.pairs("one", reader_id="reader2") if p.id == "p"] == []


@pytest.mark.parametrize("name", ["data_level0.bin", "length.bin"])
def test_what_the_pools_files_hold_by_accident_goes_too(
    home: Path, store: Store, name: str
) -> None:
    """ChromaDB writes memory that it never set into the room for vectors to come."""
    (vectors,) = home.glob(f"pool/*/{name}")
    size = vectors.stat().st_size
    spilt = store.reader("one", "reader1").reader.reviews[0].text.encode()
    vectors.write_bytes(vectors.read_bytes()[: -len(spilt)] + spilt)
    assert forget(store, home, "reader1").search.left == ()
    assert vectors.stat().st_size == size
    used, each = struct.unpack_from("<2Q", (vectors.parent / "header.bin").read_bytes(), 20)
    spare = vectors.read_bytes()[used * (each if name == "data_level0.bin" else 4) :]
    assert spare and not any(spare)
    pool = Pool(home / "pool", ScriptedEmbedder())
    drawn = pool.get([pool.scenes(("openness",)).order[0].scenario_id])
    nearest = {"objection": lambda _, near: near[0] if near[0].similarity > 0.9 else None}
    assert pool.add_unless(drawn, **nearest) == [None]
    twin = drawn[0].model_copy(update={"id": "twin"})
    (collision,) = pool.add_unless([twin], **nearest)
    assert collision and collision.scenario == drawn[0]
    pool.close()


def test_words_that_others_wrote_too_are_nobodys_own(tmp_path: Path) -> None:
    common = "I could not put it down and read until the morning came."
    own = "The ferry timetable of Port Hadley was wrong in nine places."
    readers = [
        Reader(id=name, reviews=(Review(id="1", book_id="b", rating=5, text=text),))
        for name, text in (("one-1", f"{common} {own}"), ("two-2", common.upper()))
    ]
    store = Store(tmp_path / "gravity.db")
    store.begin_run("run", "m", {}, readers, 4, [])
    marks = marks_of(store, "one-1")
    assert phrases([own]) < marks.phrases
    assert not phrases([common]) & marks.phrases
    assert forget(store, tmp_path, "one-1").search.left == ()
    assert store.reader("run", "two-2").reader == readers[1]
    store.close()


def test_what_others_rows_say_of_a_reader_by_the_way(tmp_path: Path) -> None:
    own = "The ferry timetable of Port Hadley was wrong in nine places."
    review = Review(id="1", book_id="b", rating=5, text=own)
    readers = [Reader(id="zoe_1", reviews=(review,)), Reader(id="bob"), Reader(id="cat")]
    store = Store(tmp_path / "gravity.db")
    store.begin_run("run", "m", {}, readers, 4, [])
    store.end_reader("run", "bob", "failed", {"value": f"no {own}", "belief": "few"}, 1, own)
    store.keep_profile("run", Profile(reader_id="bob", notices=(f"unused: {own}",)))
    store.keep_profile("run", Profile(reader_id="cat", notices=("unused: two words",)))
    store.verify(
        Verification(reader_id="cat", item="pace", action="confirm", by=by, at=1)
        for by in ("for zoe_1", "zoe_12")
    )
    cat = store.reader("run", "cat")

    assert forget(store, tmp_path, "zoe_1").search.left == ()

    bob = store.reader("run", "bob")
    assert bob.error == FORGOTTEN
    assert bob.starved == {"value": FORGOTTEN, "belief": "few"}
    assert bob.profile is None
    assert store.reader("run", "cat") == cat
    assert FORGOTTEN in {v.by for v in store.verifications("cat")}
    store.close()


# --- what is left -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reader1", "us-zoé_7"])
def test_what_cannot_be_removed_is_named_until_it_is_gone(
    home: Path, store: Store, name: str
) -> None:
    own = store.reader("one", name).reader.reviews[1].text
    (home / "notes.txt").write_text(f"It was {name} who came.", "utf-8")
    (home / "quotes.bin").write_bytes(b"\0\1" + json.dumps({"t": own}).encode() + CURSED)
    (home / f"{name}.txt").write_text("")
    left = forget(store, home, name).search.left
    assert {Path(found.partition(": ")[0]).name for found in left} == {
        "notes.txt",
        "quotes.bin",
        f"{name}.txt",
    }
    assert search(home, Marks("reader2", "as a word", frozenset())).left != ()
    for path in ("notes.txt", "quotes.bin", f"{name}.txt"):
        (home / path).unlink()
    done = forget(store, home, name)
    assert done.search.left == ()
    assert done.removed["pairs"] > 0, "what the first call removed is told by the second, too"
    assert files_with(home, Reader(id=name)) == set()


# --- interrupted ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step", ["erase_rows", "erase_threads", "erase_scenarios", "export_pairs", "_compact", "search"]
)
def test_an_erasure_that_was_killed_is_finished_by_the_next(
    home: Path, store: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = store.reader("one", "reader1").reader

    def killed(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, step, killed)
        with pytest.raises(KeyboardInterrupt):
            forget(store, home, "reader1")
    done = forget(store, home, "reader1")
    assert done.search.left == ()
    assert done.removed["parts of runs"] == 2
    assert files_with(home, reader) == set()


def test_an_erasure_that_goes_on_knows_what_came_meanwhile(tmp_path: Path) -> None:
    said = [
        "The ferry timetable of Port Hadley was wrong in nine places.",
        "My grandmother kept forty lizards beneath the kitchen stove.",
    ]
    store = Store(tmp_path / "gravity.db")
    for run, text in enumerate(said):
        review = Review(id="1", book_id="b", rating=5, text=text)
        readers = [Reader(id="zoe_1", reviews=(review,)), Reader(id="bob")]
        store.begin_run(f"run-{run}", "m", {}, readers, 4, [])
        (tmp_path / f"notes-{run}.txt").write_text(text)
        left = forget(store, tmp_path, "zoe_1").search.left
        assert len(left) == run + 1
    for run in range(2):
        (tmp_path / f"notes-{run}.txt").unlink()
    done = forget(store, tmp_path, "zoe_1")
    assert (done.search.left, done.removed["parts of runs"]) == ((), 2)
    store.close()


def _refused(self: Path, *_given: object) -> None:
    raise PermissionError(13, "Permission denied", str(self))


@pytest.mark.parametrize("step", ["write_text", "unlink"])
def test_a_note_that_cannot_be_written_is_told_of(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "gravity.db")
    store.begin_run("run", "m", {}, [Reader(id="zoe_1")], 4, [])
    with monkeypatch.context() as patch:
        patch.setattr(Path, step, _refused)
        with pytest.raises(StorageError, match=r"erasing-.*Permission denied.*run the same"):
            forget(store, tmp_path, "zoe_1")
    assert forget(store, tmp_path, "zoe_1").search.left == ()
    store.close()


def test_an_export_that_cannot_be_removed_is_told_of(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", _refused)
        with pytest.raises(StorageError, match=r"exports/one cannot be removed: Permission den"):
            for name in NAMES:
                forget(store, home, name)
    assert forget(store, home, NAMES[-1]).search.left == ()
    assert list((home / "exports").iterdir()) == []


def test_a_torn_export_is_written_again(home: Path, store: Store) -> None:
    torn = home / "exports" / "one" / "pairs.parquet"
    torn.write_bytes(torn.read_bytes()[:-100])
    assert forget(store, home, "reader1").search.left == ()
    pyarrow.parquet.read_table(torn)


def test_nothing_is_removed_beside_another_process(home: Path, store: Store) -> None:
    before = kept_of(store, home, "reader1")
    lock = lock_pool(home / "pool")
    for act in (
        lambda: forget(store, home, "reader1"),
        lambda: purge_expired(store, home, date.today()),
    ):
        with pytest.raises(LockedError, match="Another gravity process"):
            act()
    lock.release()
    assert kept_of(store, home, "reader1") == before
    assert list(home.glob("erasing*")) == []


def test_a_database_at_work_is_waited_for_and_told_of(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.database.BUSY_TIMEOUT_S", 0.1)
    other = sqlite3.connect(home / "gravity.db")
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM runs").fetchone()
    with pytest.raises(LockedError, match="run the same command again"):
        forget(store, home, "reader1")
    other.close()
    assert forget(store, home, "reader1").search.left == ()


def test_an_unreadable_file_is_told_of(home: Path, store: Store) -> None:
    (home / "x.gz").write_bytes(b"no gzip at all")
    with pytest.raises(StorageError, match=r"x\.gz cannot be searched"):
        forget(store, home, "reader1")


def test_an_unknown_reader_with_the_nearest(home: Path, store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"reader 'us-zoe_7' in .*Did you mean 'us-zoé_7'"):
        forget(store, home, "us-zoe_7")


# --- expired ----------------------------------------------------------------------------------


def test_what_has_expired_goes_unless_the_reader_made_it_their_own(tmp_path: Path) -> None:
    today = date(2026, 11, 23)

    def inferred(dimension: str, days: int | None) -> Attribute:
        return Attribute(
            facet="personality",
            dimension=dimension,
            score=60,
            sd=9.6,
            source="inferred_text",
            expires_on=None if days is None else today + timedelta(days),
        )

    days = {"openness": 0, "trust": -9, "pace": 1, "power": None, "imagination": -1, "anger": -1}
    profile = Profile(reader_id="ana", attributes=tuple(inferred(*item) for item in days.items()))
    store = Store(tmp_path / "gravity.db")
    for run in ("one", "two"):
        store.begin_run(run, "m", {}, [Reader(id="ana"), Reader(id="bob")], 4, [])
    store.keep_profile("one", profile)
    store.verify(
        Verification(reader_id="ana", item=item, action=action, by="ana", at=1)
        for item, action in (("imagination", "confirm"), ("anger", "forbid"), ("power", "remove"))
    )
    assert purge_expired(store, tmp_path, today) == 3
    kept = store.reader("one", "ana").inferred
    assert kept and [a.dimension for a in kept.attributes] == ["pace", "power", "imagination"]
    assert kept.attributes == tuple(a for a in profile.attributes if a in kept.attributes)
    assert b"trust" not in (tmp_path / "gravity.db").read_bytes()
    assert purge_expired(store, tmp_path, today) == 0
    store.close()
