"""People's decisions on pairs in the run database: taken, taken back, taken up; none is lost."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from agents.errors import NotFoundError
from agents.judges.calibration import Judged, given
from agents.records import Facet, Pair, PairStatus
from graph.pair_rows import STANDS, UNDO, Pairs
from graph.reviewing.desk import OPEN, Desk, Via, reviewers_of
from graph.reviewing.tally import Action, Word, sound
from graph.tables import DecisionRow, PairRow, RunRow

Standing = PairStatus | Literal["waiting"]
"""How a pair stands for one reviewer: those in review that they have decided on wait for others."""


@dataclass(frozen=True)
class Decision:
    """One line of the audit trail."""

    pair_id: str
    at: float
    """Unix time in seconds, as all times here."""
    reviewer: str
    action: Action | Literal["undo"]
    reason: str
    via: Via
    before: Pair
    """The pair as it was when no word on it stood."""
    chosen: str | None
    rejected: str | None
    """The texts that an edit set."""
    taken_up_at: float | None
    """When the run went on from it."""
    undone_at: float | None
    undone_by: str | None
    status: PairStatus
    """What the pair is now."""

    @property
    def sealed(self) -> bool:
        """Whether more people must decide on the pair, who are not to know of this yet."""
        return self.status == "review" and self.action != UNDO and not self.undone_at


class Decisions(Pairs):
    """The part of the run database that belongs to reviewers.

    What may be decided:

    - A pair in review is decided on, and leaves review when as many different people as the run
      asks for have decided and one side has the majority.
    - A decision may be undone or taken anew, by its reviewer or, where one person decides, by
      anyone, until the run takes it up: when all of the reader's pairs are decided and their thread
      goes on, or when their part of the run ends.
    - A pair that the critic accepted or refused, or whose decision was taken up, is decided on only
      by one who says that they overrule. The pair counts like any other: what is accepted beyond a
      quota counts as requested, what is rejected is replaced while the reader's part goes on.
    - A pair that is not judged yet, or published (accepted, and its reader's part has ended), is
      not decided on.
    """

    def decide(
        self,
        pair_id: str,
        action: Action,
        reviewer: str,
        reason: str = "",
        chosen: str | None = None,
        rejected: str | None = None,
        *,
        via: Via = "script",
        key: str | None = None,
        overrule: bool = False,
    ) -> Pair:
        """Apply a person's decision to a pair at once, and write it down; the call for scripts.

        `store.decide("8f2c…", "reject", "eve", "too dull")` rejects a pair, `store.decide("8f2c…",
        "edit", "eve", chosen="Call her first.")` rewrites one answer and accepts. `Store(path)`
        opens the run database, `store.waiting(run_id, "eve")` names the pairs that wait for eve.

        Args:
            pair_id: which pair.
            action: `edit` accepts the pair with new texts.
            reviewer: who decides, 100 characters at most.
            reason: why, 500 characters at most.
            chosen: with `edit`, the new text, 2,000 characters at most; none keeps the old one.
            rejected: likewise.
            via: how the decision came in.
            key: names this very decision, so that it is taken once however often it is sent.
            overrule: whether a pair that is out of review is decided on all the same.

        Returns:
            The pair as it is now.

        Raises:
            DecisionError: the pair is not open to decisions, or the decision is not sound.
            NotFoundError: there is no such pair.
            RepeatedError: a decision with this key was taken before.
        """
        with self.writing() as session:
            desk = Desk(session, pair_id, key)
            desk.require_open(overrule)
            word = sound(Word(reviewer, action, reason, chosen, rejected), desk.pair)
            return desk.add(word, via)

    def undo(
        self, pair_id: str, reviewer: str, *, via: Via = "script", key: str | None = None
    ) -> Pair:
        """Take the last word on a pair back: the reviewer's own, or anyone's where one decides.

        Returns:
            The pair as the words before leave it.

        Raises:
            DecisionError: the run has gone on from it.
            NotFoundError: there is no such pair, or nothing was said that could be taken back.
            RepeatedError: an undo with this key was done before.
        """
        with self.writing() as session:
            desk = Desk(session, pair_id, key)
            if words := desk.words_of(reviewer.strip()):
                return desk.take_back(words[-1], reviewer.strip(), via)
            if self._is_decided(session, pair_id) and desk.pair.status != "review":
                raise desk.closed()
            who = "Nobody has" if desk.reviewers == 1 else f"{reviewer} has not"
            raise NotFoundError(f"{who} decided on pair {pair_id}.")

    def take_up(self, run_id: str, reader_id: str) -> bool:
        """Go on from the decisions on a reader's pairs, unless some still wait for a person.

        Returns:
            Whether none waits; where one does, nothing is taken up.
        """
        waits = exists().where(
            PairRow.run_id == run_id, PairRow.reader_id == reader_id, PairRow.status == "review"
        )
        with self.writing() as session:
            go_on(session, run_id, reader_id, ~waits)
            return not session.scalar(select(waits))

    # --- finding ------------------------------------------------------------------------------

    def standings(
        self, run_id: str, reviewer: str, limit: int | None = None
    ) -> list[tuple[str, Standing]]:
        """The id of every pair of a run, in the order of making, and how it stands for a person."""
        query = select(PairRow.id, PairRow.status).where(PairRow.run_id == run_id)
        query = query.order_by(PairRow.created_at, PairRow.id).limit(limit)
        with self.reading() as session:
            own = self._said_by(session, run_id, reviewer)
            rows = session.execute(query)
            return [(i, "waiting" if i in own else status) for i, status in rows]  # pyright: ignore[reportReturnType]

    def waiting(self, run_id: str, reviewer: str) -> list[str]:
        """The ids of the pairs that wait for this person, in the order of their making."""
        query = select(PairRow.id).where(PairRow.run_id == run_id, PairRow.status == "review")
        with self.reading() as session:
            own = self._said_by(session, run_id, reviewer)
            ids = session.scalars(query.order_by(PairRow.created_at, PairRow.id))
            return [i for i in ids if i not in own]

    def trail(self, run_id: str, pair_id: str | None = None) -> list[Decision]:
        """Every line that was written on the pairs of a run, or on one of them, in order."""
        query = (
            select(DecisionRow, PairRow.status)
            .join(PairRow, PairRow.id == DecisionRow.pair_id)
            .where(PairRow.run_id == run_id)
        )
        if pair_id:
            query = query.where(PairRow.id == pair_id)
        with self.reading() as session:
            rows = session.execute(query.order_by(DecisionRow.id))
            return [_decision(row, status) for row, status in rows]

    def reviewers(self, run_id: str) -> int:
        """How many different people must decide on a pair of this run."""
        with self.reading() as session:
            run = session.get(RunRow, run_id)
            return reviewers_of(run) if run else 1

    @staticmethod
    def _is_decided(session: Session, pair_id: str) -> bool:
        query = select(DecisionRow.id).where(DecisionRow.pair_id == pair_id, STANDS).limit(1)
        return session.scalar(query) is not None

    @staticmethod
    def _said_by(session: Session, run_id: str, reviewer: str) -> set[str]:
        """The pairs in review that a person has decided on: they wait for others."""
        query = (
            select(DecisionRow.pair_id)
            .join(PairRow, PairRow.id == DecisionRow.pair_id)
            .where(PairRow.run_id == run_id, PairRow.status == "review")
            .where(OPEN, DecisionRow.reviewer == reviewer.strip())
        )
        return set(session.scalars(query))


def go_on(session: Session, run_id: str, reader_id: str, *only_if: ColumnElement[bool]) -> None:
    """Note that the run goes on from the open words on a reader's pairs."""
    own = select(PairRow.id).where(PairRow.run_id == run_id, PairRow.reader_id == reader_id)
    of_reader = update(DecisionRow).where(DecisionRow.pair_id.in_(own), OPEN, *only_if)
    session.connection().execute(of_reader.values(taken_up_at=time.time()))


def _decision(row: DecisionRow, status: str) -> Decision:
    names = (name for name in Decision.__dataclass_fields__ if name not in ("before", "status"))
    columns = {name: getattr(row, name) for name in names}
    return Decision(**columns, before=Pair.model_validate(row.before), status=status)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Decided:
    """A pair with what became of it under people's hands."""

    before: Pair
    """As it was put to the first who decided, with the verdicts of its judges."""
    action: Action
    """What people came to; `edit` where they changed the texts, which no judge has seen."""


def decided_pairs(store: Decisions, run_ids: Sequence[str] = ()) -> list[Decided]:
    """The pairs that people have decided on, each once, in the order of the first decision.

    Decisions that were undone do not count, nor do pairs on which more people must decide.

    Args:
        store: the run database.
        run_ids: of which runs; of all where none is named.
    """
    query = (
        select(DecisionRow.before, PairRow.id, PairRow.status, PairRow.record)
        .join(PairRow, PairRow.id == DecisionRow.pair_id)
        .where(STANDS, PairRow.status.in_(("accepted", "rejected")))
    )
    if run_ids:
        query = query.where(PairRow.run_id.in_(run_ids))
    found: dict[str, Decided] = {}
    with store.reading() as session:
        for told, pair_id, status, now in session.execute(query.order_by(DecisionRow.id)):
            if pair_id not in found:
                before = Pair.model_validate(told)
                action: Action = "approve" if status == "accepted" else "reject"
                if (now["chosen"], now["rejected"]) != (before.chosen, before.rejected):
                    action = "edit"
                found[pair_id] = Decided(before, action)
    return list(found.values())


def judged_by(decided: Iterable[Decided]) -> dict[str, list[Judged]]:
    """By judge, what it had said of each pair that was approved or rejected; edits say neither."""
    judges: dict[str, list[Judged]] = {}
    for one in decided:
        if one.action == "edit":
            continue
        pair = one.before
        for verdict in pair.verdicts:
            probability = given(verdict)
            if probability is not None:
                group = pair.group or pair.scenario_id
                word = Judged(probability, one.action == "approve", group)
                judges.setdefault(verdict.judge, []).append(word)
    return judges


def people_ratings(store: Decisions, run_id: str) -> list[tuple[Facet, dict[str, bool]]]:
    """For every pair that people decided on in review: its facet, and who would accept it.

    What counts is what was said until the last of so many people as the run asks for had spoken:
    one further is called where those disagree, and whoever changes a decision then has seen theirs.
    """
    most = store.reviewers(run_id)
    told: dict[str, tuple[Facet, dict[str, bool]]] = {}
    for one in store.trail(run_id):
        if one.action == UNDO or one.undone_at or one.before.status != "review":
            continue
        _, said = told.setdefault(one.pair_id, (one.before.facet, {}))
        if len(said) < most:
            said[one.reviewer] = one.action != "reject"
    return list(told.values())
