"""Interests against computation by hand: shrinkage, half-lives, contrast, and what was stated."""

import math

import pytest

from agents.frameworks.catalogue import genre_clusters
from agents.interests import SECONDS_A_DAY, cluster_shares, clusters_of, interests
from agents.records import Book, Reader, Review

K = len(genre_clusters())
HALF_LIFE = 100
BOOKS = {
    name: Book(id=name, title=name, genres=genres)
    for name, genres in {
        "murder": ("Mystery",),
        "love": ("Romance",),
        "both": ("Romance", "Murder", "Love Story"),
        "stars": ("Science Fiction",),
        "untagged": ("qwerty",),
        "bare": (),
    }.items()
}


def review(book: str, rating: float = 5, day: int | None = None) -> Review:
    timestamp = None if day is None else 1_500_000_000 + day * SECONDS_A_DAY
    return Review(id=f"{book}-{rating}-{day}", book_id=book, rating=rating, timestamp=timestamp)


def shares(*reviews: Review) -> dict[str, float]:
    return cluster_shares(reviews, BOOKS, HALF_LIFE)


def expected(liked: dict[str, float], disliked: dict[str, float]) -> dict[str, float]:
    """The formula of the door-plate, with the sums worked out by the test."""
    parts: dict[str, float] = {}
    for cluster in (c.id for c in genre_clusters()):
        gladly = (liked.get(cluster, 0) + 3 / K) / (sum(liked.values()) + 3)
        hardly = (disliked.get(cluster, 0) + 3 / K) / (sum(disliked.values()) + 3)
        parts[cluster] = gladly * math.sqrt(gladly / (gladly + hardly))
    return {c: x / sum(parts.values()) for c, x in parts.items()}


def test_nine_clusters_and_no_ratings_share_evenly():
    assert K == 9
    assert shares() == pytest.approx(dict.fromkeys(shares(), 1 / 9))
    assert interests(Reader(id="r"), BOOKS, HALF_LIFE) == ()


def test_one_like_by_hand():
    # Liked: (1 + 1/3) / 4 = 1/3 for mystery, (1/3) / 4 = 1/12 for the others; disliked: 1/9 each.
    mystery = 1 / 3 * math.sqrt((1 / 3) / (1 / 3 + 1 / 9))
    other = 1 / 12 * math.sqrt((1 / 12) / (1 / 12 + 1 / 9))
    found = shares(review("murder"))
    assert found["mystery"] == pytest.approx(mystery / (mystery + 8 * other))
    assert found["mystery"] == pytest.approx(0.3981, abs=1e-4)
    assert sum(found.values()) == pytest.approx(1)


def test_few_ratings_are_shrunk_and_many_are_not():
    by_count = [shares(*[review("murder", day=n) for n in range(c)])["mystery"] for c in (1, 3, 30)]
    assert 1 / 9 < by_count[0] < by_count[1] < by_count[2] < 1
    assert by_count[2] > 0.9


def test_a_rating_loses_half_its_weight_in_a_half_life():
    found = shares(review("murder", day=0), review("love", day=HALF_LIFE))
    assert found == pytest.approx(expected({"mystery": 0.5, "romance": 1.0}, {}))
    older = shares(review("murder", day=0), review("love", day=2 * HALF_LIFE))
    assert older == pytest.approx(expected({"mystery": 0.25, "romance": 1.0}, {}))


def test_age_counts_from_the_readers_own_latest_rating():
    assert shares(review("murder", day=0), review("love", day=50)) == shares(
        review("murder", day=2000), review("love", day=2050)
    )
    cool = review("stars", rating=3, day=HALF_LIFE)
    aged = shares(review("murder", day=0), review("love", 1, day=0), cool)
    assert aged == pytest.approx(expected({"mystery": 0.5}, {"romance": 0.5}))


def test_a_rating_without_a_day_counts_as_the_latest():
    found = shares(review("murder"), review("love", day=7))
    assert found["mystery"] == pytest.approx(found["romance"])


def test_dislikes_stand_against_likes():
    liked = [review("murder", day=n) for n in range(4)] + [review("love", day=n) for n in range(4)]
    torn = [review("love", rating=1, day=n) for n in range(4)]
    before, after = shares(*liked), shares(*liked, *torn)
    assert before["mystery"] == pytest.approx(before["romance"])
    assert after["mystery"] > before["mystery"] and after["romance"] < before["romance"]
    [only, _] = interests(Reader(id="r", reviews=(*liked, *torn)), BOOKS, HALF_LIFE)
    assert only.cluster == "mystery"


def test_dislikes_alone_are_no_interest_in_everything_else():
    reader = Reader(id="r", reviews=(review("murder", rating=1),))
    assert interests(reader, BOOKS, HALF_LIFE) == ()
    stated = reader.model_copy(update={"favourite_genres": ("arts",)})
    assert [i.cluster for i in interests(stated, BOOKS, HALF_LIFE)] == ["arts"]


@pytest.mark.parametrize(
    ("rating", "side"), [(5, 1), (4, 1), (3.9, 0), (3, 0), (2.1, 0), (2, -1), (1, -1)]
)
def test_likes_begin_at_four_stars_and_dislikes_end_at_two(rating: float, side: int):
    found = shares(review("murder", rating))["mystery"]
    assert found == pytest.approx(
        expected({"mystery": float(side > 0)}, {"mystery": float(side < 0)})["mystery"]
    )


def test_a_book_of_two_clusters_counts_half_for_each():
    assert shares(review("both")) == pytest.approx(expected({"mystery": 0.5, "romance": 0.5}, {}))


def test_unknown_books_and_unknown_tags_say_nothing():
    strangers = (review("gone"), review("untagged"), review("bare"), review("gone", rating=1))
    assert shares(*strangers) == shares()
    assert shares(review("murder"), *strangers) == shares(review("murder"))


def test_stated_genres_come_first_in_their_order_and_once():
    reader = Reader(
        id="r",
        favourite_genres=("society", "arts", "society", "no such cluster"),
        reviews=(review("murder", day=0), review("murder", day=1)),
    )
    found = interests(reader, BOOKS, HALF_LIFE)
    assert [(i.cluster, i.source) for i in found] == [
        ("society", "stated"),
        ("arts", "stated"),
        ("mystery", "inferred_behaviour"),
    ]


def test_a_stated_genre_keeps_its_share_of_the_ratings():
    reader = Reader(id="r", favourite_genres=("mystery",), reviews=(review("murder"),))
    [mystery] = interests(reader, BOOKS, HALF_LIFE)
    assert (mystery.source, mystery.share) == (
        "stated",
        round(shares(review("murder"))["mystery"], 3),
    )


def test_inferred_interests_are_ranked_and_above_the_even_share():
    liked = (review("murder", day=0), review("murder", day=1), review("love", day=1))
    found = interests(Reader(id="r", reviews=liked), BOOKS, HALF_LIFE)
    assert [i.cluster for i in found] == ["mystery", "romance"]
    assert all(i.share > 1 / 9 for i in found)


def test_a_tag_points_to_the_cluster_of_its_longest_keyword():
    assert clusters_of(["Historical Mystery"]) == ["mystery"]
    assert clusters_of(["Crime", "ROMANCE", "Whodunit"]) == ["mystery", "romance"]
    assert clusters_of(["Sci-Fi & Fantasy", "qwerty"]) == ["speculative"]
    assert clusters_of(["spying"]) == [], "keywords are whole words"
