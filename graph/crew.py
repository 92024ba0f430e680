"""Everyone and everything that the nodes of the machine work with; services.py puts it together."""

from dataclasses import dataclass, field

from agents.chat import Chat
from agents.deduplicator import Deduplicator
from agents.naive import NaiveWriter
from agents.pair_critic import PairCritic
from agents.pool import Pool
from agents.profiler import Profiler
from agents.scenario_writer import ScenarioWriter
from graph.book_pairs import BookPairs
from graph.flights import Flights
from graph.settings import SynthesisSettings
from graph.store import Store
from graph.tracing.recorder import Recorder


@dataclass(frozen=True)
class Crew:
    """The agents of one process, with the pool, the run database and the settings."""

    chat: Chat
    profiler: Profiler
    books: BookPairs
    writer: ScenarioWriter
    naive: NaiveWriter
    deduplicator: Deduplicator
    critic: PairCritic
    pool: Pool
    store: Store
    recorder: Recorder
    settings: SynthesisSettings
    flights: Flights = field(default_factory=Flights)
