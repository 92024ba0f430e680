"""What ratings tell of reading interests: how liked books differ from the rest of the catalogue."""

from collections.abc import Mapping, Sequence

import numpy as np

from agents.embeddings import Embedder, Vectors
from agents.frameworks.catalogue import dimensions_of
from agents.interests import liking, recency
from agents.posterior import TEXT_RELIABILITY, Measurement, standardised
from agents.records import Book, Dimension, Evidence, Reader, Review

LEAST_CATALOGUE = 30
"""Described books below which a catalogue is no norm to compare with."""
LEAST_SPREAD = 1e-6
"""A catalogue whose descriptions are all alike tells nothing apart."""
BOOK_CORRELATION = 0.05
"""Between two rated books of one reader on one dimension: intraclass correlations of 0.03 to 0.09
over the six dimensions for 311 readers of goodbooks-10k."""
DESCRIPTION_CHARS = 500
MOST_EVIDENCE = 3


class LikedBooks:
    """Places books on the reading dimensions by their descriptions, standardised on a catalogue.

    A book's place is its description · (high pole - low pole), each pole the unit mean of its
    phrase and seed statements. A liked book stands for its place, a disliked one for the opposite,
    each by its recency. That readers differ steadily here is known, that they would say so of
    themselves is not, so a measurement gets the reliability of inference from text at most.

    Args:
        embedder: turns descriptions into vectors.
        books: the catalogue, which is the norm.
        half_life_days: after which a rating speaks half as loudly.
    """

    def __init__(self, embedder: Embedder, books: Mapping[str, Book], half_life_days: int) -> None:
        self._half_life_days = half_life_days
        described = {b.id: b.description[:DESCRIPTION_CHARS] for b in books.values()}
        described = {book_id: text for book_id, text in described.items() if text}
        self._places: dict[str, dict[str, float]] = {}
        if len(described) < LEAST_CATALOGUE:
            return
        vectors = embedder.embed(list(described.values()))
        for axis in dimensions_of("interest"):
            raw = vectors @ pole_axis(embedder, axis)
            if raw.std() < LEAST_SPREAD:
                continue
            standard = (raw - raw.mean()) / raw.std()
            self._places[axis.name] = dict(zip(described, standard.tolist(), strict=True))

    def measure(self, reader: Reader, axis: Dimension) -> tuple[list[Measurement], list[Evidence]]:
        """One measurement from rated books, with the ratings that speak loudest; or none."""
        places = self._places.get(axis.name, {})
        ages = recency(reader.reviews, self._half_life_days)
        weighed = [
            (review, weight)
            for review, weight in zip(reader.reviews, ages, strict=True)
            if liking(review) and review.book_id in places
        ]
        if not weighed:
            return [], []
        rated = [review for review, _ in weighed]
        weights = np.array([weight for _, weight in weighed])
        values = [liking(review) * places[review.book_id] for review in rated]
        books = weights.sum() ** 2 / (weights**2).sum()
        mean = float(weights @ values / weights.sum())
        z = standardised(mean, float(books), 1.0, BOOK_CORRELATION)
        method = f"{len(rated)} liked or disliked books"
        measured = Measurement(z, TEXT_RELIABILITY, "inferred_behaviour", method)
        return [measured], _loudest(rated, values, z)


def pole_axis(embedder: Embedder, axis: Dimension) -> Vectors:
    """From the low to the high pole: the difference of the unit means of their texts."""
    high, low = (
        embedder.embed([axis.pole(pole), *axis.texts(pole)]).mean(axis=0)
        for pole in ("high", "low")
    )
    return high / np.linalg.norm(high) - low / np.linalg.norm(low)


def _loudest(liked: Sequence[Review], values: Sequence[float], z: float) -> list[Evidence]:
    side = 1 if z >= 0 else -1
    ranked = sorted(zip(values, liked, strict=True), key=lambda pair: -pair[0] * side)
    return [
        Evidence(review_id=review.id, start=0, end=0, pole="high" if z >= 0 else "low")
        for value, review in ranked[:MOST_EVIDENCE]
        if value * side > 0
    ]
