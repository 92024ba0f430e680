"""Direct Preference Optimization of a LoRA adapter, read top to bottom; draws no progress bars."""

import math
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import (
    AutoModelForCausalLM,
    PreTrainedTokenizerBase,
    PrinterCallback,
    set_seed,
)
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer

from agents.embeddings import Embedder
from agents.errors import TrainingError, WeightsError
from agents.records import Record
from training.adapters import CARD, AdapterCard, fingerprint, sha256
from training.allocator import keep_freed_memory
from training.audit import SIFTED, audit, require_sound
from training.checkpoints import checkpoint_folder, last_checkpoint, step_of
from training.dataset import flip_rate, read_pairs, split, twin_share
from training.events import Evaluated, PairsChecked, TrainingFinished, TrainingStarted
from training.measure import HeldOutPairs
from training.pair_set import PairSet
from training.preflight import require_usable
from training.progress import OnEvent, Progress
from training.rendering import load_tokenizer
from training.settings import TrainingSettings
from training.silence import quiet_libraries


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
    pairs: Path,
    settings: TrainingSettings,
    base: Path | str,
    out: Path,
    on_event: OnEvent,
    embedder: Embedder,
    *,
    despite_audit: bool = False,
) -> TrainingReport:
    """Trains an adapter for `base` on the pairs of a file, once audited, and saves it in `out`.

    Interrupted by Ctrl-C, a kill, or an exception of `on_event`, it leaves its last checkpoint in
    `out`; the same call goes on from there.

    Args:
        pairs: JSONL or Parquet file of exported pairs.
        settings: What to train and how long.
        base: Folder of plain weights, or a transformers model name.
        out: Folder to make; its name becomes the adapter's.
        on_event: Called in this thread for every event.
        embedder: Measures the pairs for their audit.
        despite_audit: Whether to train on pairs that fail it, too.

    Raises:
        InputError: The pairs file is broken.
        WeightsError: The base model cannot be loaded.
        TrainingError: Too few usable pairs, the audit fails, doubt is too great to be smoothed,
            memory is short, the loss is no longer a number, or `out` holds an adapter already.
    """
    began = time.monotonic()
    if (out / CARD).exists():
        raise TrainingError(f"{out} holds an adapter already.", "Choose another name or remove it.")
    with quiet_libraries():
        dataset = read_pairs(pairs)
        tokenizer = load_tokenizer(base)
        pair_set = PairSet(dataset, tokenizer, settings, embedder)
        report = pair_set.preflight
        require_usable(report)
        findings = audit(pair_set)
        on_event(
            PairsChecked(
                usable=len(report.usable),
                set_aside=report.total - len(report.usable),
                lines=report.lines,
                findings=tuple(f for f in findings if f.check not in SIFTED),
            )
        )
        if not despite_audit:
            require_sound(findings, pairs)
        usable = dataset.select(report.usable)
        learnt, held_out = split(usable, settings.holdout_share, settings.seed)
        flipped = flip_rate(learnt) if settings.doubt == "smooth" else None
        held_out = held_out.shuffle(seed=settings.seed)
        held_out = held_out.select(range(min(len(held_out), settings.max_held_out)))

        identity = fingerprint(pairs, settings)
        checkpoints = checkpoint_folder(out, identity)
        trainer = _trainer(base, tokenizer, learnt, held_out, settings, flipped, checkpoints)
        last = last_checkpoint(checkpoints)
        first_step = step_of(last) + 1 if last else 1
        trainer.add_callback(Progress(on_event, first_step))

        model: Any = trainer.model
        rows: Any = trainer.eval_dataset
        try:
            measure = HeldOutPairs(model, trainer.data_collator, rows, settings.beta)
            before = measure.before()
            on_event(Evaluated(when="before", figures=before))
            on_event(
                TrainingStarted(
                    pairs=len(learnt),
                    held_out=len(held_out),
                    twin_share=twin_share(learnt),
                    flip_rate=flipped,
                    unjudged=sum(p is None for p in learnt["probability"]),
                    steps=trainer.args.max_steps,
                    first_step=first_step,
                    device=str(trainer.args.device),
                )
            )
            trainer.train(resume_from_checkpoint=str(last) if last else None)
            after = measure.after()
            on_event(Evaluated(when="after", figures=after))
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                "The GPU has too little memory.", "Lower batch_size or max_length."
            ) from error
        model.save_pretrained(out)
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


def _trainer(
    base: Path | str,
    tokenizer: PreTrainedTokenizerBase,
    learnt: Dataset,
    held_out: Dataset,
    settings: TrainingSettings,
    flipped: float | None,
    checkpoints: Path,
) -> DPOTrainer:
    """The base with a fresh adapter; the reference of DPO is the base with the adapter off."""
    cuda = torch.cuda.is_available()
    if not cuda:
        keep_freed_memory()
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
        beta=settings.beta,
        **_smoothed(flipped),
        max_length=settings.max_length,
        # Worth its pass over the pairs only where a pair is seen more than once.
        precompute_ref_log_probs=steps > per_epoch,
        disable_dropout=True,
        bf16=bf16,
        activation_checkpointing=cuda,
        dataloader_pin_memory=cuda,
        logging_steps=1,
        logging_nan_inf_filter=False,
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


def _smoothed(flipped: float | None) -> dict[str, Any]:
    """Arguments for DPO's loss ℓ(Δ), or for the smoothed (1 - ε) ℓ(Δ) + ε ℓ(-Δ).

    TRL has no such loss; its `robust` one is ((1 - ε) ℓ(Δ) - ε ℓ(-Δ)) / (1 - 2ε), so that
    2 (1 - ε) times the plain loss less (1 - 2ε) times the robust one is the smoothed one.
    """
    if flipped is None:
        return {"loss_type": ["sigmoid"]}
    return {
        "loss_type": ["sigmoid", "robust"],
        "loss_weights": [2 * (1 - flipped), 2 * flipped - 1],
        "label_smoothing": flipped,
    }


def _distinct(dataset: Dataset, column: str) -> tuple[str, ...]:
    return tuple(sorted(set(dataset[column]) - {""}))
