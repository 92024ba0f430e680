"""Puts a crew together over real stores with the scripted model; no test itself."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.chat import Chat, Reply
from agents.deduplicator import Deduplicator
from agents.errors import ModelError
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.judges.by_chat import ChatJudge
from agents.judges.by_embedding import EmbeddedJudge
from agents.likeness import Likeness
from agents.naive import NaiveWriter
from agents.pair_critic import PairCritic
from agents.pool import Pool
from agents.profiler import Profiler
from agents.records import Message, Pair, Reader, Scenario
from agents.scenario_writer import ScenarioWriter
from agents.scripted import ScriptedChat, ScriptedEmbedder
from agents.settings import CriticSettings, DeduplicatorSettings, ProfilerSettings
from agents.stances.by_embedding import EmbeddedStances
from graph.accounts import Accounting
from graph.book_pairs import BookPairs
from graph.books import read_books
from graph.crew import Crew
from graph.events import Event
from graph.readers import read_readers
from graph.settings import ReadersSettings, SynthesisSettings
from graph.store import Store
from graph.synthesis import work_through
from graph.tracing.recorder import Recorder

MakeChat = Callable[[Callable[..., None]], Chat]


class UnluckyChat(ScriptedChat):
    """The scripted model until the calls of `good` are used up, then `error` at every call."""

    def __init__(self, on_call: Callable[..., None], error: ModelError, good: int) -> None:
        super().__init__(on_call)
        self._error, self.left = error, good

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        self.left -= 1
        if self.left < 0:
            raise self._error
        return await super().ask(agent, messages, reply, most_repairs, repeat)


def sample_readers(count: int | None = None) -> list[Reader]:
    """The first of the bundled readers."""
    return read_readers("sample", ReadersSettings(), lambda _notice: None, count)


def few_scenarios() -> list[Scenario]:
    """Two shipped scenes of each broad dimension: so few that the writer has work to do."""
    return [
        s
        for s in shipped_scenarios()
        if dimension(s.dimension).parent is None and s.id.endswith(("-01", "-02"))
    ]


@contextmanager
def open_crew(
    home: Path, chat: MakeChat = ScriptedChat, judge: str = "embedded", **settings: Any
) -> Iterator[Crew]:
    """A crew over the run database and the pool in `home`."""
    embedder, store = ScriptedEmbedder(), Store(home / "gravity.db")
    recorder, pool = Recorder(store), Pool(home / "pool", embedder)
    voice = chat(recorder.on_call)
    books = read_books("sample", lambda _notice: None)
    judges = {"embedded": EmbeddedJudge(embedder), "chat": ChatJudge(voice, 1)}
    try:
        pool.load(few_scenarios())
        yield Crew(
            chat=voice,
            profiler=Profiler(
                embedder,
                books,
                EmbeddedStances(embedder, ProfilerSettings().max_sentences),
                ProfilerSettings(),
            ),
            books=BookPairs(books, sample_readers(), ProfilerSettings().half_life_days),
            writer=ScenarioWriter(voice, pool),
            naive=NaiveWriter(voice),
            deduplicator=Deduplicator(pool, Likeness(embedder), DeduplicatorSettings()),
            critic=PairCritic([judges[judge]], CriticSettings()),
            pool=pool,
            store=store,
            recorder=recorder,
            settings=SynthesisSettings(**settings),
        )
    finally:
        pool.close()
        store.close()


def begin(crew: Crew, run_id: str, readers: int = 3) -> int:
    """Write a run over sample readers; how many pairs are asked for."""
    each = sum(crew.settings.quotas.values())
    chosen = sample_readers(readers)
    crew.store.begin_run(run_id, "scripted", {"some": "settings"}, chosen, each, [])
    return each * len(chosen)


async def work(crew: Crew, run_id: str, home: Path, most: int | None = None) -> list[Event]:
    """The events of a run, to its end or the first `most` of them."""
    events: list[Event] = []
    stream = work_through(crew, run_id, home)
    async for event in stream:
        events.append(event)
        if len(events) == most:
            break
    await stream.aclose()
    return events


def under(crew: Crew, **settings: Any) -> Crew:
    """The same crew under other synthesis settings."""
    return replace(crew, settings=crew.settings.model_copy(update=settings))


def assert_adds_up(accounting: Accounting) -> None:
    """No pair is lost, and none counted below nothing."""
    parts = (accounting.accepted, accounting.rejected, accounting.failed, accounting.pending)
    assert accounting.requested == sum(parts), str(accounting)
    assert min(parts) >= 0, str(accounting)


def assert_no_pair_twice(pairs: Sequence[Pair]) -> None:
    """Ids and (reader, scenario) are each there once."""
    assert len({p.id for p in pairs}) == len(pairs)
    assert len({(p.run_id, p.reader_id, p.scenario_id) for p in pairs}) == len(pairs)
