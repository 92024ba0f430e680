"""Direct Preference Optimization of a LoRA adapter, read top to bottom; draws no progress bars."""

import math
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    set_seed,
)
from trl import DPOConfig, DPOTrainer

from agents.errors import TrainingError, WeightsError
from agents.records import Record
from training.adapters import CARD, AdapterCard, fingerprint, sha256
from training.dataset import read_pairs, split, twin_share
from training.events import (
    Evaluated,
    PairsChecked,
    StepDone,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from training.measure import HeldOutPairs
from training.preflight import check
from training.settings import TrainingSettings
from training.silence import quiet_libraries

OnEvent = Callable[[TrainingEvent], None]


class TrainingReport(Record):
    """What came of a training."""

    folder: Path
    """Holds the adapter as safetensors, and its card."""
    card: AdapterCard
    lines: tuple[str, ...]
    """Of the preflight: which pairs were used and which set aside."""
    steps: int
    seconds: float


def train(
    pairs: Path, settings: TrainingSettings, base: Path | str, out: Path, on_event: OnEvent
) -> TrainingReport:
    """Trains an adapter for `base` on the pairs of a file and saves it in `out`.

    Interrupted by Ctrl-C, a kill, or an exception of `on_event`, it leaves its last checkpoint in
    `out`; the same call goes on from there.

    Args:
        pairs: JSONL or Parquet file of exported pairs.
        settings: What to train and how long.
        base: Folder of plain weights, or a transformers model name.
        out: Folder to make; its name becomes the adapter's.
        on_event: Called in this thread for every event.

    Raises:
        InputError: The pairs file is broken.
        WeightsError: The base model cannot be loaded.
        TrainingError: Too few usable pairs, memory is short, the loss is no longer a number, or
            `out` holds an adapter already.
    """
    began = time.monotonic()
    if (out / CARD).exists():
        raise TrainingError(f"{out} holds an adapter already.", "Choose another name or remove it.")
    with quiet_libraries():
        dataset = read_pairs(pairs)
        tokenizer = _tokenizer(base)
        report = check(dataset, tokenizer, settings.max_length)
        on_event(
            PairsChecked(
                usable=len(report.usable),
                set_aside=report.total - len(report.usable),
                lines=report.lines,
            )
        )
        usable = dataset.select(report.usable)
        learnt, held_out = split(usable, settings.holdout_share, settings.seed)
        held_out = held_out.shuffle(seed=settings.seed)
        held_out = held_out.select(range(min(len(held_out), settings.max_held_out)))

        identity = fingerprint(pairs, settings)
        checkpoints = _checkpoints(out, identity)
        trainer = _trainer(base, tokenizer, learnt, held_out, settings, checkpoints)
        last = _last_checkpoint(checkpoints)
        trainer.add_callback(_Progress(on_event, learnt, len(held_out), last))

        measure = HeldOutPairs(trainer.model, trainer.data_collator, trainer.eval_dataset)
        before = measure.measure(settings.beta)
        on_event(Evaluated(when="before", figures=before))
        try:
            trainer.train(resume_from_checkpoint=str(last) if last else None)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                "The GPU has too little memory.", "Lower batch_size or max_length."
            ) from error
        after = measure.measure(settings.beta)
        on_event(Evaluated(when="after", figures=after))

        trainer.model.save_pretrained(out)
    card = AdapterCard(
        name=out.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        base_model=settings.base_model,
        base_path=str(base),
        method=settings.method,
        fingerprint=identity,
        run_ids=_distinct(learnt, "run_id"),
        pairs_file=str(pairs),
        pairs_sha256=sha256(pairs),
        pair_ids=tuple(learnt["pair_id"]),
        reader_ids=_distinct(learnt, "reader_id"),
        settings=settings,
        before=before,
        after=after,
        twin_share=twin_share(learnt),
    )
    card.save(out)
    shutil.rmtree(checkpoints)
    steps, seconds = trainer.state.global_step, time.monotonic() - began
    on_event(TrainingFinished(name=card.name, steps=steps, seconds=seconds))
    return TrainingReport(folder=out, card=card, lines=report.lines, steps=steps, seconds=seconds)


