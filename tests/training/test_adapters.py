"""The registry of adapters: finding, naming the nearest, and noticing damage; trains nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.errors import NotFoundError, StorageError
from training.adapters import CARD, AdapterCard, AdapterRegistry, fingerprint
from training.events import HeldOut
from training.settings import TrainingSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def registry(tmp_path: Path, pairs: Path) -> AdapterRegistry:
    registry = AdapterRegistry(tmp_path / "adapters")
    for number, name in enumerate(["ana-kind", "tom"]):
        settings = TrainingSettings(seed=number)
        card = AdapterCard(
            name=name,
            created=f"2026-11-2{number}T00:00:00+00:00",
            base_model="embedded",
            base_path="/weights",
            method="dpo",
            fingerprint=fingerprint(pairs, settings),
            run_ids=("run-1",),
            pairs_file=str(pairs),
            pairs_sha256="0",
            pair_ids=("p1",),
            reader_ids=("ana",),
            settings=settings,
            before=HeldOut(pairs=4, accuracy=0.5, margin=0.0, likelier=0.5),
            after=HeldOut(pairs=4, accuracy=1.0, margin=0.3, likelier=0.75),
            twin_share=0.4,
        )
        registry.path(name).mkdir(parents=True)
        card.save(registry.path(name))
    return registry


def test_adapters_are_listed_oldest_first(registry: AdapterRegistry, tmp_path: Path) -> None:
    registry.path("unfinished").mkdir()

    assert [card.name for card in registry.list()] == ["ana-kind", "tom"]
    assert AdapterRegistry(tmp_path / "nowhere").list() == ()


def test_the_same_training_is_found_again(registry: AdapterRegistry, pairs: Path) -> None:
    assert registry.find(fingerprint(pairs, TrainingSettings(seed=1))) == registry.get("tom")
    assert registry.find(fingerprint(pairs, TrainingSettings(seed=2))) is None

    pairs.write_text(pairs.read_text() + "\n")
    assert registry.find(fingerprint(pairs, TrainingSettings(seed=1))) is None


@pytest.mark.parametrize(
    ("name", "said"), [("ana-kin", "Did you mean 'ana-kind'"), ("zzz", "gravity train")]
)
def test_the_nearest_adapter_is_named(registry: AdapterRegistry, name: str, said: str) -> None:
    with pytest.raises(NotFoundError, match=said):
        registry.get(name)


@pytest.mark.parametrize("name", ["", "..", "../ana", "a/b", "/etc"])
def test_a_name_cannot_leave_the_registry(registry: AdapterRegistry, name: str) -> None:
    with pytest.raises(NotFoundError, match="plain folder name"):
        registry.path(name)


def test_a_damaged_card_is_named(registry: AdapterRegistry) -> None:
    (registry.path("tom") / CARD).write_text("{}")

    with pytest.raises(StorageError, match="damaged"):
        registry.list()


def test_a_reader_is_struck_and_their_adapters_are_told(registry: AdapterRegistry) -> None:
    assert [card.name for card in registry.of("ana")] == ["ana-kind", "tom"]
    registry.strike("ana")
    assert registry.of("ana") == ()
    assert registry.get("tom").reader_ids == ("(forgotten)",)


def test_a_deletion_that_was_stopped_leaves_the_adapter_listed(
    registry: AdapterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = registry.path("tom")
    (folder / "checkpoints").mkdir()
    (folder / "a.safetensors").write_bytes(b"weights")

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        with pytest.raises(StorageError, match=r"a\.safetensors cannot be removed: Permission den"):
            registry.delete("tom")
    assert [card.name for card in registry.of("ana")] == ["ana-kind", "tom"]
    registry.delete("tom")
    assert not folder.exists()


def test_a_card_that_cannot_be_written_is_named(registry: AdapterRegistry) -> None:
    (registry.path("tom") / f".{CARD}.{os.getpid()}").mkdir()

    with pytest.raises(StorageError, match=rf"{CARD} cannot be written: Is a directory"):
        registry.strike("ana")


def test_a_card_tells_what_was_made_of_doubt_and_one_from_before_it_still_loads(
    registry: AdapterRegistry,
) -> None:
    path = registry.path("tom") / CARD
    card = json.loads(path.read_text())
    assert (card["settings"].pop("doubt"), card["settings"].pop("least_probability")) == (
        "ignore",
        0.7,
    )
    path.write_text(json.dumps(card))

    assert registry.get("tom").settings == TrainingSettings(seed=1)


def test_the_registry_starts_light() -> None:
    heavy = "{'torch', 'transformers', 'peft', 'trl', 'datasets'} & set(sys.modules)"
    rooms = "training.settings, training.adapters, training.events"
    code = f"import sys, {rooms}; assert not {heavy}, {heavy}"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
