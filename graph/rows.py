"""Rows of JSONL, CSV and Parquet files, plain or gzipped, each with its place; no meaning yet.

Text is brought to Unicode's form NFC, so that equal ids and words are equal; no more is changed.
"""

import csv
import gzip
import json
import re
import sys
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from agents.errors import InputError

Tell = Callable[[str], None]
"""Takes a notice about something that was set aside: `file:line: field: what`."""

_GZIP_ENDING = re.compile(r"\.gz$", re.IGNORECASE)
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
"""What JSON can spell and no text can hold: half of a pair of UTF-16 units."""


@dataclass(frozen=True)
class Row:
    """One record of a file and the line (or row) it stands on, from 1."""

    file: str
    line: int
    values: dict[str, Any]

    @property
    def place(self) -> str:
        """`file:line`, as notices name it."""
        return f"{self.file}:{self.line}"

    @property
    def stem(self) -> str:
        """The file's name without its endings for the kind of file."""
        return _GZIP_ENDING.sub("", self.file).rpartition(".")[0]


def read_rows(path: Path, tell: Tell) -> Iterator[Row]:
    """The rows of a file, by its ending; broken lines are told of and left out.

    Raises:
        InputError: the file is not there, empty, of an unknown kind, or no such file at all.
    """
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty.", "Give a file with one record a line.")
        yield from _reader_of(path)(path, tell)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut off: {error}.", "Fetch it again.") from error


def parsed_cell(value: Any) -> Any:
    """CSV cells hold lists and objects as JSON; what is none stays as it is."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            return value
    return value


def listed_cell(value: Any) -> list[Any]:
    """What a cell holds that is a list, or the one thing; nothing empty."""
    value = parsed_cell(value)
    items = value if isinstance(value, list | tuple) else [value]
    return [item for item in items if item]


def named_cell(value: Any) -> list[str]:
    """The names in a cell that is a list, or a text with `|`, `;` or `,` between them."""
    value = parsed_cell(value)
    names = re.split(r"[|;,]", value) if isinstance(value, str) else listed_cell(value)
    return [name for name in (str(name).strip() for name in names) if name]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are all there once; the last of two would hide the first."""
    twice = _repeated(key for key, _ in pairs)
    if twice:
        raise ValueError(f"{twice!r} is there twice")
    return dict(pairs)


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if name and times > 1), None)


def _reader_of(path: Path) -> Callable[[Path, Tell], Iterator[Row]]:
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    match endings[-1:]:
        case [".jsonl"] | [".ndjson"] | [".json"]:
            return _json_lines
        case [".csv"]:
            return _csv
        case [".parquet"]:
            return _parquet
        case _:
            raise InputError(
                f"{path}: unknown kind of file.", "Use .jsonl, .csv or .parquet (or .gz of these)."
            )


def _open(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _json_lines(path: Path, tell: Tell) -> Iterator[Row]:
    with _open(path) as stream:
        for number, line in enumerate(_lines(stream, path.name, tell), 1):
            place = f"{path.name}:{number}"
            if not line.strip():
                continue
            try:
                values = json.loads(line, object_pairs_hook=_once)
                if isinstance(values, dict):
                    values = _clean(values, place, tell)
            except (ValueError, RecursionError) as error:
                tell(f"{place}: broken JSON ({error}); the line was skipped")
                continue
            if isinstance(values, dict):
                yield Row(path.name, number, values)
            else:
                tell(f"{place}: not a JSON object; the line was skipped")


def _lines(stream: TextIO, file: str, tell: Tell) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        if "\0" in line:
            tell(f"{file}:{number}: NUL bytes were removed from the line")
        yield line.replace("\0", "")


def _csv(path: Path, tell: Tell) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with _open(path) as stream:
        rows = csv.DictReader(_lines(stream, path.name, tell))
        twice = _repeated(rows.fieldnames or ())
        if twice:
            raise InputError(f"{path}: column {twice!r} is there twice.", "Name every column once.")
        for values in rows:
            filled = {k: v for k, v in values.items() if k and v not in (None, "")}
            place = f"{path.name}:{rows.line_num}"
            yield Row(path.name, rows.line_num, _clean(filled, place, tell))


def _parquet(path: Path, tell: Tell) -> Iterator[Row]:
    import pyarrow  # 30 MB of memory that other files need not cost
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            number = 0
            for batch in table.iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(path.name, number, _clean(values, f"{path.name}:{number}", tell))
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"{path} is no Parquet file: {error}.") from error


def _clean(values: dict[str, Any], place: str, tell: Tell) -> dict[str, Any]:
    def clean(value: Any, field: str) -> Any:
        if isinstance(value, str) and "\0" in value:
            tell(f"{place}: {field}: NUL bytes were removed")
            value = value.replace("\0", "")
        if isinstance(value, str) and _HALF_CHARACTER.search(value):
            tell(f"{place}: {field}: broken characters were removed")
            value = _HALF_CHARACTER.sub("", value)
        if isinstance(value, str):
            return unicodedata.normalize("NFC", value)
        if isinstance(value, dict):
            return {_HALF_CHARACTER.sub("", k): clean(v, f"{field}.{k}") for k, v in value.items()}
        if isinstance(value, list):
            return [clean(v, f"{field}[{i}]") for i, v in enumerate(value)]
        return value

    return {key: clean(value, key) for key, value in values.items()}
