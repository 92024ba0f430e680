"""How probable it is that two scenarios put the same choice; it stores no scenario.

A cosine of two situations does not tell: scenes that share their words may put another choice at
stake, and a paraphrase may share none. The answers, which show what is at stake, are compared too,
and what each comparison is worth is fitted on labelled pairs (`likeness.jsonl`) under the embedder
at hand.
"""

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.embeddings import Embedder, Vectors
from agents.gates import words
from agents.records import Record, Scenario

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MOST_KEPT = 30_000
"""Vectors that are kept for the next comparison: 46 MB of them at 384 dimensions."""


class Twin(Record):
    """What is compared of a scenario."""

    dimension: str
    situation: str
    high: str
    low: str


class LabelledPair(Record):
    """Two scenarios of which a person said whether they put the same choice."""

    kind: str
    same: bool
    a: Twin
    b: Twin


class Likeness:
    """Compares scenarios in vector space and by their words, in one thread at a time.

    The odds are a logistic function of the cosines of the situations, of the high and of the low
    answers, of the two contrasts between the answers, and of the words that each of them share.

    Args:
        embedder: turns texts into vectors; the first comparison fits the weights under it.
        labelled: the pairs to fit on; none takes those that ship.
    """

    def __init__(self, embedder: Embedder, labelled: Sequence[LabelledPair] = ()) -> None:
        self._embedder = embedder
        self._labelled = labelled
        self._vectors: dict[str, Vectors] = {}
        self._lock = threading.RLock()

    def prepare(self, scenarios: Sequence[Scenario | Twin]) -> None:
        """Embed all texts of these at once, for the comparisons to come."""
        with self._lock:
            self._embed(text for scenario in scenarios for text in _texts(scenario))

    def probabilities(
        self, pairs: Sequence[tuple[Scenario | Twin, Scenario | Twin]]
    ) -> NDArray[np.float64]:
        """That both of each pair are the same: shape (len(pairs),)."""
        if not pairs:
            return np.zeros(0)
        with self._lock:
            return self._model.predict_proba(self._features(pairs))[:, 1]

    @cached_property
    def _model(self) -> "Pipeline":
        from sklearn.linear_model import LogisticRegression  # takes a second
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        labelled = self._labelled or shipped_pairs()
        features = self._features([(p.a, p.b) for p in labelled])
        same = [p.same for p in labelled]
        return make_pipeline(StandardScaler(), LogisticRegression()).fit(features, same)

    def _features(
        self, pairs: Sequence[tuple[Scenario | Twin, Scenario | Twin]]
    ) -> NDArray[np.float64]:
        """A row for each pair."""
        self._embed(text for pair in pairs for twin in pair for text in _texts(twin))
        return np.array([self._compare(_texts(a), _texts(b)) for a, b in pairs])

    def _embed(self, texts: Iterable[str]) -> None:
        """Keep the vectors of these texts, and forget all others when there are too many."""
        wanted = dict.fromkeys(texts)
        if len(self._vectors) + len(wanted) > MOST_KEPT:
            self._vectors = {t: v for t, v in self._vectors.items() if t in wanted}
        fresh = [text for text in wanted if text not in self._vectors]
        if fresh:
            self._vectors |= zip(fresh, self._embedder.embed(fresh), strict=True)

    def _compare(self, one: Sequence[str], other: Sequence[str]) -> list[float]:
        ones, others = ([self._vectors[text] for text in texts] for texts in (one, other))
        cosines = [float(a @ b) for a, b in zip(ones, others, strict=True)]
        contrast = _cosine(ones[1] - ones[2], others[1] - others[2])
        shared = [_shared_words(a, b) for a, b in zip(one, other, strict=True)]
        return [*cosines, contrast, *shared]


def shipped_pairs() -> list[LabelledPair]:
    """The labelled pairs that ship."""
    text = files("agents").joinpath("likeness.jsonl").read_text("utf-8")
    return [LabelledPair.model_validate_json(line) for line in text.splitlines() if line]


def _texts(twin: Scenario | Twin) -> tuple[str, str, str]:
    return twin.situation, twin.high, twin.low


def _cosine(one: Vectors, other: Vectors) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _shared_words(one: str, other: str) -> float:
    """Jaccard index of the words: |A ∩ B| / |A ∪ B|."""
    a, b = set(words(one)), set(words(other))
    return len(a & b) / len(a | b) if a | b else 1.0
