"""Profiles readers by what a test says a text backend found, for tests; no test itself."""

from collections.abc import Sequence
from datetime import date

from agents.behaviour import LEAST_CATALOGUE
from agents.profiler import Profiler
from agents.records import ABOUT, Attribute, Book, Dimension, Evidence, Profile, Reader, Review
from agents.scripted import ScriptedEmbedder
from agents.settings import ProfilerSettings
from agents.stances.by_embedding import EmbeddedStances
from agents.stances.stance import Reading, Stance, StanceReader
from tests.agents.by_heart import ByHeart

WORDS = "boat dragon murder garden war cake moon law violin fox ship ledger frost inn".split()
BOOKS = {
    f"b{n}": Book(
        id=f"b{n}",
        title=f"Book {n}",
        genres=("Mystery",) if n % 2 else ("Romance",),
        description=f"A tale of a {WORDS[n % 14]}, a {WORDS[n * 5 % 13]} and {n} quiet people.",
    )
    for n in range(LEAST_CATALOGUE + 4)
}
TODAY = date(2026, 3, 1)


class Told:
    """Finds the stances it was told of, and keeps what it was asked about."""

    method = "told"

    def __init__(self, *stances: Stance, notices: tuple[str, ...] = ()) -> None:
        self.stances = stances
        self.notices = notices
        self.asked: list[Sequence[Dimension]] = []

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        self.asked.append(axes)
        names = {axis.name for axis in axes}
        return Reading(tuple(s for s in self.stances if s.dimension in names), self.notices)


def stance(
    name: str, strength: float, statement_id: str = "", review_id: str = ABOUT, start: int = 0
) -> Stance:
    pole = "high" if strength > 0 else "low"
    evidence = Evidence(
        review_id=review_id, start=start, end=start + 3, pole=pole, statement_id=statement_id
    )
    return Stance(name, strength, evidence)


def review(n: int, text: str = "", rating: float = 5, book: str = "b1") -> Review:
    return Review(id=f"r{n}", book_id=book, rating=rating, text=text)


async def profile_of(
    reader: Reader, text: StanceReader | None = None, books: bool = False, **changes: object
) -> Profile:
    """Without a catalogue, unless `books`; `changes` are settings."""
    settings = ProfilerSettings.model_validate(changes)
    catalogue = BOOKS if books else {}
    profiler = Profiler(ScriptedEmbedder(), catalogue, text, settings, lambda: TODAY)
    return await profiler.profile(reader)


def embedded_profiler() -> Profiler:
    """With the real embedded backend, over vectors that know the examples by heart."""
    embedder = ByHeart()
    backend = EmbeddedStances(embedder, 120)
    return Profiler(embedder, BOOKS, backend, ProfilerSettings(), lambda: TODAY)


def attribute(profile: Profile, name: str) -> Attribute:
    found = profile.attribute(name)
    assert found is not None, name
    return found
