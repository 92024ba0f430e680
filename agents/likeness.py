"""How probable it is that two scenarios put the same choice; it stores no scenario.

A cosine of two situations does not tell: scenes that share their words may put another choice at
stake, and a paraphrase may share none. The answers, which show what is at stake, are compared too,
and what each comparison is worth is fitted on labelled pairs (`likeness.jsonl`) once for each
embedder, and kept in the user's cache.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.embeddings import Embedder, Vectors
from agents.gates import words
from agents.records import Record, Scenario
from agents.replacing import replacing
from agents.weights import CACHE_CURE, fitted_error, fitted_file

FEATURES = 7


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
    """Compares scenarios in vector space and by their words.

    The odds are a logistic function of the cosines of the situations, of the high and of the low
    answers, of the two contrasts between the answers, and of the words that each of them share.

    Args:
        embedder: turns texts into vectors; the first comparison fits the weights under it.
        labelled: the pairs to fit on; none takes those that ship.

    Raises:
        StorageError: at the first comparison: the user's cache cannot be written.
    """

    def __init__(self, embedder: Embedder, labelled: Sequence[LabelledPair] = ()) -> None:
        self._embedder = embedder
        self._labelled = labelled
        self._fitting = threading.Lock()

    def probabilities(
        self, pairs: Sequence[tuple[Scenario | Twin, Scenario | Twin]]
    ) -> NDArray[np.float64]:
        """That both of each pair are the same: shape (len(pairs),)."""
        if not pairs:
            return np.zeros(0)
        with self._fitting:
            *weights, intercept = self._weights
        return 1 / (1 + np.exp(-(self._features(pairs) @ weights + intercept)))

    @cached_property
    def _weights(self) -> list[float]:
        """Of each feature, and the intercept: fitted now, or kept by an earlier process."""
        labelled = self._labelled or shipped_pairs()
        told = json.dumps([pair.model_dump() for pair in labelled])
        path = fitted_file("likeness", self._embedder.name, told, ".json")
        kept = _kept(path)
        if kept is None:
            kept = self._fitted(labelled)
            _keep(path, kept)
        return kept

    def _fitted(self, labelled: Sequence[LabelledPair]) -> list[float]:
        from sklearn.linear_model import LogisticRegression  # takes a second
        from sklearn.preprocessing import StandardScaler

        features = self._features([(p.a, p.b) for p in labelled])
        scaler = StandardScaler().fit(features)
        model = LogisticRegression().fit(scaler.transform(features), [p.same for p in labelled])
        weights = model.coef_[0] / scaler.scale_
        return [*weights.tolist(), float(model.intercept_[0] - weights @ scaler.mean_)]

    def _features(
        self, pairs: Sequence[tuple[Scenario | Twin, Scenario | Twin]]
    ) -> NDArray[np.float64]:
        """A row for each pair."""
        texts = list(
            dict.fromkeys(text for pair in pairs for twin in pair for text in _texts(twin))
        )
        vectors = dict(zip(texts, self._embedder.embed(texts), strict=True))
        return np.array([_compare(_texts(a), _texts(b), vectors) for a, b in pairs])


def shipped_pairs() -> list[LabelledPair]:
    """The labelled pairs that ship."""
    text = files("agents").joinpath("likeness.jsonl").read_text("utf-8")
    return [LabelledPair.model_validate_json(line) for line in text.splitlines() if line]


def _kept(path: Path) -> list[float] | None:
    """What an earlier process kept; none where there is nothing usable."""
    try:
        kept = [float(weight) for weight in json.loads(path.read_text("utf-8"))]
    except (OSError, TypeError, ValueError):
        return None
    return kept if len(kept) == FEATURES + 1 else None


def _keep(path: Path, weights: list[float]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fitted_error(path, error) from error
    with replacing(path, CACHE_CURE) as draft:
        draft.write_text(json.dumps(weights), "utf-8")


def _compare(
    one: Sequence[str], other: Sequence[str], vectors: Mapping[str, Vectors]
) -> list[float]:
    ones, others = ([vectors[text] for text in texts] for texts in (one, other))
    cosines = [float(a @ b) for a, b in zip(ones, others, strict=True)]
    contrast = _cosine(ones[1] - ones[2], others[1] - others[2])
    shared = [_shared_words(a, b) for a, b in zip(one, other, strict=True)]
    return [*cosines, contrast, *shared]


def _texts(twin: Scenario | Twin) -> tuple[str, str, str]:
    return twin.situation, twin.high, twin.low


def _cosine(one: Vectors, other: Vectors) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _shared_words(one: str, other: str) -> float:
    """Jaccard index of the words: |A ∩ B| / |A ∪ B|."""
    a, b = set(words(one)), set(words(other))
    return len(a & b) / len(a | b) if a | b else 1.0
