"""Rows of a Goodreads library export in our schema: one file is one person, whom it never names.

Columns as in the export that Goodreads offers under My Books, Import and export. ISBN, Spoiler and
Private Notes are never read.
"""

from typing import Any

from graph.rows import Row, named_cell

_EXCLUSIVE_SHELVES = ("read", "currently-reading", "to-read")


def is_export(values: dict[str, Any]) -> bool:
    """Whether a row comes from such an export."""
    return "Book Id" in values or "Exclusive Shelf" in values


def unrated(values: dict[str, Any]) -> str | None:
    """What is left out with a row that rates nothing, to be counted; none where it rates."""
    rated = str(values.get("My Rating") or 0).strip() not in ("0", "0.0")
    if rated or not is_export(values):
        return None
    if values.get("My Review"):
        return "My Review: reviews without a rating, left out"
    return "My Rating: books without a rating, left out"


def review(row: Row) -> dict[str, Any]:
    """A row of ours that is one review, by the reader whom the file is named for."""
    read_on = row.values.get("Date Read") or row.values.get("Date Added")
    return {
        "reader_id": row.stem,
        "book_id": row.values.get("Book Id"),
        "title": row.values.get("Title"),
        "rating": row.values.get("My Rating"),
        "text": row.values.get("My Review"),
        "timestamp": str(read_on).strip().replace("/", "-") if read_on else None,
    }


def book(values: dict[str, Any]) -> dict[str, Any]:
    """A row of ours that is a book; the person's own shelves are its genres."""
    shelves = named_cell(values.get("Bookshelves"))
    return {
        "id": values.get("Book Id"),
        "title": values.get("Title"),
        "author": values.get("Author"),
        "genres": [shelf for shelf in shelves if shelf not in _EXCLUSIVE_SHELVES],
    }
