"""The state of one reader's thread: ids and small records only; texts live in the databases."""

import operator
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from agents.records import Facet, Pole


class Cell(TypedDict):
    """So many pairs wanted on one dimension, the chosen answer being that of `pole`."""

    facet: Facet
    dimension: str
    pole: Pole
    wanted: int


class State(TypedDict):
    """Declared once, here. Without a reducer a field is replaced by what a node returns."""

    run_id: str
    reader_id: str
    round: NotRequired[int]
    cells: NotRequired[list[Cell]]
    """The plan of this round."""
    starved: NotRequired[dict[str, str]]
    """Facet to the reason why its quota stays unmet."""
    drawn: NotRequired[dict[str, list[str]]]
    """Dimension to the ids of the scenarios to be paired in this round."""
    used: Annotated[list[str], operator.add]
    """Scenarios this reader was given so far, in any round."""
    drafts: NotRequired[list[dict[str, Any]]]
    """What the writer proposed and the deduplicator has not seen yet."""
    asked: NotRequired[int]
    """Times the writer was asked for this reader, in any round; replies are kept by it."""
    rewrites: NotRequired[int]
    """Times the writer was sent back in this round because of duplicates."""
    revisions: NotRequired[int]
    """Times the writer was sent back in this round on the critic's word."""
    avoid: NotRequired[dict[str, list[str]]]
    """Dimension to situations of the pool that drafts collided with."""
    criticism: NotRequired[dict[str, str]]
    """Dimension to what the critic said of a draft that should be revised."""
    unfit: NotRequired[list[str]]
    """Written scenarios that the critic refused and the pool still holds."""
    proposed: NotRequired[list[str]]
    """Pairs the critic has not judged yet."""
    passed: NotRequired[list[str]]
    """Pairs the critic let pass in this round."""
    doubtful: NotRequired[list[str]]
    """Pairs that a person is asked about next."""
    failures: Annotated[list[str], operator.add]
    """What went wrong without ending the reader's part, as `facet: dimension: what`."""


def first_state(run_id: str, reader_id: str) -> State:
    """What a reader's thread begins with."""
    return State(run_id=run_id, reader_id=reader_id, used=[], failures=[])


def lacking(state: State) -> list[Cell]:
    """The cells of the plan for which too few scenarios are at hand."""
    drawn = state.get("drawn", {})
    return [
        cell | {"wanted": cell["wanted"] - len(drawn.get(cell["dimension"], []))}  # pyright: ignore
        for cell in state.get("cells", [])
        if len(drawn.get(cell["dimension"], [])) < cell["wanted"]
    ]
