"""Text of strangers cannot steer a terminal, whichever command prints it."""

import json
import re
from pathlib import Path

import pytest

from graph.books import sample_file
from graph.store import Store
from tests.commands.conftest import Gravity
from tests.graph.reading import a_reader, a_review, write_lines

NASTY = "\x1b[2J\x1b]0;owned\x07\x9b31mred\u202eevil\r\b\x7f"
READER = f"ana{NASTY}"
HARM = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def hostile(gravity: Gravity, tmp_path: Path) -> list[str]:
    """A run over a reader whose every text is hostile; its flags for reading the files again."""
    maya = json.loads(sample_file("readers").read_text("utf-8").splitlines()[0])
    reviews = [
        review | {"title": NASTY, "text": f"{NASTY}[red]{review['text']}{NASTY}[/red]"}
        for review in maya["reviews"]
    ]
    rows = [
        maya | {"id": READER, "gender": NASTY, "reviews": [*reviews, a_review(rating=NASTY)]},
        a_reader("kid", country=NASTY),
        NASTY,
    ]
    readers = write_lines(tmp_path / "readers.jsonl", rows)
    book = {"id": "b2", "title": f"Gates{NASTY}", "author": NASTY, "genres": ["Mystery", NASTY]}
    books = write_lines(tmp_path / "books.jsonl", [book | {"description": f"A gate. {NASTY}"}])
    files = ["--readers", str(readers), "--books", str(books)]
    told = gravity("synth", *files, "--model", "scripted", "--review", "all")
    harmless(told.out, told.err)
    assert told.err.count("readers.jsonl:") == 4
    return files


def harmless(*texts: str) -> None:
    for text in texts:
        assert not HARM.search(text), HARM.search(text)


def test_every_command_prints_it_harmlessly(gravity: Gravity, hostile, home: Path) -> None:
    store = Store(home / "gravity.db")
    pair = store.pairs(store.run("last").id)[0]
    store.close()
    assert pair.reader_id == READER
    model = ("--model", "scripted")
    commands = [
        ["profile", "show", READER],
        ["profile", "show", READER, *hostile, *model],
        ["pairs", "list"],
        ["pairs", "show", pair.id],
        ["runs", "list"],
        ["runs", "show"],
        ["trace", "list"],
        ["trace", "show"],
        ["trace", "filter"],
        ["trace", "diff", "last", "last"],
        ["why", pair.id],
        ["describe", "--book", "b2", "--reader", READER, *model],
    ]
    for words in commands:
        told = gravity(*words)
        harmless(told.out, told.err)
        assert told.out
        as_json = gravity(*words, "--json")
        harmless(as_json.out, as_json.err)
        assert as_json.json
    for words in (["trace", "show", "--full"], ["trace", "export"], ["review"]):
        told = gravity(*words, typed="r\nno\nq\n")
        harmless(told.out, told.err)
    for words in (
        ["profile", "show", f"x{NASTY}"],
        ["pairs", "show", NASTY],
        ["runs", "show", NASTY],
        ["trace", "show", NASTY],
        ["trace", "show", "--span", NASTY],
        ["why", NASTY],
    ):
        told = gravity(*words, code=2)
        harmless(told.out, told.err)


def test_json_gives_the_text_back_unchanged(gravity: Gravity, hostile) -> None:
    told = gravity("profile", "show", READER, "--json")
    assert told.json["reader_id"] == READER
    assert told.json["gender"] == NASTY
