"""`gravity forget` asks first, tells what it did, and fails where anything is left."""

import io
from pathlib import Path

import pytest

from agents.pool import lock_pool
from graph.store import Store
from tests.commands.conftest import Gravity
from training.adapters import AdapterCard, AdapterRegistry
from training.events import HeldOut
from training.settings import TrainingSettings


def holding(home: Path, text: str) -> list[str]:
    """The files under the home that hold a text, whatever they are."""
    files = (path for path in home.rglob("*") if path.is_file())
    return sorted(path.name for path in files if text.encode() in path.read_bytes())


@pytest.fixture
def reader(store: Store) -> str:
    """The first reader of both runs, which have been exported."""
    return store.readers("done")[0].reader.id


@pytest.fixture
def adapters(gathered: Path, reader: str) -> AdapterRegistry:
    """An adapter that was trained on the reader, and one that was not."""
    registry = AdapterRegistry(gathered / "adapters")
    figures = HeldOut(pairs=4, accuracy=0.5, margin=0.0, likelier=0.5)
    for name, readers in (("theirs", (reader, "zoe")), ("other", ("zoe",))):
        registry.path(name).mkdir(parents=True)
        AdapterCard(
            name=name,
            created="2026-11-20T00:00:00+00:00",
            base_model="embedded",
            base_path="/weights",
            method="dpo",
            fingerprint=name,
            run_ids=("done",),
            pairs_file="pairs.jsonl",
            pairs_sha256="0",
            pair_ids=("p1",),
            reader_ids=readers,
            settings=TrainingSettings(),
            before=figures,
            after=figures,
            twin_share=0.4,
        ).save(registry.path(name))
        (registry.path(name) / "adapter_model.safetensors").write_bytes(b"\0weights")
    return registry


def test_a_reader_is_gone_and_the_report_says_so(
    gravity: Gravity, gathered: Path, store: Store, reader: str, adapters: AdapterRegistry
) -> None:
    gravity("pairs", "export", "done")
    quote = store.readers("done")[0].reader.reviews[0].text[:40]
    held = set(holding(gathered, reader))
    assert {"checkpoints.db", "gravity.json", "pairs.jsonl"} <= held
    assert {"gravity.db", "gravity.db-wal"} & held
    assert holding(gathered, quote)
    requested = store.accounting("done").requested

    told = gravity("forget", reader, "--yes").out

    assert holding(gathered, reader) == holding(gathered, quote) == []
    assert told.startswith(f"{reader}: removed from {gathered}\n")
    assert "2 parts of runs" in told
    assert "adapter theirs of 2026-11-20T00:00:00+00:00: still knows" in told
    assert "gravity train done" in told
    assert "runs of the reader's words: 0 left" in told
    assert f"Files outside {gathered} were not touched" in told
    assert store.accounting("done").requested == requested // 2
    assert adapters.get("theirs").reader_ids == ("(forgotten)", "zoe")
    assert adapters.get("other").reader_ids == ("zoe",)
    again = gravity("forget", reader, "--yes", code=2).err
    assert f"Nothing is kept of a reader '{reader}'" in again


def test_adapters_go_where_that_is_asked_for(
    gravity: Gravity, reader: str, adapters: AdapterRegistry
) -> None:
    (adapters.path("begun") / "checkpoints").mkdir(parents=True)
    told = gravity("forget", reader, "--yes", "--with-adapters", "--json").json
    assert [card.name for card in adapters.list()] == ["other"]
    assert not adapters.path("theirs").exists()
    assert told["adapters"] == [{"name": "theirs", "created": "2026-11-20T00:00:00+00:00"}]
    assert told["adapters_deleted"] is True
    assert told["unfinished_trainings"] == ["begun"]
    assert told["removed"]["adapters"] == 1
    assert told["reader"] == reader
    assert told["left"] == []
    assert told["searched"]["files"] >= 4
    assert told["searched"]["bytes"] > 100_000
    assert told["searched"]["phrases"] > 100


def test_adapters_whose_deletion_was_stopped_go_with_the_next(
    gravity: Gravity, reader: str, adapters: AdapterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = adapters.path("theirs") / "adapter_model.safetensors"

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        told = gravity("forget", reader, "--yes", "--with-adapters", code=4).err
    assert f"{weights} cannot be removed: Permission denied. Mend its permissions" in told
    assert [card.name for card in adapters.of(reader)] == ["theirs"]
    told = gravity("forget", reader, "--yes", "--with-adapters").out
    assert "adapter theirs of 2026-11-20T00:00:00+00:00: deleted" in told
    assert not weights.exists()


def test_what_is_left_is_named_and_fails(gravity: Gravity, gathered: Path, reader: str) -> None:
    (gathered / "notes.md").write_text(f"Call {reader} back.")
    told = gravity("forget", reader, "--yes", code=4)
    assert "1 left\n" in told.out
    assert f"gravity: {gathered / 'notes.md'}: the id is still there. Remove that file" in told.err
    (gathered / "notes.md").unlink()
    assert "0 left" in gravity("forget", reader, "--yes").out


def test_nobody_is_forgotten_unasked(gravity: Gravity, store: Store, reader: str) -> None:
    assert "--yes" in gravity("forget", reader, code=2).err
    assert gravity("forget", "nobody", code=2).err.startswith("gravity: Nothing is kept of")
    for words in ([], [reader, "--expired"]):
        assert "name a reader, or give --expired" in gravity("forget", *words, code=2).err
    assert store.reader("done", reader).reader.id == reader


@pytest.mark.parametrize(("typed", "code"), [("n\n", 130), ("\n", 130), ("y\n", 0)])
def test_on_a_terminal_it_asks(
    gravity: Gravity,
    store: Store,
    reader: str,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    code: int,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("io.StringIO", Terminal)
    told = gravity("forget", reader, code=code, typed=typed)
    assert f"Remove everything of {reader} from" in told.err
    members = [r.reader.id for r in store.readers("done")]
    assert (reader in members) == (code != 0)


def test_beside_another_process_nothing_is_removed(
    gravity: Gravity, gathered: Path, store: Store, reader: str
) -> None:
    lock = lock_pool(gathered / "pool")
    assert "Another gravity process" in gravity("forget", reader, "--yes", code=4).err
    assert "Another gravity process" in gravity("forget", "--expired", code=4).err
    lock.release()
    assert store.reader("done", reader).reader.id == reader


def test_what_has_expired(gravity: Gravity, gathered: Path) -> None:
    assert gravity("forget", "--expired").out.startswith("0 expired attributes removed")
    assert gravity("forget", "--expired", "--json").json == {"expired": 0}
