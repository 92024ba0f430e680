"""Spans nest, keep what failed, are sent where that is wanted, and cost nothing outside a run."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.errors import ConfigError, EndpointError
from agents.records import Message, Reader
from agents.settings import ChatSettings, CriticSettings, SystemOneSettings
from graph.events import Event, NodeDone
from graph.readers import read_readers
from graph.settings import RunSettings, TracingSettings
from graph.store import Store
from graph.synthesis import synthesise
from graph.tracing.lineage import lineage_of
from graph.tracing.recorder import Recorder, open_recorder
from graph.tracing.traces import Span
from tests.agents.stub_endpoint import Answer, Stub, decisions
from tests.graph.crew import begin, open_crew, work
from tests.graph.receiver import receiving, told
from tests.graph.spans import a_call

SECRET = "sk-abcdefghijklmnop0123"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "gravity.db")
    store.begin_run("one", "m", {}, [Reader(id="ana"), Reader(id="bob")], 1, [])
    yield store
    store.close()


@pytest.fixture
def recorder(store: Store) -> Recorder:
    return Recorder(store)


def spans(store: Store) -> dict[str, Span]:
    return {f"{s.reader_id} {s.kind} {s.name}": s for s in store.spans("one")}


@contextmanager
def in_a_node(recorder: Recorder) -> Iterator[None]:
    with recorder.run("one"), recorder.reader("one", "ana"), recorder.node("one", "ana", "write"):
        yield


async def test_run_reader_node_and_call_nest_also_side_by_side(
    recorder: Recorder, store: Store
) -> None:
    async def part(reader: str) -> None:
        with recorder.reader("one", reader):
            await asyncio.sleep(0)
            with recorder.node("one", reader, "write"):
                await asyncio.sleep(0)
                await asyncio.gather(asyncio.to_thread(recorder.on_call, a_call()))

    events: list[Event] = []
    recorder.listener = events.append
    with recorder.run("one"):
        await asyncio.gather(part("ana"), part("bob"))
    found = spans(store)
    assert len(found) == 7
    run = found["None run one"]
    assert (run.parent_id, run.node) == (None, None)
    for reader in ("ana", "bob"):
        top, node = found[f"{reader} reader {reader}"], found[f"{reader} node write"]
        call = found[f"{reader} call scenario_writer"]
        assert (top.parent_id, node.parent_id, call.parent_id) == (run.id, top.id, node.id)
        assert (top.node, node.node, call.node) == (None, "write", "write")
        assert (call.tokens_in, call.tokens_out, call.cost_usd) == (7, 3, 0.25)
        assert call.turns == [("user", "Write."), ("assistant", "Yes.")]
        assert run.started_at <= top.started_at <= node.started_at
        assert node.ended_at <= top.ended_at <= run.ended_at
    assert all(len(s.id) == 16 and int(s.id, 16) for s in found.values())
    assert [e.node for e in events if isinstance(e, NodeDone)] == ["write", "write"]


def test_what_fails_is_kept_with_its_error(recorder: Recorder, store: Store) -> None:
    events: list[Event] = []
    recorder.listener = events.append
    with pytest.raises(EndpointError), in_a_node(recorder):
        recorder.on_call(a_call("", "the endpoint is gone"))
        raise EndpointError("the endpoint is gone")
    found = spans(store)
    call = found["ana call scenario_writer"]
    assert call.error == "the endpoint is gone"
    assert (call.attributes or {})["error.type"] == "ModelError"
    assert call.reply == ""
    for name in ("ana node write", "ana reader ana", "None run one"):
        assert found[name].error == "EndpointError: the endpoint is gone"
        assert found[name].attributes == {"error.type": "EndpointError"}
    assert events == []


def test_a_kept_reply_costs_nothing(recorder: Recorder, store: Store) -> None:
    with in_a_node(recorder):
        recorder.on_call(a_call(cached=True))
    call = spans(store)["ana call scenario_writer"]
    assert (call.cached, call.tokens_in, call.tokens_out, call.cost_usd) == (True, 0, 0, 0.0)
    assert call.reply == "Yes."


def test_calls_outside_a_run_are_not_kept(recorder: Recorder, store: Store) -> None:
    recorder.on_call(a_call())
    assert spans(store) == {}


def test_a_call_and_its_entry_in_the_ledger_are_there_when_it_returns(
    recorder: Recorder, store: Store
) -> None:
    with in_a_node(recorder):
        recorder.on_call(a_call())
        with sqlite3.connect(store.path) as another:
            names = another.execute("SELECT name FROM spans").fetchall()
        assert names == [("scenario_writer",)], "the others are not at their end"
        assert store.spend("one", "ana").cost_usd == 0.25


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"])
def test_what_switches_opentelemetry_off_keeps_no_span_out_of_the_run_database(
    store: Store, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "true" if variable.endswith("DISABLED") else "1")
    with open_recorder(store, RunSettings()) as recorder, in_a_node(recorder):
        recorder.on_call(a_call())
    assert spans(store)["ana call scenario_writer"].reply == "Yes."


# --- what is kept, and what is sent -------------------------------------------------------------


def texts(settings: dict[str, Any], store: Store) -> tuple[Span, list[dict[str, Any]]]:
    """One call as it is kept, and all that a collector got."""
    said = f"Ask ana@example.org, «who wept», with {SECRET}."
    call = a_call(said, prompt=(Message(role="user", content=said),))
    with receiving() as receiver:
        tracing = TracingSettings(otlp_endpoint=receiver.url, **settings)
        with open_recorder(store, RunSettings(tracing=tracing)) as recorder, in_a_node(recorder):
            recorder.on_call(call)
        return spans(store)["ana call scenario_writer"], [told(s) for s in receiver.spans]


def test_every_span_is_sent_under_one_trace_with_its_parents(store: Store) -> None:
    with receiving() as receiver:
        tracing = TracingSettings(otlp_endpoint=receiver.url)
        for _ in range(2):
            settings = RunSettings(tracing=tracing)
            with open_recorder(store, settings) as recorder, in_a_node(recorder):
                recorder.on_call(a_call())
        sent = {s.span_id.hex(): s for s in receiver.spans}
    assert {s.trace_id.hex() for s in sent.values()} == {store.trace_id("one")}
    kept = {s.id: s for s in store.spans("one")}
    assert sent.keys() == kept.keys()
    assert len(kept) == 8
    for span_id, span in sent.items():
        assert span.parent_span_id.hex() == (kept[span_id].parent_id or "")


def test_texts_are_kept_and_not_sent_unless_that_is_wanted(store: Store) -> None:
    kept, sent = texts({}, store)
    assert kept.reply == "Ask ana@example.org, «who wept», with [secret]."
    (call,) = [s for s in sent if s.get("gen_ai.operation.name") == "chat"]
    assert call["gen_ai.usage.input_tokens"] == 7
    assert "gen_ai.input.messages" not in call
    assert "gen_ai.output.messages" not in call
    assert SECRET not in str(sent)


def test_texts_are_masked_as_each_side_wants_it(store: Store) -> None:
    kept, sent = texts({"texts": "none", "otlp_texts": "redacted"}, store)
    assert kept.turns == []
    assert "Ask [e-mail], «[words]», with [secret]." in str(sent)


def test_no_byte_of_a_secret_is_in_the_run_database(store: Store) -> None:
    with pytest.raises(EndpointError), in_a_node(Recorder(store)):
        call = a_call(f"a {SECRET}", f"b {SECRET}")
        Recorder(store).on_call(call)
        raise EndpointError(f"401 for {SECRET}")
    store.close()
    assert all(SECRET.encode() not in p.read_bytes() for p in store.path.parent.glob("gravity.db*"))


def test_headers_that_cannot_be_read_are_told_before_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "sesame")
    with open_recorder(store, RunSettings()):
        pass
    tracing = TracingSettings(otlp_endpoint="http://127.0.0.1:9")
    settings = RunSettings(tracing=tracing)
    with pytest.raises(ConfigError, match="EXPORTER"), open_recorder(store, settings):
        raise AssertionError("it must not come so far")


# --- real runs ----------------------------------------------------------------------------------


async def test_a_run_is_sent_whole_where_a_collector_is_set(tmp_path: Path) -> None:
    with receiving() as receiver:
        settings = RunSettings(
            home=tmp_path,
            chat=ChatSettings(model="scripted"),
            tracing=TracingSettings(otlp_endpoint=receiver.url),
        )
        readers = read_readers("sample", settings.readers, print, limit=2)
        async for _event in synthesise(settings, readers, run_id="one"):
            pass
        sent = {s.span_id.hex() for s in receiver.spans}
    store = Store(tmp_path / "gravity.db")
    kept = store.spans("one")
    assert sent == {span.id for span in kept}
    assert [span.kind for span in kept].count("run") == 1
    (run,) = [span for span in kept if span.kind == "run"]
    readers_spans = [span for span in kept if span.kind == "reader"]
    assert [span.parent_id for span in readers_spans] == [run.id] * 2
    store.close()


async def test_decisions_are_in_the_traces_and_in_the_account(tmp_path: Path) -> None:
    def decided(body: Any) -> Answer:
        given = {"type": "choice", "probabilities": {"A": 0.5, "B": 0.5}}
        yes = {"type": "noul", "noul": 0.9}
        asked = body["questions"]
        return decisions({n: given if q["type"] == "choice" else yes for n, q in asked.items()})

    with Stub([decided]) as stub:
        settings = RunSettings(
            home=tmp_path,
            chat=ChatSettings(model="scripted"),
            critic=CriticSettings(judges=("systemone",)),
            systemone=SystemOneSettings(url=stub.url, model="small"),
        )
        readers = read_readers("sample", settings.readers, print, limit=1)
        async for _event in synthesise(settings, readers, run_id="one"):
            pass
    store = Store(tmp_path / "gravity.db")
    told = {span.id: span for span in store.spans("one") if span.name == "systemone"}
    assert len(told) == len(stub.asked) > 0
    assert {(span.kind, span.node) for span in told.values()} == {("call", "criticise")}
    assert store.spend_by("one", "agent")["systemone"].calls == len(stub.asked)
    judged = [pair for pair in store.pairs("one") if pair.verdicts]
    assert {pair.verdicts[0].judge for pair in judged} == {"small"}
    found = lineage_of(store, judged[0], lambda _ids: None, {}).judged_in
    assert found and {span.id for span in found} <= told.keys()
    store.close()


async def test_a_run_that_waits_shows_no_error(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "two", readers=1)
        await work(crew, "two", tmp_path)
        found = crew.store.spans("two")
    ids = {s.id for s in found}
    assert all(s.parent_id in ids for s in found if s.kind in ("node", "call"))
    assert [s.error for s in found if s.error] == []
    assert "review" in {s.name for s in found}
