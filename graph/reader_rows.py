"""One reader's rows in all tables of the run database: who is known, what marks them, deletion."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Text, cast, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from agents.frameworks.catalogue import dimensions, shipped_scenarios
from agents.records import Reader
from graph.accounts import standing
from graph.ledger import disown
from graph.marks import FORGOTTEN, Marks, Naming, phrases, stands_out
from graph.store import Store
from graph.tables import (
    AnswersRow,
    DecisionRow,
    DescriptionRow,
    FailureRow,
    LedgerRow,
    PairRow,
    ReaderRow,
    ReplyRow,
    RunRow,
    SpanRow,
    Table,
    VerificationRow,
)

_OWNED = {
    "pairs": PairRow,
    "trace spans": SpanRow,
    "kept replies": ReplyRow,
    "failures": FailureRow,
    "ledger entries": LedgerRow,
    "descriptions": DescriptionRow,
    "answer sheets": AnswersRow,
    "verifications": VerificationRow,
    "parts of runs": ReaderRow,
}
"""The tables whose rows belong to readers."""
_LINE = re.compile(r":\d+(?=: )")
"""The line number in a notice, which may be somebody's id."""
Columns = tuple[InstrumentedAttribute[Any], ...]
_WRITTEN: dict[str, tuple[type[Table], Columns]] = {
    "pairs": (PairRow, (PairRow.id, PairRow.record)),
    "decisions": (
        DecisionRow,
        (
            *(DecisionRow.id, DecisionRow.reason, DecisionRow.before),
            *(DecisionRow.chosen, DecisionRow.rejected),
        ),
    ),
    "trace spans": (SpanRow, (SpanRow.id, SpanRow.name, SpanRow.error, SpanRow.attributes)),
    "kept replies": (ReplyRow, (ReplyRow.key, ReplyRow.text)),
    "failures": (FailureRow, (FailureRow.id, FailureRow.problem, FailureRow.raw)),
    "descriptions": (DescriptionRow, (DescriptionRow.fingerprint, DescriptionRow.record)),
}
"""Keys and texts where a model or a person may have named or quoted one reader for another."""


def readers_known(store: Store) -> set[str]:
    """Everyone of whom anything is kept."""
    with store.reading() as session:
        return _known(session)


def marks_of(store: Store, reader_id: str) -> Marks:
    """What betrays the reader: their id, and what they wrote and nobody else did."""
    with store.reading() as session:
        own = select(ReaderRow.record).where(ReaderRow.reader_id == reader_id)
        written = phrases(text for record in session.scalars(own) for text in _texts(record))
        return Marks(reader_id, _naming(session, reader_id), written).without(
            chain(_shipped(), _texts_of_others(session, reader_id))
        )


def erase_rows(store: Store, marks: Marks) -> Counter[str]:
    """Delete the reader's rows, and others' rows that name or quote them; counts by kind.

    Notices on the input that name the reader go as well, and their runs' status follows.
    """
    removed: Counter[str] = Counter()
    with store.writing() as session:
        of_reader = select(ReaderRow.run_id).where(ReaderRow.reader_id == marks.reader_id)
        runs = set(session.scalars(of_reader))
        doomed = {
            kind: columns[0].in_(_holding(session, marks, *columns))
            for kind, (_, columns) in _WRITTEN.items()
        }
        pairs = select(PairRow.id).where(doomed["pairs"] | (PairRow.reader_id == marks.reader_id))
        removed["decisions"] = _delete(session, DecisionRow, DecisionRow.pair_id.in_(pairs))
        for kind, (table, _) in _WRITTEN.items():
            removed[kind] += _delete(session, table, doomed[kind])
        disown(session, marks.reader_id)
        for kind, table in _OWNED.items():
            removed[kind] += _delete(session, table, table.reader_id == marks.reader_id)
        _rename(session, marks, VerificationRow, VerificationRow.by)
        _rename(session, marks, DecisionRow, DecisionRow.reviewer)
        _rename(session, marks, DecisionRow, DecisionRow.undone_by)
        for row in session.scalars(select(ReaderRow)):
            _strike_from_part(row, marks)
        for run in session.scalars(select(RunRow)):
            removed["notices"] += _strike(run, marks)
            if run.id in runs:
                run.status = standing(session, run.id)
    return removed


def _known(session: Session) -> set[str]:
    tables = _OWNED.values()
    return {i for t in tables for i in session.scalars(select(t.reader_id).distinct()) if i}


def _delete(session: Session, table: type[Table], condition: ColumnElement[bool]) -> int:
    deleted = session.execute(delete(table).where(condition))
    assert isinstance(deleted, CursorResult)
    return deleted.rowcount


