"""The profiler: from what a reader stated, answered, rated and wrote to a profile.

It weighs sources and asks others to read them: `stances` for text, `behaviour` for ratings,
`instruments` for questionnaires, the frameworks for countries.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property

from agents.behaviour import LikedBooks
from agents.embeddings import Embedder
from agents.frameworks.catalogue import dimensions, national_prior
from agents.instruments import measurements as instrument_measurements
from agents.interests import interests, liking
from agents.posterior import (
    ITEM_CORRELATION,
    MEAN,
    TEXT_RELIABILITY,
    Measurement,
    NationalPrior,
    combine,
    scale_reliability,
    standardised,
)
from agents.records import (
    Attribute,
    Book,
    Contribution,
    Dimension,
    Evidence,
    Pole,
    Profile,
    Reader,
    SensitiveTopic,
    Source,
)
from agents.settings import ProfilerSettings
from agents.stances.stance import Reading, Stance, StanceReader

STANCE_CORRELATION = 0.06
"""Mean correlation between two stances of one reader on one dimension, an assumption: a single sure
one correlates 0.24 with the truth and two would by 0.34, which TEXT_RELIABILITY caps."""
ANSWER_SD = 1.2
"""Standard deviation of one answer from 1 to 5: 1.05 to 1.29 over the five domains of fifty IPIP
markers that 9,860 people answered (openpsychometrics.org)."""
MOST_QUOTES = 3


class Profiler:
    """Builds profiles; the same reader, books, day and stances always give the same one.

    Args:
        embedder: turns descriptions into vectors.
        books: by id; they tell the genres and descriptions of what was rated.
        text: reads reviews for stances; none leaves them unread.
        settings: half-life of ratings, expiry, and whether a country's average is shown.
        today: the day of the profile.
    """

    def __init__(
        self,
        embedder: Embedder,
        books: Mapping[str, Book],
        text: StanceReader | None,
        settings: ProfilerSettings,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._embedder = embedder
        self._books = books
        self._text = text
        self._settings = settings
        self._today = today

    @cached_property
    def _liked_books(self) -> LikedBooks:
        return LikedBooks(self._embedder, self._books, self._settings.half_life_days)

    async def profile(self, reader: Reader) -> Profile:
        """The profile of `reader`.

        Raises:
            ModelError: the model that reads the reviews does not answer.
        """
        axes = open_dimensions(reader.consent)
        readable = bool(reader.about) or any(review.text for review in reader.reviews)
        reading = Reading()
        if self._text and readable:
            reading = _anchored(await self._text.read(reader, axes), reader)
        attributes = await asyncio.to_thread(self._attributes, reader, axes, reading)
        notices = reading.notices
        if not any(a.known for a in attributes):
            notices += ("nothing is known of this reader: all scores are averages",)
        return Profile(
            reader_id=reader.id,
            age=reader.age,
            gender=reader.gender,
            country=reader.country,
            locale=reader.locale,
            interests=interests(reader, self._books, self._settings.half_life_days),
            attributes=attributes,
            made_on=self._today(),
            notices=notices,
        )

    def _attributes(
        self, reader: Reader, axes: Sequence[Dimension], reading: Reading
    ) -> tuple[Attribute, ...]:
        sources = _Sources(reader, axes, reading)
        return tuple(self._attribute(reader, axis, sources) for axis in axes)

    def _attribute(self, reader: Reader, axis: Dimension, sources: "_Sources") -> Attribute:
        answered = sources.answers(axis)
        found = sources.stances(axis)
        rated, liked = self._rated(reader, axis)
        measurements = [*answered, *_from_text(found, self._text), *rated]
        prior = None
        if self._settings.national_prior and not measurements:
            prior = national_prior(axis.name, reader.country)
        score, sd = combine(measurements, prior)
        contributions = _contributions(measurements, prior)
        side = "high" if score >= MEAN else "low"
        quoted = [s.evidence for s in sorted(found, key=lambda s: -abs(s.strength))]
        evidence: dict[tuple[str, int, int], Evidence] = {}
        for e in (*quoted, *liked):
            if e.pole == side:
                evidence.setdefault((e.review_id, e.start, e.end), e)
        days = self._settings.expire_after_days if measurements and not answered else None
        return Attribute(
            facet=axis.facet,
            dimension=axis.name,
            score=round(score, 2),
            sd=round(sd, 2),
            source=contributions[0].source if contributions else "default",
            sources=contributions,
            evidence=tuple(evidence.values())[:MOST_QUOTES],
            sensitive=axis.sensitive or sources.sensitive_statement(axis, found),
            expires_on=self._today() + timedelta(days=days) if days else None,
        )

    def _rated(self, reader: Reader, axis: Dimension) -> tuple[list[Measurement], list[Evidence]]:
        """From liked and disliked books; without any, the catalogue is not even looked at."""
        if axis.facet != "interest" or not any(map(liking, reader.reviews)):
            return [], []
        return self._liked_books.measure(reader, axis)


class _Sources:
    """What one reader answered and wrote, by dimension; a broad one has its parts' share too."""

    def __init__(self, reader: Reader, axes: Sequence[Dimension], reading: Reading) -> None:
        self._reader = reader
        self._instruments = instrument_measurements(reader)
        self._families = {axis.name: [axis, *_open_parts(axis, axes)] for axis in axes}
        self._topics: dict[str, SensitiveTopic] = {
            s.id: s.sensitive for axis in axes for s in axis.statements if s.sensitive
        }
        self._stances: dict[str, list[Stance]] = {}
        for stance in reading.stances:
            self._stances.setdefault(stance.dimension, []).append(stance)
        self._priority = self._mean_priority(axes)

    def answers(self, axis: Dimension) -> list[Measurement]:
        """From published instruments, and from agreement with our own statements."""
        own = [x for part in self._families[axis.name] for x in _agreement(self._reader, part)]
        found = list(self._instruments.get(axis.name, ()))
        if own:
            mean = sum(own) / len(own) - (self._priority if axis.facet == "value" else 0.0)
            z = standardised(mean, len(own), ANSWER_SD, ITEM_CORRELATION)
            reliability = scale_reliability(len(own))
            found.append(Measurement(z, reliability, "questionnaire", "seed statements"))
        return found

    def stances(self, axis: Dimension) -> list[Stance]:
        """From text; what is said of a disliked book's way of telling speaks for the opposite."""
        found = [s for part in self._families[axis.name] for s in self._stances.get(part.name, ())]
        if axis.facet != "interest":
            return found
        return [turned for s in found if (turned := _turned(s, self._reader)).strength]

    def sensitive_statement(
        self, axis: Dimension, found: Sequence[Stance]
    ) -> SensitiveTopic | None:
        """The topic of a sensitive statement that was answered or resembled, if there is one."""
        answered = [
            s.id
            for part in self._families[axis.name]
            for s in part.statements
            if s.id in self._reader.questionnaire
        ]
        ids = (*answered, *(stance.evidence.statement_id for stance in found))
        return next((self._topics[i] for i in ids if i in self._topics), None)

    def _mean_priority(self, axes: Sequence[Dimension]) -> float:
        """What is taken from value answers, so that they tell priorities (ipsatised scoring).

        Only where all ten values were asked about, as published instruments do.
        """
        values = {a.name: _agreement(self._reader, a) for a in axes if a.facet == "value"}
        broad = [a for a in axes if a.facet == "value" and a.parent is None and a.name != "face"]
        asked = [x for answers in values.values() for x in answers]
        covered = all(any(values[part.name] for part in self._families[a.name]) for a in broad)
        return sum(asked) / len(asked) if asked and covered else 0.0


