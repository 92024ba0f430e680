"""What a run tells while it goes on: typed events, for screens, scripts and progress lines."""

from dataclasses import dataclass

from agents.records import Facet, PairStatus
from graph.accounts import RunSummary
from graph.store import ReaderStatus


@dataclass(frozen=True)
class RunBegan:
    """A run was begun or taken up again."""

    run_id: str
    readers: int
    requested: int
    resumed: bool
    unfinished: int
    """Readers that still have work to do."""


@dataclass(frozen=True)
class NodeDone:
    """One node of the machine has worked for one reader."""

    reader_id: str
    node: str
    seconds: float


@dataclass(frozen=True)
class PairDecided:
    """The critic or a person has decided on a pair."""

    pair_id: str
    reader_id: str
    facet: Facet
    status: PairStatus
    reason: str


@dataclass(frozen=True)
class ReaderEnded:
    """A reader's part has ended, or waits for a person."""

    reader_id: str
    status: ReaderStatus
    starved: dict[str, str]
    error: str | None = None


@dataclass(frozen=True)
class RunEnded:
    """The run has ended, waits for a person, or was stopped."""

    summary: RunSummary


Event = RunBegan | NodeDone | PairDecided | ReaderEnded | RunEnded
