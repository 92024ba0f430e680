"""The whole machine on one screen: who works, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from typing_extensions import TypedDict

from graph.crew import Crew
from graph.nodes import Nodes, Update
from graph.routing import Routing
from graph.settings import SynthesisSettings
from graph.state import State
from graph.tracing.recorder import Recorder


class Beginning(TypedDict):
    """What a thread is begun with: one reader of a run that `Store.begin_run` wrote."""

    run_id: str
    reader_id: str


Machine = CompiledStateGraph[State, None, Beginning, State]


class Node(Protocol):
    """A step of the machine."""

    async def __call__(self, state: State) -> Update:
        """What changes in the state."""
        ...


@dataclass(frozen=True)
class Extra:
    """A node of your own on the way out of one of the machine's: where that led, yours leads."""

    name: str
    node: Node
    after: str


def build_graph(
    crew: Crew,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    extras: Sequence[Extra] = (),
) -> Machine:
    """The machine that gathers one reader's pairs; a thread for each reader of a run.

    Args:
        crew: who works; `dataclasses.replace(crew, critic=…)` puts an agent of yours in its place.
        checkpointer: keeps the state of threads.
        extras: nodes of your own, traced like the others.
    """
    nodes, route = Nodes(crew), Routing(crew.settings)
    graph = StateGraph(State, input_schema=Beginning)

    def add(name: str, node: Node) -> None:
        graph.add_node(name, _traced(name, node, crew.recorder))

    add("profile", nodes.profile)
    add("compare", nodes.compare)
    add("plan", nodes.plan)
    add("draw", nodes.draw)
    add("write", nodes.write)
    add("deduplicate", nodes.deduplicate)
    add("pair", nodes.pair)
    add("criticise", nodes.criticise)
    add("publish", nodes.publish)
    add("invent", nodes.invent)
    add("review", nodes.review)
    add("finish", nodes.finish)

    graph.add_edge(START, "profile")
    graph.add_conditional_edges("profile", route.after_profile)
    graph.add_edge("compare", "plan")
    graph.add_conditional_edges("plan", route.after_plan)
    graph.add_conditional_edges("draw", route.after_draw)
    graph.add_edge("write", "deduplicate")
    graph.add_conditional_edges("deduplicate", route.after_deduplicate)
    graph.add_edge("pair", "criticise")
    graph.add_conditional_edges("criticise", route.after_criticise)
    graph.add_conditional_edges("publish", route.after_publish)
    graph.add_conditional_edges("invent", route.after_invent)
    graph.add_conditional_edges("review", route.after_review)
    graph.add_edge("finish", END)

    for extra in extras:
        add(extra.name, extra.node)
        roads = {(extra.name if a == extra.after else a, b) for a, b in graph.edges}
        graph.edges = roads | {(extra.after, extra.name)}
        graph.branches[extra.name] = graph.branches.pop(extra.after, {})
    return graph.compile(checkpointer=checkpointer, name="synthesis")


def unmanned() -> Machine:
    """The machine with nobody at work: to be looked at, not run."""
    nobody = SimpleNamespace(settings=SynthesisSettings(), store=None, recorder=None)
    return build_graph(cast(Crew, nobody))


def _traced(name: str, node: Node, recorder: Recorder) -> Node:
    async def traced(state: State) -> Update:
        with recorder.node(state["run_id"], state["reader_id"], name):
            return await node(state)

    return traced