def open_dimensions(consent: Sequence[SensitiveTopic]) -> list[Dimension]:
    """All dimensions that may be inferred, with the statements that may be, under `consent`."""
    allowed = {None, *consent}
    return [
        axis.model_copy(
            update={"statements": tuple(s for s in axis.statements if s.sensitive in allowed)}
        )
        for axis in dimensions().values()
        if axis.sensitive in allowed
    ]


def _anchored(reading: Reading, reader: Reader) -> Reading:
    """Without the stances whose evidence is no span of the reader's text: no span, no inference."""
    kept = tuple(s for s in reading.stances if _inside(s.evidence, reader))
    lost = len(reading.stances) - len(kept)
    if not lost:
        return reading
    notice = f"stances whose evidence lies outside of the text, dropped: {lost}"
    return Reading(kept, (*reading.notices, notice))


def _inside(evidence: Evidence, reader: Reader) -> bool:
    text = reader.text(evidence.review_id) or ""
    inside = 0 <= evidence.start < evidence.end <= len(text)
    return inside and bool(evidence.quote(reader).strip())


def _open_parts(axis: Dimension, axes: Sequence[Dimension]) -> list[Dimension]:
    """The parts that feed a broad dimension; a sensitive one speaks for itself alone."""
    return [part for part in axes if part.parent == axis.name and part.sensitive is None]


def _agreement(reader: Reader, axis: Dimension) -> list[float]:
    """Agreement with the seed statements, centred, towards the high pole: -2 to 2 each."""
    return [
        (reader.questionnaire[s.id] - 3.0) * (1 if s.pole == "high" else -1)
        for s in axis.statements
        if s.id in reader.questionnaire
    ]


def _from_text(found: Sequence[Stance], text: StanceReader | None) -> list[Measurement]:
    """The sum of the strengths counts as the stances expected to be real, and their mean side."""
    expected = sum(abs(stance.strength) for stance in found)
    if not expected or text is None:
        return []
    side = sum(stance.strength for stance in found) / expected
    z = standardised(side, expected, 1.0, STANCE_CORRELATION)
    reliability = min(TEXT_RELIABILITY, scale_reliability(expected, STANCE_CORRELATION))
    return [Measurement(z, reliability, "inferred_text", text.method)]


def _turned(stance: Stance, reader: Reader) -> Stance:
    """The stance as the rating of its review turns it: upside down where the book was disliked."""
    rated = reader.review(stance.evidence.review_id)
    side = liking(rated) if rated else 1
    pole: Pole = "high" if stance.strength * side > 0 else "low"
    turned = stance.evidence.model_copy(update={"pole": pole})
    return replace(stance, strength=stance.strength * side, evidence=turned)


def _contributions(
    measurements: Sequence[Measurement], prior: NationalPrior | None
) -> tuple[Contribution, ...]:
    """Every source with its share of what is known beyond the population, weightiest first."""
    gained: list[tuple[Source, str, float]]
    gained = [(m.source, m.method, m.precision) for m in measurements]
    if prior:
        gained.append(("national_prior", prior.method, prior.share / (1 - prior.share)))
    total = sum(precision for _, _, precision in gained)
    gained.sort(key=lambda g: -g[2])
    return tuple(
        Contribution(source=source, method=method, share=round(precision / total, 3))
        for source, method, precision in gained
    )
