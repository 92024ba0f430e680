"""A set of pairs as an audit sees it: each figure measured once; it judges none."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from agents.embeddings import Embedder, Vectors
from training.dataset import situation
from training.preflight import Preflight, sift
from training.settings import TrainingSettings
from training.shortcuts import Baseline, baselines

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_COMPARED = 1500
"""Characters of a situation that are embedded, the last ones, since embedders read no more."""


@dataclass(frozen=True)
class PairSet:
    """Pairs with what measures them.

    Args:
        dataset: as `read_pairs` gives it.
        tokenizer: of the base model; none leaves tokens and template unmeasured.
        settings: of the training that the pairs are for.
        embedder: turns situations and answers into vectors.
    """

    dataset: Dataset
    tokenizer: "PreTrainedTokenizerBase | None"
    settings: TrainingSettings
    embedder: Embedder

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The pairs in the order of the file."""
        return self.dataset.to_list()

    @cached_property
    def preflight(self) -> Preflight:
        """What a training uses and what it sets aside."""
        filters = self.settings.doubt == "filter"
        least = self.settings.least_probability if filters else None
        return sift(self.rows, self.tokenizer, self.settings.max_length, least)

    def name(self, row: int) -> str:
        """A row as a person finds it: its place in the file, and the pair's id if it has one."""
        line, pair = self.rows[row]["line"], self.rows[row]["pair_id"]
        return f"line {line} ({pair})" if pair else f"line {line}"

    @cached_property
    def answers(self) -> list[tuple[str, str]]:
        """Chosen and rejected of each row."""
        return [(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in self.rows]

    @cached_property
    def situations(self) -> list[str]:
        """What each row's prompt asks, without its system turn."""
        return [situation(row["prompt"]) for row in self.rows]

    def asks_alike(self, row: int) -> bool:
        """Whether many scenarios share the row's request, and its answers alone tell them apart.

        So it is where a group is more than a scenario: books of one shelf stand against each other
        under one standing request.
        """
        return self.rows[row]["group"] != self.rows[row]["scenario_id"]

    def matters(self, row: int) -> tuple[str, ...]:
        """The texts that must not be both learnt from and measured on."""
        return self.answers[row] if self.asks_alike(row) else (self.situations[row],)

    @cached_property
    def scenes(self) -> list[int]:
        """The first row of every scenario."""
        first = {row["scenario_id"]: i for i, row in reversed(list(enumerate(self.rows)))}
        return sorted(first.values())

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of situations or answers: shape (len(texts), dimensions)."""
        index, matrix = self._embedded
        return matrix[[index[text] for text in texts]]

    @cached_property
    def cosines(self) -> NDArray[np.float32]:
        """Of chosen and rejected, by row."""
        chosen, rejected = zip(*self.answers, strict=True)
        return np.einsum("ij,ij->i", self.vectors(chosen), self.vectors(rejected))

    @cached_property
    def baselines(self) -> tuple[Baseline, ...]:
        """How well chosen is told from rejected by what must not tell it."""
        return baselines(self)

    @cached_property
    def _embedded(self) -> tuple[dict[str, int], Vectors]:
        """Every distinct text's place among the vectors, and the vectors."""
        texts = {text: text[-MOST_COMPARED:] for text in self.situations}
        texts |= {text: text for pair in self.answers for text in pair}
        vectors = self.embedder.embed(list(texts.values()))
        return {text: n for n, text in enumerate(texts)}, vectors
