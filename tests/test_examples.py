"""Every example, run as a person runs it: in a process and a folder of its own."""

import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.settings import ChatSettings, CriticSettings, EmbeddingSettings
from graph.claims import claim
from graph.readers import read_readers
from graph.settings import RunSettings
from graph.store import Store
from tests.graph.crew import assert_adds_up, assert_no_pair_twice

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
AS_CELLS = """
import asyncio, re, sys
from pathlib import Path

async def notebook():
    there = {"__name__": "__main__"}
    for cell in re.split(r"^# %%.*$", Path(sys.argv[1]).read_text("utf-8"), flags=re.MULTILINE):
        exec(compile(cell, sys.argv[1], "exec"), there)

asyncio.run(notebook())
"""
"""What a notebook does: one cell after the other, within a loop that is at work."""


@dataclass(frozen=True)
class Folder:
    """An empty folder with `gravity` on its path and no settings of ours around."""

    path: Path

    @property
    def store(self) -> Store:
        """What was made here."""
        return Store(self.path / ".gravity" / "gravity.db")

    def run(self, *words: object, code: int = 0, **environment: str) -> str:
        """What a command says on both outputs, in order."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("GRAVITY", "LANG"))}
        bin_first = f"{self.path / 'bin'}{os.pathsep}{ours['PATH']}"
        there = {"PATH": bin_first, "PYTHONPATH": str(EXAMPLES.parent)}
        there["GRAVITY_CACHE"] = str(self.path / "cache")
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.path,
            env=ours | there | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stdout[-2000:]
        assert "Traceback" not in done.stdout
        return done.stdout


def new_folder(path: Path) -> Folder:
    """A folder with the command of this checkout."""
    command = path / "bin" / "gravity"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tui.cli "$@"\n')
    command.chmod(0o755)
    return Folder(path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return new_folder(tmp_path)


# --- scripts ------------------------------------------------------------------------------------


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes everything and notes that it came."""

    heard: list[str] = []

    def do_POST(self) -> None:
        self.heard.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(202)
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_PATCH = do_POST

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, str]:
    """Where the plain script was run, and what it said, in a shell that traces to LangSmith."""
    folder = new_folder(tmp_path_factory.mktemp("plain"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shell = {"TRACING": "true", "API_KEY": "somebody's"}
    shell["ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
    script = sys.executable, EXAMPLES / "plain_script.py"
    said = folder.run(*script, **{f"LANGSMITH_{name}": value for name, value in shell.items()})
    server.shutdown()
    server.server_close()
    return folder, said


def test_the_plain_script_tells_of_its_run_to_the_account_at_the_end(plain: tuple[Folder, str]):
    folder, said = plain
    assert said.startswith("beginning plain-script: 15 pairs of 3 readers\n")
    accounting = folder.store.accounting("plain-script")
    assert_adds_up(accounting)
    assert accounting.accepted > 0
    assert f"plain-script finished. {accounting}\n0 model calls" in said
    told = re.findall(r"^  (\S+) finished, (\d+) pairs accepted so far$", said, re.MULTILINE)
    members = folder.store.readers("plain-script")
    assert {reader for reader, _ in told} == {member.reader.id for member in members}
    assert int(told[-1][1]) == accounting.accepted


@pytest.mark.usefixtures("plain")
def test_a_run_tells_langsmith_nothing_though_the_shell_is_set_to():
    assert Listener.heard == []


def test_the_plain_script_ends_a_users_mistake_in_a_line(folder: Folder):
    said = folder.run(sys.executable, EXAMPLES / "plain_script.py", "nobody.jsonl", "b", code=2)
    assert said.count("\n") == 1
    assert "nobody.jsonl" in said


def test_the_notebook_decides_on_every_pair_and_exports_what_it_approved(folder: Folder):
    said = folder.run(sys.executable, "-c", AS_CELLS, EXAMPLES / "notebook.py")
    store = folder.store
    summary = store.run("notebook")
    assert summary.status == "finished"
    assert_adds_up(summary.accounting)
    assert summary.in_review == summary.accounting.pending == 0
    assert "Waiting for a person" in said
    assert re.search(r"^us-maya: \d pairs wait$", said, re.MULTILINE)
    trail = store.trail("notebook")
    assert {d.reviewer for d in trail} == {"eve"}
    assert {d.via for d in trail} == {"script"}
    assert {d.action for d in trail} == {"approve", "reject"}
    lines = (folder.path / ".gravity" / "exports" / "notebook" / "pairs.jsonl").read_text("utf-8")
    exported = {json.loads(line)["pair_id"] for line in lines.splitlines()}
    assert exported == {d.pair_id for d in trail if d.action == "approve"}
    assert f"{len(exported)} pairs in " in said


def test_the_node_of_ones_own_refuses_before_any_judge_and_is_traced(folder: Folder):
    said = folder.run(sys.executable, EXAMPLES / "custom_node.py")
    spec = importlib.util.spec_from_file_location("custom_node", EXAMPLES / "custom_node.py")
    assert spec and spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    store = folder.store
    assert_adds_up(store.accounting("house-style"))
    pairs = [p for p in store.pairs("house-style") if not p.group]
    assert_no_pair_twice(pairs)
    refused = [p for p in pairs if p.reason.startswith("house style: ")]
    assert refused
    for pair in pairs:
        words = set(re.findall(r"\w+", f"{pair.chosen} {pair.rejected}".casefold()))
        assert bool(words & example.BANNED) == (pair in refused)
        assert bool(pair.verdicts) == (pair not in refused), "refused ones cost no judge's time"
        assert pair.status == ("rejected" if pair in refused else "accepted")
    assert said.count(" house style: ") == len(refused)
    spans = store.spans("house-style")
    readers = {s.reader_id for s in spans if s.name == "house_style"}
    assert readers == {s.reader_id for s in spans if s.name == "criticise"} != set()


# --- cron ---------------------------------------------------------------------------------------

NIGHT = re.compile(r"--run (nightly-\d{4}-\d\d-\d\d) --readers")
EARLIER = "nightly-2024-02-29"


def work(folder: Folder, code: int = 0, **environment: str) -> str:
    """What a night's work says, over one reader and with the scripted model."""
    there = {"READERS": "readers.jsonl", "BOOKS": "sample", "GRAVITY__CHAT__MODEL": "scripted"}
    return folder.run("bash", EXAMPLES / "cron.sh", code=code, **there | environment)


def leave_behind(folder: Folder, settings: RunSettings) -> None:
    """An earlier night of which nothing was done."""
    file = folder.path / "readers.jsonl"
    bundled = EXAMPLES.parent / "graph" / "sample" / "readers.jsonl"
    file.write_text(bundled.read_text("utf-8").partition("\n")[0], "utf-8")
    source = {"readers": file.name, "books": "sample", "limit": None}
    described = {"source": source, "settings": settings.kept()}
    readers = read_readers(str(file), settings.readers, print)
    folder.store.begin_run(EARLIER, settings.chat.model, described, readers, 12, ())


def test_a_night_takes_up_the_one_before_and_once_more_changes_nothing(folder: Folder):
    leave_behind(folder, RunSettings(chat=ChatSettings(model="scripted")))
    said = work(folder)
    (tonight,) = NIGHT.findall(said)
    assert said.index(f"beginning {EARLIER}") < said.index(f"beginning {tonight}")
    store = folder.store
    assert [(run.id, run.status) for run in store.runs()] == [
        (tonight, "finished"),
        (EARLIER, "finished"),
    ]
    before = [store.pairs(run.id) for run in store.runs()]
    assert all(before)
    again = work(folder)
    assert "beginning" not in again
    assert EARLIER not in again
    assert f"{tonight}: finished. {store.accounting(tonight)}" in again
    assert [store.pairs(run.id) for run in store.runs()] == before
    assert all(line.isprintable() for line in (said + again).splitlines()), "plain lines in a log"


def test_a_night_leaves_a_run_alone_that_another_process_works_on(folder: Folder):
    leave_behind(folder, RunSettings(chat=ChatSettings(model="scripted")))
    with claim(folder.path / ".gravity", EARLIER):
        said = work(folder, code=4)
    assert f"gravity: {EARLIER} is being worked on by process {os.getpid()} since" in said
    assert [run.id for run in folder.store.runs()] == [EARLIER], "tonight's was not begun"
    assert folder.store.pairs(EARLIER) == []


def test_a_run_at_its_cap_does_not_keep_the_night_from_others(folder: Folder):
    dear = ChatSettings(model="dear", base_url="http://127.0.0.1:9/v1", price_out_usd=1)
    asking = CriticSettings(judges=("chat",))
    scripted = EmbeddingSettings(model="scripted")
    leave_behind(folder, RunSettings(chat=dear, critic=asking, embedding=scripted))
    said = work(folder, code=6, MAX_COST="0", GRAVITY__CHAT__PRICE_OUT_USD="1")
    (tonight,) = NIGHT.findall(said)
    store = folder.store
    assert "exit code 6" in said
    assert store.run(EARLIER).status == "stopped"
    assert store.accounting(EARLIER).pending == 12
    assert store.run(tonight).status == "finished"
    for run in (EARLIER, tonight):
        assert_adds_up(store.accounting(run))


def test_a_night_wants_to_know_whose(folder: Folder):
    assert "READERS: name a file of readers" in work(folder, code=1, READERS="")
