"""Runs the machine over all readers: `async for event in synthesise(...)`; begins and resumes."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphRecursionError
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from agents.errors import GravityError, ModelError, StorageError
from graph.build import build_graph
from graph.checkpoints import CHECKPOINTS, open_checkpoints, thread_id
from graph.crew import Crew
from graph.database import storage_error
from graph.events import Event, ReaderEnded, RunBegan, RunEnded
from graph.state import State

Machine = CompiledStateGraph[State, None, State, State]
MOST_STEPS = 400
"""LangGraph's bound on the steps of one thread; rounds, rewrites and revisions end far earlier."""


async def synthesise(crew: Crew, run_id: str, home: Path) -> AsyncGenerator[Event]:
    """Work on every unfinished reader of a run, and tell what happens.

    Stopping the iteration (or the process, at any moment) leaves the run resumable: iterate again
    over the same run.

    Args:
        crew: the agents and the store.
        run_id: a run that `Store.begin_run` wrote.
        home: the folder that holds the checkpoints.

    Raises:
        ModelError: the endpoint is unreachable or refuses; the run is stopped, and resumable.
        StorageError: the disk is full or the database locked; likewise.
    """
    store = crew.store
    readers = store.readers(run_id)
    unfinished = store.readers_with_work(run_id)
    yield RunBegan(
        run_id=run_id,
        readers=len(readers),
        requested=sum(r.requested for r in readers),
        resumed=any(r.profile for r in readers),
        unfinished=len(unfinished),
    )
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    crew.recorder.listener = events.put_nowait
    store.set_run_status(run_id, "running")
    work = asyncio.create_task(_work(crew, run_id, home, unfinished))
    work.add_done_callback(lambda _done: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await work
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, GravityError):
            await work
        store.settle(run_id)
    yield RunEnded(store.run(run_id))


async def _work(crew: Crew, run_id: str, home: Path, readers: Sequence[str]) -> None:
    seats = asyncio.Semaphore(crew.settings.readers_at_once)

    async def seated(machine: Machine, reader_id: str) -> None:
        async with seats:
            await _run_reader(crew, machine, run_id, reader_id)

    async with open_checkpoints(home / CHECKPOINTS) as saver:
        machine = build_graph(crew, saver)
        try:
            async with asyncio.TaskGroup() as group:
                for reader_id in readers:
                    group.create_task(seated(machine, reader_id))
        except* (ModelError, StorageError) as errors:
            raise errors.exceptions[0] from None
        except* sqlite3.Error as errors:
            raise storage_error(home / CHECKPOINTS, str(errors.exceptions[0])) from errors


async def _run_reader(crew: Crew, machine: Machine, run_id: str, reader_id: str) -> None:
    """Begin or take up one reader's thread; only what is this reader's own fault ends here."""
    thread: RunnableConfig = {
        "configurable": {"thread_id": thread_id(run_id, reader_id)},
        "recursion_limit": MOST_STEPS,
    }
    undecided = crew.store.pairs(run_id, status="review", reader_id=reader_id)
    before = await machine.aget_state(thread)
    if not (before.interrupts and undecided):
        given: Any = State(run_id=run_id, reader_id=reader_id, used=[], failures=[])
        if before.interrupts:
            given = Command(resume="decided")
        elif before.next:
            given = None
        with crew.recorder.reader(run_id, reader_id):
            try:
                await machine.ainvoke(given, thread, durability="sync")
            except GraphRecursionError as error:
                crew.store.end_reader(run_id, reader_id, "failed", error=str(error))
            finally:
                crew.flights.end(reader_id)
    if (await machine.aget_state(thread)).interrupts:
        crew.store.end_reader(run_id, reader_id, "waiting")
    ended = crew.store.reader(run_id, reader_id)
    crew.recorder.tell(ReaderEnded(reader_id, ended.status, ended.starved, ended.error))
