"""Readers who have answered the short questionnaire and rated the sample books; all invented."""

import math
import random

from agents.frameworks.catalogue import dimensions, genre_clusters
from agents.interests import clusters_of
from agents.questionnaire import short_form
from agents.records import Book, Reader, Review

COUNTRIES = ("US", "BR", "JP", "IN", "NG", "DE", "MX", None)
RELIABILITY = 0.7
"""Correlation of one answer with the reader's standing."""
RATINGS = 10


def answered_readers(count: int, books: dict[str, Book], seed: int = 0) -> list[Reader]:
    """So many readers; the first of them are the same for every count."""
    return [_reader(number, books, random.Random(f"{seed} {number}")) for number in range(count)]


def _reader(number: int, books: dict[str, Book], dice: random.Random) -> Reader:
    standing = {name: dice.gauss(0, 1) for name in dimensions()}
    of = {s.id: axis.name for axis in dimensions().values() for s in axis.statements}
    answers: dict[str, int] = {}
    for statement in short_form():
        noise = math.sqrt(1 - RELIABILITY**2) * dice.gauss(0, 1)
        leaning = RELIABILITY * standing[of[statement.id]] + noise
        side = 1 if statement.pole == "high" else -1
        answers[statement.id] = min(5, max(1, round(3 + 1.2 * side * leaning)))
    liked = dice.sample([cluster.id for cluster in genre_clusters()], 3)
    reviews = [
        Review(id=f"r{n}", book_id=book.id, title=book.title, rating=_stars(book, liked, dice))
        for n, book in enumerate(dice.sample(list(books.values()), RATINGS))
    ]
    return Reader(
        id=f"reader-{number:04}",
        age=dice.randrange(18, 80),
        country=dice.choice(COUNTRIES),
        favourite_genres=tuple(liked),
        reviews=tuple(reviews),
        questionnaire=answers,
    )


def _stars(book: Book, liked: list[str], dice: random.Random) -> int:
    fits = not set(clusters_of(book.genres)).isdisjoint(liked)
    return min(5, max(1, round(dice.gauss(4.2 if fits else 2.4, 0.8))))
