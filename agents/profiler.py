"""The profiler: from what a reader stated, answered, rated and wrote to a profile.

Text is compared with seed statements in vector space; no language model sees a review.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from agents import gates
from agents.behaviour import LIKED_FROM, LikedBooks
from agents.embeddings import Embedder, Vectors
from agents.frameworks.catalogue import dimensions, genre_clusters
from agents.posterior import TEXT_RELIABILITY, Measurement, combine, scale_reliability
from agents.records import (
    Attribute,
    Book,
    Dimension,
    Evidence,
    Interest,
    Profile,
    Reader,
    Review,
    Source,
)

SHRINKAGE = 3.0
"""Weight of the even prior over clusters, in liked books: (n_c + a·p_c) / (n + a)."""
MOST_SENTENCES = 400
"""Sentences of one reader that are looked at, spread evenly over the reviews."""
LEAST_WORDS = 4
LEAST_SIMILARITY = 0.35
"""Cosine with the nearest seed statement from which a sentence says something of a dimension."""
LEAST_MARGIN = 0.05
"""Difference between the nearest statements of both poles from which it takes a side."""
MARGIN_SD = 0.17
"""Standard deviation of that difference over such sentences of the bundled sample."""
MOST_QUOTES = 3

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")


@dataclass(frozen=True)
class _Sentence:
    review: Review
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.review.text[self.start : self.end]


class Profiler:
    """Builds profiles; the same reader and books always give the same one.

    Args:
        embedder: turns sentences, statements and descriptions into vectors.
        books: by id; they tell the genres and descriptions of what was rated.
    """

    def __init__(self, embedder: Embedder, books: Mapping[str, Book]) -> None:
        self._embedder = embedder
        self._books = books
        self._statements: dict[str, Vectors] = {}

    @cached_property
    def _liked_books(self) -> LikedBooks:
        return LikedBooks(self._embedder, self._books)

    async def profile(self, reader: Reader) -> Profile:
        """The profile of `reader`."""
        attributes = await asyncio.to_thread(self._attributes, reader)
        return Profile(
            reader_id=reader.id,
            age=reader.age,
            gender=reader.gender,
            country=reader.country,
            locale=reader.locale,
            interests=interests(reader, self._books),
            attributes=attributes,
        )

    def _attributes(self, reader: Reader) -> tuple[Attribute, ...]:
        sentences = _spread(list(_sentences(reader.reviews)), MOST_SENTENCES)
        vectors = self._embedder.embed([s.text for s in sentences]) if sentences else None
        return tuple(
            self._attribute(reader, axis, sentences, vectors) for axis in dimensions().values()
        )

    def _attribute(
        self,
        reader: Reader,
        axis: Dimension,
        sentences: list[_Sentence],
        vectors: Vectors | None,
    ) -> Attribute:
        answers = _answered(reader, axis)
        found = self._stances(axis, sentences, vectors) if vectors is not None else []
        measurements, rated = self._liked_books.measure(reader, axis)
        source: Source = "inferred_behaviour" if measurements else "default"
        if found:
            mean = sum(margin for margin, _ in found) / len(found)
            z = float(np.clip(mean / MARGIN_SD * len(found) ** 0.5, -2.5, 2.5))
            measurements.append(Measurement(z, TEXT_RELIABILITY))
            source = "inferred_text"
        if answers:
            z = sum(answers) / len(answers)
            measurements.append(Measurement(z, scale_reliability(len(answers))))
            source = "questionnaire"
        score, sd = combine(measurements)
        side = "high" if score >= 50 else "low"
        quoted = [e for _, e in sorted(found, key=lambda m: -abs(m[0]))]
        evidence = [e for e in (*quoted, *rated) if e.pole == side]
        return Attribute(
            facet=axis.facet,
            dimension=axis.name,
            score=round(score, 2),
            sd=round(sd, 2),
            source=source,
            evidence=tuple(evidence[:MOST_QUOTES]),
        )

    def _stances(
        self, axis: Dimension, sentences: list[_Sentence], vectors: Vectors
    ) -> list[tuple[float, Evidence]]:
        """For each sentence that takes a side: how clearly (signed), and the span."""
        if axis.name not in self._statements:
            self._statements[axis.name] = self._embedder.embed([s.text for s in axis.statements])
        similarity = vectors @ self._statements[axis.name].T
        is_high = np.array([s.pole == "high" for s in axis.statements])
        margins = similarity[:, is_high].max(axis=1) - similarity[:, ~is_high].max(axis=1)
        nearest = similarity.argmax(axis=1)
        found: list[tuple[float, Evidence]] = []
        for row, sentence in enumerate(sentences):
            margin = float(margins[row])
            if similarity[row, nearest[row]] < LEAST_SIMILARITY or abs(margin) < LEAST_MARGIN:
                continue
            statement = axis.statements[int(nearest[row])]
            liking = _liking(sentence.review) if axis.facet == "interest" else 1.0
            if liking == 0:
                continue
            evidence = Evidence(
                review_id=sentence.review.id,
                start=sentence.start,
                end=sentence.end,
                statement_id=statement.id,
                pole="high" if margin * liking > 0 else "low",
            )
            found.append((margin * liking, evidence))
        return found


def interests(reader: Reader, books: Mapping[str, Book]) -> tuple[Interest, ...]:
    """Genre clusters ranked: those the reader stated first, then those the ratings speak for."""
    liked: dict[str, float] = dict.fromkeys((c.id for c in genre_clusters()), 0.0)
    for review in reader.reviews:
        clusters = clusters_of(books[review.book_id].genres) if review.book_id in books else []
        for cluster in clusters if review.rating >= LIKED_FROM else []:
            liked[cluster] += 1 / len(clusters)
    total, even = sum(liked.values()), 1 / len(liked)
    shares = {c: (n + SHRINKAGE * even) / (total + SHRINKAGE) for c, n in liked.items()}
    labels = {c.id: c.label for c in genre_clusters()}
    stated = [c for c in dict.fromkeys(reader.favourite_genres) if c in labels]
    inferred = sorted(
        (c for c in shares if liked[c] > 0 and shares[c] > even and c not in stated),
        key=lambda c: (-shares[c], c),
    )

    def interest(cluster: str, source: Source) -> Interest:
        return Interest(
            cluster=cluster, label=labels[cluster], share=round(shares[cluster], 3), source=source
        )

    return (
        *(interest(c, "stated") for c in stated),
        *(interest(c, "inferred_behaviour") for c in inferred),
    )


def clusters_of(genres: Iterable[str]) -> list[str]:
    """The clusters the genre tags point to, each tag by its longest keyword, in the tags' order."""
    found = (_cluster_of(tag.casefold()) for tag in genres)
    return list(dict.fromkeys(cluster for cluster in found if cluster))


