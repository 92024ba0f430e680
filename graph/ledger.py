"""What model calls have cost, by agent and by reader, and the replies that were paid for."""

import time
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, bindparam, func, select
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.orm import Session

from agents.chat import Kept
from agents.records import ModelCall
from graph.database import Database
from graph.tables import LedgerRow, ReplyRow


@dataclass(frozen=True)
class Spend:
    """What model calls have cost, and what kept replies have saved."""

    calls: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    saved_calls: int = 0
    saved_usd: float = 0.0

    @property
    def tokens(self) -> int:
        """Of prompts and replies."""
        return self.tokens_in + self.tokens_out

    @property
    def answered(self) -> int:
        """Calls that came to something, those whose reply was kept too."""
        return self.calls - self.failed + self.saved_calls

    @property
    def tries(self) -> float:
        """Calls that it took for one that came to something."""
        return self.calls / (self.calls - self.failed) if self.calls > self.failed else 1.0

    def __str__(self) -> str:
        told = f"{self.calls} model calls, {self.tokens:,} tokens, ${self.cost_usd:.4f}"
        if self.saved_calls:
            told += f"; {self.saved_calls} replies were kept from before (${self.saved_usd:.4f})"
        return told


class Ledger(Database):
    """The part of the run database that knows what was paid for."""

    def spend(self, run_id: str, reader_id: str | None = None, agent: str | None = None) -> Spend:
        """What the model calls of a run have cost so far; or of one reader's part, or an agent."""
        with self.reading() as session:
            return spend_of(session, run_id, reader_id, agent)

    def spend_by(self, run_id: str, what: Literal["agent", "reader"]) -> dict[str, Spend]:
        """The same for every agent, or for every reader; the dearest first."""
        column = LedgerRow.agent if what == "agent" else LedgerRow.reader_id
        query = select(column, *SPENT).where(LedgerRow.run_id == run_id).group_by(column)
        query = query.order_by(SPENT[4].desc(), column)
        with self.reading() as session:
            return {name: Spend(*sums) for name, *sums in session.execute(query)}

    def kept_reply(self, key: str) -> Kept | None:
        """The reply to a call with this key, where it was paid for already."""
        with self.connected() as connection:
            row = connection.execute(_KEPT, {"key": key}).one_or_none()
            return Kept(*row) if row else None


def note_call(connection: Connection, run_id: str, reader_id: str, call: ModelCall) -> None:
    """Enter a call, and keep its reply where it is one."""
    paid = not call.cached
    connection.execute(
        _ENTER,
        {
            "run_id": run_id,
            "reader_id": reader_id,
            "agent": call.agent,
            "calls": int(paid),
            "failed": int(call.error is not None),
            "tokens_in": call.tokens_in * paid,
            "tokens_out": call.tokens_out * paid,
            "cost_usd": call.cost_usd * paid,
            "saved_calls": int(call.cached),
            "saved_usd": call.cost_usd * call.cached,
        },
    )
    if paid and call.key and call.error is None:
        connection.execute(
            _KEEP,
            {
                "key": call.key,
                "reader_id": reader_id,
                "at": time.time(),
                "text": call.reply,
                "tokens_in": call.tokens_in,
                "tokens_out": call.tokens_out,
                "cost_usd": call.cost_usd,
                "logprobs": call.logprobs,
            },
        )


def disown(session: Session, reader_id: str) -> None:
    """Enter what was spent on a reader under nobody's name too: a run's cap counts it for good."""
    for row in session.scalars(select(LedgerRow).where(LedgerRow.reader_id == reader_id)):
        entry = {column.name: getattr(row, column.name) for column in LedgerRow.__table__.columns}
        session.connection().execute(_ENTER, entry | {"reader_id": ""})


def spend_of(
    session: Session, run_id: str, reader_id: str | None = None, agent: str | None = None
) -> Spend:
    """What the model calls of a run have cost so far; or of one reader's part, or an agent."""
    query = select(*SPENT).where(LedgerRow.run_id == run_id)
    if reader_id is not None:
        query = query.where(LedgerRow.reader_id == reader_id)
    if agent is not None:
        query = query.where(LedgerRow.agent == agent)
    return Spend(*session.execute(query).one())


def _entering() -> Insert:
    table = LedgerRow.metadata.tables[LedgerRow.__tablename__]
    new = insert(table)
    place = [column.name for column in table.primary_key]
    sums = [column for column in table.columns if column.name not in place]
    added = {column.name: column + new.excluded[column.name] for column in sums}
    return new.on_conflict_do_update(index_elements=place, set_=added)


_ENTER = _entering()
_KEEP = insert(ReplyRow.metadata.tables[ReplyRow.__tablename__]).on_conflict_do_nothing()
_KEPT = select(
    *(ReplyRow.text, ReplyRow.tokens_in, ReplyRow.tokens_out, ReplyRow.cost_usd, ReplyRow.logprobs)
).where(ReplyRow.key == bindparam("key"))
SPENT: tuple[ColumnElement[Any], ...] = tuple(
    func.coalesce(func.sum(column), 0)
    for column in (
        LedgerRow.calls,
        LedgerRow.failed,
        LedgerRow.tokens_in,
        LedgerRow.tokens_out,
        LedgerRow.cost_usd,
        LedgerRow.saved_calls,
        LedgerRow.saved_usd,
    )
)
"""What a `Spend` is made of, summed over the rows of a query."""
