"""One pair under a person's hands within a transaction: what may be said of it; commits nothing.

The run goes on from a decision when its reader's thread takes the whole batch up, at the latest
when the reader's part of the run ends. Until then nothing rests on it, and it may be changed.
"""

import time
from functools import cached_property
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from agents.errors import DecisionError, RepeatedError
from agents.records import Pair
from graph.pair_rows import STANDS, UNDO, fill, pair_row
from graph.reviewing.tally import Word, settled
from graph.tables import DecisionRow, PairRow, ReaderRow, RunRow

Via = Literal["screen", "terminal", "file", "script"]
"""How a decision came in."""
ENDED = ("finished", "failed")
OPEN = STANDS & DecisionRow.taken_up_at.is_(None)
"""Decisions that stand, and that the run has not gone on from."""


class Desk:
    """A pair, the open words on it, and the rule of who may add one or take one back.

    Two processes never have the same pair on their desks at the same time.

    Args:
        session: of a transaction in which nothing was read yet.
        pair_id: which pair.
        key: of the decision that is taken here, where it has one.

    Raises:
        NotFoundError: there is no such pair.
        RepeatedError: a decision of this key was taken before.
    """

    def __init__(self, session: Session, pair_id: str, key: str | None) -> None:
        locked = update(PairRow).where(PairRow.id == pair_id).values(status=PairRow.status)
        session.execute(locked)
        self._session, self._key = session, key
        self._row = pair_row(session, pair_id)
        earlier = select(DecisionRow).where(DecisionRow.key == key)
        if key and (row := session.scalar(earlier)):
            raise RepeatedError("pair", f"{row.action} was taken before ({_by(row)}).")
        words = select(DecisionRow).where(DecisionRow.pair_id == pair_id, OPEN)
        self._open = list(session.scalars(words.order_by(DecisionRow.id)))

    @cached_property
    def pair(self) -> Pair:
        """As it is now."""
        return Pair.model_validate(self._row.record)

    @cached_property
    def before(self) -> Pair:
        """As it was when no open word was said yet."""
        return Pair.model_validate(self._open[0].before) if self._open else self.pair

    @cached_property
    def reviewers(self) -> int:
        """How many different people must decide; out of review one is enough."""
        run = self._session.get(RunRow, self.pair.run_id)
        return reviewers_of(run) if run and self.before.status == "review" else 1

    def words_of(self, reviewer: str) -> list[DecisionRow]:
        """Those open words that this person may take back: anyone's, where one person decides."""
        return [row for row in self._open if self.reviewers == 1 or row.reviewer == reviewer]

    def require_open(self, overrule: bool) -> None:
        """Nothing, where the pair may be decided on.

        Raises:
            DecisionError: it may not.
        """
        if self.pair.status == "review" or self._open:
            return
        if not overrule or self._published or self.pair.status == "proposed":
            raise self.closed()

    def closed(self) -> DecisionError:
        """Why a word on the pair can neither be added nor taken back; by whom, and what to do."""
        pair, became = self.pair, self._became()
        if pair.status == "proposed":
            problem, cure = "has not been judged yet", "Wait until it is in review."
        elif self._published:
            problem = f"is published: {became}, and its reader's part of the run has ended"
            cure = "It stays as it is; leave it out of what you export."
        else:
            problem, cure = f"is not in review: {became}", "`gravity tui` overrules that (key o)."
        return DecisionError("pair", f"Pair {pair.id} {problem}.", cure)

    def add(self, word: Word, via: Via) -> Pair:
        """Write a word down and let the pair follow."""
        row = self._line(word.reviewer, word.action, via)
        row.reason, row.chosen, row.rejected = word.reason, word.chosen, word.rejected
        self._open.append(row)
        return self._settle()

    def take_back(self, row: DecisionRow, reviewer: str, via: Via) -> Pair:
        """Mark an open word as undone and let the pair follow."""
        self._line(reviewer, UNDO, via)
        row.undone_at, row.undone_by = time.time(), reviewer
        self._open.remove(row)
        return self._settle()

    def _line(self, reviewer: str, action: str, via: Via) -> DecisionRow:
        """A new line of the audit trail."""
        before = self.before.model_dump(mode="json")
        row = DecisionRow(pair_id=self.pair.id, at=time.time(), before=before, key=self._key)
        row.reviewer, row.action, row.via, row.reason = reviewer, action, via, ""
        self._session.add(row)
        return row

    def _settle(self) -> Pair:
        words = [
            Word(row.reviewer, row.action, row.reason, row.chosen, row.rejected)  # pyright: ignore[reportArgumentType]
            for row in self._open
        ]
        after = settled(self.pair, self.before, words, self.reviewers)
        fill(self._row, after)
        return after

    @property
    def _published(self) -> bool:
        part = self._session.get(ReaderRow, (self.pair.run_id, self.pair.reader_id))
        return self.pair.status == "accepted" and part is not None and part.status in ENDED

    def _became(self) -> str:
        """`rejected by eve on …`, or without a person, and why."""
        pair = self.pair
        said = (DecisionRow.action == "reject") == (pair.status == "rejected")
        query = select(DecisionRow).where(DecisionRow.pair_id == pair.id, STANDS, said)
        row = self._session.scalar(query.order_by(DecisionRow.id.desc()).limit(1))
        if row:
            return f"{pair.status} by {_by(row)}"
        return f"{pair.status} without a person{pair.reason and f' ({pair.reason})'}"


def reviewers_of(run: RunRow) -> int:
    """How many different people must decide on a pair of this run."""
    return run.settings.get("settings", {}).get("synthesis", {}).get("reviewers", 1)


def _by(row: DecisionRow) -> str:
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.at))
    return f"{row.reviewer} on {at}"
