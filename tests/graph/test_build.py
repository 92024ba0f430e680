"""The machine as it is built: what it is begun with, and nodes of one's own in it."""

from pathlib import Path

import pytest

from agents.errors import EndpointError
from graph.build import Extra, build_graph, unmanned
from graph.crew import Crew
from graph.events import Event, NodeDone
from graph.nodes import Update
from graph.state import State
from graph.synthesis import work_through
from tests.graph.crew import assert_adds_up, assert_no_pair_twice, begin, open_crew, work


async def passing(state: State) -> Update:
    return {}


async def failing(state: State) -> Update:
    raise EndpointError("The endpoint is gone.")


async def gather(crew: Crew, home: Path, *extras: Extra) -> list[Event]:
    """The events of the run `one` on a machine with these nodes."""
    stream = work_through(crew, "one", home, lambda crew, saver: build_graph(crew, saver, extras))
    return [event async for event in stream]


def test_a_thread_is_begun_with_a_run_and_a_reader():
    asked = unmanned().get_input_jsonschema()
    assert asked["required"] == [*asked["properties"]] == ["run_id", "reader_id"]
    told = unmanned().get_output_jsonschema()
    assert {"cells", "starved", "failures"} <= told["properties"].keys()


async def test_a_node_of_ones_own_stands_on_every_road_out_of_another(tmp_path: Path):
    with open_crew(tmp_path) as crew:
        extras = [Extra("look", passing, "pair"), Extra("weigh", passing, "criticise")]
        graph = build_graph(crew, None, [*extras, Extra("rest", passing, "weigh")]).get_graph()
        plain = {(e.source, e.target) for e in unmanned().get_graph().edges}
        roads = {(e.source, e.target) for e in graph.edges}
        assert plain - roads == {
            ("pair", "criticise"),
            ("criticise", "write"),
            ("criticise", "publish"),
        }
        assert roads - plain == {
            ("pair", "look"),
            ("look", "criticise"),
            ("criticise", "weigh"),
            ("weigh", "rest"),
            ("rest", "write"),
            ("rest", "publish"),
        }
        begin(crew, "one", readers=2)
        walked = [e.node for e in await gather(crew, tmp_path, *extras) if isinstance(e, NodeDone)]
        assert walked.count("look") == walked.count("pair") > 0
        assert walked.count("weigh") == walked.count("criticise") > 0
        traced = [span.name for span in crew.store.spans("one") if span.kind == "node"]
        assert traced.count("look") == walked.count("look")


async def test_the_plain_machine_takes_up_a_run_that_stopped_in_a_node_of_ones_own(tmp_path: Path):
    with open_crew(tmp_path) as crew:
        asked = begin(crew, "one", readers=2)
        with pytest.raises(EndpointError):
            await gather(crew, tmp_path, Extra("look", failing, "pair"))
        assert crew.store.run("one").status == "stopped"
        await work(crew, "one", tmp_path)
        accounting = crew.store.accounting("one")
        assert crew.store.run("one").status == "finished"
        assert accounting.requested == asked
        assert accounting.accepted > 0
        assert_adds_up(accounting)
        assert_no_pair_twice(crew.store.pairs("one"))


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (Extra("look", passing, "pears"), "unknown node 'pears'"),
        (Extra("pair", passing, "draw"), "`pair` already present"),
    ],
)
def test_a_node_that_cannot_stand_there_is_told_of(tmp_path: Path, extra: Extra, told: str):
    with open_crew(tmp_path) as crew, pytest.raises(ValueError, match=told):
        build_graph(crew, None, [extra])
