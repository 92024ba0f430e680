"""`gravity synth` begins, resumes, notices what is unfinished, and tells what became of it."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from graph.books import sample_file
from graph.store import Store
from tests.commands.conftest import Gravity
from tests.graph.reading import a_reader, a_review, write_lines

ROOT = Path(__file__).parents[2]
SAMPLE = ("synth", "--readers", "sample", "--model", "scripted")


def test_fresh_with_limit(gravity: Gravity, home: Path) -> None:
    told = gravity(*SAMPLE, "--limit", "2")
    assert told.out.startswith("run-1: finished. requested 24 = accepted ")
    assert "failed 0 + pending 0" in told.out
    assert "beginning run-1: 2 of 2 readers, 24 pairs requested" in told.err
    assert (home / "checkpoints.db").exists()


def test_what_is_finished_is_not_resumed_but_begun_anew(gravity: Gravity, gathered: Path) -> None:
    told = gravity(*SAMPLE, "--limit", "2", "--json")
    assert told.json["id"] == "run-1"
    assert told.json["accounting"]["requested"] == 24
    assert told.json["status"] == "finished"


def test_a_finished_run_named_again_is_only_told_of(gravity: Gravity, store: Store) -> None:
    before = store.pairs("done")
    told = gravity("synth", "--run", "done")
    assert told.out.startswith("done: finished. requested 24")
    assert told.err == ""
    assert store.pairs("done") == before


def test_the_same_command_finds_what_is_unfinished(gravity: Gravity, store: Store) -> None:
    same = (*SAMPLE, "--limit", "2", "--review", "all")
    told = gravity(*same, "--json")
    assert told.json["id"] == "asks"
    assert told.json["status"] == "waiting"
    assert "asks is the same and unfinished" in told.err
    waits = gravity(*same)
    assert "pairs wait for a person: gravity review asks" in waits.out
    assert gravity(*same, "--new", "--json").json["id"] == "run-1"
    assert store.has_run("run-1")


def test_a_run_whose_pairs_are_all_decided_is_finished(gravity: Gravity, store: Store) -> None:
    for pair in store.pairs("asks", status="review"):
        store.decide(pair.id, "approve", "eve")
    told = gravity("synth", "--run", "last", "--json")
    assert (told.json["id"], told.json["in_review"]) == ("asks", told.json["in_review"])
    if told.json["in_review"]:  # what was starved is asked for again
        for pair in store.pairs("asks", status="review"):
            store.decide(pair.id, "reject", "eve")
        told = gravity("synth", "--run", "asks", "--review", "none", "--json")
    assert told.json["status"] == "finished"
    assert told.json["accounting"]["pending"] == 0


def test_a_run_killed_after_its_last_reader_is_put_right(gravity: Gravity, store: Store) -> None:
    store.set_run_status("done", "stopped")
    assert gravity("synth", "--run", "done", "--json").json["status"] == "finished"


def test_a_run_keeps_its_method_and_says_when_it_is_naive(gravity: Gravity, tmp_path: Path) -> None:
    told = gravity(*SAMPLE, "--limit", "1", "--run", "base", "--method", "naive")
    assert told.out.startswith("base (naive): finished.")
    assert "naive scripted" in gravity("runs", "list").out
    assert "model naive scripted" in gravity("runs", "show", "base").out
    listed = gravity("pairs", "list", "base").out
    assert all("  –  " in line for line in listed.splitlines())
    gravity("pairs", "export", "base", "--out", str(tmp_path / "out"))
    assert "naive baseline" in (tmp_path / "out" / "README.md").read_text("utf-8")
    wrong = gravity("synth", "--run", "base", "--method", "gravity", code=2)
    assert "base was begun with --method naive." in wrong.err
    assert gravity("synth", "--run", "base", "--method", "naive").out == told.out


def test_a_run_of_another_version_cannot_be_resumed_and_says_so(
    gravity: Gravity, home: Path, store: Store
) -> None:
    with closing(sqlite3.connect(home / "gravity.db")) as connection, connection:
        connection.execute(
            "UPDATE runs SET status = 'stopped',"
            " settings = json_set(settings, '$.settings.synthesis.country_share', 0.3)"
        )
    store.set_run_status("asks", "stopped")
    told = gravity("synth", "--run", "asks", "--review", "none", code=2)
    assert "which knew synthesis.country_share" in told.err
    assert "Traceback" not in told.err


def test_notices_on_the_input_are_told_and_kept(gravity: Gravity, tmp_path: Path) -> None:
    rows = [a_reader("ana"), '{"broken', a_reader("kid", age=9), {"reviews": [a_review()]}]
    path = write_lines(tmp_path / "r.jsonl", rows)
    told = gravity("synth", "--readers", str(path), "--model", "scripted")
    notices = [line for line in told.err.splitlines() if line.startswith("r.jsonl:")]
    assert [n.split(": ")[0] for n in notices] == ["r.jsonl:2", "r.jsonl:3", "r.jsonl:4"]
    assert "no --books were given" in told.err
    assert "4 notices on the input" in told.out
    shown = gravity("runs", "show").out
    assert all(f"notice: {n}" in shown for n in notices)


def test_ctrl_c_stops_resumably(gravity: Gravity, home: Path, tmp_path: Path) -> None:
    sample = [json.loads(line) for line in sample_file("readers").open(encoding="utf-8")]
    many = [reader | {"id": f"{reader['id']}-{n}"} for n in range(10) for reader in sample]
    file = str(write_lines(tmp_path / "many.jsonl", many))
    readers = ("synth", "--readers", file, "--books", "sample", "--model", "scripted")
    words = ["--home", str(home), *readers, "--run", "k"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
    )
    store = Store(home / "gravity.db")
    until = time.monotonic() + 60
    while time.monotonic() < until and not (
        store.has_run("k") and store.accounting("k").accepted > 2
    ):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Stopped. `gravity synth --run k` goes on." in err
    assert "Traceback" not in err
    assert store.run("k").status == "stopped"
    assert gravity("synth", "--run", "k", "--json").json["status"] == "finished"
    store.close()
