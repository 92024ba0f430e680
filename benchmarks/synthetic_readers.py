"""Readers whose traits, values and interests are known, with reviews written from templates."""

import json
import math
import random
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from agents.frameworks.catalogue import dimensions, genre_clusters
from agents.records import Book, Pole, Reader, Review

Kind = Literal["seen", "plain", "oblique"]
HELD_OUT = Path(__file__).parent / "data" / "templates.jsonl"
"""What a person who agrees with a seed statement says in a review, outright (`plain`) or between
the lines (`oblique`). Written without sight of the examples that the embedded backend is fitted to,
which are the `seen` texts."""
SEEN = files("agents.stances").joinpath("examples.jsonl")
FACETS = ("personality", "value")
LOADING = 0.7
"""Correlation of a part (a facet, a refined value) with its broad dimension."""
SLOPE = 1.7
"""Of the logistic curve from a reader's standing to the pole of what they say."""
FAVOURITES = 3
FAVOURITE_SHARE = 0.66
"""Of a reader's books that belong to their three favourite clusters."""
BOOKS_IN_CLUSTER = 20
A_YEAR_S = 365 * 86_400
BEGIN_S = 1_400_000_000

OPENINGS = (
    "I picked this up at the station.",
    "My library had one worn copy.",
    "A present from a colleague, read over two evenings.",
    "The second one I have read by this writer.",
    "Four hundred pages, and the print is small.",
    "This was on the shelf of a rented flat.",
    "The cover does not tell you much.",
    "I listened to the first half and read the second.",
    "It opens with a letter and ends with one.",
    "The chapters are short and there are many of them.",
    "I had heard about it on the radio.",
    "We read it for the club in March.",
)
CLOSINGS = (
    "The last part is set ten years later.",
    "There is a map at the back.",
    "The translation reads well.",
    "A film of it is said to come out next year.",
    "I am passing my copy on to my neighbour.",
    "The middle could have been a little shorter.",
    "The dialogue is sharp all the way.",
    "I will look for the next one.",
    "It took me about a week.",
    "The ending was not what the blurb had led me to expect.",
    "Some of the names are hard to keep apart.",
    "The notes are worth reading too.",
)


@dataclass(frozen=True)
class KnownReader:
    """A reader with the truth that their reviews were written from."""

    reader: Reader
    standing: dict[str, float]
    """Standing on each dimension in population standard deviations."""
    favourites: frozenset[str]
    """The three genre clusters that they like most."""


class Population:
    """Draws readers: N(0, 1) on every dimension, parts correlating with their broad dimension.

    Args:
        kinds: of the texts that reviews are written from.
        remarks: attitudes in one review.
        seed: the same seed gives the same readers.
    """

    def __init__(self, kinds: Collection[Kind], remarks: int = 3, seed: int = 0) -> None:
        self._dice = random.Random(f"{sorted(kinds)} {seed}")
        self._remarks = remarks
        self._texts = _texts(kinds)
        named = {axis.name: axis for axis in dimensions().values() if axis.facet in FACETS}
        self._spoken = [
            n for n in named if (n, "high") in self._texts and (n, "low") in self._texts
        ]
        self._axes = named
        self.books = _books()

    def draw(self, number: int, reviews: int) -> KnownReader:
        """The next reader, under the id `number`, with so many reviews."""
        dice = self._dice
        standing = self._standing()
        clusters = [c.id for c in genre_clusters()]
        favourites = frozenset(dice.sample(clusters, FAVOURITES))
        others = [c for c in clusters if c not in favourites]
        written: list[Review] = []
        for index in range(reviews):
            liked = dice.random() < FAVOURITE_SHARE
            cluster = dice.choice(sorted(favourites) if liked else others)
            book = self.books[f"{cluster}-{dice.randrange(BOOKS_IN_CLUSTER)}"]
            rating = min(5, max(1, round(dice.gauss(4.3 if liked else 3.0, 0.9))))
            written.append(
                Review(
                    id=f"r{index}",
                    book_id=book.id,
                    title=book.title,
                    rating=rating,
                    text=self._review(book, standing),
                    timestamp=BEGIN_S + dice.randrange(5 * A_YEAR_S),
                )
            )
        reader = Reader(id=f"synthetic-{number}", reviews=tuple(written))
        return KnownReader(reader, standing, favourites)

    def _standing(self) -> dict[str, float]:
        broad = {n: self._dice.gauss(0, 1) for n, axis in self._axes.items() if axis.parent is None}
        rest = math.sqrt(1 - LOADING**2)
        return {
            name: broad[name]
            if axis.parent is None
            else LOADING * broad[axis.parent] + rest * self._dice.gauss(0, 1)
            for name, axis in self._axes.items()
        }

    def _review(self, book: Book, standing: dict[str, float]) -> str:
        remarks = [self._remark(standing) for _ in range(self._remarks)]
        sentences = [self._dice.choice(OPENINGS), *remarks, self._dice.choice(CLOSINGS)]
        return " ".join(sentences).replace("{title}", book.title)

    def _remark(self, standing: dict[str, float]) -> str:
        name = self._dice.choice(self._spoken)
        agrees = self._dice.random() < 1 / (1 + math.exp(-SLOPE * standing[name]))
        return self._dice.choice(self._texts[name, "high" if agrees else "low"])


def _texts(kinds: Collection[Kind]) -> dict[tuple[str, Pole], list[str]]:
    of = {s.id: (axis.name, s.pole) for axis in dimensions().values() for s in axis.statements}
    found: dict[tuple[str, Pole], list[str]] = defaultdict(list)
    for source, kind in ((SEEN, "seen"), (HELD_OUT, None)):
        for line in source.read_text("utf-8").splitlines():
            row = json.loads(line)
            if row["statement"] and (kind or row["kind"]) in kinds:
                found[of[row["statement"]]].append(row["text"])
    return found


def _books() -> dict[str, Book]:
    """Twenty books of each cluster, told apart by their genre tags alone."""
    return {
        f"{cluster.id}-{n}": Book(
            id=f"{cluster.id}-{n}",
            title=f"{cluster.label.split(',')[0]} {n + 1}",
            genres=(cluster.keywords[n % len(cluster.keywords)],),
        )
        for cluster in genre_clusters()
        for n in range(BOOKS_IN_CLUSTER)
    }
