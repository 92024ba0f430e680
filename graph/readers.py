"""Reads readers: our schema in JSONL, CSV or Parquet, and review files of Amazon Reviews 2023.

A reader whose own record is wrong is set aside whole, a wrong review alone; each is told of with
file, line and field, and the others proceed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents import gates
from agents.errors import InputError
from agents.records import Reader, Review
from graph.books import SAMPLE, plain_text, sample_file
from graph.rows import Row, Tell, parsed_cell, read_rows
from graph.settings import ReadersSettings

Valid = TypeVar("Valid", bound=BaseModel)

_OF_A_REVIEW = {"book_id", "rating", "text", "parent_asin"}
_DEMOGRAPHICS = ("age", "gender", "country", "locale", "favourite_genres", "questionnaire")


@dataclass
class _Draft:
    """A reader in the making; `reviews` grows while rows of one reader are met."""

    row: Row
    values: dict[str, Any]
    reviews: list[Review] = field(default_factory=list)


def read_readers(
    source: str, settings: ReadersSettings, tell: Tell, limit: int | None = None
) -> list[Reader]:
    """The readers of a file in its order, at most `limit`.

    Args:
        source: a path, or `sample` for the bundled readers. A row is a reader with `reviews`, or
            one review of a reader (then the rows of one reader are gathered).
        settings: the age limit and the longest review.
        tell: takes a notice for everything that was set aside.
        limit: how many readers to keep.

    Raises:
        InputError: the file cannot be used at all, or holds no usable reader.
    """
    path = sample_file("readers") if source == SAMPLE else Path(source)
    drafts: dict[str, _Draft] = {}
    refused: set[str] = set()
    for row in read_rows(path, tell):
        named = (row.values.get(key) for key in ("id", "reader_id", "user_id"))
        identity = next((name for name in named if name not in (None, "")), None)
        if identity is None:
            tell(f"{row.place}: id: a reader needs an id; the row was skipped")
            continue
        identity = str(identity).strip()
        whole = "reviews" in row.values or not row.values.keys() & _OF_A_REVIEW
        if whole and identity in drafts:
            tell(f"{row.place}: id: {identity} was there before; the row was skipped")
            continue
        if identity not in drafts:
            if len(drafts) == limit or (identity in refused and not whole):
                continue
            draft = _begin(row, identity, settings, tell)
            if draft is None:
                refused.add(identity)
                continue
            drafts[identity] = draft
        reviews = _listed(row, tell) if whole else [_flat(row.values)]
        _add_reviews(drafts[identity], row, reviews, settings, tell)
    if not drafts:
        raise InputError(f"{path}: no usable reader.", "The notices above say what to mend.")
    return [Reader(**d.values, reviews=tuple(d.reviews)) for d in drafts.values()]


def _begin(row: Row, identity: str, settings: ReadersSettings, tell: Tell) -> _Draft | None:
    values: dict[str, Any] = {"id": identity}
    values |= {
        k: parsed_cell(row.values[k]) for k in _DEMOGRAPHICS if row.values.get(k) is not None
    }
    answers = values.get("questionnaire")
    if isinstance(answers, dict):  # Parquet fills in null where other readers have answered
        values["questionnaire"] = {k: v for k, v in answers.items() if v is not None}
    reader = _validated(Reader, values, row, "", "reader", tell)
    if reader is None:
        return None
    if reader.age is not None and reader.age < settings.min_age:
        tell(f"{row.place}: age: under {settings.min_age}; the reader was set aside")
        return None
    return _Draft(row, values)


def _add_reviews(
    draft: _Draft, row: Row, reviews: list[Any], settings: ReadersSettings, tell: Tell
) -> None:
    for index, review in enumerate(reviews):
        where = f"reviews[{index}]" if "reviews" in row.values else "review"
        if not isinstance(review, dict):
            tell(f"{row.place}: {where}: not an object; the review was skipped")
            continue
        text = plain_text(str(review.get("text") or ""))
        if len(text) > settings.max_review_chars:
            tell(
                f"{row.place}: {where}.text: {len(text):,} characters; cut to"
                f" {settings.max_review_chars:,} (readers.max_review_chars)"
            )
            text = text[: settings.max_review_chars]
        flaw = gates.holds_instructions(text)
        if flaw:
            tell(f"{row.place}: {where}.text: {flaw}; kept as data, never used as evidence")
        values = {
            "id": str(review.get("id") or f"{draft.values['id']}-r{len(draft.reviews) + 1}"),
            "book_id": str(review.get("book_id") or ""),
            "title": str(review.get("title") or ""),
            "rating": review.get("rating"),
            "text": text,
            "timestamp": _unix_time(review.get("timestamp")),
        }
        valid = _validated(Review, values, row, where, "review", tell)
        if valid:
            draft.reviews.append(valid)


def _validated(
    record: type[Valid], values: dict[str, Any], row: Row, where: str, noun: str, tell: Tell
) -> Valid | None:
    try:
        return record.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(step) for step in (where, *first["loc"]) if step != "")
        given = str(first["input"])[:40]
        tell(f"{row.place}: {path}: {first['msg']} (given: {given}); the {noun} was skipped")
        return None


def _listed(row: Row, tell: Tell) -> list[Any]:
    reviews = parsed_cell(row.values.get("reviews"))
    if reviews is None or isinstance(reviews, list):
        return reviews or []
    tell(f"{row.place}: reviews: not a list; the reader has none")
    return []


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """A row that is one review; Amazon's time is in milliseconds, its title a headline."""
    if "parent_asin" in values:
        headline, body = (str(values.get(k) or "") for k in ("title", "text"))
        return {
            "book_id": values["parent_asin"] or values.get("asin"),
            "rating": values.get("rating"),
            "text": f"{headline}. {body}" if headline else body,
            "timestamp": _from_milliseconds(values.get("timestamp")),
        }
    keys = ("book_id", "title", "rating", "text", "timestamp")
    return {"id": values.get("review_id")} | {k: values.get(k) for k in keys}


def _from_milliseconds(value: Any) -> Any:
    try:
        return int(value) // 1000
    except (TypeError, ValueError, OverflowError):
        return value


def _unix_time(value: Any) -> Any:
    """ISO 8601 (without a zone: UTC) is taken as well as seconds; validation names the rest."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if not isinstance(moment, datetime):
        return moment
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
