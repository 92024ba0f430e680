"""What readers say of themselves, kept across runs: answer sheets and verifications."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from agents.errors import NotFoundError
from agents.records import Profile, Reader
from agents.verification import Verification, in_force
from graph.answers import SHORT, AnswerSheet
from graph.database import Database
from graph.tables import AnswersRow, ReaderRow, VerificationRow


class Dossier(Database):
    """The part of the run database that belongs to readers and to no run."""

    def keep_sheets(self, sheets: Iterable[AnswerSheet]) -> None:
        """Keep answers; a newer sheet of the same instrument replaces the older one whole."""
        now = time.time()
        with self.writing() as session:
            for sheet in sheets:
                session.merge(AnswersRow(**sheet.model_dump(), at=now))

    def sheets(self, reader_id: str) -> list[AnswerSheet]:
        """The sheets of one reader, by instrument."""
        with self.reading() as session:
            return sheets_of(session, [reader_id])[reader_id]

    def with_answers(self, reader: Reader) -> Reader:
        """The reader with the kept answers beside those of the input file; the kept ones win."""
        return with_answers(reader, self.sheets(reader.id))

    def verify(self, said: Iterable[Verification]) -> None:
        """Keep what was said, after everything that was said before."""
        with self.writing() as session:
            session.add_all(VerificationRow(**v.model_dump()) for v in said)

    def verifications(self, reader_id: str) -> list[Verification]:
        """Everything that was said of one reader's profile, in order."""
        with self.reading() as session:
            return verifications_of(session, [reader_id])[reader_id]

    def last_said(self, reader_id: str) -> tuple[float | int | None, ...]:
        """Changes with whatever the reader answers, says of their profile, or takes back."""
        with self.connected() as connection:
            return tuple(connection.execute(_LAST_SAID, {"reader_id": reader_id}).one())

    def in_no_run(self, reader_ids: Iterable[str]) -> list[str]:
        """Those of these readers that no run knows, in order."""
        with self.reading() as session:
            known = set(session.scalars(select(ReaderRow.reader_id).distinct()))
        return sorted(set(reader_ids) - known)

    def in_force(self, profile: Profile) -> Profile:
        """A profile as it may be seen and used today, after everything that was said of it."""
        return in_force(profile, self.verifications(profile.reader_id), date.today())

    def withdraw(self, reader_id: str, item: str) -> Verification:
        """Take the last word on one item back; the one before it counts again.

        Raises:
            NotFoundError: nobody said anything of this item.
        """
        newest = (
            select(VerificationRow)
            .where(VerificationRow.reader_id == reader_id, VerificationRow.item == item)
            .order_by(VerificationRow.at.desc(), VerificationRow.id.desc())
            .limit(1)
        )
        with self.writing() as session:
            row = session.scalar(newest)
            if row is None:
                raise NotFoundError(f"Nothing was said of {item!r} of reader {reader_id!r}.")
            session.delete(row)
            return _verification(row)


def with_answers(reader: Reader, sheets: Iterable[AnswerSheet]) -> Reader:
    """The reader with these answers beside those of the input file; the sheets win."""
    questionnaire, instruments = dict(reader.questionnaire), dict(reader.instruments)
    for sheet in sheets:
        if sheet.instrument == SHORT:
            questionnaire |= sheet.answers
        else:
            earlier = instruments.get(sheet.instrument, {})
            instruments[sheet.instrument] = earlier | sheet.numbered
    update = {"questionnaire": questionnaire, "instruments": instruments}
    return reader.model_copy(update=update)


def _last_said() -> Select[*tuple[Any, ...]]:
    reader_id = bindparam("reader_id")
    parts = (
        select(column).where(table.reader_id == reader_id).scalar_subquery()
        for table, newest in ((VerificationRow, VerificationRow.id), (AnswersRow, AnswersRow.at))
        for column in (func.count(), func.max(newest))
    )
    return select(*parts)


_LAST_SAID = _last_said()
Readers = Collection[str] | Select[str]
"""Ids of readers, or a query for them."""


def sheets_of(session: Session, reader_ids: Readers) -> dict[str, list[AnswerSheet]]:
    """The kept sheets by reader, in one query for all."""
    found: dict[str, list[AnswerSheet]] = defaultdict(list)
    query = select(AnswersRow).where(AnswersRow.reader_id.in_(reader_ids))
    for row in session.scalars(query.order_by(AnswersRow.instrument)):
        sheet = AnswerSheet(reader_id=row.reader_id, instrument=row.instrument, answers=row.answers)
        found[row.reader_id].append(sheet)
    return found


def verifications_of(session: Session, reader_ids: Readers) -> dict[str, list[Verification]]:
    """What was said, by reader and in order, in one query for all."""
    found: dict[str, list[Verification]] = defaultdict(list)
    query = select(VerificationRow).where(VerificationRow.reader_id.in_(reader_ids))
    for row in session.scalars(query.order_by(VerificationRow.at, VerificationRow.id)):
        found[row.reader_id].append(_verification(row))
    return found


def _verification(row: VerificationRow) -> Verification:
    return Verification.model_validate(row, from_attributes=True)
