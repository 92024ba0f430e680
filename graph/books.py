"""Reads catalogues of books: our schema, Amazon's item metadata, and Goodreads exports."""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.errors import NotFoundError, first_fault
from agents.records import Book, Reader
from graph import amazon, goodreads
from graph.rows import Row, Tell, named_cell, read_rows

SAMPLE = "sample"
_ESCAPED_TWICE = re.compile(r"&(?:amp;)+(?=#?\w+;)", re.IGNORECASE)
_NO_CHARACTER = re.compile(r"&#x?[0-9a-f]{9,};?", re.IGNORECASE)
_LINE_BREAK = re.compile(r"</?br\b[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z!][^<>]{0,200}>", re.IGNORECASE)


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
        values = _in_our_schema(row.values)
        identity = str(values.get("id") or values.get("book_id") or "").strip()
        if identity in books or (only is not None and identity not in only):
            continue
        book = _book(row, identity, values, tell)
        if book:
            books[identity] = book
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
    """`text` without HTML tags and entities, also those escaped twice; NFC, and no word changed."""
    text = html.unescape(_NO_CHARACTER.sub("", _ESCAPED_TWICE.sub("&", text)))
    text = _TAG.sub(" ", _LINE_BREAK.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()


def _in_our_schema(values: dict[str, Any]) -> dict[str, Any]:
    if amazon.is_item(values):
        return amazon.book(values)
    return goodreads.book(values) if goodreads.is_export(values) else values


def _book(row: Row, identity: str, values: dict[str, Any], tell: Tell) -> Book | None:
    try:
        return Book(
            id=identity,
            title=_text(values.get("title")) or "(untitled)",
            author=_text(values.get("author")),
            genres=tuple(plain_text(genre) for genre in named_cell(values.get("genres"))),
            description=_text(values.get("description")),
            ratings=_count(values.get("ratings")),
        )
    except ValidationError as error:
        tell(f"{row.place}: {': '.join(first_fault(error))}; the book was skipped")
        return None


def _count(value: Any) -> int | None:
    """A whole number, also one that a table keeps as text or with a point; none for anything else.

    No book is set aside for a count of ratings.
    """
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number >= 0 else None


def _text(value: Any) -> str:
    return "" if value is None else plain_text(str(value))
