"""The benchmark of profiles, small: synthetic readers are what they claim, and figures add up."""

import math
from collections import Counter

import numpy as np
import pytest

from agents.frameworks.catalogue import dimensions, genre_clusters
from agents.interests import clusters_of
from agents.records import Book, Reader, Review
from agents.stances.by_embedding import EmbeddedStances
from benchmarks.profiles import countries, foretelling, recovery
from benchmarks.synthetic_readers import FACETS, LOADING, Kind, Population
from tests.agents.by_heart import ByHeart

SEEN: tuple[Kind, ...] = ("seen",)


def test_the_same_seed_gives_the_same_readers():
    first, again, other = (Population(SEEN, seed=s).draw(0, 5) for s in (0, 0, 1))
    assert first == again
    assert first.reader.reviews != other.reader.reviews


def test_synthetic_readers_have_the_truth_beside_them():
    population = Population(("plain", "oblique"))
    known = population.draw(7, 12)
    assert (known.reader.id, len(known.reader.reviews)) == ("synthetic-7", 12)
    assert known.standing.keys() == {a.name for a in dimensions().values() if a.facet in FACETS}
    assert len(known.favourites) == 3
    for review in known.reader.reviews:
        assert review.book_id in population.books and "{title}" not in review.text
        assert known.reader.country is None and review.timestamp


def test_standings_are_standard_and_parts_follow_their_broad_dimension():
    population = Population(SEEN)
    drawn = [population.draw(n, 0).standing for n in range(600)]
    openness, imagination, power = (
        np.array([s[name] for s in drawn]) for name in ("openness", "imagination", "power")
    )
    assert abs(openness.mean()) < 0.15 and openness.std() == pytest.approx(1, abs=0.1)
    assert imagination.std() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(openness, imagination)[0, 1] == pytest.approx(LOADING, abs=0.08)
    assert abs(np.corrcoef(openness, power)[0, 1]) < 0.15


def test_books_of_a_cluster_point_to_it():
    books = Population(SEEN).books.values()
    counts = Counter(c for book in books for c in clusters_of(book.genres))
    assert counts.keys() == {c.id for c in genre_clusters()}
    assert all(clusters_of(b.genres) == [b.id.rsplit("-", 1)[0]] for b in books)


def test_recovery_is_clear_of_chance_where_every_text_is_known_by_heart():
    embedder = ByHeart()
    told = recovery(EmbeddedStances(embedder, 120), "seen", 12, embedder)
    assert (told.readers, told.texts, told.backend) == (12, "seen", "review text, embedded")
    assert min(told.values, told.traits) > 0.3
    assert 0.6 < told.coverage <= 1 and 0.6 < told.coverage_parts <= 1
    assert told.top3 > 0.7


def test_recovery_is_chance_where_nothing_is_read():
    embedder = ByHeart()
    told = recovery(EmbeddedStances(embedder, 1), "held out", 6, embedder)
    assert abs(told.values) < 0.35 and abs(told.traits) < 0.5


def test_held_out_likes_are_foretold_and_luck_is_not():
    clusters = genre_clusters()
    books = {
        f"{c.id}-{n}": Book(id=f"{c.id}-{n}", title="T", genres=(c.keywords[0],))
        for c in clusters
        for n in range(20)
    }
    readers = [
        Reader(
            id=f"r{i}",
            reviews=tuple(
                Review(
                    id=f"r{i}-{n}",
                    book_id=f"{clusters[(i + (n % 4 == 0) * 4) % 9].id}-{n}",
                    rating=2 if n % 4 == 0 else 5,
                )
                for n in range(20)
            ),
        )
        for i in range(18)
    ]
    too_few = Reader(id="few", reviews=readers[0].reviews[:11])
    rows = {row.predictor: row for row in foretelling([*readers, too_few], books)}
    assert rows.keys() == {"inferred", "popularity", "random"}
    assert {row.readers for row in rows.values()} == {18}
    assert rows["inferred"].likes > 0.5 > rows["random"].likes
    assert rows["inferred"].likes > rows["popularity"].likes
    assert rows["inferred"].stars > 0.9
    assert math.isnan(rows["popularity"].stars) or rows["popularity"].stars < 0.5


def test_a_change_of_country_moves_only_what_nobody_knows():
    embedder = ByHeart()
    told = list(countries(embedder, EmbeddedStances(embedder, 5)).values())
    answered, rich, empty, narrowest = told
    assert answered == 0
    assert rich < 1
    assert empty > 10
    assert narrowest == pytest.approx(10 * math.sqrt(0.8), abs=0.01)
