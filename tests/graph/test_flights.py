"""Whoever needs scenes on a dimension that another is writing for waits, and nobody for ever."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.chat import OnCall, Reply
from agents.errors import EndpointError
from agents.frameworks.catalogue import dimensions
from agents.records import Message
from agents.scripted import ScriptedChat
from graph.crew import Crew
from graph.flights import Flights
from graph.nodes import Nodes
from graph.state import Cell, first_state
from tests.graph.crew import UnluckyChat, begin, open_crew, work


async def write(flights: Flights, reader: str, dimensions: list[str], told: list[str]) -> None:
    """One reader's flight, that lets the others have their turn while it lasts."""
    await flights.begin(reader, dimensions)
    told.append(f"{reader} begins")
    for _ in range(5):
        await asyncio.sleep(0)
    told.append(f"{reader} ends")
    flights.end(reader)


async def is_free(flights: Flights, dimension: str) -> bool:
    """Whether another reader could begin at once."""
    try:
        await asyncio.wait_for(flights.begin("passer-by", [dimension]), 0.05)
    except TimeoutError:
        return False
    finally:
        flights.end("passer-by")
    return True


async def test_the_second_reader_waits_and_goes_on() -> None:
    flights, told = Flights(), list[str]()
    both = (write(flights, reader, ["openness"], told) for reader in ("ana", "bob"))
    await asyncio.wait_for(asyncio.gather(*both), 5)
    assert told == ["ana begins", "ana ends", "bob begins", "bob ends"]


async def test_one_shared_dimension_is_enough_to_wait() -> None:
    flights = Flights()
    await flights.begin("ana", ["openness", "power"])
    bob = asyncio.create_task(flights.begin("bob", ["power", "tradition"]))
    await asyncio.sleep(0.01)
    assert not bob.done()
    flights.end("ana")
    await asyncio.wait_for(bob, 5)


async def test_different_dimensions_do_not_wait() -> None:
    flights = Flights()
    await flights.begin("ana", ["openness"])
    await asyncio.wait_for(flights.begin("bob", ["power"]), 5)


async def test_crossing_sets_do_not_deadlock() -> None:
    flights, told = Flights(), list[str]()
    crossing = {
        "ana": ["openness", "power", "tradition"],
        "bob": ["tradition", "power", "openness"],
        "cem": ["power", "openness"],
        "dia": ["tradition", "openness"],
    }
    writers = (write(flights, reader, names, told) for reader, names in crossing.items())
    await asyncio.wait_for(asyncio.gather(*writers), 5)
    assert len(told) == 8
    assert all(
        begun == ended.replace("ends", "begins")
        for begun, ended in zip(told[::2], told[1::2], strict=True)
    ), "all share a dimension with one another, so they write one after the other"


async def test_a_dimension_named_twice_is_held_once() -> None:
    flights = Flights()
    await asyncio.wait_for(flights.begin("ana", ["openness", "openness"]), 5)
    flights.end("ana")
    assert await is_free(flights, "openness")


async def test_the_end_lets_everything_go() -> None:
    flights = Flights()
    await flights.begin("ana", ["openness", "power"])
    assert not await is_free(flights, "openness")
    flights.end("ana")
    assert await is_free(flights, "openness")
    assert await is_free(flights, "power")
    flights.end("ana")
    flights.end("nobody")


async def test_the_end_after_an_error_lets_the_next_go_on() -> None:
    flights = Flights()

    async def fail() -> None:
        try:
            await flights.begin("ana", ["openness"])
            await asyncio.sleep(0.01)
            raise ValueError("the writer is gone")
        finally:
            flights.end("ana")

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    following = asyncio.create_task(flights.begin("bob", ["openness"]))
    with pytest.raises(ValueError, match="the writer is gone"):
        await failing
    await asyncio.wait_for(following, 5)


async def test_who_is_cancelled_while_waiting_holds_nothing_after_the_end() -> None:
    flights = Flights()
    await flights.begin("ana", ["power"])
    bob = asyncio.create_task(flights.begin("bob", ["openness", "power"]))
    await asyncio.sleep(0.01)
    assert not await is_free(flights, "openness"), "bob took what comes first"
    bob.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bob
    flights.end("bob")
    assert await is_free(flights, "openness")
    assert not await is_free(flights, "power"), "ana still writes"


async def test_who_begins_anew_lets_the_earlier_dimensions_go() -> None:
    flights = Flights()
    await flights.begin("ana", ["openness", "power"])
    await asyncio.wait_for(flights.begin("ana", ["power"]), 5)
    assert await is_free(flights, "openness")
    assert not await is_free(flights, "power")


# --- in a run -----------------------------------------------------------------------------------


class SlowChat(ScriptedChat):
    """The scripted model, in no hurry; it counts what it writes scenes for."""

    written = 0

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        self.written += agent == "scenario_writer"
        await asyncio.sleep(0.05)
        return await super().ask(agent, messages, reply, most_repairs, repeat)


async def take_one(crew: Crew, reader_id: str, name: str) -> list[str]:
    """What a reader has at hand who wants one scene of a dimension."""
    nodes, cell = Nodes(crew), Cell(facet="value", dimension=name, pole="high", wanted=1)
    state = first_state("one", reader_id) | {"cells": [cell]}
    for node in (nodes.profile, nodes.draw, nodes.write, nodes.deduplicate):
        state |= await node(state)  # pyright: ignore
    return state["drawn"][name]  # pyright: ignore


async def test_whoever_waited_draws_what_the_first_has_written(tmp_path: Path) -> None:
    chats: list[SlowChat] = []

    def make(told: OnCall) -> SlowChat:
        chats.append(SlowChat(told))
        return chats[0]

    with open_crew(tmp_path, make, tailored_share=0.0) as crew:
        begin(crew, "one", readers=2)
        crew.pool.retire([s.id for s in crew.pool.scenarios("hedonism")])
        readers = [member.reader.id for member in crew.store.readers("one")]
        both = asyncio.gather(*(take_one(crew, reader, "hedonism") for reader in readers))
        drawn = await asyncio.wait_for(both, 20)
        assert chats[0].written == 1, "the second reader needs no writer any more"
        assert [len(ids) for ids in drawn] == [1, 1]
        written = {s.id for s in crew.pool.scenarios("hedonism")}
        assert written.issuperset(i for ids in drawn for i in ids)
        assert await is_free(crew.flights, "hedonism")


async def test_a_writer_that_fails_holds_nothing_for_the_run_to_come(tmp_path: Path) -> None:
    gone = EndpointError("The endpoint is gone.")
    with open_crew(tmp_path, lambda told: UnluckyChat(told, gone, good=1)) as crew:
        begin(crew, "one", readers=4)
        crew.pool.retire([s.id for s in crew.pool.scenarios()])
        with pytest.raises(EndpointError):
            await work(crew, "one", tmp_path)
        for name in dimensions():
            assert await is_free(crew.flights, name)
