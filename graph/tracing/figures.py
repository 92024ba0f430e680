"""What the spans of a run come to, reader by reader and step by step; it reads no texts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from sqlalchemy import String, case, cast, func, select

from graph.tables import SpanRow
from graph.tracing.traces import Traces

Ending = Literal["ok", "error", "unfinished"]
Step = tuple[str, str]
"""A node, and the agent that called a model in it; an empty agent stands for the node itself."""


@dataclass(frozen=True)
class ReaderTrace:
    """One reader's part of a run, all times that it was worked on."""

    reader_id: str
    status: Ending
    """Of the last time; `unfinished` where a process was killed, or is at work."""
    started_at: float
    """Seconds since 1970."""
    duration_s: float
    """That it was worked on, without what is unfinished."""
    calls: int
    cached: int
    """Calls, of these, whose reply was kept from before."""
    errors: int
    """Calls that failed."""
    tokens_in: int
    tokens_out: int
    cost_usd: float


@dataclass(frozen=True)
class StepFigures:
    """How often a step was taken, and what it took."""

    count: int = 0
    errors: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    median_s: float = 0.0
    p95_s: float = 0.0
    """95 of 100 took no longer."""


def reader_traces(traces: Traces, run_id: str) -> list[ReaderTrace]:
    """The readers of a run in the order of their beginning."""
    is_call, is_reader = SpanRow.kind == "call", SpanRow.kind == "reader"
    sums = (
        select(
            SpanRow.reader_id,
            func.min(SpanRow.started_at),
            func.sum(case((is_reader, SpanRow.duration_s), else_=0.0)),
            func.count().filter(is_call),
            func.count().filter(is_call, SpanRow.cached),
            func.count().filter(is_call, SpanRow.error.is_not(None)),
            func.sum(SpanRow.tokens_in),
            func.sum(SpanRow.tokens_out),
            func.sum(SpanRow.cost_usd),
        )
        .where(SpanRow.run_id == run_id, SpanRow.reader_id.is_not(None))
        .group_by(SpanRow.reader_id)
        .order_by(func.min(SpanRow.started_at), SpanRow.reader_id)
    )
    last = select(SpanRow.reader_id, SpanRow.error).where(SpanRow.run_id == run_id, is_reader)
    with traces.reading() as session:
        ended = session.execute(last.order_by(SpanRow.started_at))
        endings: dict[Any, Ending] = {i: "error" if error else "ok" for i, error in ended}
        rows: Any = session.execute(sums)
        return [ReaderTrace(row[0], endings.get(row[0], "unfinished"), *row[1:]) for row in rows]


def step_figures(traces: Traces, run_id: str) -> dict[Step, StepFigures]:
    """What every node of a run came to, and every agent in it; the dearest and slowest first."""
    node = func.coalesce(SpanRow.node, "")
    agent = case((SpanRow.kind == "call", SpanRow.name), else_="")
    query = (
        select(
            node,
            agent,
            func.count(),
            func.count(SpanRow.error),
            func.sum(SpanRow.tokens_in + SpanRow.tokens_out),
            func.sum(SpanRow.cost_usd),
            func.aggregate_strings(cast(SpanRow.duration_s, String), " "),
        )
        .where(SpanRow.run_id == run_id, SpanRow.kind.in_(("node", "call")))
        .group_by(node, agent)
        .order_by(func.sum(SpanRow.cost_usd).desc(), func.sum(SpanRow.duration_s).desc())
    )
    with traces.reading() as session:
        rows: Any = session.execute(query)
        return {(row[0], row[1]): _figures(row[2:-1], row[-1]) for row in rows}


def _figures(sums: Sequence[Any], durations: str) -> StepFigures:
    """From sums by SQL and all durations as text: a hundred thousand rows take far longer."""
    in_order = sorted(map(float, durations.split()))
    p95 = in_order[math.ceil(0.95 * len(in_order)) - 1]
    return StepFigures(*sums, median_s=median(in_order), p95_s=p95)
