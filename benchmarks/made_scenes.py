"""Scenes and vectors for measuring pools of any size: made by seed, never written by anyone."""

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from agents.embeddings import Vectors
from agents.frameworks.catalogue import shipped_scenarios
from agents.pool import BATCH
from agents.pool_quality import flaws
from agents.records import Scenario

MIXED = 3
"""Shipped scenes that one made scene, or one made vector, is put together from."""
NOISE = 0.9
"""Length of the noise on a mixture. With it as many made vectors as there are shipped ones are as
near to each other as those, at the nearest, at the eighth and at any neighbour."""
NEAR = 0.9
"""Cosine of a near-duplicate with the vector that it repeats."""


class Mixtures:
    """Embeds by number: texts that begin with `17` have the vector 17, with `?17` the query 17.

    Vectors are mixtures of shipped ones with noise of the same covariance. They are made block by
    block, when they are asked for.

    Args:
        shipped: unit vectors to mix.
        queries: how many there are; even ones are near a known vector, odd ones are fresh.
        size: how many vectors are known.
    """

    name = "mixtures"

    def __init__(self, shipped: Vectors, queries: int, size: int) -> None:
        self._shipped = shipped
        centred = shipped - shipped.mean(axis=0)
        self._root = (np.linalg.qr(centred, mode="r") / len(shipped) ** 0.5).astype(np.float32)
        self.block = lru_cache(maxsize=4)(self._block)
        self.repeated = np.random.default_rng(size).integers(size, size=queries)
        self.queries = np.stack([self._query(row) for row in range(queries)])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors whose numbers the texts begin with: shape (len(texts), dimensions)."""
        return np.stack([self._of(text.partition(" ")[0]) for text in texts])

    def nearest(self, count: int, asked: Sequence[str], known: Sequence[str]) -> list[list[str]]:
        """Numbers of the known vectors nearest to each query, by exact search.

        Args:
            count: how many.
            asked: a label for each query; only what bears the same is found.
            known: a label for each known vector.
        """
        labels = np.array(asked)[:, None]
        best = np.full((len(asked), count), -np.inf, dtype=np.float32)
        numbers = np.zeros(best.shape, dtype=np.int64)
        for start in range(0, len(known), BATCH):
            of_block = np.array(known[start : start + BATCH])
            cosines = self.queries @ self.block(start // BATCH)[: len(of_block)].T
            cosines[labels != of_block] = -np.inf
            both = np.hstack([best, cosines])
            top = np.argpartition(-both, count - 1)[:, :count]
            best = np.take_along_axis(both, top, 1)
            fresh = np.broadcast_to(np.arange(start, start + len(of_block)), cosines.shape)
            numbers = np.take_along_axis(np.hstack([numbers, fresh]), top, 1)
        return [
            [str(number) for number, cosine in zip(*row, strict=True) if np.isfinite(cosine)]
            for row in zip(numbers, best, strict=True)
        ]

    def _of(self, number: str) -> Vectors:
        return self.queries[int(number[1:])] if number[0] == "?" else self._known(int(number))

    def _known(self, number: int) -> Vectors:
        return self.block(number // BATCH)[number % BATCH]

    def _query(self, number: int) -> Vectors:
        fresh = self.block(-1 - number // BATCH)[number % BATCH]
        if number % 2:
            return fresh
        known = self._known(int(self.repeated[number]))
        aside = fresh - (fresh @ known) * known
        return NEAR * known + (1 - NEAR**2) ** 0.5 * _unit(aside)

    def _block(self, number: int) -> Vectors:
        """`BATCH` vectors; blocks below 0 are known to no pool."""
        dice = np.random.default_rng([abs(number), int(number < 0)])
        rows = dice.integers(len(self._shipped), size=(BATCH, MIXED))
        shares = dice.dirichlet([1.0] * MIXED, BATCH).astype(np.float32)
        mixed = _unit((self._shipped[rows] * shares[..., None]).sum(axis=1))
        return _unit(mixed + NOISE * dice.standard_normal(mixed.shape, np.float32) @ self._root)


def made_scenes(count: int, seed: int = 0, mark: str = "") -> Iterator[Scenario]:
    """Scenes that may be imported, put together from parts of shipped ones; they make no sense.

    Args:
        count: how many.
        seed: of the choice of parts.
        mark: stands before the number that is the id of each.
    """
    shipped, dice = shipped_scenarios(), random.Random(seed)
    number = 0
    while number < count:
        parts = [dice.choice(shipped) for _ in range(MIXED)]
        scene = parts[0].model_copy(
            update={
                "id": f"{mark}{number}",
                "situation": _patchwork([s.situation for s in parts]),
                "high": _patchwork([s.high for s in parts]),
                "low": _patchwork([s.low for s in parts]),
            }
        )
        if not flaws(scene):
            number += 1
            yield scene


def _patchwork(texts: Sequence[str]) -> str:
    """The first third of the words of the first of three texts, the second of the second, ..."""
    count = len(texts)
    listed = [text.split() for text in texts]
    cuts = [w[len(w) * i // count : len(w) * (i + 1) // count] for i, w in enumerate(listed)]
    return " ".join(word for cut in cuts for word in cut)


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
