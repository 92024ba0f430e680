"""Stances in vector space: no language model sees a review, and nothing leaves the machine."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import numpy as np

from agents.embeddings import Embedder
from agents.languages import language_of
from agents.records import Dimension, Evidence, Pole, Reader
from agents.stances.classifier import StanceClassifier
from agents.stances.excerpts import Excerpt, excerpts, most_informative
from agents.stances.stance import Reading, Stance

LEAST_STRENGTH = 0.15
"""Weaker leanings to one pole are left out: their sentences make poor evidence, and they add less
than 0.01 to the recovery of readers that are known."""


class EmbeddedStances:
    """Classifies sentences by their vectors; the stance on a dimension is p(high) - p(low).

    All dimensions and "none of them" compete for a sentence. What it spends on sensitive kinds
    that the reader did not consent to is forgotten.

    Args:
        embedder: turns sentences into unit vectors.
        most_sentences: of one reader; the most informative ones.
        least_strength: of a stance; weaker ones are left out.
        languages: ISO 639-1 codes of what the embedder reads, none meaning all; a review in another
            language is told of and left unread.
    """

    method = "review text, embedded"

    def __init__(
        self,
        embedder: Embedder,
        most_sentences: int,
        least_strength: float = LEAST_STRENGTH,
        languages: Collection[str] = (),
    ) -> None:
        self._embedder = embedder
        self._most_sentences = most_sentences
        self._least_strength = least_strength
        self._languages = languages

    @cached_property
    def _classifier(self) -> StanceClassifier:
        return StanceClassifier.of(self._embedder)

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        """The stances on `axes`, each with the sentence it rests on."""
        return await asyncio.to_thread(self._read, reader, axes)

    def _read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        readable, foreign = self._readable(reader)
        notices = _told(foreign)
        found = most_informative(readable, self._most_sentences)
        if not found or not axes:
            return Reading(notices=notices)
        classifier = self._classifier
        vectors = self._embedder.embed([excerpt.text for excerpt in found])
        strengths = classifier.probabilities(vectors) @ _sides(classifier, axes)
        near = vectors @ classifier.statement_vectors.T
        row_of = {statement_id: row for row, statement_id in enumerate(classifier.statement_ids)}
        rows = {
            (axis.name, pole): [row_of[s.id] for s in axis.statements if s.pole == pole]
            for axis in axes
            for pole in ("high", "low")
        }
        stances: list[Stance] = []
        for sentence, column in np.argwhere(np.abs(strengths) >= self._least_strength):
            excerpt, strength = found[sentence], float(strengths[sentence, column])
            name = axes[column].name
            pole: Pole = "high" if strength > 0 else "low"
            nearest = max(rows[name, pole], key=lambda row: near[sentence, row], default=None)
            evidence = Evidence(
                review_id=excerpt.review_id,
                start=excerpt.start,
                end=excerpt.end,
                pole=pole,
                statement_id="" if nearest is None else classifier.statement_ids[nearest],
            )
            stances.append(Stance(name, strength, evidence))
        return Reading(tuple(stances), notices)

    def _readable(self, reader: Reader) -> tuple[list[Excerpt], dict[str, int]]:
        """The excerpts in a language that the embedder reads, and how many others by language.

        A sentence is foreign where both it and the whole of its text are; a short one by itself
        may look like any language.
        """
        found = excerpts(reader)
        if not self._languages:
            return found, {}
        whole = {i: language_of(reader.text(i) or "") for i in {e.review_id for e in found}}
        readable: list[Excerpt] = []
        foreign: Counter[str] = Counter()
        for excerpt in found:
            code = whole[excerpt.review_id]
            if code in self._languages or language_of(excerpt.text) in self._languages:
                readable.append(excerpt)
            else:
                foreign[code] += 1
        return readable, foreign


def _told(foreign: Mapping[str, int]) -> tuple[str, ...]:
    if not foreign:
        return ()
    counts = ", ".join(f"{code} {count}" for code, count in sorted(foreign.items()))
    return (f"sentences in languages that embedding.languages leaves out, not read: {counts}",)


def _sides(classifier: StanceClassifier, axes: Sequence[Dimension]) -> np.ndarray:
    """1 where a kind is the high pole of an axis and may be told, -1 where it is the low one."""
    sides = np.zeros((len(classifier.kinds), len(axes)), dtype=np.float32)
    columns = {axis.name: column for column, axis in enumerate(axes)}
    open_kinds = {
        (axis.name, statement.sensitive or axis.sensitive)
        for axis in axes
        for statement in axis.statements
    }
    for row, kind in enumerate(classifier.kinds):
        if kind and (kind.dimension, kind.topic) in open_kinds:
            sides[row, columns[kind.dimension]] = 1 if kind.pole == "high" else -1
    return sides
