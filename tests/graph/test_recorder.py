"""Spans nest, keep what failed, and cost nothing outside a run."""

import asyncio
from pathlib import Path

import pytest

from agents.errors import EndpointError
from agents.records import Message, ModelCall, Reader
from graph.events import Event, NodeDone
from graph.recorder import Recorder
from graph.store import Span, Store
from tests.graph.crew import begin, open_crew, work


def a_call(error: str | None = None) -> ModelCall:
    return ModelCall(
        agent="scenario_writer",
        model="m",
        prompt=(Message(role="user", content="Write."),),
        reply="",
        tokens_in=7,
        tokens_out=3,
        duration_s=0.5,
        cost_usd=0.25,
        error=error,
    )


@pytest.fixture
def recorder(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    store.begin_run("one", "m", {}, [Reader(id="ana"), Reader(id="bob")], 1, [])
    yield Recorder(store)
    store.close()


def spans(recorder: Recorder) -> dict[str, Span]:
    found = recorder._store.spans("one")
    return {f"{span.reader_id} {span.kind} {span.name}": span for span in found}


async def test_reader_node_and_call_nest_also_side_by_side(recorder: Recorder) -> None:
    async def part(reader: str) -> None:
        with recorder.reader("one", reader):
            await asyncio.sleep(0)
            with recorder.node(reader, "write"):
                await asyncio.sleep(0)
                await asyncio.gather(asyncio.to_thread(recorder.on_call, a_call()))

    events: list[Event] = []
    recorder.listener = events.append
    await asyncio.gather(part("ana"), part("bob"))
    found = spans(recorder)
    assert len(found) == 6
    for reader in ("ana", "bob"):
        top, node = found[f"{reader} reader {reader}"], found[f"{reader} node write"]
        call = found[f"{reader} call scenario_writer"]
        assert (top.parent_id, node.parent_id, call.parent_id) == (None, top.id, node.id)
        assert (call.tokens_in, call.tokens_out, call.cost_usd) == (7, 3, 0.25)
        assert call.call == a_call().model_dump(mode="json")
    assert [e.node for e in events if isinstance(e, NodeDone)] == ["write", "write"]


def test_what_fails_is_kept_with_its_error(recorder: Recorder) -> None:
    events: list[Event] = []
    recorder.listener = events.append
    with (
        pytest.raises(EndpointError),
        recorder.reader("one", "ana"),
        recorder.node("ana", "write"),
    ):
        recorder.on_call(a_call("the endpoint is gone"))
        raise EndpointError("the endpoint is gone")
    found = spans(recorder)
    assert found["ana call scenario_writer"].error == "the endpoint is gone"
    assert found["ana node write"].error == "EndpointError: the endpoint is gone"
    assert found["ana reader ana"].error == "EndpointError: the endpoint is gone"
    assert events == []


def test_calls_outside_a_run_are_not_kept(recorder: Recorder) -> None:
    recorder.on_call(a_call())
    assert spans(recorder) == {}


async def test_a_run_that_waits_shows_no_error(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=1)
        await work(crew, "one", tmp_path)
        found = crew.store.spans("one")
    assert [s.kind for s in found if s.parent_id is None] == ["reader"]
    ids = {s.id for s in found}
    assert all(s.parent_id in ids for s in found if s.parent_id)
    assert [s.error for s in found if s.error] == []
    assert "review" in {s.name for s in found}
