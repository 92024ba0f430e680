"""A process that is killed outright loses nothing and doubles nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from graph.store import Store
from tests.graph.crew import assert_adds_up, assert_no_pair_twice

ROOT = Path(__file__).parents[2]
ENOUGH = 6


def accepted(home: Path) -> set[str]:
    """The ids of accepted pairs, as another process sees them."""
    if not (home / "gravity.db").exists():
        return set()
    connection = sqlite3.connect(home / "gravity.db", timeout=5)
    try:
        return {i for (i,) in connection.execute("SELECT id FROM pairs WHERE status='accepted'")}
    except sqlite3.OperationalError:
        return set()
    finally:
        connection.close()


def gravity(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "tui.cli", "--home", str(home), *words]


def test_kill_9_and_the_same_command_again(tmp_path: Path) -> None:
    synth = gravity(
        tmp_path,
        *("synth", "--readers", "sample", "--limit", "6", "--model", "scripted", "--run", "k"),
    )
    first = subprocess.Popen(synth, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 60
    while len(accepted(tmp_path)) < ENOUGH and time.monotonic() < until:
        assert first.poll() is None, "the run was over before it could be killed"
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    held = accepted(tmp_path)
    assert len(held) >= ENOUGH

    store = Store(tmp_path / "gravity.db")
    torn = store.run("k")
    assert_adds_up(torn.accounting)
    assert torn.accounting.pending > 0

    second = subprocess.run(synth, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert second.returncode == 0, second.stderr
    assert "resuming k" in second.stderr
    assert "pending 0" in second.stdout
    summary = store.run("k")
    assert summary.status == "finished"
    assert summary.accounting.pending == 0
    assert_adds_up(summary.accounting)
    pairs = store.pairs("k")
    assert_no_pair_twice(pairs)
    assert held <= {p.id for p in pairs if p.status == "accepted"}
    assert len({s.id for s in store.spans("k")}) == len(store.spans("k"))
    store.close()

    trace = subprocess.run(
        gravity(tmp_path, "trace", "show", "k"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert trace.returncode == 0, trace.stderr
    assert "unfinished" in trace.stdout, "what the killed process began is shown as such"
    assert all(r in trace.stdout for r in {p.reader_id for p in pairs})
