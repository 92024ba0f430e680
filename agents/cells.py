"""The scenes of one dimension in memory: exact look-ups, and what drawing needs; no texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.embeddings import Vectors
from agents.records import Domain

HalfVectors = NDArray[np.float16]
"""Unit vectors of 0.8 KB each at 384 dimensions; a cosine is right to three digits."""


@dataclass(frozen=True)
class Place:
    """Who may live a scene, and in which part of life: what is known of it beside its vector."""

    scenario_id: str
    culture: str | None
    ages: tuple[int, int]
    domain: Domain

    def suits(self, country: str | None, age: int | None) -> bool:
        """Whether a reader of this country and age may be given the scene."""
        return self.culture in (None, country) and (
            age is None or self.ages[0] <= age <= self.ages[1]
        )


@dataclass(frozen=True)
class Cell:
    """The scenes of a dimension, or of several.

    An index over the whole pool would have to list a dimension's scenes for every look-up in it,
    which takes longer than to compare with them all.

    Args:
        places: one for each scene.
        vectors: of the situations, a row for each place.
    """

    places: tuple[Place, ...]
    vectors: HalfVectors

    def __add__(self, other: "Cell") -> "Cell":
        """The scenes of both."""
        vectors = [cell.vectors for cell in (self, other) if cell.places]
        return Cell(self.places + other.places, np.concatenate(vectors or [self.vectors]))

    def nearest(self, vectors: Vectors, count: int) -> list[list[tuple[str, float]]]:
        """For each row of `vectors` the ids of the nearest scenes and their cosines, in order."""
        if not self.places:
            return [[] for _ in vectors]
        cosines = vectors @ self.vectors.astype(np.float32).T
        ranked = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        return [
            [(self.places[i].scenario_id, float(of_row[i])) for i in rows]
            for rows, of_row in zip(ranked.tolist(), cosines, strict=True)
        ]
