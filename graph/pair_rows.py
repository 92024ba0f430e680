"""The pairs in the run database: it keeps, finds and counts them; it decides on none."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.orm import Session

from agents.errors import NotFoundError
from agents.records import Pair, PairStatus
from graph.database import Database
from graph.tables import DecisionRow, PairRow

UNDO = "undo"
STANDS = (DecisionRow.action != UNDO) & DecisionRow.undone_at.is_(None)
"""Of the lines of the audit trail: decisions that nobody took back."""


class Pairs(Database):
    """The part of the run database that holds pairs."""

    def put_pairs(self, pairs: Sequence[Pair]) -> set[str]:
        """Insert or replace by id, so that a repeated step doubles nothing.

        Returns:
            The ids of those that were left as they are, since a person's decision on them stands.
        """
        if not pairs:
            return set()
        now = time.time()
        ids = [pair.id for pair in pairs]
        with self.connected() as connection:
            connection.execute(_PUT, [_values(pair, now) for pair in pairs])
            return set(connection.scalars(_LEFT, {"ids": ids}))

    def pair(self, pair_id: str) -> Pair:
        """One pair.

        Raises:
            NotFoundError: there is none of that id.
        """
        with self.reading() as session:
            return Pair.model_validate(pair_row(session, pair_id).record)

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

    def pairs_by_id(self, pair_ids: Sequence[str]) -> dict[str, Pair]:
        """These pairs in this order, a few hundred at most; without those that there are not."""
        with self.connected() as connection:
            rows = connection.execute(_BY_ID, {"ids": pair_ids})
            found: dict[str, Any] = {i: record for i, record in rows}
        return {i: Pair.model_validate(found[i]) for i in pair_ids if i in found}

    def pair_ids(self, run_id: str, reader_id: str, status: PairStatus | None = None) -> list[str]:
        """The ids of a reader's pairs, in the order of their making."""
        wanted = {"run_id": run_id, "reader_id": reader_id, "status": status}
        with self.connected() as connection:
            return list(connection.scalars(_IDS, wanted))

    def accepted_counts(self, run_id: str) -> Counter[str]:
        """How many accepted pairs each reader of a run has, by reader id."""
        query = (
            select(PairRow.reader_id, func.count())
            .where(PairRow.run_id == run_id, PairRow.status == "accepted")
            .group_by(PairRow.reader_id)
        )
        with self.reading() as session:
            return Counter({reader_id: count for reader_id, count in session.execute(query)})


def pair_row(session: Session, pair_id: str) -> PairRow:
    """The row of a pair.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = session.get(PairRow, pair_id)
    if row is None:
        raise NotFoundError(f"There is no pair {pair_id!r}.", "`gravity pairs list` names them.")
    return row


def fill(row: PairRow, pair: Pair) -> None:
    """Write what may change of a pair into its row."""
    row.facet, row.status = pair.facet, pair.status
    row.record = pair.model_dump(mode="json")


def _values(pair: Pair, now: float) -> dict[str, Any]:
    names = ("id", "run_id", "reader_id", "facet", "status")
    values = {name: getattr(pair, name) for name in names}
    return values | {"created_at": now, "record": pair.model_dump(mode="json")}


def _putting() -> Insert:
    new = insert(PairRow.metadata.tables[PairRow.__tablename__])
    return new.on_conflict_do_update(
        index_elements=["id"],
        set_={name: new.excluded[name] for name in ("facet", "status", "record")},
        where=PairRow.id.not_in(_DECIDED.where(DecisionRow.pair_id == PairRow.id)),
    )


_DECIDED = select(DecisionRow.pair_id).where(STANDS)
_PUT = _putting()
_LEFT = _DECIDED.where(DecisionRow.pair_id.in_(bindparam("ids", expanding=True)))
_BY_ID = select(PairRow.id, PairRow.record).where(PairRow.id.in_(bindparam("ids", expanding=True)))
_IDS = (
    select(PairRow.id)
    .where(PairRow.run_id == bindparam("run_id"), PairRow.reader_id == bindparam("reader_id"))
    .where(or_(bindparam("status").is_(None), PairRow.status == bindparam("status")))
    .order_by(PairRow.created_at, PairRow.id)
)
