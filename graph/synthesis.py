"""Runs the machine over all readers: `async for event in synthesise(...)`; begins and resumes."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphRecursionError
from langgraph.types import Command
from langsmith import tracing_context

from agents.errors import GravityError, InputError, ModelError
from agents.records import Book, Reader
from agents.throttle import asking
from graph.build import Machine, build_graph
from graph.checkpoints import CHECKPOINTS, open_checkpoints, thread_id
from graph.claims import claim
from graph.crew import Crew
from graph.database import telling
from graph.events import Event, PairsWaiting, ReaderEnded, RunBegan, RunEnded
from graph.failures import Failure, write_failures
from graph.fingerprint import require_same
from graph.services import RunServices
from graph.settings import RunSettings
from graph.state import first_state

Build = Callable[[Crew, BaseCheckpointSaver[Any]], Machine]
"""Makes the machine; `graph.build.build_graph`, or one with nodes of your own."""
MOST_STEPS = 400
"""LangGraph's bound on the steps of one thread; rounds, rewrites and revisions end far earlier."""
BETWEEN_READERS_S = 0.1
"""From one of the first readers to the next: begun at once they would plan, ask and end at once as
well, and the endpoint would have nothing to do in between."""
MOST_UNREAD = 1000
"""Events that may lie unread before no further reader is begun."""


async def synthesise(
    settings: RunSettings,
    readers: Sequence[Reader] = (),
    books: Mapping[str, Book] | None = None,
    run_id: str | None = None,
    *,
    build: Build = build_graph,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Event]:
    """Gather preference pairs for `readers`, and tell what happens.

    A run that is known already is taken up where it stands; its readers are those it began with.
    Stopping the iteration (or the process, at any moment) leaves the run resumable.

    Args:
        settings: everything that the run goes by; `gravity.toml` is one way to come by them.
        readers: whose pairs are wanted; of a run that is known, none or the same.
        books: the catalogue by id; without it ratings tell nothing.
        run_id: the run's name; without one the next free `run-N` is begun.
        build: makes the machine.
        stop: once set, no further call is made, those in flight end, and the run stops.

    Raises:
        ConfigError: the run was begun under settings that would have given other pairs.
        InputError: a new run has no readers.
        LockedError: another process works on the run.
        ModelError: the endpoint is unreachable or refuses, or the cap on the cost is reached; the
            run is stopped, and resumable.
        StorageError: the disk is full or the database locked; likewise.
    """
    services = RunServices(settings)
    store = services.store
    name = run_id or store.next_run_id()
    with claim(settings.home, name):
        if run_id and store.has_run(name):
            require_same(name, store.run_settings(name)["settings"], settings)
        elif not readers:
            raise InputError(f"There are no readers to begin {name} with.")
        else:
            services.begin_run(name, readers)
        async with services.crew(books or {}, name) as crew:
            async for event in work_through(crew, name, settings.home, build, stop):
                yield event


async def work_through(
    crew: Crew,
    run_id: str,
    home: Path,
    build: Build = build_graph,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Event]:
    """Work on every unfinished reader of a run with this crew; nobody else may work on the run.

    Args:
        crew: the agents and the store.
        run_id: a run that `Store.begin_run` wrote.
        home: the folder that holds the checkpoints.
        build: makes the machine.
        stop: once set, no further call is made, those in flight end, and the run stops.

    Raises:
        ModelError: see `synthesise`.
        StorageError: likewise.
    """
    store = crew.store
    unfinished = store.readers_with_work(run_id)
    before = store.run(run_id)
    yield RunBegan(
        run_id=run_id,
        readers=before.readers,
        requested=before.accounting.requested,
        resumed=store.has_profile(run_id),
        unfinished=len(unfinished),
    )
    events = _Events()
    crew.recorder.listener = events.put
    store.set_run_status(run_id, "running")
    work = asyncio.create_task(_work(crew, run_id, home, unfinished, build, events))
    work.add_done_callback(lambda _done: events.end())
    stopper = asyncio.create_task(_stopped(crew, stop, work)) if stop else None
    try:
        async for event in events:
            yield event
        with contextlib.suppress(asyncio.CancelledError):
            await work
    finally:
        await _ended(*filter(None, (work, stopper)))
        store.settle(run_id)
        write_failures(store, run_id, home)
    yield RunEnded(store.run(run_id))


