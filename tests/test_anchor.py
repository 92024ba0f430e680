"""The anchor: what is installed is pinned, and its figures are those of the run and of the stub."""

import ast
import re
import sys
from pathlib import Path

import pytest

from benchmarks import anchor

CALLS_AND_FIGURES = """
import json, sys, urllib.request
endpoint, portraits, in_flight = sys.argv[1:]
for portrait in json.load(open(portraits)):
    body = json.dumps({"messages": [{"role": "user", "content": portrait}]}).encode()
    headers = {"content-type": "application/json"}
    for _ in range(2):
        request = urllib.request.Request(f"{endpoint}/chat/completions", body, headers)
        urllib.request.urlopen(request).read()
figures = {"records": 10, "accepted": 8, "seconds": 4.0, "seconds_in_all": 5.0, "cpu_s": 0.1}
print(json.dumps({**figures, "peak_mb": 200.0}))
"""


def test_what_is_installed_is_pinned():
    lines = anchor.PINNED.read_text("utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert [line for line in wanted if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert sum(line.startswith("data-designer==") for line in wanted) == 1


def test_what_runs_there_imports_nothing_of_ours():
    tree = ast.parse(anchor.SCRIPT.read_text("utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {
        n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names
    }
    ours = {"agents", "graph", "training", "serving", "tui", "benchmarks", "tests"}
    assert not {str(module).split(".")[0] for module in modules} & ours


def test_figures_are_those_of_the_run_and_of_the_stub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script = tmp_path / "run.py"
    script.write_text(CALLS_AND_FIGURES)
    monkeypatch.setattr(anchor, "SCRIPT", script)
    monkeypatch.setattr(anchor, "install", lambda: Path(sys.executable))
    told = anchor.measure(in_flight=2, records=5, latency_s=0.01)
    assert (told.records, told.calls, told.in_flight) == (10, 10, 2)
    assert told.cpu_ms_a_call == pytest.approx(10.0)
    assert told.accepted_a_second == pytest.approx(2.0)
    assert 0 < told.utilisation <= 0.5, "one call at a time where two could be"
    assert "2.5 judged records/s" in str(told)


def test_a_run_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = tmp_path / "run.py"
    script.write_text("raise SystemExit('no such column')")
    monkeypatch.setattr(anchor, "SCRIPT", script)
    monkeypatch.setattr(anchor, "install", lambda: Path(sys.executable))
    with pytest.raises(SystemExit, match="no such column"):
        anchor.measure(in_flight=2, records=1)


def test_an_environment_that_pip_could_not_fill_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRAVITY_CACHE", str(tmp_path))
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": "", "CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(SystemExit, match=r"pip could not install data-designer==[\d.]+"):
        anchor.install()
    assert list(tmp_path.rglob("installed.txt")) == []


def test_portraits_differ():
    made = anchor.portraits(50)
    assert len(set(made)) == 50 == len(made)
    assert all(len(portrait.splitlines()) == anchor.TOLD for portrait in made)
