"""Writes made-up files of readers and reads them back with the notices; no test itself."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agents.records import Reader
from graph.readers import read_readers
from graph.settings import ReadersSettings


def a_reader(name: str, **others: Any) -> dict[str, Any]:
    """A reader of our schema with one good review."""
    review = {"id": f"{name}-r1", "book_id": "b1", "title": "Tiles", "rating": 4, "text": "Good."}
    return {"id": name, "age": 40, "country": "BR", "reviews": [review]} | others


def a_review(**others: Any) -> dict[str, Any]:
    """A review with rating 3."""
    return {"book_id": "b2", "title": "Gates", "rating": 3, "text": "Fine."} | others


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    """JSONL; strings and bytes are written as they are."""
    lines = [row if isinstance(row, str | bytes) else json.dumps(row) for row in rows]
    path.write_bytes(b"".join((x.encode() if isinstance(x, str) else x) + b"\n" for x in lines))
    return path


def without_ages(path: Path, count: int) -> str:
    """The notice on readers who give no age."""
    return f"{path.name}: age: readers who give none, taken all the same: {count}"


def read(path: Path, limit: int | None = None, **settings: Any) -> tuple[list[Reader], list[str]]:
    """The readers and the notices."""
    notices: list[str] = []
    found = read_readers(str(path), ReadersSettings(**settings), notices.append, limit)
    return found, notices
