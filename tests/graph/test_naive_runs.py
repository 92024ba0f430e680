"""The naive baseline from end to end: pairs are invented and taken, counted, resumed, exported."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.chat import Reply
from agents.errors import EndpointError, ReplyError
from agents.records import FACETS, Message
from agents.scripted import ScriptedChat
from graph.events import NodeDone, PairDecided, ReaderEnded
from graph.export import export_pairs
from tests.graph.crew import (
    UnluckyChat,
    assert_adds_up,
    assert_no_pair_twice,
    begin,
    open_crew,
    work,
)
from training.dataset import read_pairs


async def test_all_requested_pairs_are_accounted_for(tmp_path: Path) -> None:
    with open_crew(tmp_path, method="naive") as crew:
        asked = begin(crew, "one", readers=5)
        events = await work(crew, "one", tmp_path)
        walked = [e.node for e in events if isinstance(e, NodeDone)]
        assert set(walked) == {"profile", "invent", "finish"}
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert_adds_up(summary.accounting)
        assert summary.accounting.requested == summary.accounting.accepted == asked
        pairs = crew.store.pairs("one")
        assert_no_pair_twice(pairs)
        assert {p.status for p in pairs} == {"accepted"}
        for reader in crew.store.readers("one"):
            own = [p.facet for p in pairs if p.reader_id == reader.reader.id]
            assert {f: own.count(f) for f in FACETS} == crew.settings.quotas
            assert reader.starved == {}
        decided = {e.pair_id for e in events if isinstance(e, PairDecided)}
        assert decided == {p.id for p in pairs}
        again = await work(crew, "one", tmp_path)
        assert not any(isinstance(e, NodeDone | PairDecided) for e in again)
        assert crew.store.pairs("one") == pairs


async def test_invented_pairs_rest_on_no_dimension_and_ask_nothing_of_the_pool(
    tmp_path: Path,
) -> None:
    with open_crew(tmp_path, method="naive") as crew:
        begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        pairs = crew.store.pairs("one")
        assert {p.dimension for p in pairs} == {""}
        assert all(not p.verdicts and p.reason for p in pairs)
        assert crew.pool.get([p.scenario_id for p in pairs]) == []
        agents = {s.name for s in crew.store.spans("one") if s.kind == "call"}
        assert agents == {"naive_writer"}


@pytest.mark.parametrize("review", ["none", "all"])
@pytest.mark.parametrize("most", [1, 2, 4, 7, 20, 37])
async def test_a_run_that_is_stopped_and_resumed_doubles_nothing(
    tmp_path: Path, most: int, review: str
) -> None:
    with open_crew(tmp_path, method="naive", review=review) as crew:
        asked = begin(crew, "one", readers=3)
        assert len(await work(crew, "one", tmp_path, most)) == most
        assert_adds_up(crew.store.accounting("one"))
        assert crew.store.run("one").status == "stopped"
        held = {p.id for p in crew.store.pairs("one")}
    with open_crew(tmp_path, method="naive", review=review) as crew:
        await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert_adds_up(summary.accounting)
        pairs = crew.store.pairs("one")
        assert_no_pair_twice(pairs)
        assert len(pairs) == asked
        assert held <= {p.id for p in pairs}
        if review == "none":
            assert summary.status == "finished"
            assert summary.accounting.accepted == asked
        else:
            assert summary.accounting.pending == asked
            assert {r.status for r in crew.store.readers("one")} == {"waiting"}
            assert summary.status == "waiting"


@pytest.mark.parametrize("most", [3, 5, 9, 14])
async def test_a_book_pair_is_still_waited_for_after_a_stop(tmp_path: Path, most: int) -> None:
    """Nothing but book pairs is asked for, so that no other doubtful pair holds the reader."""
    quotas = {"interest": 1}
    with open_crew(tmp_path, review="all", quotas=quotas) as crew:
        begin(crew, "one", readers=3)
        await work(crew, "one", tmp_path, most)
        await work(crew, "one", tmp_path)
        waiting = {p.reader_id for p in crew.store.pairs("one", status="review")}
        assert waiting
        assert {crew.store.reader("one", i).status for i in waiting} == {"waiting"}


# --- people -----------------------------------------------------------------------------------


async def test_all_of_them_wait_for_a_person(tmp_path: Path) -> None:
    with open_crew(tmp_path, method="naive", review="all") as crew:
        asked = begin(crew, "one", readers=2)
        events = await work(crew, "one", tmp_path)
        assert {e.status for e in events if isinstance(e, ReaderEnded)} == {"waiting"}
        assert crew.store.accounting("one").pending == asked
        waiting = crew.store.pairs("one", status="review")
        assert len(waiting) == asked
        for pair in waiting:
            crew.store.decide(pair.id, "approve", "eve")
        events = await work(crew, "one", tmp_path)
        assert [e.node for e in events if isinstance(e, NodeDone)].count("finish") == 2
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert summary.accounting.accepted == asked
        assert crew.store.pairs("one", status="accepted") == crew.store.pairs("one")


async def test_what_a_person_has_refused_stays_refused(tmp_path: Path) -> None:
    with open_crew(tmp_path, method="naive", review="all") as crew:
        begin(crew, "one", readers=1)
        await work(crew, "one", tmp_path)
        refused: set[str] = set()
        for _ in range(10):
            waiting = crew.store.pairs("one", status="review")
            if not waiting:
                break
            for pair in waiting:
                crew.store.decide(pair.id, "reject", "eve")
                assert pair.id not in refused, "a decided pair is put before a person again"
                refused.add(pair.id)
            await work(crew, "one", tmp_path)
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert_adds_up(summary.accounting)
        assert (summary.accounting.accepted, summary.accounting.pending) == (0, 0)
        assert {p.id for p in crew.store.pairs("one", status="rejected")} == refused
        (reader,) = crew.store.readers("one")
        assert set(reader.starved) == set(FACETS), "every unmet quota has its reason"


# --- a model that repeats itself ----------------------------------------------------------------


class Parrot(ScriptedChat):
    """The scripted model, which invents the same pair again and again."""

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        again = {
            "prompt": "Which of two films shall I watch tonight?",
            "preferred": "The one with the long silent shots, because you like to look at things.",
            "other": "The one with the car chase, because it is over soon and loud enough.",
        }
        return reply.model_validate({"pairs": [again] * 3})


async def test_what_is_invented_twice_counts_once(tmp_path: Path) -> None:
    with open_crew(tmp_path, Parrot, method="naive") as crew:
        asked = begin(crew, "one", readers=1)
        events = await work(crew, "one", tmp_path)
        (pair,) = crew.store.pairs("one")
        assert [e.pair_id for e in events if isinstance(e, PairDecided)] == [pair.id]
        accounting = crew.store.accounting("one")
        assert_adds_up(accounting)
        assert (accounting.requested, accounting.accepted) == (asked, 1)
        (reader,) = crew.store.readers("one")
        assert set(reader.starved) == set(FACETS), "every unmet quota has its reason"
        lacking = " 2 pairs are lacking" if pair.facet == "interest" else " 3 pairs are lacking"
        assert lacking in reader.starved["interest"]


# --- failures ---------------------------------------------------------------------------------


async def test_useless_replies_end_the_rounds_with_a_reason(tmp_path: Path) -> None:
    error = ReplyError("It rambles.")
    with open_crew(
        tmp_path, lambda told: UnluckyChat(told, error, good=0), method="naive", rounds=2
    ) as crew:
        asked = begin(crew, "one", readers=2)
        events = await work(crew, "one", tmp_path)
        walked = [e.node for e in events if isinstance(e, NodeDone)]
        assert walked.count("invent") == 2 * 2, "two rounds for each of two readers"
        summary = crew.store.run("one")
        assert summary.status == "finished"
        assert summary.accounting.failed == asked
        assert_adds_up(summary.accounting)
        for reader in crew.store.readers("one"):
            assert set(reader.starved) == set(FACETS)
            assert all("It rambles." in why for why in reader.starved.values())


async def test_an_endpoint_that_fails_stops_the_run_resumably(tmp_path: Path) -> None:
    gone = EndpointError("The endpoint is gone.")
    with open_crew(tmp_path, lambda t: UnluckyChat(t, gone, good=6), method="naive") as crew:
        asked = begin(crew, "one", readers=4)
        with pytest.raises(EndpointError, match="The endpoint is gone"):
            await work(crew, "one", tmp_path)
        assert crew.store.run("one").status == "stopped"
        assert_adds_up(crew.store.accounting("one"))
        paid = {p.facet for p in crew.store.pairs("one")}
        assert paid == set(FACETS), "what the calls before gave is kept"
    with open_crew(tmp_path, method="naive") as crew:
        await work(crew, "one", tmp_path)
        assert crew.store.accounting("one").accepted == asked
        assert_no_pair_twice(crew.store.pairs("one"))


# --- leaving ----------------------------------------------------------------------------------


async def test_invented_pairs_are_exported_and_can_be_trained_on(tmp_path: Path) -> None:
    with open_crew(tmp_path, method="naive") as crew:
        asked = begin(crew, "one", readers=2)
        await work(crew, "one", tmp_path)
        accepted = {p.id: p for p in crew.store.pairs("one", status="accepted")}
        assert export_pairs(crew.store, "one", tmp_path / "out") == asked
    rows = read_pairs(tmp_path / "out" / "pairs.parquet").to_list()
    assert {row["pair_id"] for row in rows} == set(accepted)
    assert len(rows) == asked
    for row in rows:
        pair = accepted[row["pair_id"]]
        assert row["group"] == pair.scenario_id
        assert row["prompt"][-1]["content"] == pair.prompt[-1].content
        assert row["chosen"][0]["content"] == pair.chosen
