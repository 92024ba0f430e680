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
    doubted: tuple[int, ...]
    """Rows that are less probable than `least_probability`."""
    too_long: tuple[int, ...]
    """Rows that are neither doubted, repeated nor contradicted, but too long."""
    repeated: tuple[int, ...]
    contradicted: tuple[int, ...]
    lengths: tuple[int, ...]
    """Tokens of each row's prompt with the longer answer; empty where `fault` says why."""
    max_length: int
    least_probability: float | None
    """None sets no row aside for its probability."""
    unjudged: int
    """Usable rows that have no probability to be set aside for."""
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
        if self.doubted:
            told.append(
                f"{len(self.doubted)} set aside: less probable than {self.least_probability:g}"
            )
        if self.least_probability is not None and self.unjudged:
            told.append(f"{self.unjudged} kept that nobody judged")
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
    least_probability: float | None = None,
) -> Preflight:
    """Sets aside rows that are doubted, and of the others those repeated, contradicted or too long.

    TRL would cut the end of a pair longer than `max_length`, which is the answer. A pair is
    contradicted where the same prompt has the answers swapped at least as often: their gradients
    cancel.

    Args:
        rows: as `read_pairs` gives them.
        tokenizer: of the base model; without one no row is too long, and `fault` says so.
        max_length: tokens of prompt and answer together.
        least_probability: that a row is right; none sets no row aside for it.
    """
    lengths, fault = (), "no tokenizer is at hand"
    if tokenizer is not None:
        try:
            lengths, fault = token_lengths(tokenizer, rows), ""
        except TrainingError as error:
            fault = error.problem
    keys = [_key(row) for row in rows]
    readers = [(row["reader_id"], key) for row, key in zip(rows, keys, strict=True)]
    probabilities: list[float | None] = [row["probability"] for row in rows]
    least = least_probability or 0.0

    doubted = {i for i, p in enumerate(probabilities) if p is not None and p < least}
    left = [i for i in range(len(rows)) if i not in doubted]
    first = {readers[i]: i for i in reversed(left)}
    votes = Counter(key for _, key in first)
    repeated = {i for i in left if first[readers[i]] != i}
    swapped = {i: (p, b, a) for i, (p, a, b) in enumerate(keys)}
    contradicted = {i for i in left if votes[swapped[i]] >= votes[keys[i]]} - repeated
    too_long = {i for i in left if lengths and lengths[i] > max_length} - repeated - contradicted
    usable = sorted(set(left) - repeated - contradicted - too_long)
    return Preflight(
        total=len(rows),
        usable=tuple(usable),
        doubted=tuple(sorted(doubted)),
        too_long=tuple(sorted(too_long)),
        repeated=tuple(sorted(repeated)),
        contradicted=tuple(sorted(contradicted)),
        lengths=lengths,
        max_length=max_length,
        least_probability=least_probability,
        unjudged=sum(probabilities[i] is None for i in usable),
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
        doubted = " or lower least_probability" if report.doubted else ""
        raise TrainingError(
            f"Too few pairs to train on: {'; '.join(report.lines)}; {MINIMUM_PAIRS} are needed.",
            f"Accept more pairs, or raise max_length{doubted}.",
        )


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        json.dumps(row["prompt"], sort_keys=True),
        row["chosen"][0]["content"],
        row["rejected"][0]["content"],
    )
