"""Decisions reach the run exactly once: in any order, from several processes, after a kill."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agents.errors import DecisionError
from agents.settings import CriticSettings
from graph.build import build_graph
from graph.checkpoints import CHECKPOINTS, open_checkpoints, thread_id
from graph.crew import Crew
from graph.events import ReaderEnded, RunBegan
from graph.nodes import Nodes
from graph.state import first_state
from graph.store import Store
from tests.graph.crew import (
    assert_adds_up,
    assert_no_pair_twice,
    begin,
    open_crew,
    sample_readers,
    work,
)

ROOT = Path(__file__).parents[2]
DECIDING = """
import os, signal, sys, time
from pathlib import Path
from graph.store import Store
store = Store(Path(sys.argv[1]))
def decide_all(first="approve"):
    for pair_id in store.waiting("one", "eve"):
        store.decide(pair_id, first, "eve")
        print(pair_id, flush=True)
        first = "approve"
"""
AND_DIE = (
    DECIDING
    + """
decide_all()
os.kill(os.getpid(), signal.SIGKILL)
"""
)
MEANWHILE = (
    DECIDING
    + """
until = time.monotonic() + 60
while not store.waiting("one", "eve") and time.monotonic() < until:
    time.sleep(0.001)
decide_all("reject")
while store.run("one").status != "finished" and time.monotonic() < until:
    decide_all()
    time.sleep(0.001)
"""
)


def python(store: Store, code: str) -> subprocess.Popen[str]:
    """Another process that decides, and names the pairs it has decided on."""
    command = [sys.executable, "-c", code, str(store.path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def approve(store: Store, reader_id: str, but: int = 0) -> list[str]:
    """Eve approves a reader's pairs, all but the last few."""
    waiting = [p.id for p in store.pairs("one", "review", reader_id)]
    for pair_id in waiting[: len(waiting) - but]:
        store.decide(pair_id, "approve", "eve")
    return waiting


def assert_each_decision_counts_once(store: Store) -> None:
    """No pair has two words that stand, and each is what its word says and was taken up."""
    standing = [d for d in store.trail("one") if d.action != "undo" and not d.undone_at]
    assert len({d.pair_id for d in standing}) == len(standing)
    assert all(d.taken_up_at for d in standing)
    assert all(d.status == ("rejected" if d.action == "reject" else "accepted") for d in standing)
    assert_no_pair_twice(store.pairs("one"))
    assert_adds_up(store.accounting("one"))


async def to_the_end(crew: Crew, home: Path) -> None:
    """Eve approves until nobody waits any more."""
    for _ in range(20):
        await work(crew, "one", home)
        waiting = crew.store.waiting("one", "eve")
        if not waiting:
            break
        for pair_id in waiting:
            crew.store.decide(pair_id, "approve", "eve")
    assert crew.store.run("one").status == "finished"


