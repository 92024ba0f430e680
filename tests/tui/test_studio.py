"""The machine as LangGraph's own tools find it, show it and run it."""

import importlib.util
import inspect
import json
import typing
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from langgraph_sdk.runtime import ServerRuntime, _ExecutionRuntime, _ReadRuntime

from agents.errors import LockedError
from agents.records import Reader
from graph.accounts import Accounting
from graph.build import Machine
from graph.claims import claim
from graph.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = json.loads((ROOT / "langgraph.json").read_text("utf-8"))
MAYA = {"run_id": "dev", "reader_id": "us-maya"}
Factory = Callable[[ServerRuntime[None]], AbstractAsyncContextManager[Machine]]


@pytest.fixture
def factory() -> Factory:
    """What `langgraph dev` loads: the attribute of a file, which is no module of a package."""
    path, _, name = CONFIG["graphs"]["synthesis"].partition(":")
    spec = importlib.util.spec_from_file_location("loaded_by_path", ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAVITY__HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRAVITY__CHAT__MODEL", "scripted")
    return tmp_path / "home"


def showing() -> ServerRuntime[None]:
    return _ReadRuntime(access_context="assistants.read", store=InMemoryStore())


def running() -> ServerRuntime[None]:
    return _ExecutionRuntime(
        access_context="threads.create_run", store=InMemoryStore(), context=None
    )


def test_the_server_knows_that_the_factory_asks_for_its_runtime(factory: Factory):
    (parameter,) = inspect.signature(factory).parameters
    hints = typing.get_type_hints(factory, localns={"ServerRuntime": ServerRuntime})
    assert typing.get_origin(hints[parameter]) is ServerRuntime


async def test_to_be_shown_the_machine_needs_nobody_and_makes_nothing(factory: Factory, home: Path):
    async with factory(showing()) as shown:
        assert "criticise" in shown.get_graph().nodes
        assert [*shown.get_input_jsonschema()["properties"]] == [*MAYA]
    assert not home.exists()


async def test_a_thread_runs_to_its_end_in_a_run_of_its_own(factory: Factory, home: Path):
    async with factory(running()) as machine:
        async with factory(showing()) as shown:
            assert machine.get_graph().edges == shown.get_graph().edges
        ended = await machine.ainvoke(MAYA)
        assert ended["starved"] == {}
        with pytest.raises(LockedError, match="dev is being worked on"):
            async with factory(running()):
                pass
    store = Store(home / "gravity.db")
    assert store.reader("dev", "us-maya").status == "finished"
    assert store.run("dev").status == "stopped", "there are other readers"
    assert store.accounting("dev") == Accounting(144, 12, 0, 0, 132)
    names = [span.name for span in store.spans("dev")]
    assert names[0] == "profile"
    assert names[-1] == "finish"
    with claim(home, "dev"):
        pass


async def test_a_run_that_was_begun_otherwise_goes_on_and_waits_for_a_person(
    factory: Factory, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRAVITY__SYNTHESIS__REVIEW", "all")
    store, saver = Store(home / "gravity.db"), InMemorySaver()
    stranger = Reader(id="stranger", questionnaire={"openness-h1": 5, "openness-h2": 5})
    described = {"source": {"readers": "mine.jsonl", "books": None}, "settings": {}}
    store.begin_run("dev", "scripted", described, [stranger], 12, ())
    thread = {"configurable": {"thread_id": "1"}}
    async with factory(running()) as machine:
        machine = machine.copy(update={"checkpointer": saver})
        given = {"run_id": "dev", "reader_id": "stranger"}
        (asked,) = (await machine.ainvoke(given, thread))["__interrupt__"]
        waiting = store.waiting("dev", "eve")
        assert set(asked.value["pairs"]) == set(waiting) != set()
    for pair_id in waiting:
        store.decide(pair_id, "approve", "eve")
    async with factory(running()) as machine:
        machine = machine.copy(update={"checkpointer": saver})
        ended = await machine.ainvoke(Command(resume="decided"), thread)
        assert ended["doubtful"] == []
    assert store.run("dev").status == "finished"
    assert {p.status for p in store.pairs("dev")} == {"accepted"}


def test_the_server_is_told_to_report_to_nobody():
    env = CONFIG["env"]
    assert {env["LANGSMITH_TRACING"], env["LANGSMITH_TRACING_V2"]} == {"false"}
    assert {value for name, value in env.items() if name.endswith("_KEY")} == {""}
