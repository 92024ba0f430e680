"""The exits of every branching node, as tables."""

from typing import Any

import pytest

from graph.routing import Routing
from graph.settings import SynthesisSettings
from graph.state import Cell, State, lacking

ROUTE = Routing(SynthesisSettings(rewrites=2, revisions=1))
CELL = Cell(facet="value", dimension="benevolence", pole="high", wanted=2)
ENOUGH, SHORT = {"benevolence": ["s1", "s2"]}, {"benevolence": ["s1"]}
NEAR = {"benevolence": ["a situation"]}


def state(**fields: Any) -> State:
    return State(run_id="r", reader_id="ana", used=[], failures=[], **fields)


@pytest.mark.parametrize(
    ("fields", "goal"),
    [
        ({}, "finish"),
        ({"cells": []}, "finish"),
        ({"cells": [CELL]}, "draw"),
        ({"cells": [CELL], "doubtful": ["p1"]}, "draw"),
        ({"doubtful": ["p1"]}, "review"),
    ],
)
def test_after_plan(fields: dict, goal: str) -> None:
    assert ROUTE.after_plan(state(**fields)) == goal


@pytest.mark.parametrize(
    ("method", "begins", "returns"), [("gravity", "compare", "plan"), ("naive", "invent", "invent")]
)
def test_each_method_has_its_road(method: Any, begins: str, returns: str) -> None:
    route = Routing(SynthesisSettings(method=method))
    assert route.after_profile(state()) == begins
    assert route.after_review(state()) == returns


@pytest.mark.parametrize(
    ("fields", "goal"),
    [
        ({"round": 1, "starved": {"value": "why"}}, "invent"),
        ({"round": 4, "starved": {"value": "why"}}, "finish"),
        ({"round": 1, "starved": {}}, "finish"),
        ({"round": 1, "starved": {"value": "why"}, "doubtful": ["p1"]}, "review"),
    ],
)
def test_after_invent(fields: dict, goal: str) -> None:
    assert ROUTE.after_invent(state(**fields)) == goal


@pytest.mark.parametrize(("drawn", "goal"), [({}, "write"), (SHORT, "write"), (ENOUGH, "pair")])
def test_after_draw(drawn: dict, goal: str) -> None:
    assert ROUTE.after_draw(state(cells=[CELL], drawn=drawn)) == goal


@pytest.mark.parametrize(
    ("drawn", "avoid", "rewrites", "goal"),
    [
        (SHORT, NEAR, 0, "write"),
        (SHORT, NEAR, 1, "write"),
        (SHORT, NEAR, 2, "pair"),
        (SHORT, {}, 0, "pair"),
        (SHORT, {"openness": ["other"]}, 0, "pair"),
        (ENOUGH, NEAR, 0, "pair"),
    ],
)
def test_after_deduplicate(drawn: dict, avoid: dict, rewrites: int, goal: str) -> None:
    given = state(cells=[CELL], drawn=drawn, avoid=avoid, rewrites=rewrites)
    assert ROUTE.after_deduplicate(given) == goal


@pytest.mark.parametrize(
    ("criticism", "revisions", "goal"),
    [
        ({"benevolence": "too long"}, 0, "write"),
        ({"benevolence": "x"}, 1, "publish"),
        ({}, 0, "publish"),
    ],
)
def test_after_criticise(criticism: dict, revisions: int, goal: str) -> None:
    assert ROUTE.after_criticise(state(criticism=criticism, revisions=revisions)) == goal


@pytest.mark.parametrize(("doubtful", "goal"), [(["p1"], "review"), ([], "plan")])
def test_after_publish(doubtful: list, goal: str) -> None:
    assert ROUTE.after_publish(state(doubtful=doubtful)) == goal


def test_what_is_lacking() -> None:
    assert lacking(state()) == []
    assert lacking(state(cells=[CELL])) == [CELL]
    assert lacking(state(cells=[CELL], drawn=SHORT)) == [CELL | {"wanted": 1}]
    assert lacking(state(cells=[CELL], drawn=ENOUGH)) == []
