"""Reads files of readers: our schema, Amazon's reviews, Goodreads' exports, Nemotron's personas.

A reader whose own record is wrong is set aside whole, a wrong review alone; each is told of with
file, line and field, and the others proceed.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.errors import InputError
from agents.records import Reader, Review
from graph import amazon, goodreads, personas
from graph.books import SAMPLE, sample_file
from graph.intake import Intake
from graph.rows import Row, Tell, read_rows
from graph.settings import ReadersSettings

_IDENTITY = ("id", "reader_id", "user_id")
_OF_REVIEWS = {"reviews", "book_id", "rating", "text"}
_OTHER_EDITIONS = (
    "parent_asin: reviews of another edition, joined to the reader's one review of the book"
)
_AGELESS = "age: readers who give none, taken all the same"


def read_readers(
    source: str, settings: ReadersSettings, tell: Tell, limit: int | None = None
) -> list[Reader]:
    """The readers of a file in its order, at most `limit`.

    Args:
        source: a path, or `sample` for the bundled readers. A row is a reader with `reviews`, or
            one review of a reader (then the rows of one reader are gathered). The columns say
            which of the four forms it has.
        settings: the age limit and the longest text.
        tell: takes a notice for everything that was set aside; what holds for many rows of
            a file is told once, with their number.
        limit: how many readers to take; one whom a later row sets aside is not replaced.

    Raises:
        InputError: the file cannot be used at all, or holds no usable reader.
    """
    path = sample_file("readers") if source == SAMPLE else Path(source)
    intake = Intake(settings, tell)
    readers: dict[str, Reader] = {}
    reviews: dict[str, list[Review]] = {}
    refused: set[str] = set()
    counted: Counter[str] = Counter()
    taken, editions = 0, False
    for found in read_rows(path, tell):
        unrated = goodreads.unrated(found.values)
        if unrated:
            counted[unrated] += 1
            continue
        editions = editions or amazon.is_review(found.values)
        row = replace(found, values=_in_our_schema(found))
        named = (row.values.get(key) for key in _IDENTITY)
        identity = str(next((name for name in named if name not in (None, "")), "")).strip()
        if not identity:
            tell(f"{row.place}: id: a reader needs an id; the row was set aside")
            continue
        whole = "reviews" in row.values
        if identity in refused:
            if whole:
                tell(f"{row.place}: id: {identity} was set aside before; so was the row")
            continue
        if identity in readers and intake.too_young(row):
            refused.add(identity)
            del readers[identity], reviews[identity]
            continue
        if whole and identity in readers:
            tell(f"{row.place}: id: {identity} was there before; the row was set aside")
            continue
        if identity not in readers:
            if taken == limit:
                if whole:
                    break
                continue
            reader = intake.reader(row, identity)
            if reader is None:
                refused.add(identity)
                continue
            taken += 1
            readers[identity], reviews[identity] = reader, []
        reviews[identity] += intake.reviews(row, identity, len(reviews[identity]))
    if editions:
        given = sum(map(len, reviews.values()))
        reviews = {name: amazon.one_per_book(theirs) for name, theirs in reviews.items()}
        counted[_OTHER_EDITIONS] = given - sum(map(len, reviews.values()))
    if source != SAMPLE:
        counted[_AGELESS] = sum(reader.age is None for reader in readers.values())
    for what, times in counted.items():
        if times:
            tell(f"{path.name}: {what}: {times:,}")
    if not readers:
        raise InputError(f"{path}: no usable reader.", "The notices above say what to mend.")
    return [r.model_copy(update={"reviews": tuple(reviews[r.id])}) for r in readers.values()]


def _in_our_schema(row: Row) -> dict[str, Any]:
    """The values as our own files have them: a reader with `reviews`, or one review."""
    if amazon.is_review(row.values):
        return amazon.review(row.values)
    if goodreads.is_export(row.values):
        return goodreads.review(row)
    if personas.is_persona(row.values):
        return personas.reader(row.values)
    return row.values if row.values.keys() & _OF_REVIEWS else {"reviews": []} | row.values
