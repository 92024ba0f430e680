"""Which pole of which dimension a sentence speaks for: a linear model on sentence vectors.

It is fitted to the shipped examples once for each embedder, and kept in the user's cache.
"""

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from agents.embeddings import Embedder, Vectors
from agents.frameworks.catalogue import dimensions
from agents.records import Pole, SeedStatement, SensitiveTopic
from agents.replacing import replacing
from agents.weights import CACHE_CURE, fitted_error, fitted_file

SHRINKAGE = 0.5
"""Of the covariance within kinds towards a diagonal one."""
SHARPNESS = 0.22
"""Factor on the log-posteriors, which are far too sure. Both were chosen by five-fold
cross-validation over the shipped examples: held-out log-loss 2.34 over 175 kinds, the same as
logistic regression's at a thirtieth of its time; the right kind came first in 46 %."""
THIS_BOOK = "this book"
"""Stands for {title} in the examples."""


class Kind(NamedTuple):
    """What a sentence speaks for; the topic keeps sensitive statements apart from the others."""

    dimension: str
    pole: Pole
    topic: SensitiveTopic | None


@dataclass(frozen=True)
class StanceClassifier:
    """Linear discriminant analysis over all poles of all dimensions, and "none of them"."""

    kinds: tuple[Kind | None, ...]
    coefficients: NDArray[np.float32]
    """Shape (vector length, kinds)."""
    intercepts: NDArray[np.float32]
    statement_ids: tuple[str, ...]
    statement_vectors: Vectors

    @classmethod
    def of(cls, embedder: Embedder) -> Self:
        """The classifier on the vectors of `embedder`, fitted now or in an earlier process.

        Raises:
            StorageError: the user's cache cannot be written.
        """
        examples = _examples()
        told = json.dumps([SHRINKAGE, SHARPNESS, examples, _kinds()])
        path = fitted_file("stances", embedder.name, told, ".npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock")):
                kept = cls._load(path)
                if kept:
                    return kept
                fitted = cls._fit(embedder, examples)
                fitted._save(path)
                return fitted
        except OSError as error:
            raise fitted_error(path, error) from error

    def probabilities(self, vectors: Vectors) -> NDArray[np.float32]:
        """That a sentence speaks for each kind: shape (sentences, kinds), rows sum to one."""
        scores = vectors @ self.coefficients + self.intercepts
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    @classmethod
    def _fit(cls, embedder: Embedder, examples: list[tuple[str, str]]) -> Self:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # takes a second

        of = _kinds()
        statements = [s for axis in dimensions().values() for s in axis.statements]
        kinds = (None, *dict.fromkeys(of.values()))
        labels = [kinds.index(of.get(statement_id)) for statement_id, _ in examples]
        vectors = embedder.embed([text for _, text in examples])
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE)
        model.fit(vectors, labels)
        return cls(
            kinds=kinds,
            coefficients=np.asarray(SHARPNESS * model.coef_.T, dtype=np.float32),
            intercepts=np.asarray(SHARPNESS * model.intercept_, dtype=np.float32),
            statement_ids=tuple(s.id for s in statements),
            statement_vectors=embedder.embed([s.text for s in statements]),
        )

    @classmethod
    def _load(cls, path: Path) -> Self | None:
        """What an earlier process kept; none where there is nothing usable."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                told = json.loads(str(kept["told"]))
                return cls(
                    kinds=tuple(Kind(*kind) if kind else None for kind in told["kinds"]),
                    coefficients=kept["coefficients"],
                    intercepts=kept["intercepts"],
                    statement_ids=tuple(told["statement_ids"]),
                    statement_vectors=kept["statement_vectors"],
                )
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def _save(self, path: Path) -> None:
        with replacing(path, CACHE_CURE) as draft, draft.open("wb") as file:
            np.savez(
                file,
                told=json.dumps({"kinds": self.kinds, "statement_ids": self.statement_ids}),
                coefficients=self.coefficients,
                intercepts=self.intercepts,
                statement_vectors=self.statement_vectors,
            )


def _kinds() -> dict[str, Kind]:
    """What each seed statement speaks for, by its id."""
    return {
        s.id: Kind(axis.name, s.pole, s.sensitive or axis.sensitive)
        for axis in dimensions().values()
        for s in axis.statements
    }


def _examples() -> list[tuple[str, str]]:
    """Statement id (empty for talk that says nothing of its writer) and text of every example.

    The seed statements themselves, and what people who agree with them say in reviews.
    """
    statements: Iterable[SeedStatement] = (
        s for axis in dimensions().values() for s in axis.statements
    )
    text = files("agents.stances").joinpath("examples.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    said = [(row["statement"], row["text"].replace("{title}", THIS_BOOK)) for row in rows]
    return [*((s.id, s.text) for s in statements), *said]