class _Events:
    """What was told and not read yet; without bound, but nobody begins anew while it is long."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, event: Event) -> None:
        self._queue.put_nowait(event)
        if self._queue.qsize() >= MOST_UNREAD:
            self._room.clear()

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def room(self) -> None:
        """Wait until most was read."""
        await self._room.wait()

    def __aiter__(self) -> "_Events":
        return self

    async def __anext__(self) -> Event:
        event = await self._queue.get()
        if self._queue.qsize() < MOST_UNREAD:
            self._room.set()
        if event is None:
            raise StopAsyncIteration
        return event


async def _ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for them, however they end."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # else asyncio complains that nobody asked


async def _stopped(crew: Crew, stop: asyncio.Event, work: asyncio.Task[None]) -> None:
    await stop.wait()
    await crew.chat.drain()
    work.cancel()


async def _work(
    crew: Crew, run_id: str, home: Path, readers: Sequence[str], build: Build, events: _Events
) -> None:
    """So many readers at a time; where one meets what stops the run, calls in flight still end."""
    left, path = deque(readers), home / CHECKPOINTS

    async def seat(machine: Machine) -> None:
        while left:
            reader_id = left.popleft()
            await events.room()
            asking.set(reader_id)
            try:
                with telling(path):
                    await _run_reader(crew, machine, run_id, reader_id)
            except ModelError:
                await crew.chat.drain()
                raise

    try:
        with (
            tracing_context(enabled=False),  # LangSmith's, which the environment may turn on
            crew.recorder.run(run_id),
            telling(path),
            open_checkpoints(path) as saver,
        ):
            machine = build(crew, saver)
            async with asyncio.TaskGroup() as group:
                for _ in range(crew.settings.readers_at_once):
                    if not left:
                        break
                    group.create_task(seat(machine))
                    await asyncio.sleep(BETWEEN_READERS_S)
    except* GravityError as errors:
        raise errors.exceptions[0] from None


async def _run_reader(crew: Crew, machine: Machine, run_id: str, reader_id: str) -> None:
    """Begin or take up one reader's thread; only what is this reader's own fault ends here."""
    thread: RunnableConfig = {
        "configurable": {"thread_id": thread_id(run_id, reader_id)},
        "recursion_limit": MOST_STEPS,
    }
    given: Any = first_state(run_id, reader_id)
    waits = False
    if crew.store.is_begun(run_id, reader_id):
        before = await machine.aget_state(thread)
        if before.interrupts:
            waits = bool(crew.store.pair_ids(run_id, reader_id, "review"))
            given = Command(resume="decided")
        elif before.next:
            given = None
    if not waits:
        with crew.recorder.reader(run_id, reader_id):
            try:
                state = await machine.ainvoke(given, thread, durability="async")
                waits = "__interrupt__" in state
            except GraphRecursionError as error:
                crew.store.end_reader(run_id, reader_id, "failed", error=str(error))
                failure = Failure(run_id, reader_id, "machine", "", "error", str(error))
                crew.recorder.failed(failure)
            finally:
                crew.flights.end(reader_id)
    if waits:
        crew.store.end_reader(run_id, reader_id, "waiting")
        waiting = crew.store.pair_ids(run_id, reader_id, "review")
        crew.recorder.tell(PairsWaiting(reader_id, tuple(waiting)))
    crew.recorder.tell(ReaderEnded(reader_id, *crew.store.ending(run_id, reader_id)))
