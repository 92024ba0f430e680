"""Whole runs with the scripted model: events, accounting, people, failures, resuming."""

import asyncio
import random
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from agents.endpoint import EndpointChat
from agents.errors import EndpointError, LockedError, RefusalError, ReplyError, WeightsError
from agents.judges.by_embedding import EmbeddedJudge
from agents.pair_critic import PairCritic
from agents.records import Pair
from agents.scripted import ScriptedEmbedder
from agents.settings import ChatSettings, CriticSettings
from graph.crew import Crew
from graph.events import Event, NodeDone, PairDecided, ReaderEnded, RunBegan, RunEnded
from graph.nodes import Nodes
from graph.state import first_state
from graph.synthesis import work_through
from tests.graph.crew import (
    UnluckyChat,
    assert_adds_up,
    assert_no_pair_twice,
    begin,
    open_crew,
    sample_readers,
    under,
    work,
)

AFTER = {
    "profile": {"compare", "invent"},
    "compare": {"plan"},
    "plan": {"draw", "review", "finish"},
    "draw": {"write", "pair"},
    "write": {"deduplicate"},
    "deduplicate": {"write", "pair"},
    "pair": {"criticise"},
    "criticise": {"write", "publish"},
    "publish": {"plan", "review"},
    "invent": {"invent", "review", "finish"},
    "review": {"plan", "invent"},
}
"""The roads of the machine, as build.py draws them."""


def assert_in_order(events: list[Event], readers: int) -> None:
    """Begin first, end last; every reader walks the roads, decides, and ends."""
    assert isinstance(events[0], RunBegan)
    assert isinstance(events[-1], RunEnded)
    told = events[1:-1]
    assert not any(isinstance(e, RunBegan | RunEnded) for e in told)
    ends = {e.reader_id: i for i, e in enumerate(told) if isinstance(e, ReaderEnded)}
    assert len(ends) == readers
    for reader, end in ends.items():
        own = [(i, e) for i, e in enumerate(told) if getattr(e, "reader_id", "") == reader]
        assert max(i for i, _ in own) == end
        walked = [e.node for _, e in own if isinstance(e, NodeDone)]
        assert all(after in AFTER[node] for node, after in pairwise(walked))


def assert_sound(crew: Crew, pairs: list[Pair]) -> None:
    """Chosen is the answer of the pole on which the reader stands, on a dimension known of them."""
    assert any(pair.group for pair in pairs), "some come from rated books"
    for pair in pairs:
        if pair.group:
            continue
        profile = crew.store.reader(pair.run_id, pair.reader_id).profile
        assert profile is not None
        attribute = profile.attribute(pair.dimension)
        assert attribute is not None
        assert attribute.source != "default"
        assert attribute.pole == pair.pole
        (scenario,) = crew.pool.get([pair.scenario_id])
        assert pair.chosen == scenario.answer(pair.pole)
        assert pair.rejected == scenario.answer("low" if pair.pole == "high" else "high")
        assert scenario.situation in pair.prompt[-1].content


