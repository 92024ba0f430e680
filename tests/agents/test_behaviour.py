"""Rated books against the catalogue: standardised, capped, and silent where there is no norm."""

import math

import numpy as np
import pytest

from agents.behaviour import LEAST_CATALOGUE, LikedBooks, pole_axis
from agents.embeddings import Embedder
from agents.frameworks.catalogue import dimension, dimensions_of
from agents.posterior import TEXT_RELIABILITY, combine
from agents.records import Book, Reader, Review

WORDS = "boat dragon murder garden war cake moon law violin fox ship ledger frost inn".split()
BOOKS = {
    f"b{n}": Book(
        id=f"b{n}",
        title=f"Book {n}",
        description=f"A tale of a {WORDS[n % 14]}, a {WORDS[n * 5 % 13]} and {n} quiet people.",
    )
    for n in range(LEAST_CATALOGUE + 4)
}
PACE = dimension("pace")


def reader_of(*books: str, rating: float = 5) -> Reader:
    reviews = (Review(id=f"r{n}", book_id=b, rating=rating) for n, b in enumerate(books))
    return Reader(id="r", reviews=tuple(reviews))


@pytest.fixture(scope="module")
def liked_books(scripted: Embedder) -> LikedBooks:
    return LikedBooks(scripted, BOOKS, 365)


def places(embedder: Embedder) -> dict[str, float]:
    """Each book's standardised place on `pace`, worked out beside the product."""
    raw = embedder.embed([b.description for b in BOOKS.values()]) @ pole_axis(embedder, PACE)
    standard = (raw - raw.mean()) / raw.std()
    return dict(zip(BOOKS, standard.tolist(), strict=True))


def test_the_mean_place_is_standardised(scripted: Embedder, liked_books: LikedBooks):
    standing = places(scripted)
    [one], _ = liked_books.measure(reader_of("b3"), PACE)
    assert one.z == pytest.approx(standing["b3"], abs=1e-4)
    [four], _ = liked_books.measure(reader_of("b3", "b4", "b5", "b6"), PACE)
    mean = np.mean([standing[b] for b in ("b3", "b4", "b5", "b6")])
    assert four.z == pytest.approx(mean / math.sqrt(0.05 + 0.95 / 4), abs=1e-4)


def test_a_disliked_book_speaks_for_the_opposite(liked_books: LikedBooks):
    [liked], _ = liked_books.measure(reader_of("b3"), PACE)
    [disliked], _ = liked_books.measure(reader_of("b3", rating=2), PACE)
    assert disliked.z == pytest.approx(-liked.z) != 0


def test_an_old_rating_speaks_less(scripted: Embedder, liked_books: LikedBooks):
    """A year is the half-life here: weights 1 and 1/2, which are worth 1.8 books."""
    standing = places(scripted)
    new, old = (
        Review(id=b, book_id=b, rating=5, timestamp=t)
        for b, t in (("b3", 2 * 365 * 86_400), ("b4", 365 * 86_400))
    )
    [measured], _ = liked_books.measure(Reader(id="r", reviews=(new, old)), PACE)
    mean = (standing["b3"] + standing["b4"] / 2) / 1.5
    assert measured.z == pytest.approx(mean / math.sqrt(0.05 + 0.95 / 1.8), abs=1e-4)


def test_all_of_the_catalogue_liked_says_nothing(liked_books: LikedBooks):
    [measured], _ = liked_books.measure(reader_of(*BOOKS), PACE)
    assert measured.z == pytest.approx(0, abs=1e-4)


def test_ratings_are_as_reliable_as_text_at_most(liked_books: LikedBooks):
    [measured], _ = liked_books.measure(reader_of(*["b1"] * 400), PACE)
    assert measured.reliability == TEXT_RELIABILITY
    assert (measured.source, measured.method) == (
        "inferred_behaviour",
        "400 liked or disliked books",
    )
    mean, sd = combine([measured])
    assert abs(mean - 50) <= 10 * TEXT_RELIABILITY * 2.5 + 1e-9
    assert sd == pytest.approx(10 * math.sqrt(1 - TEXT_RELIABILITY**2))


def test_only_described_books_that_were_liked_or_disliked_count(liked_books: LikedBooks):
    for rating in (2.5, 3, 3.9):
        assert liked_books.measure(reader_of("b1", rating=rating), PACE) == ([], [])
    assert liked_books.measure(reader_of("gone"), PACE) == ([], [])
    [with_stranger], _ = liked_books.measure(reader_of("b3", "gone"), PACE)
    [alone], _ = liked_books.measure(reader_of("b3"), PACE)
    assert with_stranger == alone


def test_the_ratings_that_speak_loudest_are_the_evidence(
    scripted: Embedder, liked_books: LikedBooks
):
    standing = places(scripted)
    reader = reader_of(*list(BOOKS)[:9])
    [measured], evidence = liked_books.measure(reader, PACE)
    pole, side = ("high", 1) if measured.z >= 0 else ("low", -1)
    book_of = {r.id: r.book_id for r in reader.reviews}
    told = [standing[book_of[e.review_id]] * side for e in evidence]
    assert 0 < len(told) <= 3
    assert (
        told == sorted((x * side for x in list(standing.values())[:9]), reverse=True)[: len(told)]
    )
    assert min(told) > 0
    assert {(e.start, e.end, e.pole, e.quote(reader)) for e in evidence} == {(0, 0, pole, "")}


def test_a_small_or_uniform_catalogue_is_no_norm(scripted: Embedder):
    few = dict(list(BOOKS.items())[: LEAST_CATALOGUE - 1])
    assert LikedBooks(scripted, few, 365).measure(reader_of("b1"), PACE) == ([], [])
    alike = {b.id: b.model_copy(update={"description": "None yet."}) for b in BOOKS.values()}
    assert LikedBooks(scripted, alike, 365).measure(reader_of("b1"), PACE) == ([], [])
    silent = {b.id: b.model_copy(update={"description": ""}) for b in BOOKS.values()}
    assert LikedBooks(scripted, silent, 365).measure(reader_of("b1"), PACE) == ([], [])


def test_ratings_tell_of_reading_alone(liked_books: LikedBooks):
    reader = reader_of("b1", "b2")
    assert all(liked_books.measure(reader, axis)[0] for axis in dimensions_of("interest"))
    assert liked_books.measure(reader, dimension("openness")) == ([], [])


def test_the_axis_of_a_dimension_runs_from_its_low_to_its_high_pole(scripted: Embedder):
    axis = pole_axis(scripted, PACE)
    high, low = (scripted.embed(PACE.texts(pole)) @ axis for pole in ("high", "low"))
    assert high.min() > low.max()
