"""The part of the run database that holds spans: it keeps and finds them, and makes none."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from agents.errors import NotFoundError
from graph.database import Database
from graph.tables import RunRow, SpanRow

Kind = Literal["run", "reader", "node", "call"]
Order = Literal["started", "cost", "duration"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ORDERS: tuple[Order, ...] = get_args(Order)
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
PROMPT, REPLY = "gen_ai.input.messages", "gen_ai.output.messages"
"""The attributes that hold the texts of a call."""
LAST = chr(0x10FFFF)
"""What comes after any other character."""
PAGE = 500
"""Spans that are read at once where all of a run are wanted."""


@dataclass(frozen=True)
class Span:
    """One span of a trace, as OpenTelemetry means it."""

    id: str
    """16 hexadecimal digits."""
    parent_id: str | None
    run_id: str
    reader_id: str | None
    kind: Kind
    name: str
    """Of the run, the reader, the node, or the agent that called a model."""
    started_at: float
    """Seconds since 1970."""
    duration_s: float
    node: str | None = None
    """The node that it is, or in which it happened."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    cached: bool = False
    """Whether the reply was kept from an earlier call."""
    error: str | None = None
    attributes: dict[str, Any] | None = None
    """By OpenTelemetry's names, all that has no field of its own; the texts too."""

    @property
    def ended_at(self) -> float:
        """Seconds since 1970."""
        return self.started_at + self.duration_s

    @property
    def turns(self) -> list[tuple[str, str]]:
        """The conversation of a model call: who said what; empty where it was not kept."""
        told = self.attributes or {}
        turns = (*told.get(PROMPT, ()), *told.get(REPLY, ()))
        return [(t["role"], "".join(part["content"] for part in t["parts"])) for t in turns]

    @property
    def reply(self) -> str:
        """What the model said last."""
        return self.turns[-1][1] if REPLY in (self.attributes or {}) else ""


@dataclass(frozen=True)
class Wanted:
    """Which spans are wanted, and in which order; what is not set lets all pass."""

    run_id: str | None
    reader_id: str | None = None
    kind: Kind | None = None
    agent: str | None = None
    """Who called the model."""
    node: str | None = None
    """The node and what happened in it."""
    failed: bool | None = None
    least_cost_usd: float | None = None
    least_duration_s: float | None = None
    words: tuple[str, ...] = ()
    """That its texts or its error all hold."""
    order: Order = "started"


class Traces(Database):
    """Spans: durable when they are added, and never there twice."""

    def add_span(self, span: Span) -> None:
        """Keep one span."""
        with self.connected() as connection:
            insert_span(connection, span)

    def spans(self, run_id: str, reader_id: str | None = None) -> list[Span]:
        """All spans of a run with their texts, in the order of their beginning."""
        return self.find_spans(Wanted(run_id, reader_id), whole=True)

    def find_spans(
        self, wanted: Wanted, limit: int | None = None, whole: bool = False, offset: int = 0
    ) -> list[Span]:
        """`limit` of the wanted spans after the first `offset`.

        Without `whole` their attributes are left unread, and a page of 100,000 spans is found in
        milliseconds.
        """
        query = _ordered(select(*_columns(whole)), wanted).limit(limit).offset(offset)
        with self.reading() as session:
            return [Span(*row) for row in session.execute(query)]

    def each_span(self, wanted: Wanted, whole: bool = False) -> Iterator[Span]:
        """All wanted spans one by one, in little memory."""
        query = _ordered(select(*_columns(whole)), wanted)
        with self.reading() as session:
            for row in session.execute(query.execution_options(yield_per=PAGE)):
                yield Span(*row)

    def count_spans(self, wanted: Wanted) -> int:
        """How many spans are wanted."""
        with self.reading() as session:
            return session.scalar(_matching(select(func.count()), wanted)) or 0

    def agents(self, run_id: str) -> list[str]:
        """Who called models in a run, in the order of the alphabet."""
        query = select(SpanRow.name).where(SpanRow.run_id == run_id, SpanRow.kind == "call")
        with self.reading() as session:
            return sorted(session.scalars(query.distinct()))

    def span(self, prefix: str) -> Span:
        """One span with its attributes, by its id or so much of it as no other begins with.

        Raises:
            NotFoundError: there is none, or there are several.
        """
        query = select(*_columns(whole=True)).limit(2)
        query = query.where(SpanRow.id >= prefix, SpanRow.id < f"{prefix}{LAST}")
        with self.reading() as session:
            rows = session.execute(query).all()
        if len(rows) != 1:
            many = "There are several spans whose id begins with" if rows else "There is no span"
            raise NotFoundError(f"{many} {prefix!r}.", "`gravity trace filter` names them.")
        return Span(*rows[0])

    def trace_id(self, run_id: str) -> str:
        """32 hexadecimal digits: the same for all that is ever done on a run, and for no other."""
        with self.reading() as session:
            begun = session.scalar(select(RunRow.created_at).where(RunRow.id == run_id))
        return hashlib.sha256(f"{run_id}\n{begun}".encode()).hexdigest()[:32]


def insert_span(connection: Connection, span: Span) -> None:
    """Keep one span in the transaction at hand; the same again changes nothing."""
    connection.execute(_INSERT, span.__dict__)


_INSERT = insert(SpanRow.metadata.tables["spans"]).on_conflict_do_nothing()
"""Made once: SQLAlchemy takes longer to make a statement than to execute it."""


def _columns(whole: bool) -> list[Any]:
    """In the order of the fields, of which the attributes are the last."""
    columns = [getattr(SpanRow, name) for name in Span.__dataclass_fields__]
    return columns if whole else columns[:-1]


def _ordered(query: Query, wanted: Wanted) -> Query:
    first = {"cost": SpanRow.cost_usd.desc(), "duration": SpanRow.duration_s.desc()}
    order = [first[wanted.order]] if wanted.order in first else []
    return _matching(query, wanted).order_by(*order, SpanRow.started_at, SpanRow.id)


def _matching(query: Query, wanted: Wanted) -> Query:
    if wanted.run_id is not None:
        query = query.where(SpanRow.run_id == wanted.run_id)
    if wanted.reader_id is not None:
        query = query.where(SpanRow.reader_id == wanted.reader_id)
    if wanted.kind is not None:
        query = query.where(SpanRow.kind == wanted.kind)
    if wanted.agent is not None:
        query = query.where(SpanRow.kind == "call", SpanRow.name == wanted.agent)
    if wanted.node is not None:
        query = query.where(SpanRow.node == wanted.node)
    if wanted.failed is not None:
        query = query.where(SpanRow.error.is_not(None) == wanted.failed)
    if wanted.least_cost_usd is not None:
        query = query.where(SpanRow.cost_usd >= wanted.least_cost_usd)
    if wanted.least_duration_s is not None:
        query = query.where(SpanRow.duration_s >= wanted.least_duration_s)
    return query.where(*map(_told_by, wanted.words))


def _told_by(word: str) -> ColumnElement[bool]:
    """A word, also as JSON spells it."""
    places = (SpanRow.error, cast(SpanRow.attributes, Text))
    spelt = {word, json.dumps(word)[1:-1]}
    return or_(*(place.contains(s, autoescape=True) for s in spelt for place in places))
