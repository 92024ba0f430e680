"""What a person may choose about training; imports nothing heavy and trains nothing."""

from typing import Literal

from pydantic import Field

from agents.settings import Section


class TrainingSettings(Section):
    """The `[training]` section of gravity.toml."""

    base_model: str = "embedded"
    """`embedded` for the bundled SmolLM2-135M, or a transformers model name or folder."""
    method: Literal["dpo"] = "dpo"
    """Direct Preference Optimization (Rafailov et al. 2023, arXiv:2305.18290)."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; none trains for `epochs` instead."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over the training pairs, where `max_steps` is not set."""
    batch_size: int = Field(default=4, ge=1)
    """Pairs per optimizer step."""
    learning_rate: float = Field(default=2e-4, gt=0)
    """Of AdamW at the first step; falls in a line to zero."""
    beta: float = Field(default=0.1, gt=0)
    """How strongly DPO holds the tuned model to its base: higher strays less."""
    doubt: Literal["ignore", "smooth", "filter"] = "ignore"
    """What is made of the judges' mean probability that a pair is right. `ignore` trains on all
    pairs alike. `smooth` trains on all, too, with smoothed labels (conservative DPO, Mitchell
    2023): a share ε, 1 minus the mean probability of the training pairs, is taken to be flipped.
    `filter` sets aside the pairs below `least_probability`. A pair without a probability counts as
    certain."""
    least_probability: float = Field(default=0.7, ge=0, le=1)
    """For `filter`; a choice of ours, stricter than the 0.5 from which the critic accepts."""
    lora_rank: int = Field(default=16, ge=1)
    """Rank of the LoRA matrices; alpha is twice as much."""
    max_length: int = Field(default=512, ge=16)
    """Tokens of prompt and answer together; longer pairs are set aside and counted."""
    holdout_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of the groups of pairs kept out of training, to measure on; a group is a scenario, or
    a shelf of books."""
    max_held_out: int = Field(default=64, ge=1)
    """Held-out pairs measured at most, so that measuring never outlasts training."""
    seed: int = 7
    """Of the split, the LoRA initialisation and the order of pairs."""
