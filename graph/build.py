"""The whole machine on one screen: who works, and in which order."""

from typing import Any, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.crew import Crew
from graph.nodes import Nodes, Update
from graph.recorder import Recorder
from graph.routing import Routing
from graph.state import State


class Node(Protocol):
    """A step of the machine."""

    async def __call__(self, state: State) -> Update:
        """What changes in the state."""
        ...


def build_graph(
    crew: Crew, checkpointer: BaseCheckpointSaver[Any] | None = None
) -> CompiledStateGraph[State, None, State, State]:
    """The machine that gathers one reader's pairs; a thread for each reader of a run."""
    nodes, route = Nodes(crew), Routing(crew.settings)
    graph = StateGraph(State)

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
    return graph.compile(checkpointer=checkpointer, name="synthesis")


def _traced(name: str, node: Node, recorder: Recorder) -> Node:
    async def traced(state: State) -> Update:
        with recorder.node(state["reader_id"], name):
            return await node(state)

    return traced
