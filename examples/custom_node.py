"""Runs the machine with an agent of your own in it: house style refuses what nobody would print.

The node stands behind `pair`, so that no judge is asked about what it refuses. It is traced and
counted like the others: gravity trace show house-style.
"""

import asyncio
import re
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.records import Pair
from agents.settings import ChatSettings
from graph.books import read_books
from graph.build import Extra, Machine, build_graph
from graph.crew import Crew
from graph.events import PairDecided, RunEnded
from graph.nodes import Update
from graph.readers import read_readers
from graph.settings import RunSettings, SynthesisSettings
from graph.state import State
from graph.synthesis import synthesise

BANNED = {"bit", "just", "lot", "nice", "really", "simply", "thing", "things", "very"}
"""Words that the house does not print."""


class HouseStyle:
    """Refuses pairs with a banned word in either answer; the next round draws other scenes.

    An agent that asks a model does so by `self._crew.chat.ask("house_style", messages, Reply)`.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def __call__(self, state: State) -> Update:
        """The pairs that are left to be criticised, and the scenes that are left of the draw."""
        proposed = state.get("proposed", [])
        drawn = {name: list(ids) for name, ids in state.get("drawn", {}).items()}
        kept: list[str] = []
        for pair in map(self._crew.store.pair, proposed):
            words = set(re.findall(r"\w+", f"{pair.chosen} {pair.rejected}".casefold()))
            if banned := sorted(words & BANNED):
                self._refuse(pair, f"house style: {', '.join(banned)}")
                drawn[pair.dimension].remove(pair.scenario_id)
            else:
                kept.append(pair.id)
        return {"proposed": kept, "drawn": drawn}

    def _refuse(self, pair: Pair, reason: str) -> None:
        refused = pair.model_copy(update={"status": "rejected", "reason": reason})
        self._crew.store.put_pairs([refused])
        told = PairDecided(pair.id, pair.reader_id, pair.facet, "rejected", reason)
        self._crew.recorder.tell(told)


def build(crew: Crew, saver: BaseCheckpointSaver[Any]) -> Machine:
    """The machine with house style between `pair` and `criticise`."""
    return build_graph(crew, saver, [Extra("house_style", HouseStyle(crew), after="pair")])


async def gather() -> None:
    """Work on the run `house-style` and tell what was refused."""
    settings = RunSettings(
        chat=ChatSettings(model="scripted"),
        synthesis=SynthesisSettings(quotas={"value": 4, "personality": 4}),
    )
    readers = read_readers("sample", settings.readers, print, limit=3)
    books = read_books("sample", print)
    async for event in synthesise(settings, readers, books, "house-style", build=build):
        match event:
            case PairDecided(status="rejected"):
                print(f"{event.reader_id} {event.pair_id[:8]} {event.reason}")
            case RunEnded(summary):
                print(f"{summary.id} {summary.status}. {summary.accounting}")
            case _:
                pass


if __name__ == "__main__":
    asyncio.run(gather())
