"""The whole machine on one screen: who works, and in which order."""

from collections.abc import Awaitable, Callable
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.nodes import Crew, Nodes, Update
from graph.recorder import Recorder
from graph.routing import Routing
from graph.state import State

Node = Callable[[State], Awaitable[Update]]


def build_graph(
    crew: Crew, checkpointer: BaseCheckpointSaver[Any] | None = None
) -> CompiledStateGraph[State, None, State, State]:
    """The machine that gathers one reader's pairs; a thread for each reader of a run."""
    nodes, route = Nodes(crew), Routing(crew.settings)
    graph = StateGraph(State)

    for node in (
        nodes.profile,
        nodes.plan,
        nodes.draw,
        nodes.write,
        nodes.deduplicate,
        nodes.pair,
        nodes.criticise,
        nodes.review,
        nodes.publish,
        nodes.finish,
    ):
        graph.add_node(node.__name__, _traced(node, crew.recorder))

    graph.add_edge(START, "profile")
    graph.add_edge("profile", "plan")
    graph.add_conditional_edges("plan", route.after_plan)
    graph.add_conditional_edges("draw", route.after_draw)
    graph.add_edge("write", "deduplicate")
    graph.add_conditional_edges("deduplicate", route.after_deduplicate)
    graph.add_edge("pair", "criticise")
    graph.add_conditional_edges("criticise", route.after_criticise)
    graph.add_edge("review", "publish")
    graph.add_edge("publish", "plan")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer, name="synthesis")


def _traced(node: Node, recorder: Recorder) -> Node:
    async def traced(state: State) -> Update:
        with recorder.node(state["reader_id"], node.__name__):
            return await node(state)

    return traced
