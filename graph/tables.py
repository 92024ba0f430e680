"""The tables of the run database; the queries on them are in store.py."""

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    """What all tables share: records are kept as JSON beside the columns that are searched."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}


class RunRow(Table):
    """One run of the state machine over a set of readers."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[float]
    updated_at: Mapped[float]
    status: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(200))
    settings: Mapped[dict[str, Any]]
    skipped: Mapped[list[str]]


class ReaderRow(Table):
    """One reader's part of a run: the record as read, the profile, and how it ended."""

    __tablename__ = "readers"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    reader_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    requested: Mapped[int] = mapped_column(Integer)
    record: Mapped[dict[str, Any]]
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    starved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failed: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)


class PairRow(Table):
    """One preference pair; `record` is the whole `Pair`."""

    __tablename__ = "pairs"
    __table_args__ = (
        Index("pairs_by_run", "run_id", "status"),
        Index("pairs_by_reader", "reader_id", "run_id"),
    )
    """Last in an index, a reader's id would stand before SQLite's row number, whose byte may be a
    digit: `reader1` and row 50 look like `reader12`, which an erasure then takes for left over."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    reader_id: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[float]
    facet: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    record: Mapped[dict[str, Any]]


class DecisionRow(Table):
    """One line of the audit trail: what a person said of a pair, or that they took it back."""

    __tablename__ = "decisions"
    __table_args__ = (Index("decisions_by_key", "key", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    pair_id: Mapped[str] = mapped_column(ForeignKey("pairs.id"), index=True)
    at: Mapped[float]
    reviewer: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    via: Mapped[str] = mapped_column(String(16))
    key: Mapped[str | None] = mapped_column(String(64))
    """Of a row in a file, so that it is applied once."""
    before: Mapped[dict[str, Any]]
    """The pair as it was when nobody's word on it stood."""
    chosen: Mapped[str | None] = mapped_column(Text)
    rejected: Mapped[str | None] = mapped_column(Text)
    """The texts that an edit set."""
    taken_up_at: Mapped[float | None]
    """When the run went on from it; since then it cannot be undone."""
    undone_at: Mapped[float | None]
    undone_by: Mapped[str | None] = mapped_column(String(100))


class SpanRow(Table):
    """One span of a trace: a run, a reader, a node or a model call, with its parent."""

    __tablename__ = "spans"
    __table_args__ = (
        Index(
            "spans_by_run",
            *("run_id", "started_at", "id", "parent_id", "reader_id", "kind", "name", "node"),
            *("duration_s", "tokens_in", "tokens_out", "cost_usd", "cached", "error"),
        ),
        Index("spans_by_name", "kind", "name", "run_id"),
    )
    """The first index holds all that lists show, so that no list reads the texts."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(String(32))
    run_id: Mapped[str] = mapped_column(String(64))
    reader_id: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(200))
    """Of the run, the reader, the node or the agent."""
    node: Mapped[str | None] = mapped_column(String(100))
    """The node that it is, or in which it happened."""
    started_at: Mapped[float]
    duration_s: Mapped[float]
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    cost_usd: Mapped[float] = mapped_column(Float, default=0.0)
    cached: Mapped[bool] = mapped_column(default=False, server_default=false())
    error: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """By OpenTelemetry's names, all that has no column of its own; the texts too."""


class DescriptionRow(Table):
    """A description that was made, under the fingerprint of everything that made it."""

    __tablename__ = "descriptions"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[float]
    reader_id: Mapped[str] = mapped_column(String(200))
    book_id: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(200))
    record: Mapped[dict[str, Any]]


class AnswersRow(Table):
    """One reader's answers to one instrument, in whatever run; the newest sheet alone."""

    __tablename__ = "answers"

    reader_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    instrument: Mapped[str] = mapped_column(String(64), primary_key=True)
    answers: Mapped[dict[str, Any]]
    at: Mapped[float]


class VerificationRow(Table):
    """What a reader, or an operator for them, said of one item of their profile, in any run."""

    __tablename__ = "verifications"
    __table_args__ = (Index("verifications_by_reader", "reader_id", "item"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    reader_id: Mapped[str] = mapped_column(String(200))
    item: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(16))
    score: Mapped[float | None]
    pole: Mapped[str | None] = mapped_column(String(4))
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[float]


class ReplyRow(Table):
    """A reply of a model that was paid for, under the key of everything that it depends on."""

    __tablename__ = "replies"
    __table_args__ = (Index("replies_by_reader", "reader_id", "key"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    reader_id: Mapped[str] = mapped_column(String(200))
    """Whose part of a run it was first made for; empty where it was made for nobody's."""
    at: Mapped[float]
    text: Mapped[str] = mapped_column(Text)
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    cost_usd: Mapped[float]
    logprobs: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class LedgerRow(Table):
    """What one agent's model calls for one reader of a run have cost so far."""

    __tablename__ = "ledger"

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    reader_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    agent: Mapped[str] = mapped_column(String(100), primary_key=True)
    calls: Mapped[int]
    """Calls that were made, those that failed too."""
    failed: Mapped[int]
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    cost_usd: Mapped[float]
    saved_calls: Mapped[int]
    """Calls that were not made, since their reply was kept."""
    saved_usd: Mapped[float]


class FailureRow(Table):
    """A call that came to nothing in the end, with what the model replied."""

    __tablename__ = "failures"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A digest of the rest, so that a repeated step doubles nothing."""
    run_id: Mapped[str] = mapped_column(String(64), index=True)
    reader_id: Mapped[str] = mapped_column(String(200))
    at: Mapped[float]
    agent: Mapped[str] = mapped_column(String(100))
    dimension: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    problem: Mapped[str] = mapped_column(Text)
    raw: Mapped[str] = mapped_column(Text)
