"""Readers as a forecast knows them: profiled without a model's word, with the pairs they have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agents.meter import Meter
from agents.profiler import Profiler
from agents.records import FACETS, Book, Facet, Pair, Profile, Reader
from agents.stances.by_embedding import EmbeddedStances
from graph.book_pairs import BookPairs
from graph.planning import lack
from graph.services import RunServices
from graph.settings import SynthesisSettings


@dataclass(frozen=True)
class Member:
    """One reader of a run to come, or of what is left of one."""

    reader: Reader
    profile: Profile
    """As the run will have it; where a model has yet to read the text, as the embedded one does."""
    bare: Profile
    """The same without what a model has yet to read."""
    pairs: tuple[Pair, ...]
    """Those that the reader has, and those of rated books."""

    @property
    def is_read(self) -> bool:
        """Whether the run will have the profile just so."""
        return self.profile is self.bare

    @cached_property
    def used(self) -> frozenset[str]:
        """The scenes that the reader was given."""
        return frozenset(pair.scenario_id for pair in self.pairs)

    def lacks(self, profile: Profile, settings: SynthesisSettings) -> dict[Facet, int]:
        """How many pairs each facet's quota wants beside those there are."""
        return {facet: lack(profile, self.pairs, facet, settings) for facet in FACETS}


class Reception:
    """Meets readers, and asks no model about them.

    Args:
        services: the parts of a run.
        everyone: all readers of the run.
        books: the catalogue by id.
        meter: stands in the chat model's place.
        run_id: the run, begun or not.
    """

    def __init__(
        self,
        services: RunServices,
        everyone: Sequence[Reader],
        books: Mapping[str, Book],
        meter: Meter,
        run_id: str,
    ) -> None:
        self._store, self._settings = services.store, services.settings
        self._meter = meter
        self._run_id = run_id
        self._is_begun = services.store.has_run(run_id)
        wanted = services.settings.profiler
        self._decides = wanted.text == "systemone"
        text = None if self._decides else services.stance_reader(meter, lambda _call: None)
        languages = services.settings.embedding.languages
        embedded = EmbeddedStances(services.embedder, wanted.max_sentences, languages=languages)
        self._bare = Profiler(services.embedder, books, text, wanted)
        self._supposed = Profiler(services.embedder, books, embedded, wanted)
        self._books = BookPairs(books, everyone, wanted.half_life_days)

    async def meet(self, reader: Reader) -> Member:
        """The reader with profile and pairs; of a run that is begun with those that it has."""
        known = self._store.pairs(self._run_id, reader_id=reader.id)
        kept = self._store.reader(self._run_id, reader.id).profile if self._is_begun else None
        profile, bare = (kept, kept) if kept else await self._profiles(reader)
        ids = {pair.id for pair in known}
        made = [pair for pair in self._of_books(reader, profile) if pair.id not in ids]
        return Member(reader, profile, bare, (*known, *made))

    async def _profiles(self, reader: Reader) -> tuple[Profile, Profile]:
        told, declined = self._store.with_answers(reader), self._meter.declined
        bare = self._store.in_force(await self._bare.profile(told))
        unread = self._meter.declined > declined or (self._decides and has_text(reader))
        if not unread:
            return bare, bare
        return self._store.in_force(await self._supposed.profile(told)), bare

    def _of_books(self, reader: Reader, profile: Profile) -> list[Pair]:
        synthesis = self._settings.synthesis
        if synthesis.method == "naive":
            return []
        wanted = min(synthesis.pairs_from_books, synthesis.quotas.get("interest", 0))
        made = self._books.make(self._run_id, reader, profile, wanted)
        return [pair.model_copy(update={"status": "accepted"}) for pair in made]


def has_text(reader: Reader) -> bool:
    """Whether there is anything of this reader to be read."""
    return bool(reader.about) or any(review.text for review in reader.reviews)
