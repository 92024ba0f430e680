"""Trains the tiny model: every adapter weight moves, the base does not, and nothing is lost."""

import hashlib
import math
from pathlib import Path

import pytest
from safetensors.torch import load_file

from agents.errors import TrainingError, WeightsError
from agents.scripted import ScriptedEmbedder
from training.adapters import AdapterRegistry, fingerprint
from training.dpo import TrainingReport, train
from training.events import (
    Evaluated,
    PairsChecked,
    StepDone,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from training.settings import TrainingSettings

SETTINGS = TrainingSettings(max_steps=12, learning_rate=1e-2, lora_rank=4, max_length=64)
EMBEDDER = ScriptedEmbedder()


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_training_moves_every_adapter_weight_and_never_the_base(
    tmp_path: Path, tiny_base: Path, pairs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    base_before, events, out = _digest(tiny_base), [], tmp_path / "adapters" / "ana"

    report = train(pairs, SETTINGS, tiny_base, out, events.append, EMBEDDER)

    weights = load_file(out / "adapter_model.safetensors")
    moved = [name for name, weight in weights.items() if "lora_B" in name and weight.any()]
    assert len(moved) == len(weights) / 2 == 2 * 7
    assert _digest(tiny_base) == base_before
    assert not list(out.glob("*.bin")) and not (out / "checkpoints").exists()

    kinds = [type(event) for event in events]
    assert kinds[:3] == [PairsChecked, Evaluated, TrainingStarted]
    assert kinds[3:15] == [StepDone] * 12
    assert kinds[15:] == [Evaluated, TrainingFinished]
    steps = [event for event in events if isinstance(event, StepDone)]
    assert steps[0].loss == pytest.approx(math.log(2)) and steps[0].reward_accuracy == 0.5
    assert steps[-1].loss < 0.6 and steps[-1].seconds_left == 0

    card = report.card
    assert (card.before.accuracy, card.before.margin) == (0.5, 0.0)
    assert card.after.margin > 0 and card.after.accuracy > 0.5
    assert card.reader_ids == ("ana", "tom") and card.run_ids == ("run-1",)
    assert len(card.pair_ids) + card.after.pairs == 25
    assert AdapterRegistry(tmp_path / "adapters").find(fingerprint(pairs, SETTINGS)) == card
    assert capfd.readouterr() == ("", "")

    with pytest.raises(TrainingError, match="holds an adapter already"):
        train(pairs, SETTINGS, tiny_base, out, events.append, EMBEDDER)


def test_both_lora_matrices_move(tmp_path: Path, tiny_base: Path, pairs: Path) -> None:
    first = train(pairs, _steps(1), tiny_base, tmp_path / "one", lambda event: None, EMBEDDER)
    last = train(pairs, _steps(6), tiny_base, tmp_path / "six", lambda event: None, EMBEDDER)

    one, six = (load_file(r.folder / "adapter_model.safetensors") for r in (first, last))
    assert all((one[name] != six[name]).any() for name in one)


def test_an_interrupted_training_goes_on_and_ends_as_if_it_had_not_been(
    tmp_path: Path, tiny_base: Path, pairs: Path
) -> None:
    def interrupt(event: TrainingEvent) -> None:
        if isinstance(event, StepDone) and event.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(pairs, _steps(6), tiny_base, tmp_path / "broken", interrupt, EMBEDDER)
    assert not AdapterRegistry(tmp_path).list()

    events: list[TrainingEvent] = []
    resumed = train(pairs, _steps(6), tiny_base, tmp_path / "broken", events.append, EMBEDDER)
    whole = train(pairs, _steps(6), tiny_base, tmp_path / "whole", lambda event: None, EMBEDDER)

    started = next(event for event in events if isinstance(event, TrainingStarted))
    assert started.first_step == 4
    assert resumed.steps == whole.steps == 6
    assert resumed.card.after.margin == pytest.approx(whole.card.after.margin, rel=1e-3)


def test_a_training_interrupted_after_its_last_step_does_no_more_steps(
    tmp_path: Path, tiny_base: Path, pairs: Path
) -> None:
    def interrupt(event: TrainingEvent) -> None:
        if isinstance(event, Evaluated) and event.when == "after":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(pairs, _steps(3), tiny_base, tmp_path / "ana", interrupt, EMBEDDER)
    events: list[TrainingEvent] = []
    report = train(pairs, _steps(3), tiny_base, tmp_path / "ana", events.append, EMBEDDER)

    assert [event.step for event in events if isinstance(event, StepDone)] == [3]
    assert report.steps == 3


def test_a_loss_that_is_no_number_ends_the_training(
    tmp_path: Path, tiny_base: Path, pairs: Path
) -> None:
    settings = SETTINGS.model_copy(update={"learning_rate": 1e30})

    with pytest.raises(TrainingError, match="no longer a number"):
        _train(pairs, settings, tiny_base, tmp_path / "ana")


def test_checkpoints_of_another_training_are_not_resumed(
    tmp_path: Path, tiny_base: Path, pairs: Path
) -> None:
    def interrupt(event: TrainingEvent) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(pairs, _steps(4), tiny_base, tmp_path / "ana", interrupt, EMBEDDER)
    events: list[TrainingEvent] = []
    train(pairs, _steps(3), tiny_base, tmp_path / "ana", events.append, EMBEDDER)

    assert next(e for e in events if isinstance(e, TrainingStarted)).first_step == 1


def test_many_epochs_compute_the_reference_once(
    tmp_path: Path, tiny_base: Path, pairs: Path
) -> None:
    settings = SETTINGS.model_copy(update={"max_steps": None, "epochs": 2.0})

    assert _train(pairs, settings, tiny_base, tmp_path / "ana").card.after.accuracy > 0.5


def test_a_base_that_is_not_there_is_named(tmp_path: Path, pairs: Path) -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        _train(pairs, SETTINGS, tmp_path / "nowhere", tmp_path / "ana")


def _steps(count: int) -> TrainingSettings:
    return SETTINGS.model_copy(update={"max_steps": count})


def _train(pairs: Path, settings: TrainingSettings, base: Path, out: Path) -> TrainingReport:
    return train(pairs, settings, base, out, lambda event: None, EMBEDDER)