async def test_two_people_decide_in_any_order_across_readers(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all", rounds=2) as crew:
        settings = {"settings": {"synthesis": {"reviewers": 2}}}
        asked = sum(crew.settings.quotas.values())
        crew.store.begin_run("one", "scripted", settings, sample_readers(2), asked, [])
        people = [Store(crew.store.path) for _ in range(3)]
        dice = random.Random(3)
        for _ in range(40):
            await work(crew, "one", tmp_path)
            sent = [
                (pair_id, name, store)
                for name, store in zip(("eve", "bob"), people, strict=False)
                for pair_id in store.waiting("one", name)
            ]
            dice.shuffle(sent)
            for pair_id, name, store in sent:
                store.decide(pair_id, dice.choice(["approve", "approve", "reject"]), name)  # pyright: ignore
            for pair_id in people[2].waiting("one", "cat"):
                people[2].decide(pair_id, "reject", "cat")
            if not sent:
                break
        assert crew.store.run("one").status == "finished"
        assert_adds_up(crew.store.accounting("one"))
        trail = crew.store.trail("one")
        assert all(line.taken_up_at for line in trail)
        by_pair = {line.pair_id: [o for o in trail if o.pair_id == line.pair_id] for line in trail}
        for lines in by_pair.values():
            accepting = sum(line.action == "approve" for line in lines)
            assert lines[0].status == ("accepted" if accepting == 2 else "rejected")
            assert len(lines) == (2 if accepting in (0, 2) else 3)
        assert {len(lines) for lines in by_pair.values()} == {2, 3}
        for store in people:
            store.close()


async def test_a_deciding_process_is_killed_before_anyone_goes_on(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        waiting = crew.store.waiting("one", "eve")
        process = python(crew.store, AND_DIE)
        said = process.communicate(timeout=60)[0].split()
        assert process.returncode == -signal.SIGKILL
        assert said == waiting
        assert crew.store.waiting("one", "eve") == []
        await to_the_end(crew, tmp_path)
        assert {line.pair_id for line in crew.store.trail("one")} >= set(said)
        assert_each_decision_counts_once(crew.store)


async def test_a_deciding_process_is_killed_amid_its_work(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        process = python(crew.store, AND_DIE)
        assert process.stdout
        said = [process.stdout.readline().strip() for _ in range(3)]
        process.send_signal(signal.SIGKILL)
        said += process.communicate(timeout=60)[0].split()
        kept = [line.pair_id for line in crew.store.trail("one")]
        assert kept[: len(said)] == said, "what was told to be decided is decided"
        assert len(kept) - len(said) <= 1
        assert all(crew.store.pair(pair_id).status == "accepted" for pair_id in kept)
        assert not set(kept) & set(crew.store.waiting("one", "eve"))
        await to_the_end(crew, tmp_path)
        assert_each_decision_counts_once(crew.store)


async def test_a_process_is_killed_when_it_has_taken_the_batch_up(tmp_path: Path) -> None:
    """Its last step, which the next process repeats, is the one that took the batch up."""
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=1)
        await work(crew, "one", tmp_path)
        (reader,) = crew.store.readers("one")
        first, *_ = approve(crew.store, reader.reader.id)
        assert crew.store.take_up("one", reader.reader.id)
        taken = crew.store.trail("one")
        with pytest.raises(DecisionError, match="is not in review: accepted by eve"):
            crew.store.undo(first, "eve")
        await to_the_end(crew, tmp_path)
        assert crew.store.trail("one")[: len(taken)] == taken
        assert_each_decision_counts_once(crew.store)


async def test_going_on_twice_changes_nothing_and_undo_comes_too_late(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        one, other = (r.reader.id for r in crew.store.readers("one"))
        first, *_ = approve(crew.store, one)
        events = await work(crew, "one", tmp_path)
        assert [e.reader_id for e in events if isinstance(e, ReaderEnded)] == [one]
        pairs, trail = crew.store.pairs("one"), crew.store.trail("one")
        (began, _) = await work(crew, "one", tmp_path)
        assert isinstance(began, RunBegan) and began.unfinished == 0
        assert (crew.store.pairs("one"), crew.store.trail("one")) == (pairs, trail)
        with pytest.raises(DecisionError, match="accepted by eve on"):
            crew.store.undo(first, "eve")
        assert crew.store.reader("one", other).status == "waiting"


async def test_a_reader_waits_again_for_what_was_undone_in_time(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=1)
        await work(crew, "one", tmp_path)
        (reader,) = crew.store.readers("one")
        *_, last = approve(crew.store, reader.reader.id)
        crew.store.undo(last, "bob")
        (began, _) = await work(crew, "one", tmp_path)
        assert isinstance(began, RunBegan) and began.unfinished == 0
        crew.store.decide(last, "reject", "bob")
        await to_the_end(crew, tmp_path)
        assert crew.store.pair(last).status == "rejected"
        assert_each_decision_counts_once(crew.store)


async def test_a_thread_that_is_woken_too_early_waits_on(tmp_path: Path) -> None:
    """Somebody may undo in the moment between the look at the pairs and the thread's going on."""
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=1)
        await work(crew, "one", tmp_path)
        (reader,) = crew.store.readers("one")
        approve(crew.store, reader.reader.id, but=1)
        thread: RunnableConfig = {"configurable": {"thread_id": thread_id("one", reader.reader.id)}}
        with open_checkpoints(tmp_path / CHECKPOINTS) as saver:
            machine = build_graph(crew, saver)
            for _ in range(2):
                with crew.recorder.reader("one", reader.reader.id):
                    await machine.ainvoke(Command(resume="decided"), thread, durability="sync")
                assert (await machine.aget_state(thread)).interrupts
        assert not any(line.taken_up_at for line in crew.store.trail("one"))
        await to_the_end(crew, tmp_path)
        assert_each_decision_counts_once(crew.store)


async def test_nobody_is_asked_about_what_is_decided_already(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=1)
        (reader,) = crew.store.readers("one")
        nodes = Nodes(crew)
        state = first_state("one", reader.reader.id)
        for node in (nodes.profile, nodes.plan, nodes.draw, nodes.pair, nodes.criticise):
            state |= await node(state)  # pyright: ignore
        approve(crew.store, reader.reader.id)
        assert await nodes.review(state) == {"doubtful": []}, "it would interrupt otherwise"


async def test_with_none_nothing_waits(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="none") as crew:
        begin(crew, "one", readers=3)
        await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "finished"
        pairs = crew.store.pairs("one")
        assert {p.status for p in pairs} <= {"accepted", "rejected"}
        judged = [p for p in pairs if p.status == "accepted" and p.probability is not None]
        assert judged
        assert all((p.probability or 0) >= CriticSettings().accept_from for p in judged)


async def test_decisions_are_taken_while_the_run_goes_on(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all", readers_at_once=1) as crew:
        begin(crew, "one", readers=6)
        process = python(crew.store, MEANWHILE)
        ends: list[float] = []
        while crew.store.run("one").status != "finished" and len(ends) < 100:
            await work(crew, "one", tmp_path)
            ends.append(time.time())
        said = process.communicate(timeout=60)[0].split()
        assert process.returncode == 0
        trail = crew.store.trail("one")
        assert [line.pair_id for line in trail] == said
        assert trail[0].at < ends[0], "some were decided while the first readers were worked on"
        assert trail[0].status == "rejected"
        assert_each_decision_counts_once(crew.store)
