"""The tables of the run database; the queries on them are in store.py."""

from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, String, Text
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
    __table_args__ = (Index("pairs_by_run", "run_id", "status"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    reader_id: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[float]
    facet: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    record: Mapped[dict[str, Any]]


class DecisionRow(Table):
    """A person's word on a pair, with the pair as it was before, so that it can be undone."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    pair_id: Mapped[str] = mapped_column(ForeignKey("pairs.id"), index=True)
    at: Mapped[float]
    reviewer: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any]]


class SpanRow(Table):
    """One step of a trace: a reader, a node or a model call, with its parent."""

    __tablename__ = "spans"
    __table_args__ = (Index("spans_by_run", "run_id", "started_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(String(32))
    run_id: Mapped[str] = mapped_column(String(64))
    reader_id: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(100))
    started_at: Mapped[float]
    duration_s: Mapped[float]
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    cost_usd: Mapped[float] = mapped_column(Float, default=0.0)
    error: Mapped[str | None] = mapped_column(Text)
    call: Mapped[dict[str, Any] | None] = mapped_column(JSON)


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

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    reader_id: Mapped[str] = mapped_column(String(200), index=True)
    item: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(16))
    score: Mapped[float | None]
    pole: Mapped[str | None] = mapped_column(String(4))
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[float]
