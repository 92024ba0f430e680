"""Turns texts into unit vectors with sentence-transformers; it writes none of them down."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.errors import WeightsError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
BATCH = 64
"""Texts that go through the model at once: a tenth faster than 32 on two cores."""
MOST_REMEMBERED = 30_000
"""Texts whose vectors are kept in memory: 46 MB of them at 384 dimensions."""


class Embedder(Protocol):
    """Whatever turns texts into vectors."""

    @property
    def name(self) -> str:
        """What distinguishes these vectors from any other model's."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text: shape (len(texts), dimensions), float32."""
        ...


class SentenceEmbedder:
    """A sentence-transformers model by name or path, loaded at the first use.

    Raises:
        WeightsError: there is no such model, or it cannot be loaded.
    """

    def __init__(self, model: str | Path, name: str | None = None) -> None:
        self._path = str(model)
        self._name = name or self._path
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """What distinguishes these vectors from any other model's."""
        return self._name

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text: shape (len(texts), dimensions), float32."""
        with self._loading:
            if not hasattr(self, "_model"):
                self._model = self._load()
            return self._model.encode(
                list(texts),
                batch_size=BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )

    def _load(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer  # takes seconds
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()

        try:
            return SentenceTransformer(self._path, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"The embedding model {self._path!r} cannot be loaded: {error}.",
                "Check embedding.model, or run `gravity models fetch`.",
            ) from error


class RememberingEmbedder:
    """An embedder that embeds what it was asked for lately only once, in one thread at a time.

    Scenes are compared, judged and drawn again and again, by several agents.

    Args:
        embedder: asked for what is not remembered.
        most: texts to remember; beyond them all but those asked for now are forgotten.
    """

    def __init__(self, embedder: Embedder, most: int = MOST_REMEMBERED) -> None:
        self._embedder = embedder
        self._most = most
        self._vectors: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What distinguishes these vectors from any other model's."""
        return self._embedder.name

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text: shape (len(texts), dimensions), float32."""
        with self._lock:
            wanted = dict.fromkeys(texts)
            fresh = [text for text in wanted if text not in self._vectors]
            if len(self._vectors) + len(fresh) > self._most:
                self._vectors = {t: v for t, v in self._vectors.items() if t in wanted}
            if fresh or not texts:
                vectors = self._embedder.embed(fresh)
                if not texts:
                    return vectors
                self._vectors |= zip(fresh, vectors, strict=True)
            return np.stack([self._vectors[text] for text in texts])
