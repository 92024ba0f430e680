"""Searches a folder for what must be gone: bytes, tables, Parquet and gzip; erases nothing."""

import gzip
import json
import mmap
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet

from agents.errors import StorageError
from graph.checkpoints import owner
from graph.marks import Marks

_TEXT = re.compile(
    rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}"
    rb"|[\xf0-\xf4][\x80-\xbf]{3}){16,}"
)
"""UTF-8 among other bytes, longer than chance makes it in weights."""
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True)
class Search:
    """What was searched, and what was found that must not be there."""

    files: int
    bytes: int
    left: tuple[str, ...]
    """`FILE: what`, or `FILE: TABLE.COLUMN: what`."""


def search(folder: Path, marks: Marks, without: Path | None = None) -> Search:
    """Look for the marks in every file under `folder` but `without`.

    Read are the raw bytes, and beside them what these only hold in another form: every column of
    SQLite files, the rows of Parquet files, what is gzipped.

    Raises:
        StorageError: a file cannot be read.
    """
    files, size = 0, 0
    left: dict[str, None] = {}
    for path in sorted(p for p in folder.rglob("*") if p != without):
        if not path.is_file():  # a folder, or SQLite's own beside a file, gone meanwhile
            continue
        try:
            files, size = files + 1, size + path.stat().st_size
            left |= dict.fromkeys(f"{path}: {found}" for found in _in_file(path, marks))
        except (OSError, EOFError, zlib.error, sqlite3.Error, pyarrow.ArrowInvalid) as error:
            raise StorageError(
                f"{path} cannot be searched: {error}.", "Mend or remove it."
            ) from error
    return Search(files, size, tuple(left))


def _in_file(path: Path, marks: Marks) -> Iterator[str]:
    if marks.names(path.name.encode()):
        yield "its name"
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        is_database = data[: len(_SQLITE)] == _SQLITE
        yield from _in_bytes(data, marks, torn=is_database)
    if is_database:
        yield from _in_tables(path, marks)
    elif path.suffix == ".parquet":
        rows = pyarrow.parquet.read_table(path).to_pylist()
        yield from _in_text(json.dumps(rows, default=str), marks)
    elif path.suffix == ".gz":
        yield from _in_bytes(gzip.decompress(path.read_bytes()), marks)


def _in_bytes(data: mmap.mmap | bytes, marks: Marks, torn: bool = False) -> Iterator[str]:
    """`torn`: texts may be cut off, as SQLite's pages do, whose columns are read besides."""
    if marks.name.search(data):
        yield "the id"
    for stretch in _TEXT.finditer(data):
        yield from _in_text(stretch[0].decode("utf-8", "replace"), marks, torn)


def _in_text(text: str, marks: Marks, torn: bool = False) -> Iterator[str]:
    if marks.names(text.encode(), torn):
        yield "the id"
    if marks.quoted(text):
        yield "words of the reader"


def _in_tables(path: Path, marks: Marks) -> Iterator[str]:
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            columns = [column for column, *_ in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    found = iter(())
                    if isinstance(value, bytes):
                        found = _in_bytes(value, marks, torn=True)
                    elif isinstance(value, str):
                        found = _in_column(column, value, marks)
                    yield from (f"{table}.{column}: {what}" for what in found)


def _in_column(column: str, value: str, marks: Marks) -> Iterator[str]:
    if (column == "reader_id" and value == marks.reader_id) or (
        column == "thread_id" and owner(value) == marks.reader_id
    ):
        yield "the id"
    yield from _in_text(value, marks)
