"""Every command is there, explains itself, and ends a mistake in one line with its exit code."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.commands.conftest import Gravity, Told
from tui.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS = {
    *("doctor", "synth", "pairs list", "pairs show", "pairs export", "train", "forget"),
    *("profile show", "profile questions", "profile answer", "profile ask", "profile sheet"),
    *("profile verify", "frameworks list", "frameworks show"),
    *("review pairs", "review log", "review agreement"),
    *(
        "describe",
        "serve",
        "runs list",
        "runs show",
        "runs cost",
        "runs retry",
        "tui",
        "models list",
    ),
    *("trace list", "trace show", "trace filter", "trace diff", "trace export", "why"),
    *("models fetch", "config show", "config schema", "pool stats", "pool show", "pool search"),
    *("pool add", "pool import", "pool export", "pool check"),
    *("critic agreement", "critic calibrate", "pairs audit"),
}
"""Each is run in a test of this folder, but `tui` and `profile ask` (tests/tui) and `models fetch`
(network)."""


def listed() -> set[str]:
    names: set[str] = set()
    for name, command in typer.main.get_command(app).commands.items():  # pyright: ignore
        inner = getattr(command, "commands", None)
        names |= {f"{name} {sub}" for sub in inner} if inner else {name}
    return names


def test_no_command_is_untested() -> None:
    assert listed() == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help(gravity: Gravity, command: str) -> None:
    told = gravity(*command.split(), "--help")
    assert f"{command} [OPTIONS]" in told.out
    assert told.err == ""


def test_help_tells_commands_and_exit_codes_in_a_process_of_its_own() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tui.cli", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert told.returncode == 0
    assert all(name.split()[0] in told.stdout for name in COMMANDS)
    assert "Exit codes" in told.stdout


def one_line(told: Told) -> str:
    """A mistake is told in one line on stderr and nothing on stdout."""
    assert told.out == ""
    assert told.err.startswith("gravity: ")
    assert told.err.count("\n") == 1
    return told.err


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("runs show nope", 2, "no run 'nope'"),
        ("runs show", 2, "no run 'last'"),
        ("trace show nope", 2, "no run 'nope'"),
        ("review", 2, "no run 'last'"),
        ("pairs list", 2, "no run 'last'"),
        ("pairs show nope", 2, "no pair 'nope'"),
        ("pairs export", 2, "no run 'last'"),
        ("train", 2, "no run 'last'"),
        ("profile show ana", 2, "no run 'last'"),
        ("profile show ana --readers sample --model scripted", 2, "no reader 'ana' among 12"),
        ("profile show us-maya --readers gone.jsonl", 2, "gone.jsonl cannot be read"),
        ("describe --reader us-maya --book b01", 2, "no run 'last'"),
        ("describe --reader us-maya --book b99 --readers sample", 2, "no book 'b99' among 60"),
        ("synth --readers gone.jsonl", 2, "gone.jsonl cannot be read: No such file"),
        ("synth --run last", 2, "no run 'last'"),
        ("synth --readers sample --review maybe", 2, "synthesis.review: "),
        ("synth --readers sample", 3, "gravity models fetch"),
        (
            "--set embedding.model=scripted synth --readers sample --model gpt-x",
            3,
            "OPENAI_API_KEY",
        ),
        ("--config gone.toml config show", 2, "gone.toml"),
        ("--set nonsense config show", 2, "no '='"),
        ("--set chat.temperature=9 config show", 2, "chat.temperature: "),
    ],
)
def test_mistakes(gravity: Gravity, words: str, code: int, text: str) -> None:
    told = gravity(*words.split(), code=code)
    assert text in told.err
    if "synth --readers sample" not in words or "maybe" in words:
        one_line(told)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("synth", "--readers"),
        ("synth --readers sample --limit 0", "--limit"),
        ("synth --readers sample --run ../up", "--run"),
        ("synth --readers sample --run \x1b[2J", "--run"),
        ("pairs list --status nice", "proposed, accepted, rejected, review"),
        ("nonsense", "No such command"),
        ("profile show", "READER"),
    ],
)
def test_wrong_usage(gravity: Gravity, words: str, text: str) -> None:
    assert text in gravity(*words.split(), code=2).err


def test_a_home_that_cannot_be_written(gravity: Gravity, home: Path) -> None:
    home.write_text("a file")
    assert "cannot be made" in one_line(gravity("runs", "list", code=4))


def test_a_database_that_is_none(gravity: Gravity, home: Path) -> None:
    home.mkdir()
    (home / "gravity.db").write_bytes(b"shopping list " * 100)
    assert "gravity.db cannot be read" in one_line(gravity("runs", "list", code=4))


def test_a_disk_that_fills_up_outside_the_database(
    gravity: Gravity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tui.cli.app", full)
    assert "The disk is full." in one_line(gravity("runs", "list", code=4))


def test_serving_to_strangers_needs_a_token(gravity: Gravity) -> None:
    words = ("--set", "training.base_model=/nowhere", "serve", "--host", "0.0.0.0", "--port", "0")
    assert "without a token" in one_line(gravity(*words, code=2))


def test_serving_an_adapter_that_is_not_there(gravity: Gravity) -> None:
    words = ("--set", "training.base_model=/nowhere", "serve", "--adapter", "nope")
    assert "nope" in one_line(gravity(*words, code=2))
