"""Puts the parts of a run together: settings in, the crew and its services out."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents import weights
from agents.errors import ConfigError
from agents.settings import ChatSettings
from graph.settings import RunSettings
from graph.store import Store

if TYPE_CHECKING:
    from agents.budget import Budget
    from agents.chat import Chat, OnCall, Recall
    from agents.decisions import Decider
    from agents.deduplicator import Deduplicator
    from agents.embeddings import Embedder
    from agents.judges.judge import Judge
    from agents.pool import Pool
    from agents.records import Book, Profile, Reader
    from agents.stances.stance import StanceReader
    from graph.crew import Crew

EMBEDDED, SCRIPTED = "embedded", "scripted"
EMBEDDED_SLOTS = 2
"""Replies that the in-process server writes at the same time: one for each of two cores."""
EMBEDDED_TIMEOUT_S = 600.0
"""Seconds, at least, that a slow or busy machine has for one of them; nobody else would answer."""


@dataclass(frozen=True)
class RunServices:
    """What runs need, made on first use from the settings."""

    settings: RunSettings

    @property
    def home(self) -> Path:
        """The folder of everything this project keeps."""
        return self.settings.home

    @cached_property
    def store(self) -> Store:
        """The run database."""
        return Store(self.home / "gravity.db")

    def begin_run(
        self,
        run_id: str,
        readers: "Sequence[Reader]",
        source: "Mapping[str, Any] | None" = None,
        skipped: Sequence[str] = (),
    ) -> None:
        """Write a new run under these settings, and all of them with it.

        Args:
            run_id: its name.
            readers: whose pairs are wanted.
            source: where readers and books were read, so that the run can be resumed.
            skipped: what was wrong with rows that were left out.

        Raises:
            LockedError: another process has begun a run of this name meanwhile.
        """
        self.store.begin_run(
            run_id,
            self.settings.chat.model,
            {"source": dict(source or {}), "settings": self.settings.kept()},
            readers,
            sum(self.settings.synthesis.quotas.values()),
            skipped,
        )

    @cached_property
    def embedder(self) -> "Embedder":
        """The embedding model; the scripted chat model brings the scripted one."""
        from agents.embeddings import RememberingEmbedder, SentenceEmbedder
        from agents.scripted import ScriptedEmbedder

        wanted = self.settings.embedding.model
        if wanted is None:
            wanted = SCRIPTED if self.settings.chat.model == SCRIPTED else EMBEDDED
        if wanted == SCRIPTED:
            return RememberingEmbedder(ScriptedEmbedder())
        if wanted == EMBEDDED:
            folder, name = weights.require(weights.EMBEDDING), weights.EMBEDDING.name
            return RememberingEmbedder(SentenceEmbedder(folder, name))
        return RememberingEmbedder(SentenceEmbedder(wanted))

    @asynccontextmanager
    async def crew(
        self, books: "Mapping[str, Book]", run_id: str | None = None
    ) -> "AsyncGenerator[Crew]":
        """The agents, with the pool open and the chat model connected.

        Args:
            books: the catalogue by id.
            run_id: the run they work on: whose readers tell how well known a book is, and what of
                the cap is spent. Without one neither is known.
        """
        from agents.budget import Budget
        from agents.judges.calibration import read_calibrations
        from agents.languages import load_languages
        from agents.naive import NaiveWriter
        from agents.pair_critic import PairCritic
        from agents.profiler import Profiler
        from agents.scenario_writer import ScenarioWriter
        from graph.book_pairs import BookPairs
        from graph.crew import Crew
        from graph.tracing.recorder import open_recorder

        load_languages()  # here, so that no call waits for it later
        settings, store = self.settings, self.store
        readers = store.reader_records(run_id) if run_id else []
        spent_usd = store.spend(run_id).cost_usd if run_id else 0.0
        budget = Budget(settings.synthesis.max_cost_usd, spent_usd)
        calibrations = read_calibrations(self.calibrations)
        with self.pool() as pool, open_recorder(store, settings) as recorder:
            async with open_chat(settings.chat, recorder.on_call, store.kept_reply, budget) as chat:
                text = self.stance_reader(chat, recorder.on_call)
                judges = self.judges(chat, recorder.on_call)
                yield Crew(
                    chat=chat,
                    profiler=Profiler(self.embedder, books, text, settings.profiler),
                    books=BookPairs(books, readers, settings.profiler.half_life_days),
                    writer=ScenarioWriter(chat, pool),
                    naive=NaiveWriter(chat),
                    deduplicator=self.deduplicator(pool, chat),
                    critic=PairCritic(judges, settings.critic, calibrations),
                    pool=pool,
                    store=store,
                    recorder=recorder,
                    settings=settings.synthesis,
                )

    @contextmanager
    def pool(self) -> "Generator[Pool]":
        """The candidate pool of this home with everything that ships, closed at the end."""
        from agents.frameworks.catalogue import shipped_scenarios
        from agents.pool import Pool

        pool = Pool(self.home / "pool", self.embedder)
        try:
            pool.load(shipped_scenarios())
            yield pool
        finally:
            pool.close()

    @property
    def calibrations(self) -> Path:
        """What people's decisions taught of the judges."""
        return self.home / "critic.json"

    def judges(self, chat: "Chat", on_call: "OnCall") -> "list[Judge]":
        """The critic's panel, as `critic.judges` names it."""
        from agents.judges.by_chat import ChatJudge
        from agents.judges.by_decision import DecisionJudge
        from agents.judges.by_embedding import EmbeddedJudge

        critic = self.settings.critic
        known: dict[str, Callable[[], Judge]] = {
            "embedded": lambda: EmbeddedJudge(self.embedder),
            "chat": lambda: ChatJudge(chat, critic.votes),
            "systemone": lambda: DecisionJudge(self.decider("critic.judges", on_call)),
        }
        return [known[name]() for name in critic.judges]

    def deduplicator(self, pool: "Pool", chat: "Chat | None") -> "Deduplicator":
        """Who lets scenarios into the pool; `chat` decides in doubt where the critic asks it."""
        from agents.deduplicator import ChatReferee, Deduplicator
        from agents.likeness import Likeness

        referee = ChatReferee(chat) if chat and "chat" in self.settings.critic.judges else None
        return Deduplicator(pool, Likeness(self.embedder), self.settings.deduplicator, referee)

    async def profiles(
        self, readers: "Sequence[Reader]", books: "Mapping[str, Book]", on_call: "OnCall"
    ) -> "list[Profile]":
        """Profiles made now, outside of any run."""
        from agents.profiler import Profiler

        settings = self.settings
        async with AsyncExitStack() as stack:
            chat = None
            if settings.profiler.text == "chat":
                chat = await stack.enter_async_context(open_chat(settings.chat, on_call))
            text = self.stance_reader(chat, on_call)
            profiler = Profiler(self.embedder, books, text, settings.profiler)
            return [await profiler.profile(reader) for reader in readers]

    def stance_reader(self, chat: "Chat | None", on_call: "OnCall") -> "StanceReader | None":
        """Who reads the reviews, as `profiler.text` says; `chat` is needed for `chat` only."""
        from agents.stances.by_chat import ChatStances
        from agents.stances.by_decision import DecisionStances
        from agents.stances.by_embedding import EmbeddedStances

        profiler = self.settings.profiler
        match profiler.text:
            case "embedded":
                languages = self.settings.embedding.languages
                return EmbeddedStances(self.embedder, profiler.max_sentences, languages=languages)
            case "chat":
                assert chat is not None, "whoever asks for this backend opens the chat model"
                return ChatStances(chat, profiler.max_sentences)
            case "systemone":
                languages = self.settings.embedding.languages
                decider = self.decider("profiler.text", on_call)
                return DecisionStances(decider, self.embedder, profiler.max_sentences, languages)
            case "none":
                return None

    def decider(self, wanted_by: str, on_call: "OnCall") -> "Decider":
        """The model of the section `systemone`, at a server or in this process, with a witness.

        Raises:
            ConfigError: no model is named.
        """
        from agents.decision_pipeline import DecisionPipeline
        from agents.systemone import SystemOne
        from agents.witness import WitnessedDecider

        wanted = self.settings.systemone
        if wanted.url:
            server = SystemOne(
                wanted.url,
                wanted.model or "default",
                wanted.timeout_s,
                wanted.concurrency,
                wanted.patience_s,
            )
            return WitnessedDecider(server, on_call)
        if wanted.model:
            return WitnessedDecider(DecisionPipeline(wanted.model), on_call)
        raise ConfigError(
            f"{wanted_by} wants systemone, and neither systemone.url nor systemone.model is set.",
            "Set the address of a System One server, such as http://127.0.0.1:8000, or a model"
            " for transformers.",
        )


@asynccontextmanager
async def open_chat(
    settings: ChatSettings,
    on_call: "OnCall",
    recall: "Recall" = lambda _key: None,
    budget: "Budget | None" = None,
) -> "AsyncGenerator[Chat]":
    """The chat model that the settings name, closed at the end; see `EndpointChat`."""
    from agents.endpoint import EndpointChat
    from agents.scripted import ScriptedChat

    if settings.model == SCRIPTED:
        yield ScriptedChat(on_call)
        return
    if settings.model == EMBEDDED:
        from agents.embedded import EmbeddedServer

        gguf = weights.require(weights.CHAT) / weights.CHAT.file
        server = EmbeddedServer(gguf, EMBEDDED_SLOTS)
        settings = settings.model_copy(
            update={
                "base_url": server.base_url,
                "concurrency": EMBEDDED_SLOTS,
                "timeout_s": max(settings.timeout_s, EMBEDDED_TIMEOUT_S),
            }
        )
    chat = EndpointChat(settings, on_call, recall, budget)
    try:
        yield chat
    finally:
        await chat.close()
