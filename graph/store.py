"""The run database's reads and writes: it keeps and finds; it decides nothing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any, Literal

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from agents.errors import LockedError, NotFoundError
from agents.records import Profile, Reader
from agents.verification import Verification, in_force
from graph.accounts import Accounts, RunStatus, standing
from graph.answers import AnswerSheet
from graph.descriptions import Descriptions
from graph.dossier import Dossier, sheets_of, verifications_of, with_answers
from graph.failures import Failures
from graph.fingerprint import changes
from graph.reviewing.decisions import Decisions, go_on
from graph.reviewing.desk import ENDED
from graph.tables import FailureRow, PairRow, ReaderRow, RunRow
from graph.tracing.traces import Traces

ReaderStatus = Literal["pending", "waiting", "finished", "failed"]


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


class Store(Accounts, Decisions, Traces, Failures, Dossier, Descriptions):
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
        """Write a new run with `requested` pairs asked for each of its readers.

        Raises:
            LockedError: another process has begun a run of this name meanwhile.
        """
        now = time.time()
        with self.writing() as session:
            if session.get(RunRow, run_id):
                raise LockedError(
                    f"{run_id} has been begun by another process.", "Run the same command again."
                )
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

    def unfinished_run(self, source: dict[str, Any], settings: dict[str, Any]) -> str | None:
        """The newest unfinished run over this source, under settings that give the same pairs."""
        query = select(RunRow).where(RunRow.status != "finished").order_by(RunRow.created_at.desc())
        with self.reading() as session:
            return next(
                (
                    row.id
                    for row in session.scalars(query)
                    if row.settings.get("source") == source
                    and not changes(row.settings["settings"], settings)
                ),
                None,
            )

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
        """What the run goes by: `source`, `settings`, and all `earlier` settings."""
        with self.reading() as session:
            return self._run(session, run_id).settings

    def change_settings(self, run_id: str, settings: dict[str, Any]) -> None:
        """Let the run go on under other settings; those before are kept where pairs depend on it.

        Readers whose part has not ended are asked for as many pairs as the new quotas say.
        """
        unfinished = (ReaderRow.run_id == run_id) & ReaderRow.status.not_in(ENDED)
        with self.writing() as session:
            run = self._run(session, run_id)
            before, listed = run.settings["settings"], run.settings.get("earlier", [])
            if changes(before, settings):
                listed = [*listed, {"until": time.time(), "settings": before}]
            run.settings = run.settings | {"settings": settings, "earlier": listed}
            run.model = settings["chat"]["model"]
            requested = sum(settings["synthesis"]["quotas"].values())
            session.connection().execute(
                update(ReaderRow).where(unfinished).values(requested=requested)
            )

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

    def reader_records(self, run_id: str) -> list[Reader]:
        """The readers of a run as they were read from the file, without what was said since."""
        query = select(ReaderRow.record).where(ReaderRow.run_id == run_id)
        with self.reading() as session:
            records = session.scalars(query.order_by(ReaderRow.position))
            return [Reader.model_validate(record) for record in records]

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

    def has_profile(self, run_id: str) -> bool:
        """Whether any reader of the run was worked on."""
        query = select(ReaderRow.reader_id).where(ReaderRow.run_id == run_id)
        with self.reading() as session:
            return session.scalar(query.where(ReaderRow.profile.is_not(None)).limit(1)) is not None

    def is_begun(self, run_id: str, reader_id: str) -> bool:
        """Whether the reader was worked on."""
        query = select(ReaderRow.profile.is_not(None))
        query = query.where(ReaderRow.run_id == run_id, ReaderRow.reader_id == reader_id)
        with self.reading() as session:
            return bool(session.scalar(query))

    def ending(
        self, run_id: str, reader_id: str
    ) -> tuple[ReaderStatus, dict[str, str], str | None]:
        """How the reader's part stands, the facets it starves on, and what went wrong."""
        query = select(ReaderRow.status, ReaderRow.starved, ReaderRow.error)
        query = query.where(ReaderRow.run_id == run_id, ReaderRow.reader_id == reader_id)
        with self.reading() as session:
            status, starved, error = session.execute(query).one()
            return status, starved, error  # pyright: ignore[reportReturnType]

    def keep_profile(self, run_id: str, profile: Profile) -> None:
        """Keep a profile beside its reader, as it was inferred."""
        self._change(run_id, profile.reader_id, profile=profile.model_dump(mode="json"))

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
        noted: dict[str, Any] = {} if starved is None else {"starved": starved}
        noted |= {"status": status, "failed": failed, "error": error}
        self._change(run_id, reader_id, **noted)

    def with_losses(self, run_id: str) -> list[str]:
        """The ids of readers that lost pairs to failures, in the order of the file."""
        query = select(ReaderRow.reader_id).where(ReaderRow.run_id == run_id)
        query = query.where((ReaderRow.status == "failed") | (ReaderRow.failed > 0))
        with self.reading() as session:
            return list(session.scalars(query.order_by(ReaderRow.position)))

    def put_back(self, run_id: str, reader_ids: Sequence[str]) -> None:
        """Have readers worked on again, from the beginning, and forget what failed for them."""
        fresh = {"status": "pending", "failed": 0, "error": None, "starved": {}}
        with self.writing() as session:
            for row, statement in (
                (ReaderRow, update(ReaderRow).values(fresh)),
                (FailureRow, delete(FailureRow)),
            ):
                theirs = (row.run_id == run_id) & row.reader_id.in_(reader_ids)
                session.connection().execute(statement.where(theirs))
            if reader_ids:
                self._run(session, run_id).status = "stopped"

    # --- inside -------------------------------------------------------------------------------

    def _change(self, run_id: str, reader_id: str, **columns: Any) -> None:
        """Change columns of a reader's row without reading it: the record in it may be large."""
        row = (ReaderRow.run_id == run_id) & (ReaderRow.reader_id == reader_id)
        with self.writing() as session:
            session.connection().execute(update(ReaderRow).where(row).values(columns))
            if columns.get("status") in ENDED:
                go_on(session, run_id, reader_id)

    @staticmethod
    def _reader(session: Session, run_id: str, reader_id: str) -> ReaderRow:
        row = session.get(ReaderRow, (run_id, reader_id))
        if row is None:
            raise NotFoundError(
                f"Run {run_id!r} has no reader {reader_id!r}.", f"`gravity runs show {run_id}`."
            )
        return row


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
