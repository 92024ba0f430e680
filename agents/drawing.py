"""Which scenes of a cell a reader is given, and in which order; it stores nothing."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agents.cells import Cell, Place
from agents.embeddings import Embedder, Vectors
from agents.records import Dimension

RELEVANCE = 0.3
"""Weight of relevance against novelty in maximal marginal relevance."""
MOST_ORDERED = 200
"""Scenes of a cell that are put in order: so many neutral ones, sampled by a hash of the ids,"""
MOST_OF_COUNTRY = 40
"""and so many of each country, lest a reader find none of their own."""


@dataclass(frozen=True)
class Scenes:
    """The scenes that serve one need.

    Args:
        cell: the scenes.
        theme: unit vector of what they are to be about.
    """

    cell: Cell
    theme: Vectors

    @cached_property
    def order(self) -> tuple[Place, ...]:
        """The scenes by maximal marginal relevance (Carbonell and Goldstein 1998, SIGIR, 335-336).

        Each next scene s has the largest λ·cos(s, theme) - (1 - λ)·max cos(s, those before it),
        with λ = `RELEVANCE`. The order knows no reader: whoever draws from the cell meets the same
        scenes first, so that readers at opposite poles share them, and scenes have their twins.
        """
        rows = _sample(self.cell.places)
        if not rows:
            return ()
        vectors = self.cell.vectors[rows].astype(np.float32)
        picked = mmr(vectors, vectors @ self.theme, len(rows))
        return tuple(self.cell.places[rows[i]] for i in picked)

    def draw(
        self,
        reader_id: str,
        country: str | None,
        age: int | None,
        taken: Collection[str],
        count: int,
        breadth: int,
    ) -> list[str]:
        """Ids of at most `count` scenes that suit the reader and are not among `taken`.

        Args:
            reader_id: decides where in the first `breadth` scenes this reader begins.
            country: ISO code; scenes of other countries are left out.
            age: in years; scenes that a person of this age would not live are left out.
            taken: ids the reader was given before.
            count: how many are wanted.
            breadth: over how many scenes the readers are spread; beyond them the order is kept.
        """
        suited = [p.scenario_id for p in self.order if p.suits(country, age)]
        first = suited[: max(breadth, 1)]
        start = _number(reader_id) % len(first) if first else 0
        turned = [*first[start:], *first[:start], *suited[len(first) :]]
        return [scenario_id for scenario_id in turned if scenario_id not in taken][:count]


def theme(embedder: Embedder, axis: Dimension) -> Vectors:
    """What a dimension is about: the unit mean of its poles and seed statements, shape (d,)."""
    mean = embedder.embed(axis.said).mean(axis=0)
    return mean / np.linalg.norm(mean)


def mmr(vectors: Vectors, relevance: NDArray[np.float32], count: int) -> list[int]:
    """The rows that maximal marginal relevance picks, in order; ties go to the earlier row.

    Args:
        vectors: unit vectors, shape (n, d).
        relevance: shape (n,), on the scale of a cosine.
        count: how many rows to pick, at most n.
    """
    nearest = np.full(len(vectors), -1.0, dtype=np.float32)
    picked: list[int] = []
    for _ in range(min(count, len(vectors))):
        worth = RELEVANCE * relevance - (1 - RELEVANCE) * nearest
        worth[picked] = -np.inf
        picked.append(int(worth.argmax()))
        np.maximum(nearest, vectors @ vectors[picked[-1]], out=nearest)
    return picked


def _sample(places: Sequence[Place]) -> list[int]:
    """Rows in the order of their ids; of many those whose ids hash lowest."""
    left: defaultdict[str | None, int] = defaultdict(lambda: MOST_OF_COUNTRY)
    left[None] = MOST_ORDERED
    rows: list[int] = []
    for row in sorted(range(len(places)), key=lambda row: _number(places[row].scenario_id)):
        culture = places[row].culture
        if left[culture] > 0:
            left[culture] -= 1
            rows.append(row)
    return sorted(rows, key=lambda row: places[row].scenario_id)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
