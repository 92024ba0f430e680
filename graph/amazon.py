"""Rows of Amazon Reviews 2023 in our schema; several reviews of one parent become one.

Fields as in hyp1231/AmazonReviews2023: editions of a book share `parent_asin`, times are in
milliseconds, and the `title` of a review is its headline. There is no age and no country.
"""

from typing import Any

from agents.records import Review
from graph.rows import listed_cell, parsed_cell

_ENDS = (".", "!", "?", "…", "。", "！", "？", "।")


def is_review(values: dict[str, Any]) -> bool:
    """Whether a row of readers is one of Amazon's reviews."""
    return "book_id" not in values and ("parent_asin" in values or "asin" in values)


def is_item(values: dict[str, Any]) -> bool:
    """Whether a row of books is Amazon's item metadata."""
    return "parent_asin" in values


def review(values: dict[str, Any]) -> dict[str, Any]:
    """A row of ours that is one review, with the headline before the text."""
    headline, body = (str(values.get(key) or "").strip() for key in ("title", "text"))
    if headline and not headline.endswith(_ENDS):
        headline += "."
    return {
        "reader_id": values.get("user_id"),
        "book_id": values.get("parent_asin") or values.get("asin"),
        "rating": values.get("rating"),
        "text": f"{headline} {body}",
        "timestamp": _from_milliseconds(values.get("timestamp")),
    }


def book(values: dict[str, Any]) -> dict[str, Any]:
    """A row of ours that is a book; the first of `categories` names the shop."""
    author = parsed_cell(values.get("author"))
    paragraphs = [*listed_cell(values.get("description")), *listed_cell(values.get("features"))]
    return {
        "id": values.get("parent_asin"),
        "title": values.get("title"),
        "author": author.get("name") if isinstance(author, dict) else author,
        "genres": listed_cell(values.get("categories"))[1:],
        "description": "\n".join(str(paragraph) for paragraph in paragraphs),
        "ratings": values.get("rating_number"),
    }


def one_per_book(reviews: list[Review]) -> list[Review]:
    """Reviews of one reader with those of one book joined, in the order of the books.

    Id, rating and time are those of the latest; the texts follow in the order of their times,
    equal texts once.
    """
    by_book: dict[str, list[Review]] = {}
    for found in reviews:
        by_book.setdefault(found.book_id, []).append(found)
    return [_joined(of_one) for of_one in by_book.values()]


def _joined(reviews: list[Review]) -> Review:
    in_time = sorted(reviews, key=lambda r: (r.timestamp is not None, r.timestamp or 0))
    texts = dict.fromkeys(r.text for r in in_time if r.text)
    return in_time[-1].model_copy(update={"text": "\n\n".join(texts)})


def _from_milliseconds(value: Any) -> Any:
    try:
        return int(value) // 1000
    except (TypeError, ValueError, OverflowError):
        return value
