"""`gravity runs cost` and `retry`: what a run has spent, and what it lost is worked on again."""

from collections.abc import Callable, Iterator

import pytest

from benchmarks.stub_endpoint import running
from graph.store import Store
from tests.commands.conftest import Gravity

SETTINGS = ("chat.price_in_usd=1", "chat.price_out_usd=2", "embedding.model=scripted")
NAIVE = ("--readers", "sample", "--limit", "2", "--model", "stub", "--method", "naive")


@pytest.fixture
def naive(gravity: Gravity) -> Iterator[Callable[[str], str]]:
    """Makes a naive run by this name at an endpoint with prices, and gives what it prints."""
    with running("--latency", "0") as url:
        options = [word for setting in SETTINGS for word in ("--set", setting)]
        words = (*options, "synth", *NAIVE, "--base-url", f"{url}/v1", "--run")
        yield lambda run: gravity(*words, run).out


def test_cost_by_agent_and_reader_adds_up(gravity: Gravity, naive: Callable[[str], str]) -> None:
    naive("dear")
    told = gravity("runs", "cost", "dear").out
    assert told.startswith("naive_writer ")
    assert "in all" in told
    by_agent = gravity("runs", "cost", "dear", "--json").json
    by_reader = gravity("runs", "cost", "--by", "reader", "--json").json
    assert len(by_reader) == 2
    for figure in ("calls", "tokens_in", "tokens_out", "cost_usd"):
        sums = {round(sum(row[figure] for row in by.values()), 9) for by in (by_agent, by_reader)}
        assert len(sums) == 1 and sums != {0}
    assert "agent or reader" in gravity("runs", "cost", "--by", "day", code=2).err
    assert "no run 'nope'" in gravity("runs", "cost", "nope", code=2).err


def test_the_same_run_again_costs_nothing_and_says_what_it_saved(
    gravity: Gravity, naive: Callable[[str], str]
) -> None:
    naive("one")
    told = naive("two")
    first = gravity("runs", "cost", "one", "--json").json["naive_writer"]
    second = gravity("runs", "cost", "two", "--json").json["naive_writer"]
    assert (second["calls"], second["cost_usd"]) == (0, 0)
    assert second["saved_calls"] == first["calls"] > 0
    assert f"{first['calls']} replies were kept from before" in told


def test_what_was_lost_is_worked_on_again(gravity: Gravity, store: Store) -> None:
    before = {pair.id for pair in store.pairs("done", status="accepted")}
    lost = store.readers("done")[0].reader.id
    gone = [p for p in store.pairs("done", reader_id=lost) if p.status == "accepted"][-1]
    store.put_pairs([gone.model_copy(update={"status": "rejected"})])
    store.end_reader("done", lost, "finished", starved={gone.facet: "the writer failed"}, failed=1)
    told = gravity("runs", "retry", "done", "--failed", "--json")
    account = told.json["accounting"]
    assert account["failed"] == account["pending"] == 0
    assert account["requested"] == account["accepted"] + account["rejected"]
    after = {pair.id for pair in store.pairs("done", status="accepted")}
    assert before - {gone.id} <= after


def test_where_nothing_failed_nothing_is_done(gravity: Gravity, store: Store) -> None:
    told = gravity("runs", "retry", "done", "--failed")
    assert "Nothing of done failed." in told.err
    assert told.out.startswith("done: finished.")
    assert "--failed" in gravity("runs", "retry", "done", code=2).err
