"""What became of a run's pairs, counted from the run database; it writes nothing."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.errors import NotFoundError
from graph.ledger import Ledger, Spend, spend_of
from graph.tables import PairRow, ReaderRow, RunRow

RunStatus = Literal["running", "waiting", "stopped", "finished"]


@dataclass(frozen=True)
class Accounting:
    """Where every requested pair is: requested = accepted + rejected + failed + pending."""

    requested: int
    accepted: int
    rejected: int
    failed: int
    pending: int

    def __str__(self) -> str:
        return (
            f"requested {self.requested} = accepted {self.accepted} + rejected {self.rejected}"
            f" + failed {self.failed} + pending {self.pending}"
        )


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of runs."""

    id: str
    created_at: float
    updated_at: float
    status: RunStatus
    model: str
    method: str
    """`gravity`, or `naive` for the baseline."""
    readers: int
    skipped: tuple[str, ...]
    accounting: Accounting
    proposals: int
    """Pairs that were proposed, whatever became of them."""
    in_review: int
    spend: Spend

    @property
    def written_by(self) -> str:
        """The model, and whether it invented whole pairs."""
        return self.model if self.method == "gravity" else f"{self.method} {self.model}"


class Accounts(Ledger):
    """The part of the run database that counts and sums up runs."""

    def runs(self) -> list[RunSummary]:
        """All runs, newest first."""
        with self.reading() as session:
            rows = session.scalars(select(RunRow).order_by(RunRow.created_at.desc())).all()
            return [_summarise(session, row) for row in rows]

    def run(self, run_id: str) -> RunSummary:
        """One run; `last` names the newest.

        Raises:
            NotFoundError: there is none of that id.
        """
        with self.reading() as session:
            return _summarise(session, self._run(session, run_id))

    def accounting(self, run_id: str) -> Accounting:
        """Where every requested pair of the run is."""
        with self.reading() as session:
            return _account(session, self._run(session, run_id).id)

    def reader_count(self, run_id: str) -> int:
        """How many readers the run has."""
        with self.reading() as session:
            return _reader_count(session, run_id)

    @staticmethod
    def _run(session: Session, run_id: str) -> RunRow:
        newest = select(RunRow).order_by(RunRow.created_at.desc()).limit(1)
        row = session.scalar(newest) if run_id == "last" else session.get(RunRow, run_id)
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.", "`gravity runs list` names them.")
        return row


def standing(session: Session, run_id: str) -> RunStatus:
    """How a run stands on which nobody works, by what its readers lack."""
    left = set(session.scalars(select(ReaderRow.status).where(ReaderRow.run_id == run_id)))
    return "stopped" if "pending" in left else "waiting" if "waiting" in left else "finished"


def _account(session: Session, run_id: str) -> Accounting:
    """Count the pairs of a run by reader; what a finished reader lacks was refused or failed.

    A pair that a person takes beyond a reader's quota counts as requested by that person.
    """
    by_reader = (
        select(
            ReaderRow.status,
            ReaderRow.requested,
            ReaderRow.failed,
            func.count().filter(PairRow.status == "accepted"),
            func.count().filter(PairRow.status == "review"),
        )
        .outerjoin(
            PairRow,
            (PairRow.run_id == ReaderRow.run_id) & (PairRow.reader_id == ReaderRow.reader_id),
        )
        .where(ReaderRow.run_id == run_id)
        .group_by(ReaderRow.reader_id)
    )
    requested = accepted = rejected = failed = pending = 0
    for status, asked, lost, taken, waiting in session.execute(by_reader):
        ended = status in ("finished", "failed")
        asked = max(asked, taken + waiting * ended)
        open_slots = asked - taken
        requested, accepted = requested + asked, accepted + taken
        if status == "finished":
            lost = min(lost, open_slots - waiting)
            pending, failed = pending + waiting, failed + lost
            rejected += open_slots - waiting - lost
        elif status == "failed":
            failed += open_slots
        else:
            pending += open_slots
    return Accounting(requested, accepted, rejected, failed, pending)


def _summarise(session: Session, row: RunRow) -> RunSummary:
    """Everything that the list of runs tells of one run."""
    proposals, in_review = session.execute(
        select(func.count(), func.count().filter(PairRow.status == "review")).where(
            PairRow.run_id == row.id
        )
    ).one()
    return RunSummary(
        id=row.id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=row.status,  # pyright: ignore[reportArgumentType]
        model=row.model,
        method=row.settings.get("settings", {}).get("synthesis", {}).get("method", "gravity"),
        readers=_reader_count(session, row.id),
        skipped=tuple(row.skipped),
        accounting=_account(session, row.id),
        proposals=proposals,
        in_review=in_review,
        spend=spend_of(session, row.id),
    )


def _reader_count(session: Session, run_id: str) -> int:
    query = select(func.count()).select_from(ReaderRow).where(ReaderRow.run_id == run_id)
    return session.scalar(query) or 0