async def test_a_run_from_end_to_end(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        asked = begin(crew, "one", readers=12)
        events = await work(crew, "one", tmp_path)
        assert events[0] == RunBegan("one", 12, asked, resumed=False, unfinished=12)
        assert_in_order(events, 12)
        walked = {e.node for e in events if isinstance(e, NodeDone)}
        assert walked == {*AFTER, "finish"} - {"review", "invent"}, "every road of the method"

        ended = events[-1]
        assert isinstance(ended, RunEnded)
        summary = ended.summary
        assert summary == crew.store.run("one")
        assert summary.status == "finished"
        assert_adds_up(summary.accounting)
        assert summary.accounting.requested == asked
        assert summary.accounting.pending == summary.accounting.failed == 0
        assert summary.spend.calls > 0

        pairs = crew.store.pairs("one")
        accepted = [p for p in pairs if p.status == "accepted"]
        assert {p.status for p in pairs} == {"accepted", "rejected"}
        assert len(accepted) == summary.accounting.accepted
        assert_no_pair_twice(pairs)
        assert_sound(crew, accepted)
        decided = [e for e in events if isinstance(e, PairDecided)]
        assert [e.pair_id for e in decided if e.status == "accepted"] != []
        assert {e.pair_id for e in decided if e.status == "accepted"} == {p.id for p in accepted}
        assert all(e.reason for e in decided)
        for reader in crew.store.readers("one"):
            own = [p for p in accepted if p.reader_id == reader.reader.id]
            unmet = {f for f in crew.settings.quotas if sum(p.facet == f for p in own) < 3}
            assert unmet == set(reader.starved), "every unmet quota has its reason"
            assert all(reader.starved.values())

        again = await work(crew, "one", tmp_path)
        assert [type(e) for e in again] == [RunBegan, RunEnded]
        assert crew.store.pairs("one") == pairs
        assert crew.store.run("one").spend.calls == summary.spend.calls


async def test_two_runs_share_the_pool(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        begin(crew, "two", readers=2)
        await work(crew, "two", tmp_path)
        first, second = (crew.store.pairs(run, status="accepted") for run in ("one", "two"))
        assert {p.scenario_id for p in first} & {p.scenario_id for p in second}
        assert not {p.id for p in first} & {p.id for p in second}
        assert_no_pair_twice([*first, *second])
        assert crew.store.run("two").spend.calls <= crew.store.run("one").spend.calls
        for run in ("one", "two"):
            assert_adds_up(crew.store.accounting(run))


# --- people -----------------------------------------------------------------------------------


async def test_readers_wait_for_a_person_and_go_on_in_any_order(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        asked = begin(crew, "one", readers=3)
        events = await work(crew, "one", tmp_path)
        assert_in_order(events, 3)
        assert {e.status for e in events if isinstance(e, ReaderEnded)} == {"waiting"}
        assert crew.store.run("one").status == "waiting"
        assert crew.store.accounting("one").pending == asked

        still = await work(crew, "one", tmp_path)
        assert [type(e) for e in still] == [RunBegan, RunEnded]
        assert crew.store.run("one").status == "waiting"

        decisions: dict[str, str] = {}
        for _ in range(20):
            waiting = crew.store.pairs("one", status="review")
            if not waiting:
                break
            random.Random(len(waiting)).shuffle(waiting)
            for number, pair in enumerate(waiting):
                action = "reject" if number % 4 == 0 else "approve"
                crew.store.decide(pair.id, action, "eve")
                assert pair.id not in decisions
                decisions[pair.id] = action
            await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert_adds_up(summary.accounting)
        assert summary.accounting.pending == 0
        for pair_id, action in decisions.items():
            pair = crew.store.pair(pair_id)
            assert pair.status == ("rejected" if action == "reject" else "accepted")
            assert pair.reason == f"{action} by eve"
        accepted = crew.store.pairs("one", status="accepted")
        assert {p.id for p in accepted} == {k for k, v in decisions.items() if v == "approve"}


async def test_a_reader_goes_on_only_when_all_of_theirs_is_decided(tmp_path: Path) -> None:
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        first, second = (r.reader.id for r in crew.store.readers("one"))
        own = crew.store.pairs("one", status="review", reader_id=first)
        for pair in own[:-1]:
            crew.store.decide(pair.id, "approve", "eve")
        assert (await work(crew, "one", tmp_path))[0].unfinished == 0  # pyright: ignore
        crew.store.decide(own[-1].id, "approve", "eve")
        events = await work(crew, "one", tmp_path)
        ended = [e for e in events if isinstance(e, ReaderEnded)]
        assert [e.reader_id for e in ended] == [first]
        assert crew.store.reader("one", second).status == "waiting"
        assert crew.store.run("one").status == "waiting"


async def test_only_the_doubtful_are_asked_about(tmp_path: Path) -> None:
    unsure = CriticSettings(reject_below=0.05, accept_from=0.5)
    with open_crew(tmp_path, review="doubtful") as crew:
        crew = replace(crew, critic=PairCritic([EmbeddedJudge(ScriptedEmbedder())], unsure))
        begin(crew, "one", readers=4)
        await work(crew, "one", tmp_path)
        asked = crew.store.pairs("one", status="review")
        assert asked
        assert all(0.05 <= (p.probability or 0) < 0.5 for p in asked)
        assert crew.store.pairs("one", status="accepted"), "what passed is published first"
        assert_adds_up(crew.store.accounting("one"))


async def test_a_decision_survives_that_the_step_is_repeated(tmp_path: Path) -> None:
    """A killed process repeats its last node; a person may have decided in between."""
    with open_crew(tmp_path, review="all") as crew:
        begin(crew, "one", readers=1)
        (reader,) = crew.store.readers("one")
        nodes = Nodes(crew)
        state = first_state("one", reader.reader.id)
        for node in (nodes.profile, nodes.plan, nodes.draw, nodes.pair):
            state |= await node(state)  # pyright: ignore
        after = await nodes.criticise(state)
        doubtful = [crew.store.pair(i) for i in after["doubtful"]]
        assert len(doubtful) > 2
        crew.store.decide(doubtful[0].id, "approve", "eve")
        crew.store.decide(doubtful[1].id, "reject", "eve", "dull")
        crew.store.decide(doubtful[2].id, "edit", "eve", chosen="Another answer.")
        before = crew.store.pairs("one")
        again = await nodes.criticise(state)
        after = crew.store.pairs("one")
        decided = {pair.id for pair in doubtful[:3]}
        assert [p for p in after if p.id in decided] == [p for p in before if p.id in decided]
        assert [(p.id, p.status, p.reason) for p in after] == [
            (p.id, p.status, p.reason) for p in before
        ]
        assert set(again["doubtful"]) == {p.id for p in doubtful[3:]}
        rejected = {p.scenario_id for p in before if p.status == "rejected"}
        assert not rejected & {i for ids in again["drawn"].values() for i in ids}


# --- failures ---------------------------------------------------------------------------------


async def test_an_endpoint_that_fails_stops_the_run_resumably(tmp_path: Path) -> None:
    broken = EndpointError("The endpoint is gone.")
    with open_crew(tmp_path, lambda told: UnluckyChat(told, broken, good=2)) as crew:
        asked = begin(crew, "one", readers=4)
        with pytest.raises(EndpointError, match="The endpoint is gone"):
            await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert summary.status == "stopped"
        assert summary.accounting.requested == asked
        assert summary.accounting.pending > 0
        assert_adds_up(summary.accounting)
        held = {p.id for p in crew.store.pairs("one", status="accepted")}
    with open_crew(tmp_path) as crew:
        events = await work(crew, "one", tmp_path)
        assert isinstance(events[0], RunBegan)
        assert events[0].resumed
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert summary.accounting.pending == 0
        assert_adds_up(summary.accounting)
        assert held <= {p.id for p in crew.store.pairs("one", status="accepted")}
        assert_no_pair_twice(crew.store.pairs("one"))


async def test_an_endpoint_that_nobody_serves(tmp_path: Path) -> None:
    settings = ChatSettings(model="m", base_url="http://127.0.0.1:9/v1", timeout_s=5)
    chats: list[EndpointChat] = []

    def make(told) -> EndpointChat:
        chats.append(EndpointChat(settings, told))
        return chats[0]

    with open_crew(tmp_path, make) as crew:
        begin(crew, "one", readers=12)
        with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9/v1 cannot be reached"):
            await work(crew, "one", tmp_path)
        await chats[0].close()
        assert crew.store.run("one").status == "stopped"
        calls = [s for s in crew.store.spans("one") if s.kind == "call"]
        assert calls
        assert any(s.error and "cannot be reached" in s.error for s in calls)


@pytest.mark.parametrize("error", [ReplyError("It rambles.", "raw"), RefusalError("It declines.")])
async def test_a_useless_reply_is_counted_and_not_fatal(tmp_path: Path, error) -> None:
    with open_crew(tmp_path, lambda told: UnluckyChat(told, error, good=0)) as crew:
        begin(crew, "one", readers=6)
        await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert_adds_up(summary.accounting)
        assert summary.accounting.accepted > 0
        reasons = [why for r in crew.store.readers("one") for why in r.starved.values()]
        assert any("writer calls failed, the last: " in w and str(error) in w for w in reasons)


async def test_a_thread_without_end_fails_its_reader_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("graph.synthesis.MOST_STEPS", 5)
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert_adds_up(summary.accounting)
        assert summary.accounting.failed > 0 and summary.accounting.pending == 0
        ended = crew.store.readers("one")
        assert all(r.status == "failed" and "Recursion limit of 5" in str(r.error) for r in ended)


async def test_a_judge_without_a_verdict_leaves_the_pair_to_a_person(tmp_path: Path) -> None:
    error = ReplyError("It rambles.")
    with open_crew(
        tmp_path, lambda told: UnluckyChat(told, error, good=0), "chat", review="doubtful"
    ) as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        asked = crew.store.pairs("one", status="review")
        assert asked
        told = "scripted gave no verdict (malformed): It rambles."
        assert all(p.reason == told and p.probability is None for p in asked)


async def test_locked_checkpoints_stop_the_run_resumably(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("graph.checkpoints.BUSY_TIMEOUT_S", 0.2)
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=1)
        other = sqlite3.connect(tmp_path / "checkpoints.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError, match=r"checkpoints\.db is locked"):
            await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "stopped"
        other.close()
        await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "finished"


async def test_what_nobody_foresaw_ends_the_run_in_order_too(tmp_path: Path, monkeypatch) -> None:
    async def failing(*_: object) -> None:
        raise WeightsError("The weights are gone.")

    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=2)
        with monkeypatch.context() as patch, pytest.raises(WeightsError, match="are gone"):
            patch.setattr(Nodes, "plan", failing)
            await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "stopped"
        await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "finished"


# --- stopping and resuming --------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 9, 30, 75])
async def test_a_run_that_is_cancelled_anywhere_resumes(tmp_path: Path, most: int) -> None:
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=4)
        events = await work(crew, "one", tmp_path, most)
        assert len(events) == most
        told = {e.pair_id for e in events if isinstance(e, PairDecided) and e.status == "accepted"}
        held = {p.id for p in crew.store.pairs("one", status="accepted")}
        assert told <= held, "what was told is kept"
        assert_adds_up(crew.store.accounting("one"))
        assert crew.store.run("one").status == "stopped"
        await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert summary.accounting.pending == 0
        assert_adds_up(summary.accounting)
        assert held <= {p.id for p in crew.store.pairs("one", status="accepted")}
        assert_no_pair_twice(crew.store.pairs("one"))


async def test_a_run_stopped_again_and_again_gathers_what_an_even_run_does(tmp_path: Path) -> None:
    with open_crew(tmp_path / "even", readers_at_once=1) as crew:
        begin(crew, "one", readers=3)
        await work(crew, "one", tmp_path / "even")
        even = crew.store.pairs("one", status="accepted")
    with open_crew(tmp_path / "torn", readers_at_once=1) as crew:
        begin(crew, "one", readers=3)
        for _ in range(100):
            await work(crew, "one", tmp_path / "torn", most=18)
            if crew.store.run("one").status == "finished":
                break
        torn = crew.store.pairs("one", status="accepted")
        assert {p.id: p.chosen for p in torn} == {p.id: p.chosen for p in even}
        assert_adds_up(crew.store.accounting("one"))


async def test_a_cancelled_task_leaves_the_run_stopped(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=4)

        async def consume() -> None:
            async for event in work_through(crew, "one", tmp_path):
                if isinstance(event, PairDecided):
                    halfway.set()

        halfway = asyncio.Event()
        task = asyncio.create_task(consume())
        await halfway.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if crew.store.run("one").status != "running":
                break
            await asyncio.sleep(0.05)
        assert crew.store.run("one").status == "stopped"
        await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "finished"


async def test_a_reader_without_anything_known_ends_starved(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        stranger = sample_readers(1)[0].model_copy(
            update={"reviews": (), "country": None, "favourite_genres": (), "questionnaire": {}}
        )
        crew.store.begin_run("one", "m", {}, [stranger], 12, [])
        await work(crew, "one", tmp_path)
        accounting = crew.store.accounting("one")
        assert (accounting.accepted, accounting.rejected) == (0, 12)
        assert set(crew.store.reader("one", stranger.id).starved) == set(crew.settings.quotas)


async def test_quotas_given_now_count_for_a_resumed_run(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        begin(crew, "one", readers=1)
        await work(under(crew, quotas={"value": 3}), "one", tmp_path)
        accepted = crew.store.pairs("one", status="accepted")
        assert {p.facet for p in accepted} == {"value"}
        assert_adds_up(crew.store.accounting("one"))
