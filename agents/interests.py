"""Reading interests over genre clusters, from what was stated, liked and disliked; no model."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from agents.frameworks.catalogue import genre_clusters
from agents.records import Book, Interest, Reader, Review, Source

SHRINKAGE = 3.0
"""Weight of the even prior over clusters, in liked books: (n_c + a·p_c) / (n + a)."""
LIKED_FROM = 4.0
"""Stars from which a book counts as liked."""
DISLIKED_TO = 2.0
"""Stars up to which it counts as disliked."""
SECONDS_A_DAY = 86_400


def interests(
    reader: Reader, books: Mapping[str, Book], half_life_days: int
) -> tuple[Interest, ...]:
    """Genre clusters ranked: those the reader stated first, then those the ratings speak for."""
    shares = cluster_shares(reader.reviews, books, half_life_days)
    even = 1 / len(shares)
    labels = {c.id: c.label for c in genre_clusters()}
    stated = [c for c in dict.fromkeys(reader.favourite_genres) if c in labels]
    gladly = [
        books[r.book_id] for r in reader.reviews if r.rating >= LIKED_FROM and r.book_id in books
    ]
    liked = {cluster for book in gladly for cluster in clusters_of(book.genres)}
    inferred = sorted(
        (c for c in liked if shares[c] > even + 1e-9 and c not in stated),
        key=lambda c: (-shares[c], c),
    )

    def interest(cluster: str, source: Source) -> Interest:
        return Interest(
            cluster=cluster, label=labels[cluster], share=round(shares[cluster], 3), source=source
        )

    return (
        *(interest(c, "stated") for c in stated),
        *(interest(c, "inferred_behaviour") for c in inferred),
    )


def clusters_of(genres: Iterable[str]) -> list[str]:
    """The clusters the genre tags point to, each tag by its longest keyword, in the tags' order."""
    found = (_cluster_of(tag.casefold()) for tag in genres)
    return list(dict.fromkeys(cluster for cluster in found if cluster))


def liking(review: Review) -> int:
    """1 for a liked book, -1 for a disliked one, 0 between."""
    return (review.rating >= LIKED_FROM) - (review.rating <= DISLIKED_TO)


def recency(reviews: Sequence[Review], half_life_days: int) -> list[float]:
    """0.5^(age / half-life) for each review, counted from the latest; undated ones count whole."""
    newest = max((r.timestamp for r in reviews if r.timestamp), default=0)
    ages = ((newest - (r.timestamp or newest)) / SECONDS_A_DAY for r in reviews)
    return [0.5 ** (days / half_life_days) for days in ages]


def cluster_shares(
    reviews: Iterable[Review], books: Mapping[str, Book], half_life_days: int
) -> dict[str, float]:
    """Each cluster's share of the reader's liking, contrasted with their dislikes.

    Every rating weighs by its `recency`. Likes and dislikes are shrunk towards an even share,
    s = (n_c + a / k) / (n + a); a cluster's contrast is s_liked / (s_liked + s_disliked), and its
    share is s_liked · sqrt(contrast), over the sum. The root was chosen on half of the
    goodbooks-10k readers: without it the shares foretell where held-out likes fall a little worse,
    without any contrast held-out stars.
    """
    listed = list(reviews)
    liked: dict[str, float] = dict.fromkeys((c.id for c in genre_clusters()), 0.0)
    disliked = dict(liked)
    for review, weight in zip(listed, recency(listed, half_life_days), strict=True):
        if review.book_id not in books or not liking(review):
            continue
        side = liked if liking(review) > 0 else disliked
        clusters = clusters_of(books[review.book_id].genres)
        for cluster in clusters:
            side[cluster] += weight / len(clusters)
    gladly, hardly = _shrunk(liked), _shrunk(disliked)
    contrast = {c: share * math.sqrt(share / (share + hardly[c])) for c, share in gladly.items()}
    total = sum(contrast.values())
    return {c: x / total for c, x in contrast.items()}


def _shrunk(masses: Mapping[str, float]) -> dict[str, float]:
    total, even = sum(masses.values()), 1 / len(masses)
    return {c: (n + SHRINKAGE * even) / (total + SHRINKAGE) for c, n in masses.items()}


@cache
def _cluster_of(tag: str) -> str | None:
    matches = [
        (len(keyword), cluster.id)
        for cluster in genre_clusters()
        for keyword in cluster.keywords
        if re.search(rf"\b{re.escape(keyword)}\b", tag)
    ]
    return max(matches)[1] if matches else None
