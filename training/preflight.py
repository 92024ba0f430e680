"""Sifts pairs with the tokenizer alone, before a model is loaded; it drops nothing in silence."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.errors import TrainingError
from training.rendering import token_lengths

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MINIMUM_PAIRS = 8
"""Fewer pairs than this cannot both train and be measured."""


@dataclass(frozen=True)
class Preflight:
    """Which rows to use, and which are set aside for what: counted, never lost."""

    total: int
    usable: tuple[int, ...]
    too_long: tuple[int, ...]
    """Rows that are neither repeated nor contradicted, but too long."""
    repeated: tuple[int, ...]
    contradicted: tuple[int, ...]
    lengths: tuple[int, ...]
    """Tokens of each row's prompt with the longer answer; empty where `fault` says why."""
    max_length: int
    fault: str = ""
    """Why no row could be counted in tokens."""

    @property
    def longest(self) -> int:
        """Tokens of the longest usable prompt and answer."""
        return max((self.lengths[i] for i in self.usable), default=0) if self.lengths else 0

    @property
    def lines(self) -> tuple[str, ...]:
        """The report as a person reads it; says nothing of what did not happen."""
        longest = f", longest {self.longest} tokens" if self.lengths else ""
        told = [f"{len(self.usable)} of {self.total} pairs usable{longest}"]
        if self.too_long:
            told.append(f"{len(self.too_long)} set aside: longer than {self.max_length} tokens")
        if self.repeated:
            told.append(f"{len(self.repeated)} set aside: the same pair of the same reader again")
        if self.contradicted:
            told.append(
                f"{len(self.contradicted)} set aside: the same prompt prefers the other answer"
            )
        return tuple(told)


def sift(
    rows: Sequence[Mapping[str, Any]],
    tokenizer: "PreTrainedTokenizerBase | None",
    max_length: int,
) -> Preflight:
    """Sets aside rows that are too long, repeated, or contradicted.

    TRL would cut the end of a pair longer than `max_length`, which is the answer. A pair is
    contradicted where the same prompt has the answers swapped at least as often: their gradients
    cancel.

    Args:
        rows: as `read_pairs` gives them.
        tokenizer: of the base model; without one no row is too long, and `fault` says so.
        max_length: tokens of prompt and answer together.
    """
    lengths, fault = (), "no tokenizer is at hand"
    if tokenizer is not None:
        try:
            lengths, fault = token_lengths(tokenizer, rows), ""
        except TrainingError as error:
            fault = error.problem
    keys = [_key(row) for row in rows]
    readers = [(row["reader_id"], key) for row, key in zip(rows, keys, strict=True)]
    first = {reader: i for i, reader in reversed(list(enumerate(readers)))}
    votes = Counter(key for _, key in first)

    repeated = {i for i, reader in enumerate(readers) if first[reader] != i}
    contradicted = {
        i for i, (p, a, b) in enumerate(keys) if votes[(p, b, a)] >= votes[(p, a, b)]
    } - repeated
    too_long = {i for i, n in enumerate(lengths) if n > max_length} - repeated - contradicted
    return Preflight(
        total=len(rows),
        usable=tuple(sorted(set(range(len(rows))) - repeated - contradicted - too_long)),
        too_long=tuple(sorted(too_long)),
        repeated=tuple(sorted(repeated)),
        contradicted=tuple(sorted(contradicted)),
        lengths=lengths,
        max_length=max_length,
        fault=fault,
    )


def require_usable(report: Preflight) -> None:
    """Stops a training that has nothing to begin with.

    Raises:
        TrainingError: The pairs cannot be rendered, or fewer than `MINIMUM_PAIRS` remain.
    """
    if report.fault:
        raise TrainingError(
            report.fault, "Choose an instruct or chat model whose template fits as base_model."
        )
    if len(report.usable) < MINIMUM_PAIRS:
        raise TrainingError(
            f"Too few pairs to train on: {'; '.join(report.lines)}; {MINIMUM_PAIRS} are needed.",
            "Accept more pairs, or raise max_length.",
        )


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        json.dumps(row["prompt"], sort_keys=True),
        row["chosen"][0]["content"],
        row["rejected"][0]["content"],
    )
