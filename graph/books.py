"""Reads catalogues of books: our schema, and the item metadata of Amazon Reviews 2023."""

import html
import re
from collections.abc import Collection, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.errors import NotFoundError
from agents.records import Book, Reader
from graph.rows import Row, Tell, parsed_cell, read_rows

SAMPLE = "sample"
_TAG = re.compile(r"<[^<>]{1,200}>")


def sample_file(name: str) -> Path:
    """The bundled `readers` or `books`."""
    return Path(str(files("graph").joinpath("sample", f"{name}.jsonl")))


def read_books(source: str, tell: Tell, only: Collection[str] | None = None) -> dict[str, Book]:
    """The books of a file by id, in its order; `only` keeps those ids.

    Args:
        source: a path to JSONL, CSV or Parquet, or `sample` for the bundled books.
        tell: takes a notice for every row that was set aside.
        only: ids to keep; none keeps all. Large catalogues are read row by row.

    Raises:
        InputError: the file cannot be used at all.
    """
    path = sample_file("books") if source == SAMPLE else Path(source)
    books: dict[str, Book] = {}
    for row in read_rows(path, tell):
        values = _amazon(row.values) if "parent_asin" in row.values else _own(row.values)
        if only is not None and values.get("id") not in only:
            continue
        book = _book(row, values, tell)
        if book:
            books.setdefault(book.id, book)
    return books


def rated_books(readers: Iterable[Reader]) -> set[str]:
    """The ids of every book that any of the readers rated."""
    return {review.book_id for reader in readers for review in reader.reviews}


def find_book(books: dict[str, Book], wanted: str) -> Book:
    """The book with this id or title (case does not matter).

    Raises:
        NotFoundError: there is none.
    """
    by_title = {book.title.casefold(): book for book in books.values()}
    found = books.get(wanted) or by_title.get(wanted.casefold())
    if found is None:
        raise NotFoundError(
            f"There is no book {wanted!r} among {len(books)}.", "Give an id or a full title."
        )
    return found


def plain_text(text: str) -> str:
    """`text` without HTML tags and entities."""
    return html.unescape(_TAG.sub(" ", text.replace("<br />", "\n").replace("<br>", "\n"))).strip()


def _book(row: Row, values: dict[str, Any], tell: Tell) -> Book | None:
    try:
        return Book.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        tell(f"{row.place}: {field}: {first['msg']}; the book was skipped")
        return None


def _own(values: dict[str, Any]) -> dict[str, Any]:
    genres = parsed_cell(values.get("genres") or ())
    if isinstance(genres, str):
        genres = re.split(r"\s*[|;,]\s*", genres)
    return {
        "id": _text(values.get("id") or values.get("book_id")),
        "title": _text(values.get("title")) or "(untitled)",
        "author": _text(values.get("author")),
        "genres": tuple(_text(genre) for genre in _listed(genres)),
        "description": plain_text(_text(values.get("description"))),
    }


def _amazon(values: dict[str, Any]) -> dict[str, Any]:
    author = parsed_cell(values.get("author"))
    paragraphs = [*_listed(values.get("description")), *_listed(values.get("features"))]
    return {
        "id": _text(values.get("parent_asin")),
        "title": plain_text(_text(values.get("title"))) or "(untitled)",
        "author": _text(author.get("name") if isinstance(author, dict) else author),
        "genres": tuple(_text(c) for c in _listed(values.get("categories"))[1:]),
        "description": plain_text("\n".join(_text(p) for p in paragraphs)),
    }


def _listed(value: Any) -> list[Any]:
    value = parsed_cell(value)
    items = value if isinstance(value, list | tuple) else [value]
    return [item for item in items if item]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
