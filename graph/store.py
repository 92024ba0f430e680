"""The run database's reads and writes: it keeps and finds; it decides nothing."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any, Literal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from agents.errors import NotFoundError
from agents.records import Pair, PairStatus, Profile, Reader
from agents.verification import Verification, in_force
from graph.accounts import Accounts, RunStatus, standing
from graph.answers import AnswerSheet
from graph.descriptions import Descriptions
from graph.dossier import Dossier, sheets_of, verifications_of, with_answers
from graph.tables import DecisionRow, PairRow, ReaderRow, RunRow, SpanRow

ReaderStatus = Literal["pending", "waiting", "finished", "failed"]
Action = Literal["approve", "edit", "reject"]


@dataclass(frozen=True)
class ReaderInRun:
    """One reader of a run, with the profile where it has been made."""

    reader: Reader
    """With the answers that were given since, beside those of the input file."""
    profile: Profile | None
    """As it is in force today: after everything that was said of it, without what has expired."""
    inferred: Profile | None
    """As the profiler made it."""
    status: ReaderStatus
    requested: int
    starved: dict[str, str]
    """Facet to the reason why its quota was not met."""
    error: str | None


@dataclass(frozen=True)
class Span:
    """One step of a trace; `call` holds the model call of a span of that kind."""

    id: str
    parent_id: str | None
    run_id: str
    reader_id: str | None
    kind: Literal["reader", "node", "call"]
    name: str
    started_at: float
    duration_s: float
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    error: str | None = None
    call: dict[str, Any] | None = None


class Store(Accounts, Dossier, Descriptions):
    """The run database; every method is one transaction."""

    # --- runs ---------------------------------------------------------------------------------

    def begin_run(
        self,
        run_id: str,
        model: str,
        settings: dict[str, Any],
        readers: Sequence[Reader],
        requested: int,
        skipped: Sequence[str],
    ) -> None:
        """Write a new run with `requested` pairs asked for each of its readers."""
        now = time.time()
        with self.writing() as session:
            session.add(
                RunRow(
                    id=run_id,
                    created_at=now,
                    updated_at=now,
                    status="stopped",
                    model=model,
                    settings=settings,
                    skipped=list(skipped),
                )
            )
            session.flush()
            session.add_all(
                ReaderRow(
                    run_id=run_id,
                    reader_id=reader.id,
                    position=position,
                    status="pending",
                    requested=requested,
                    record=reader.model_dump(mode="json"),
                    starved={},
                )
                for position, reader in enumerate(readers)
            )

    def has_run(self, run_id: str) -> bool:
        """Whether a run of this id was begun."""
        with self.reading() as session:
            return session.get(RunRow, run_id) is not None

    def unfinished_run(self, settings: dict[str, Any]) -> str | None:
        """The newest run under exactly these settings that has not finished."""
        query = select(RunRow).where(RunRow.status != "finished").order_by(RunRow.created_at.desc())
        with self.reading() as session:
            return next((r.id for r in session.scalars(query) if r.settings == settings), None)

    def next_run_id(self) -> str:
        """`run-1`, `run-2` and so on."""
        with self.reading() as session:
            taken = set(session.scalars(select(RunRow.id)))
        return next(name for n in count(1) if (name := f"run-{n}") not in taken)

    def set_run_status(self, run_id: str, status: RunStatus) -> None:
        """Note how the run stands now."""
        with self.writing() as session:
            run = self._run(session, run_id)
            run.status, run.updated_at = status, time.time()

    def settle(self, run_id: str) -> None:
        """Note that nobody works on the run any more, and how it stands."""
        with self.writing() as session:
            run = self._run(session, run_id)
            run.status, run.updated_at = standing(session, run.id), time.time()

    def run_settings(self, run_id: str) -> dict[str, Any]:
        """The settings under which the run was begun."""
        with self.reading() as session:
            return self._run(session, run_id).settings

    # --- readers ------------------------------------------------------------------------------

    def readers(self, run_id: str) -> list[ReaderInRun]:
        """The readers of a run in the order of the file."""
        query = select(ReaderRow).where(ReaderRow.run_id == run_id).order_by(ReaderRow.position)
        of_run = select(ReaderRow.reader_id).where(ReaderRow.run_id == run_id)
        with self.reading() as session:
            sheets, said = sheets_of(session, of_run), verifications_of(session, of_run)
            return [
                _reader_in_run(row, sheets[row.reader_id], said[row.reader_id])
                for row in session.scalars(query)
            ]

    def reader(self, run_id: str, reader_id: str) -> ReaderInRun:
        """One reader of a run.

        Raises:
            NotFoundError: the run has no such reader.
        """
        with self.reading() as session:
            row = self._reader(session, run_id, reader_id)
            sheets, said = sheets_of(session, [reader_id]), verifications_of(session, [reader_id])
            return _reader_in_run(row, sheets[reader_id], said[reader_id])

    def readers_with_work(self, run_id: str) -> list[str]:
        """Readers to go on with: the unfinished, and those who waited and are all decided on."""
        asks = exists().where(
            PairRow.run_id == ReaderRow.run_id,
            PairRow.reader_id == ReaderRow.reader_id,
            PairRow.status == "review",
        )
        query = (
            select(ReaderRow.reader_id)
            .where(ReaderRow.run_id == run_id)
            .where((ReaderRow.status == "pending") | ((ReaderRow.status == "waiting") & ~asks))
            .order_by(ReaderRow.position)
        )
        with self.reading() as session:
            return list(session.scalars(query))

    def keep_profile(self, run_id: str, profile: Profile) -> None:
        """Keep a profile beside its reader, as it was inferred."""
        with self.writing() as session:
            row = self._reader(session, run_id, profile.reader_id)
            row.profile = profile.model_dump(mode="json")

    def end_reader(
        self,
        run_id: str,
        reader_id: str,
        status: ReaderStatus,
        starved: dict[str, str] | None = None,
        failed: int = 0,
        error: str | None = None,
    ) -> None:
        """Note how the reader's part of the run stands; `failed` pairs were lost to a model."""
        with self.writing() as session:
            row = self._reader(session, run_id, reader_id)
            row.status, row.failed, row.error = status, failed, error
            if starved is not None:
                row.starved = starved

    # --- pairs --------------------------------------------------------------------------------

    def put_pairs(self, pairs: Sequence[Pair]) -> None:
        """Insert or replace by id, so that a repeated step doubles nothing."""
        with self.writing() as session:
            for pair in pairs:
                row = session.get(PairRow, pair.id)
                if row is None:
                    row = PairRow(id=pair.id, run_id=pair.run_id, reader_id=pair.reader_id)
                    row.created_at = time.time()
                    session.add(row)
                _fill(row, pair)

    def pair(self, pair_id: str) -> Pair:
        """One pair.

        Raises:
            NotFoundError: there is none of that id.
        """
        with self.reading() as session:
            return Pair.model_validate(self._pair(session, pair_id).record)

    def pairs(
        self,
        run_id: str,
        status: PairStatus | None = None,
        reader_id: str | None = None,
        limit: int | None = None,
    ) -> list[Pair]:
        """The pairs of a run in the order of their making."""
        query = select(PairRow.record).where(PairRow.run_id == run_id)
        if status:
            query = query.where(PairRow.status == status)
        if reader_id:
            query = query.where(PairRow.reader_id == reader_id)
        query = query.order_by(PairRow.created_at, PairRow.id).limit(limit)
        with self.reading() as session:
            return [Pair.model_validate(record) for record in session.scalars(query)]

    def accepted_counts(self, run_id: str) -> Counter[str]:
        """How many accepted pairs each reader of a run has, by reader id."""
        query = (
            select(PairRow.reader_id, func.count())
            .where(PairRow.run_id == run_id, PairRow.status == "accepted")
            .group_by(PairRow.reader_id)
        )
        with self.reading() as session:
            return Counter({reader_id: count for reader_id, count in session.execute(query)})

    def decide(
        self,
        pair_id: str,
        action: Action,
        reviewer: str,
        reason: str = "",
        chosen: str | None = None,
        rejected: str | None = None,
    ) -> Pair:
        """Apply a person's decision to a pair at once and keep what it was before."""
        with self.writing() as session:
            row = self._pair(session, pair_id)
            before = Pair.model_validate(row.record)
            after = before.model_copy(
                update={
                    "status": "rejected" if action == "reject" else "accepted",
                    "reason": reason or f"{action} by {reviewer}",
                    "chosen": chosen or before.chosen,
                    "rejected": rejected or before.rejected,
                }
            )
            session.add(
                DecisionRow(
                    pair_id=pair_id,
                    at=time.time(),
                    reviewer=reviewer,
                    action=action,
                    reason=reason,
                    before=row.record,
                )
            )
            _fill(row, after)
            return after

    def is_decided(self, pair_id: str) -> bool:
        """Whether a person's decision on the pair stands."""
        query = select(DecisionRow.id).where(DecisionRow.pair_id == pair_id).limit(1)
        with self.reading() as session:
            return session.scalar(query) is not None

    def undo(self, pair_id: str) -> Pair:
        """Take the last decision on a pair back.

        Raises:
            NotFoundError: nobody has decided on this pair.
        """
        newest = (
            select(DecisionRow)
            .where(DecisionRow.pair_id == pair_id)
            .order_by(DecisionRow.id.desc())
            .limit(1)
        )
        with self.writing() as session:
            decision = session.scalar(newest)
            if decision is None:
                raise NotFoundError(f"Nobody has decided on pair {pair_id}.")
            before = Pair.model_validate(decision.before)
            _fill(self._pair(session, pair_id), before)
            session.delete(decision)
            return before

    # --- traces -------------------------------------------------------------------------------

    def add_span(self, span: Span) -> None:
        """Keep one step of a trace."""
        with self.writing() as session:
            session.merge(SpanRow(**span.__dict__))

    def spans(self, run_id: str, reader_id: str | None = None) -> list[Span]:
        """The steps of a run in the order of their beginning."""
        query = select(SpanRow).where(SpanRow.run_id == run_id).order_by(SpanRow.started_at)
        if reader_id:
            query = query.where(SpanRow.reader_id == reader_id)
        columns = [column.key for column in SpanRow.__table__.columns]
        with self.reading() as session:
            return [
                Span(**{key: getattr(row, key) for key in columns})
                for row in session.scalars(query)
            ]

    # --- inside -------------------------------------------------------------------------------

    @staticmethod
    def _reader(session: Session, run_id: str, reader_id: str) -> ReaderRow:
        row = session.get(ReaderRow, (run_id, reader_id))
        if row is None:
            raise NotFoundError(
                f"Run {run_id!r} has no reader {reader_id!r}.", f"`gravity runs show {run_id}`."
            )
        return row

    @staticmethod
    def _pair(session: Session, pair_id: str) -> PairRow:
        row = session.get(PairRow, pair_id)
        if row is None:
            raise NotFoundError(
                f"There is no pair {pair_id!r}.", "`gravity pairs list` names them."
            )
        return row


def _fill(row: PairRow, pair: Pair) -> None:
    row.facet, row.status = pair.facet, pair.status
    row.record = pair.model_dump(mode="json")


def _reader_in_run(
    row: ReaderRow, sheets: Sequence[AnswerSheet], said: Sequence[Verification]
) -> ReaderInRun:
    inferred = Profile.model_validate(row.profile) if row.profile else None
    return ReaderInRun(
        reader=with_answers(Reader.model_validate(row.record), sheets),
        profile=in_force(inferred, said, date.today()) if inferred else None,
        inferred=inferred,
        status=row.status,  # pyright: ignore[reportArgumentType]
        requested=row.requested,
        starved=row.starved,
        error=row.error,
    )
