"""Runs `gravity` in this process as a shell would, in an empty folder, and a finished run."""

import io
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from graph.store import Store
from tui.cli import main


@dataclass(frozen=True)
class Told:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)


class Gravity(Protocol):
    """`gravity --home HOME *words`."""

    def __call__(self, *words: str, code: int = 0, typed: str = "") -> Told: ...


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without weights; what was fitted to the scripted embedder stays for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, _cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("GRAVITY__"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GRAVITY_CACHE", str(_cache))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("GRAVITY_TOKEN", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def gravity(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Gravity:
    def run(*words: str, code: int = 0, typed: str = "") -> Told:
        monkeypatch.setattr(sys, "argv", ["gravity", "--home", str(home), *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
            sys.exit(0)
        captured = capsys.readouterr()
        told = Told(int(ended.value.code or 0), captured.out, captured.err)
        assert told.code == code, told
        assert "Traceback" not in told.err
        return told

    return run


@pytest.fixture(scope="session")
def _gathered(tmp_path_factory: pytest.TempPathFactory, _cache: Path) -> Path:
    """A finished run `done` and a run `asks` that waits for a person."""
    home = tmp_path_factory.mktemp("gathered") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for review, run in (("none", "done"), ("all", "asks")):
            words = ["synth", "--readers", "sample", "--limit", "2", "--model", "scripted"]
            words += ["--review", review, "--run", run]
            patch.setattr(sys, "argv", ["gravity", "--home", str(home), *words])
            patch.setenv("GRAVITY_CACHE", str(_cache))
            patch.chdir(home.parent)
            main_quietly()
    return home


def main_quietly() -> None:
    """`main()`, which ends by exiting."""
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code


@pytest.fixture
def gathered(_gathered: Path, home: Path) -> Path:
    """A copy of both runs at home, of two sample readers each; `last` is the one that asks."""
    shutil.copytree(_gathered, home)
    return home


@pytest.fixture
def store(gathered: Path):
    store = Store(gathered / "gravity.db")
    yield store
    store.close()
