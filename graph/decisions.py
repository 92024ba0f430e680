"""Finds the pairs that people decided on, as they were before; it decides and keeps nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from agents.judges.calibration import Judged, given
from agents.records import Pair
from graph.store import Action, Store
from graph.tables import DecisionRow, PairRow


@dataclass(frozen=True)
class Decided:
    """A pair with what became of it under a person's hands."""

    before: Pair
    """As it was put to the first who decided, with the verdicts of its judges."""
    action: Action
    """The last word that stands; `edit` where any changed the texts, which no judge has seen."""


def decided_pairs(store: Store, run_ids: Sequence[str] = ()) -> list[Decided]:
    """The pairs with decisions that stand, in the order of the first; of all runs if none is named.

    A decision that was undone has left no trace.
    """
    query = select(DecisionRow.pair_id, DecisionRow.action, DecisionRow.before)
    if run_ids:
        query = query.join(PairRow, PairRow.id == DecisionRow.pair_id)
        query = query.where(PairRow.run_id.in_(run_ids))
    found: dict[str, Decided] = {}
    with store.reading() as session:
        for pair_id, told, before in session.execute(query.order_by(DecisionRow.id)):
            action: Action = told  # pyright: ignore[reportAssignmentType]
            first = found.get(pair_id)
            if first is None:
                found[pair_id] = Decided(Pair.model_validate(before), action)
            elif first.action != "edit":
                found[pair_id] = Decided(first.before, action)
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
