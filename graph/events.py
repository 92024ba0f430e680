"""What a run tells while it goes on: typed events, for screens, scripts and progress lines.

RunBegan, then of each reader NodeDone and PairDecided as they come and ReaderEnded, then RunEnded.
A run that an error stops tells no RunEnded: `synthesise` raises what stopped it.
"""

from dataclasses import dataclass, field

from agents.records import Facet, PairStatus
from graph.accounts import RunSummary
from graph.ledger import Spend
from graph.store import ReaderStatus


@dataclass(frozen=True)
class RunBegan:
    """A run was begun or taken up again."""

    run_id: str
    readers: int
    """All readers of the run."""
    requested: int
    """Pairs that are wanted of all of them."""
    resumed: bool
    """Whether any reader was worked on before."""
    unfinished: int
    """Readers that still have work to do."""


@dataclass(frozen=True)
class NodeDone:
    """One node of the machine has worked for one reader."""

    reader_id: str
    node: str
    """Its name in the picture of the machine, or the name of a node of your own."""
    seconds: float


@dataclass(frozen=True)
class PairDecided:
    """The machine has accepted or rejected a pair, or put it before a person (`review`)."""

    pair_id: str
    reader_id: str
    facet: Facet
    status: PairStatus
    reason: str
    """In words, from the gate, the judges or the node that decided."""


@dataclass(frozen=True)
class PairsWaiting:
    """A reader's part waits until people have decided on these pairs; other readers go on.

    `store.decide` takes decisions at any time; the same run, taken up again, goes on from them.
    """

    reader_id: str
    pair_ids: tuple[str, ...]


@dataclass(frozen=True)
class ReaderEnded:
    """A reader's part has ended, or waits for a person."""

    reader_id: str
    status: ReaderStatus
    starved: dict[str, str]
    """Facet to the reason why its quota stays unmet."""
    error: str | None = None
    """Why the whole part has `failed`."""
    spent: Spend = field(default_factory=Spend)
    """What model calls for this reader have cost so far."""


@dataclass(frozen=True)
class RunEnded:
    """The run has ended, waits for a person, or was asked to stop."""

    summary: RunSummary
    """With the accounting, and what the whole run has cost so far."""


Event = RunBegan | NodeDone | PairDecided | PairsWaiting | ReaderEnded | RunEnded
