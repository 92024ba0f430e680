"""Checks pairs with the tokenizer alone, before a model is loaded; it drops nothing in silence."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasets import Dataset

from agents.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MINIMUM_PAIRS = 8
"""Fewer pairs than this cannot both train and be measured."""


@dataclass(frozen=True)
class Preflight:
    """Which rows to use, and why the others are set aside: counted, never lost."""

    total: int
    usable: tuple[int, ...]
    too_long: int
    repeated: int
    contradicted: int
    longest: int
    """Tokens of the longest usable prompt and answer."""
    max_length: int

    @property
    def lines(self) -> tuple[str, ...]:
        """The report as a person reads it; says nothing of what did not happen."""
        told = [f"{len(self.usable)} of {self.total} pairs usable, longest {self.longest} tokens"]
        if self.too_long:
            told.append(f"{self.too_long} set aside: longer than {self.max_length} tokens")
        if self.repeated:
            told.append(f"{self.repeated} set aside: the same pair of the same reader again")
        if self.contradicted:
            told.append(f"{self.contradicted} set aside: the same prompt prefers the other answer")
        return tuple(told)


def check(dataset: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Preflight:
    """Sets aside pairs that are too long, repeated, or contradicted.

    TRL would cut the end of a pair longer than `max_length`, which is the answer. A pair is
    contradicted where the same prompt has the answers swapped at least as often: their gradients
    cancel.

    Raises:
        TrainingError: Fewer than `MINIMUM_PAIRS` remain, or the tokenizer has no chat template.
    """
    if not tokenizer.chat_template:
        raise TrainingError(
            "The base model has no chat template, so it cannot be tuned on conversations.",
            "Choose an instruct or chat model as base_model.",
        )
    rows = dataset.to_list()
    keys = [_key(row) for row in rows]
    readers = [(row["reader_id"], key) for row, key in zip(rows, keys, strict=True)]
    first = {reader: i for i, reader in reversed(list(enumerate(readers)))}
    votes = Counter(key for _, key in first)
    lengths = [_tokens(tokenizer, row) for row in rows]

    repeated = {i for i, reader in enumerate(readers) if first[reader] != i}
    contradicted = {
        i for i, (p, a, b) in enumerate(keys) if votes[(p, b, a)] >= votes[(p, a, b)]
    } - repeated
    too_long = {i for i, n in enumerate(lengths) if n > max_length} - repeated - contradicted
    usable = tuple(sorted(set(range(len(rows))) - repeated - contradicted - too_long))
    report = Preflight(
        total=len(rows),
        usable=usable,
        too_long=len(too_long),
        repeated=len(repeated),
        contradicted=len(contradicted),
        longest=max((lengths[i] for i in usable), default=0),
        max_length=max_length,
    )
    if len(usable) < MINIMUM_PAIRS:
        raise TrainingError(
            f"Too few pairs to train on: {'; '.join(report.lines)}; {MINIMUM_PAIRS} are needed.",
            "Accept more pairs, or raise max_length.",
        )
    return report


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return (
        json.dumps(row["prompt"], sort_keys=True),
        row["chosen"][0]["content"],
        row["rejected"][0]["content"],
    )


def _tokens(tokenizer: "PreTrainedTokenizerBase", row: dict[str, Any]) -> int:
    """Tokens of the prompt with the longer of its answers."""
    return max(
        len(tokenizer.apply_chat_template(row["prompt"] + row[side], return_dict=False))
        for side in ("chosen", "rejected")
    )