def _tokenizer(base: Path | str) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The base model {base} has no tokenizer that can be loaded: {error}.",
            "Set training.base_model to 'embedded' or to a complete model folder.",
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _trainer(
    base: Path | str,
    tokenizer: PreTrainedTokenizerBase,
    learnt: Dataset,
    held_out: Dataset,
    settings: TrainingSettings,
    checkpoints: Path,
) -> DPOTrainer:
    """The base with a fresh adapter; the reference of DPO is the base with the adapter off."""
    cuda = torch.cuda.is_available()
    bf16 = cuda and torch.cuda.is_bf16_supported()
    set_seed(settings.seed)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.bfloat16 if bf16 else torch.float32, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The base model {base} cannot be loaded: {error}.",
            "Set training.base_model to 'embedded' or to a folder with safetensors.",
        ) from error
    per_epoch = math.ceil(len(learnt) / settings.batch_size)
    steps = settings.max_steps or max(1, math.ceil(per_epoch * settings.epochs))
    config = DPOConfig(
        output_dir=str(checkpoints),
        max_steps=steps,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=math.ceil(steps / 10),
        beta=settings.beta,
        max_length=settings.max_length,
        # Worth its pass over the pairs only where a pair is seen more than once.
        precompute_ref_log_probs=steps > per_epoch,
        disable_dropout=True,
        bf16=bf16,
        gradient_checkpointing=cuda,
        dataloader_pin_memory=cuda,
        logging_steps=1,
        save_steps=math.ceil(steps / 20),
        save_total_limit=1,
        seed=settings.seed,
        report_to="none",
        disable_tqdm=True,
    )
    lora = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=2 * settings.lora_rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    columns = ["prompt", "chosen", "rejected"]
    trainer = DPOTrainer(
        model=model,
        args=config,
        train_dataset=learnt.select_columns(columns),
        eval_dataset=held_out.select_columns(columns),
        processing_class=tokenizer,
        peft_config=lora,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _checkpoints(out: Path, identity: str) -> Path:
    """The folder of checkpoints for this very training; those of another are removed."""
    folder = out / "checkpoints"
    mark = folder / "fingerprint"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != identity:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(identity, encoding="utf-8")
    return folder


def _last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint: the trainer writes `trainer_state.json` last."""
    whole = [state.parent for state in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _distinct(dataset: Dataset, column: str) -> tuple[str, ...]:
    return tuple(sorted(set(dataset[column]) - {""}))


class _Progress(TrainerCallback):
    """Turns the trainer's log into events."""

    def __init__(
        self, on_event: OnEvent, learnt: Dataset, held_out: int, last: Path | None
    ) -> None:
        self._on_event = on_event
        self._learnt = learnt
        self._held_out = held_out
        self._first_step = int(last.name.rpartition("-")[2]) + 1 if last else 1
        self._began = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.monotonic()
        self._on_event(
            TrainingStarted(
                pairs=len(self._learnt),
                held_out=self._held_out,
                twin_share=twin_share(self._learnt),
                steps=state.max_steps,
                first_step=self._first_step,
                device=str(args.device),
            )
        )

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"The loss is no longer a number at step {state.global_step}.",
                "Lower the learning_rate.",
            )
        untrained = state.global_step == 1  # p equals p0: a tie, which TRL counts as lost
        done = state.global_step - self._first_step + 1
        per_step = (time.monotonic() - self._began) / done
        self._on_event(
            StepDone(
                step=state.global_step,
                total=state.max_steps,
                loss=logs["loss"],
                reward_accuracy=0.5 if untrained else logs["rewards/accuracies"],
                margin=0.0 if untrained else logs["rewards/margins"],
                seconds_left=per_step * (state.max_steps - state.global_step),
            )
        )