@cache
def _cluster_of(tag: str) -> str | None:
    matches = [
        (len(keyword), cluster.id)
        for cluster in genre_clusters()
        for keyword in cluster.keywords
        if re.search(rf"\b{re.escape(keyword)}\b", tag)
    ]
    return max(matches)[1] if matches else None


def _answered(reader: Reader, axis: Dimension) -> list[float]:
    """Agreement with the seed statements, centred, towards the high pole: -2 to 2 each."""
    return [
        (reader.questionnaire[s.id] - 3.0) * (1 if s.pole == "high" else -1)
        for s in axis.statements
        if s.id in reader.questionnaire
    ]


def _sentences(reviews: Iterable[Review]) -> Iterable[_Sentence]:
    for review in reviews:
        for match in _SENTENCE.finditer(review.text):
            text = match.group()
            start = match.start() + len(text) - len(text.lstrip())
            sentence = _Sentence(review, start, match.start() + len(text.rstrip()))
            long_enough = len(gates.words(sentence.text)) >= LEAST_WORDS or not text.isascii()
            if long_enough and sentence.end > start and not gates.holds_instructions(text):
                yield sentence


def _spread(sentences: list[_Sentence], most: int) -> list[_Sentence]:
    if len(sentences) <= most:
        return sentences
    step = len(sentences) / most
    return [sentences[int(i * step)] for i in range(most)]


def _liking(review: Review) -> float:
    """What a reader says of a disliked book's way speaks for the opposite."""
    return float(np.sign(review.rating - 3))