def _naming(session: Session, reader_id: str) -> Naming:
    """How to look for an id: the less it stands out among what others hold, the narrower."""
    if reader_id.isdecimal():
        return "as a field"
    runs = list(session.scalars(select(RunRow.id)))
    others = [*(_known(session) - {reader_id}), *runs]
    stands_alone = stands_out(reader_id) and not any(reader_id in other for other in others)
    texts = _of_others(session, reader_id, ReaderRow.record, ReaderRow)
    if not stands_alone:
        columns = [column for _, (_, *found) in _WRITTEN.values() for column in found]
        owners = [PairRow if c.class_ is DecisionRow else c.class_ for c in columns]
        written = map(_of_others, repeat(session), repeat(reader_id), columns, owners)
        texts = chain(texts, runs, _shipped(), chain.from_iterable(written))
    word = Marks(reader_id, "as a word", frozenset())
    if any(word.names(text.encode()) for text in texts):
        return "as a field"
    return "anywhere" if stands_alone else "as a word"


def _of_others(
    session: Session, reader_id: str, column: InstrumentedAttribute[Any], owner: Any
) -> Iterator[str]:
    """The texts of a column that hold an id and belong to others."""
    text = cast(column, Text)
    spelt = {reader_id, json.dumps(reader_id)[1:-1]}
    query = select(text).where(or_(*(text.contains(s, autoescape=True) for s in spelt)))
    if owner is not column.class_:
        query = query.join(owner)
    yield from session.scalars(query.where(owner.reader_id.is_distinct_from(reader_id)))


def _shipped() -> Iterator[str]:
    """What comes with the product, so that nobody's words in it are their own."""
    for axis in dimensions().values():
        yield from (statement.text for statement in axis.statements)
    for scenario in shipped_scenarios():
        yield from (scenario.situation, scenario.high, scenario.low)


def _texts_of_others(session: Session, reader_id: str) -> Iterator[str]:
    """What others wrote, and what was written for them of books."""
    records = select(ReaderRow.record).where(ReaderRow.reader_id != reader_id)
    for record in session.scalars(records.execution_options(yield_per=100)):
        yield from _texts(record)
    told = select(DescriptionRow.record).where(DescriptionRow.reader_id != reader_id)
    yield from (record["text"] for record in session.scalars(told))


def _texts(record: dict[str, Any]) -> list[str]:
    reader = Reader.model_validate(record)
    return [reader.about, *(review.text for review in reader.reviews)]


def _holding(
    session: Session,
    marks: Marks,
    key: InstrumentedAttribute[Any],
    *texts: InstrumentedAttribute[Any],
) -> list[Any]:
    """The keys of the rows whose texts name or quote the reader."""
    query = select(key, *(cast(text, Text) for text in texts))
    rows = session.execute(query.execution_options(yield_per=1000))
    return [found for found, *told in rows if any(marks.holds(text) for text in told if text)]


def _rename(
    session: Session, marks: Marks, table: type[Table], column: InstrumentedAttribute[Any]
) -> None:
    """Forget who acted on others' rows, where the name is the reader's or holds it."""
    names = session.scalars(select(column).distinct())
    theirs = [n for n in names if n and (n == marks.reader_id or marks.holds(n))]
    session.execute(update(table).where(column.in_(theirs)).values({column: FORGOTTEN}))


def _strike_from_part(row: ReaderRow, marks: Marks) -> None:
    """Take what names or quotes the reader out of another's part of a run.

    A profile that does goes whole.
    """
    if row.error and marks.holds(row.error):
        row.error = FORGOTTEN
    starved = {f: FORGOTTEN if marks.holds(why) else why for f, why in row.starved.items()}
    if starved != row.starved:
        row.starved = starved
    if row.profile and marks.holds(json.dumps(row.profile)):
        row.profile = None


def _strike(run: RunRow, marks: Marks) -> int:
    """Take the reader out of a run's source and notices; how many notices there were."""
    word = Marks(marks.reader_id, "as a word", marks.phrases)
    left = [n for n in run.skipped if not (marks.holds(n) or word.holds(_LINE.sub("", n, 1)))]
    struck = len(run.skipped) - len(left)
    if struck:
        run.skipped = left
    source = run.settings.get("source", {})
    named = {k for k in ("readers", "books") if marks.holds(str(source.get(k) or ""))}
    if named and marks.naming != "as a field":
        run.settings = run.settings | {"source": source | dict.fromkeys(named, FORGOTTEN)}
    return struck
