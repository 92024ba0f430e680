"""Trains the tiny model: every adapter weight moves, the base does not, and nothing is lost."""

import hashlib
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trl.trainer.dpo_config import DPOConfig

from agents.errors import TrainingError, WeightsError
from agents.scripted import ScriptedEmbedder
from tests.tiny_model import write_pairs
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


def test_the_flip_rate_of_the_training_pairs_reaches_the_trainer_and_its_loss(
    tmp_path: Path, tiny_base: Path, rows: list[dict]
) -> None:
    """Its first loss is log 2 for every rate, as p equals p0; it falls to the rate's entropy."""
    pairs = write_pairs(tmp_path / "p.jsonl", [row | {"probability": 0.6} for row in rows])
    smooth = SETTINGS.model_copy(update={"doubt": "smooth"})
    smoothed, ignored = ([], [])
    configs: list[DPOConfig] = []

    def listen(event: TrainingEvent) -> None:
        smoothed.append(event)
        if isinstance(event, Evaluated) and event.when == "after":
            (file,) = tmp_path.glob("smooth/checkpoints/*/training_args.bin")
            configs.append(torch.load(file, weights_only=False))

    report = train(pairs, smooth, tiny_base, tmp_path / "smooth", listen, EMBEDDER)
    train(pairs, SETTINGS, tiny_base, tmp_path / "ignore", ignored.append, EMBEDDER)

    (config,) = configs
    assert (config.loss_type, config.label_smoothing) == (["sigmoid", "robust"], 0.4)
    assert config.loss_weights == pytest.approx([1.2, -0.2])
    assert [e.flip_rate for e in smoothed if isinstance(e, TrainingStarted)] == [0.4]
    assert [e.flip_rate for e in ignored if isinstance(e, TrainingStarted)] == [None]
    losses, plain = (
        [e.loss for e in told if isinstance(e, StepDone)] for told in (smoothed, ignored)
    )
    assert losses[0] == pytest.approx(plain[0]) == pytest.approx(math.log(2))
    entropy = -0.4 * math.log(0.4) - 0.6 * math.log(0.6)
    assert plain[-1] < entropy <= min(losses) < math.log(2) - 0.01
    assert report.card.settings.doubt == "smooth"


def test_pairs_that_nobody_judged_count_as_certain(
    tmp_path: Path, tiny_base: Path, rows: list[dict]
) -> None:
    bare = [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in rows]
    pairs, smooth = write_pairs(tmp_path / "p.jsonl", bare), {"doubt": "smooth", "max_steps": 1}
    events: list[TrainingEvent] = []
    train(
        pairs,
        SETTINGS.model_copy(update=smooth),
        tiny_base,
        tmp_path / "out",
        events.append,
        EMBEDDER,
    )

    started = next(event for event in events if isinstance(event, TrainingStarted))
    assert (started.flip_rate, started.unjudged) == (0, started.pairs)


def test_doubt_that_is_too_great_to_be_smoothed_leaves_nothing_behind(
    tmp_path: Path, tiny_base: Path, rows: list[dict]
) -> None:
    pairs = write_pairs(tmp_path / "p.jsonl", [row | {"probability": 0.5} for row in rows])

    with pytest.raises(TrainingError, match="label-flip rate"):
        _train(pairs, SETTINGS.model_copy(update={"doubt": "smooth"}), tiny_base, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_filter_sets_aside_is_not_trained_on_and_is_told(
    tmp_path: Path, tiny_base: Path, rows: list[dict]
) -> None:
    doubted = {"p3", "p7", "p21"}
    rows = [r | {"probability": 0.6 if r["pair_id"] in doubted else 0.8} for r in rows]
    pairs = write_pairs(tmp_path / "p.jsonl", rows)
    settings = SETTINGS.model_copy(update={"doubt": "filter", "max_steps": 1})

    report = _train(pairs, settings, tiny_base, tmp_path / "out")

    assert "3 set aside: less probable than 0.7" in report.lines
    assert not doubted & set(report.card.pair_ids)
    assert len(report.card.pair_ids) + report.card.after.pairs == 22


def test_a_base_that_is_not_there_is_named(tmp_path: Path, pairs: Path) -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        _train(pairs, SETTINGS, tmp_path / "nowhere", tmp_path / "ana")


def _steps(count: int) -> TrainingSettings:
    return SETTINGS.model_copy(update={"max_steps": count})


def _train(pairs: Path, settings: TrainingSettings, base: Path, out: Path) -> TrainingReport:
    return train(pairs, settings, base, out, lambda event: None, EMBEDDER)
