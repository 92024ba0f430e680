"""`gravity synth --dry-run` tells what a run would cost, on what that rests, and begins nothing."""

import json
import re
from pathlib import Path

import pytest

from graph.store import Store
from tests.commands.conftest import Gravity

PRICED = ("--set", "chat.price_in_usd=1", "--set", "chat.price_out_usd=2")
DRY = ("synth", "--readers", "sample", "--limit", "3", "--dry-run")
SCRIPTED = ("--set", "embedding.model=scripted")
JUDGED = (*SCRIPTED, "--set", "critic.judges=chat", *PRICED)
MODEL = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")


def test_nothing_is_begun_and_no_endpoint_is_asked(gravity: Gravity, home: Path) -> None:
    told = gravity(*JUDGED, *DRY, *MODEL).out
    assert told.startswith("3 readers, 36 pairs requested: about ")
    assert re.search(r"^ +least +likely +most +tokens in +out +least \$ +likely \$", told, re.M)
    assert re.search(r"^pair_critic ", told, re.M)
    assert re.search(r"^in all ", told, re.M)
    assert "A chat judge is asked twice about each pair" in told
    store = Store(home / "gravity.db")
    assert store.runs() == []
    store.close()


def test_a_judge_without_a_model_asks_for_nothing_likely(gravity: Gravity) -> None:
    told = gravity(*DRY, "--model", "scripted").out
    assert "The pool has scenes for everybody's first round." in told
    assert "No prices are set, so no money is told" in told
    assert "least $" not in told


def test_figures_for_scripts_are_in_order(gravity: Gravity) -> None:
    told = gravity(*JUDGED, *DRY, *MODEL, "--json").json
    agents = {agent["agent"]: agent for agent in told["agents"]}
    assert set(agents) == {"scenario_writer", "deduplicator", "pair_critic"}
    for agent in (*agents.values(), told["total"]):
        for what in ("calls", "cost_usd"):
            assert agent[what]["least"] <= agent[what]["likely"] <= agent[what]["most"]
    assert agents["pair_critic"]["calls"]["least"] > 0
    sums = sum(agent["calls"]["likely"] for agent in agents.values())
    assert told["total"]["calls"]["likely"] == pytest.approx(sums)
    assert json.dumps(told["notes"])


@pytest.mark.parametrize(
    ("cap", "line"),
    [
        ("0.0001", "is below the first call, which may cost"),
        ("0.02", "is below the least"),
        ("1000", "is above the most"),
    ],
)
def test_what_a_cap_would_mean(gravity: Gravity, cap: str, line: str) -> None:
    told = gravity(*JUDGED, *DRY, *MODEL, "--max-cost", cap).out
    assert f"The cap of ${float(cap):g} {line}" in told


def test_the_rest_of_a_run_is_told_and_nothing_of_a_finished_one(
    gravity: Gravity, store: Store
) -> None:
    before = store.runs()
    assert gravity("synth", "--run", "done", "--dry-run", "--json").json["readers"] == 0
    assert store.runs() == before


def test_a_naive_run(gravity: Gravity) -> None:
    told = gravity(*SCRIPTED, *PRICED, *DRY, *MODEL, "--method", "naive", "--json").json
    (agent,) = told["agents"]
    assert agent["agent"] == "naive_writer"
    assert agent["calls"]["least"] == 3 * 4
