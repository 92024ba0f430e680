"""Runs that are taken up: under changed settings, by two at once, after signals, below a cap."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.books import SAMPLE
from graph.claims import claim
from graph.store import Store
from tests.agents.stub_endpoint import Answer, Stub, completion
from tests.commands.conftest import Gravity

ROOT = Path(__file__).parents[2]
BEGIN = ("synth", "--readers", "sample", "--limit", "2", "--model", "scripted")


@pytest.fixture
def waiting(gravity: Gravity, home: Path) -> Iterator[Store]:
    """A run `w` that waits for a person on all of its pairs, all decided by now."""
    gravity(*BEGIN, "--run", "w", "--review", "all")
    store = Store(home / "gravity.db")
    for pair in store.pairs("w", status="review"):
        store.decide(pair.id, "reject", "eve", "dull")
    yield store
    store.close()


# --- changed settings ---------------------------------------------------------------------------


def test_what_has_changed_is_told_and_asked(gravity: Gravity, waiting: Store):
    told = gravity("--set", "critic.accept_from=0.9", "synth", "--run", "w", code=2)
    assert "The configuration has changed since w began:" in told.err
    assert "  critic.accept_from: 0.5 → 0.9" in told.err
    assert "Say --settings kept to go on as it began, or --settings new." in told.err
    assert waiting.run("w").status == "waiting"


@pytest.mark.parametrize(("choice", "threshold"), [("kept", 0.5), ("new", 0.9)])
def test_the_choice_may_be_said_beforehand(
    gravity: Gravity, waiting: Store, choice: str, threshold: float
):
    gravity("--set", "critic.accept_from=0.9", "synth", "--run", "w", "--settings", choice)
    kept = waiting.run_settings("w")
    assert kept["settings"]["critic"]["accept_from"] == threshold
    assert [e["settings"]["critic"]["accept_from"] for e in kept.get("earlier", [])] == (
        [0.5] if choice == "new" else []
    )
    assert gravity("synth", "--run", "w", *(), code=0).code == 0


def test_what_changes_no_pair_is_not_asked_about(gravity: Gravity, waiting: Store):
    words = ("--set", "synthesis.readers_at_once=1", "--set", "chat.concurrency=2")
    told = gravity(*words, "synth", "--run", "w")
    assert "changed" not in told.err


def test_a_cap_that_is_given_once_is_the_runs_from_then_on(gravity: Gravity, waiting: Store):
    gravity("synth", "--run", "w", "--max-cost", "2.5", "--dry-run")
    assert waiting.run_settings("w")["settings"]["synthesis"]["max_cost_usd"] is None
    gravity("synth", "--run", "w", "--max-cost", "2.5")
    kept = waiting.run_settings("w")
    assert kept["settings"]["synthesis"]["max_cost_usd"] == 2.5
    assert not kept.get("earlier")


def test_settings_do_not_change_under_a_process_at_work(
    gravity: Gravity, waiting: Store, home: Path
):
    before = waiting.run_settings("w")
    words = ("--set", "critic.accept_from=0.9", "synth", "--run", "w", "--settings", "new")
    with claim(home, "w"):
        assert "w is being worked on by process" in gravity(*words, code=4).err
    assert waiting.run_settings("w") == before


def test_a_flag_that_says_what_the_run_says_is_no_change(gravity: Gravity, waiting: Store):
    told = gravity("synth", "--run", "w", "--model", "scripted", "--review", "all")
    assert "changed" not in told.err


def test_a_file_that_has_changed_is_noticed(gravity: Gravity, waiting: Store):
    Path("gravity.toml").write_text("[deduplicator]\nduplicate_from = 0.4\n")
    told = gravity("synth", "--run", "w", code=2)
    assert "deduplicator.duplicate_from: 0.7 → 0.4" in told.err


def test_another_word_than_kept_or_new_is_refused(gravity: Gravity, waiting: Store):
    told = gravity("synth", "--run", "w", "--settings", "mine", code=2)
    assert "kept or new" in told.err


# --- two at once, and runs that are not there ---------------------------------------------------


def test_a_second_process_is_refused_and_names_the_first(
    gravity: Gravity, waiting: Store, home: Path
):
    held = "import sys, time; from pathlib import Path; from graph.claims import claim\n"
    held += "with claim(Path(sys.argv[1]), 'w'): print('held', flush=True); time.sleep(60)"
    first = subprocess.Popen(
        [sys.executable, "-c", held, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout and first.stdout.readline() == "held\n"
        told = gravity("synth", "--run", "w", code=4)
        assert f"w is being worked on by process {first.pid} since" in told.err
        told = gravity("runs", "retry", "w", "--failed", code=4)
        assert f"process {first.pid}" in told.err
    finally:
        first.kill()
        first.wait()
    gravity("synth", "--run", "w")


@pytest.mark.parametrize(
    "words",
    [("runs", "show", "nix"), ("runs", "cost", "nix"), ("runs", "retry", "nix", "--failed")],
)
def test_a_run_that_does_not_exist_is_one_line(gravity: Gravity, gathered: Path, words):
    told = gravity(*words, code=2)
    assert told.err.splitlines()[-1].startswith("gravity: There is no run 'nix'. `gravity runs")


# --- signals, and the account at every exit -----------------------------------------------------


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


def slow(stub: Stub, delay_s: float) -> list[str]:
    """A run whose pairs are judged by an endpoint that takes its time."""
    opinion = {"preferred": "A", "offers_both": "yes", "both_plausible": "yes", "hinges": "yes"}
    body = completion(json.dumps(opinion | {"reason": "so"})).body
    stub.answers = [Answer(200, body, delay_s=delay_s)]
    words = ["--set", "critic.judges=chat", "--set", "critic.votes=1"]
    words += ["--set", "embedding.model=scripted", "--set", "synthesis.rounds=1"]
    words += ["synth", "--readers", "sample", "--limit", "4", "--books", str(SAMPLE)]
    return [*words, "--model", "m", "--base-url", stub.base_url, "--run", "k"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_calls_in_flight_end_and_keeps_their_replies(
    home: Path, stub: Stub, number: signal.Signals, code: int
):
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "--home", str(home), *slow(stub, 1.0)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and not stub.asked:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert "stopping: calls in flight end first" in err
    assert "requested 48 = accepted" in err
    assert "Stopped. `gravity synth --run k` goes on." in err
    assert "Traceback" not in err
    store = Store(home / "gravity.db")
    spend = store.spend("k")
    assert spend.calls == len(stub.asked) > 0
    assert spend.failed == 0, "none was cancelled"
    assert store.run("k").status == "stopped"
    store.close()


def test_a_cap_stops_the_run_and_a_higher_one_goes_on_without_paying_twice(
    gravity: Gravity, home: Path, stub: Stub
):
    prices = ("--set", "chat.price_in_usd=1.0", "--set", "chat.price_out_usd=1.0")
    prices += ("--set", "chat.max_tokens=100", "--set", "chat.concurrency=4")
    words = slow(stub, 0.0)
    told = gravity(*prices, *words, "--max-cost", "0.003", code=6)
    assert "The cap of $0.003 is reached: $0.00" in told.err
    assert "requested 48 = accepted" in told.err
    store = Store(home / "gravity.db")
    spent = store.spend("k")
    assert 0 < spent.cost_usd <= 0.003
    assert store.run("k").status == "stopped"
    asked = len(stub.asked)
    told = gravity("synth", "--run", "k", "--max-cost", "5")
    assert "k: finished." in told.out
    after = store.spend("k")
    assert after.calls == len(stub.asked) > asked
    bodies = [json.dumps(body["messages"]) for body in stub.asked]
    assert len(set(bodies)) == len(bodies), "nothing was asked for twice"
    store.close()


def test_a_cap_below_the_first_call_is_one_line(gravity: Gravity, home: Path, stub: Stub):
    words = slow(stub, 0.0)
    told = gravity("--set", "chat.price_out_usd=10", *words, "--max-cost", "0.001", code=6)
    assert stub.asked == []
    assert (
        "The cap of $0.001 is reached: $0.000000 are spent, and the next call may cost" in told.err
    )


def test_a_run_again_costs_nothing_and_says_what_it_saved(gravity: Gravity, home: Path, stub: Stub):
    words = slow(stub, 0.0)
    gravity("--set", "chat.price_in_usd=1", *words)
    asked = len(stub.asked)
    again = [word if word != "k" else "again" for word in words]
    told = gravity("--set", "chat.price_in_usd=1", *again)
    assert len(stub.asked) == asked
    assert f"{asked} replies were kept from before ($" in told.out
    assert "0 model calls, 0 tokens, $0.0000" in told.out
    costs = gravity("runs", "cost", "again", "--json").json
    assert costs["pair_critic"]["saved_calls"] == asked


def test_costs_by_agent_and_by_reader(gravity: Gravity, home: Path, stub: Stub):
    gravity("--set", "chat.price_in_usd=1", *slow(stub, 0.0))
    by_agent = gravity("runs", "cost", "k")
    assert by_agent.out.startswith("pair_critic ")
    assert "in all" in by_agent.out.splitlines()[-1]
    by_reader = gravity("runs", "cost", "k", "--by", "reader", "--json").json
    assert len(by_reader) == 4
    assert sum(spend["calls"] for spend in by_reader.values()) == len(stub.asked)
    assert "agent or reader" in gravity("runs", "cost", "k", "--by", "night", code=2).err


def test_retrying_where_nothing_failed_changes_nothing(gravity: Gravity, gathered: Path):
    told = gravity("runs", "retry", "done", "--failed")
    assert "Nothing of done failed." in told.err
    assert "done: finished." in told.out
    assert "say what to retry" in gravity("runs", "retry", "done", code=2).err


def test_what_was_lost_is_worked_on_again(gravity: Gravity, store: Store):
    before = {pair.id for pair in store.pairs("done", status="accepted")}
    lost = store.readers("done")[0].reader.id
    gone = [p for p in store.pairs("done", reader_id=lost) if p.status == "accepted"][-1]
    store.put_pairs([gone.model_copy(update={"status": "rejected"})])
    store.end_reader("done", lost, "finished", starved={gone.facet: "the writer failed"}, failed=1)
    account = gravity("runs", "retry", "done", "--failed", "--json").json["accounting"]
    assert account["failed"] == account["pending"] == 0
    assert account["requested"] == account["accepted"] + account["rejected"]
    assert before - {gone.id} <= {pair.id for pair in store.pairs("done", status="accepted")}
