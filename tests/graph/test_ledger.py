"""What was paid for is entered once, summed by agent and reader, and never asked for again."""

from pathlib import Path

import pytest

from agents.records import ModelCall
from graph.ledger import Spend, note_call
from graph.store import Store


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    yield store
    store.close()


def called(agent: str = "writer", **other) -> ModelCall:
    given = {"agent": agent, "model": "m", "prompt": (), "reply": "{}", "tokens_in": 10}
    given |= {"tokens_out": 5, "duration_s": 0.1, "cost_usd": 0.5}
    return ModelCall.model_validate(given | other)


def note(store: Store, reader: str, call: ModelCall) -> None:
    with store.connected() as connection:
        note_call(connection, "one", reader, call)


def test_sums_by_run_reader_and_agent(store: Store):
    note(store, "ana", called())
    note(store, "ana", called("critic", cost_usd=0.25, error="It declines."))
    note(store, "bob", called(cost_usd=1.0))
    assert store.spend("one") == Spend(3, 1, 30, 15, 1.75)
    assert store.spend("one", "ana") == Spend(2, 1, 20, 10, 0.75)
    assert store.spend("two") == Spend()
    by_agent = store.spend_by("one", "agent")
    assert list(by_agent) == ["writer", "critic"], "the dearest first"
    assert by_agent["critic"].failed == 1
    assert list(store.spend_by("one", "reader")) == ["bob", "ana"]


def test_a_reply_is_kept_under_its_key_and_a_failure_is_not(store: Store):
    note(store, "ana", called(key="k", reply="yes", logprobs={"content": []}))
    note(store, "ana", called(key="broken", error="It does not fit."))
    kept = store.kept_reply("k")
    assert kept is not None
    assert (kept.text, kept.tokens_in, kept.tokens_out, kept.cost_usd) == ("yes", 10, 5, 0.5)
    assert kept.logprobs == {"content": []}
    assert store.kept_reply("broken") is None
    assert store.kept_reply("other") is None


def test_the_first_reply_to_a_key_stays(store: Store):
    note(store, "ana", called(key="k", reply="first"))
    note(store, "bob", called(key="k", reply="second"))
    kept = store.kept_reply("k")
    assert kept and kept.text == "first"
    assert store.spend("one").calls == 2


def test_a_kept_reply_costs_nothing_and_tells_what_it_saved(store: Store):
    note(store, "ana", called(key="k"))
    note(store, "ana", called(key="k", cached=True))
    spend = store.spend("one")
    assert spend == Spend(1, 0, 10, 5, 0.5, saved_calls=1, saved_usd=0.5)
    assert str(spend) == (
        "1 model calls, 15 tokens, $0.5000; 1 replies were kept from before ($0.5000)"
    )
