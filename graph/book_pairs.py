"""Interest pairs from behaviour: a liked book's description against another's; no model is asked.

Nothing leaks: what the prompt tells of the reader's genres is inferred without the two books of the
pair, and both titles come from one shelf, so that pairs held out by shelf share no title with the
others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial

from agents import gates
from agents.interests import clusters_of, interests, liking
from agents.portrait import MOST_GENRES, portrait
from agents.prompting import render
from agents.records import Book, Pair, Pole, Profile, Reader
from graph.pairing import digest

SHELVES = 8
"""Titles are dealt over so many shelves by a hash."""
LEAST_CHARS, MOST_CHARS = 200, 600
"""Characters of a description that is worth a pair, and after which it is cut."""
MOST_LENGTH_RATIO = 1.25
MOST_FAME_RATIO = 4.0
"""A book may have this many times the ratings of the other: fame must not decide."""
_SUBTITLE = re.compile(r"\s*[:;(\[–—].*|\s+-\s.*", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


class BookPairs:
    """Pairs a reader's liked books with books they disliked, or that lie off their interests.

    Args:
        books: the catalogue by id.
        readers: whose ratings tell how well known a book is where the catalogue does not.
        half_life_days: after which a rating speaks half as loudly of interests.
    """

    def __init__(
        self, books: Mapping[str, Book], readers: Iterable[Reader], half_life_days: int
    ) -> None:
        self._half_life_days = half_life_days
        self._books = books
        self._rated = Counter(review.book_id for reader in readers for review in reader.reviews)
        self._texts = {i: text for i, book in books.items() if (text := _told(book.description))}
        self._shelves: list[list[str]] = [[] for _ in range(SHELVES)]
        for book_id in self._texts:
            self._shelves[_shelf(books[book_id])].append(book_id)

    def make(self, run_id: str, reader: Reader, profile: Profile, count: int) -> list[Pair]:
        """At most `count` pairs, each title in one of them only; the same every time."""
        pairs: list[Pair] = []
        used: set[str] = set()
        without = cache(partial(self._without, reader, profile))
        rated = self._titles_of(r.book_id for r in reader.reviews)
        for liked, other in self._candidates(reader, profile, rated):
            if len(pairs) == count:
                break
            titles = {_title(liked), _title(other)}
            if titles & used:
                continue
            known = without(frozenset(titles & rated))
            pair = self._pair(run_id, reader.id, known, liked, other)
            if pair:
                pairs.append(pair)
                used |= titles
        return pairs

    def _candidates(
        self, reader: Reader, profile: Profile, rated: set[str]
    ) -> Iterator[tuple[Book, Book]]:
        """A liked book with each that it may stand against: disliked ones first."""
        side = {r.book_id: liking(r) for r in reader.reviews if r.book_id in self._texts}
        inferred = interests(reader, self._books, self._half_life_days)
        interesting = {interest.cluster for interest in (*profile.interests, *inferred)}
        ruled_out = {interest.cluster for interest in profile.interests if interest.forbidden}
        told = {interest.cluster for interest in profile.interests} - ruled_out
        liked_ids = [
            i
            for i, book in ((i, self._books[i]) for i in side if side[i] > 0)
            if _is_free_of(book, ruled_out) and not _is_free_of(book, told)
        ]
        for wanted in (-1, 0):
            for liked in self._in_order(reader.id, liked_ids):
                beside = self._shelves[_shelf(liked)]
                found = (i for i in beside if side.get(i, 0) == wanted)
                for other in self._in_order(liked.id, found):
                    is_open = wanted < 0 or (
                        _title(other) not in rated and _is_off(other, interesting)
                    )
                    if is_open and self._match(liked, other):
                        yield liked, other

    def _in_order(self, seed: str, ids: Iterable[str]) -> list[Book]:
        return [self._books[i] for i in sorted(ids, key=lambda i: digest(seed, i))]

    def _titles_of(self, book_ids: Iterable[str]) -> set[str]:
        return {_title(self._books[i]) for i in book_ids if i in self._books}

    def _match(self, one: Book, other: Book) -> bool:
        """Whether they are two books, and neither length nor fame tells them apart."""
        texts = self._texts[one.id], self._texts[other.id]
        fames = [book.ratings or self._rated[book.id] or 1 for book in (one, other)]
        return (
            _title(one) != _title(other)
            and texts[0] != texts[1]
            and gates.unequal_length(*texts, MOST_LENGTH_RATIO) is None
            and max(fames) <= MOST_FAME_RATIO * min(fames)
        )

    def _pair(
        self, run_id: str, reader_id: str, known: Profile, liked: Book, other: Book
    ) -> Pair | None:
        """The pair, unless the reader is `known` for none of the genres that tell the two apart."""
        told = [i.cluster for i in known.interests if not i.forbidden][:MOST_GENRES]
        telling = [c for c in clusters_of(liked.genres) if c not in clusters_of(other.genres)]
        ground = next((c for c in telling if c in told), None)
        if ground is None:
            return None
        first, second = sorted((liked.id, other.id))
        pole: Pole = "high" if liked.id == first else "low"
        scenario_id = f"books-{digest(first, second)}"
        return Pair(
            id=digest(run_id, reader_id, scenario_id),
            run_id=run_id,
            reader_id=reader_id,
            scenario_id=scenario_id,
            facet="interest",
            dimension=ground,
            pole=pole,
            group=f"shelf-{_shelf(liked)}",
            prompt=render("next_book", portrait=portrait(known, "")),
            chosen=self._texts[liked.id],
            rejected=self._texts[other.id],
            reason=f"by the reader's ratings: {liked.title} rather than {other.title}",
        )

    def _without(self, reader: Reader, profile: Profile, titles: frozenset[str]) -> Profile:
        """The genres alone, as they would be inferred had the reader never rated these books."""
        left = tuple(r for r in reader.reviews if not self._titles_of([r.book_id]) & titles)
        told = {interest.cluster: interest for interest in profile.interests}
        rest = reader.model_copy(update={"reviews": left})
        inferred = interests(rest, self._books, self._half_life_days)
        kept = tuple(told[i.cluster] for i in inferred if i.cluster in told)
        return profile.model_copy(update={"attributes": (), "interests": kept})


def _told(description: str) -> str:
    """The first sentences that fit into `MOST_CHARS`; nothing where there is too little."""
    text = ""
    for sentence in _SENTENCE.split(" ".join(description.split())):
        if len(text) + len(sentence) >= MOST_CHARS:
            break
        text = f"{text} {sentence}".strip()
    return text if len(text) >= LEAST_CHARS and not gates.holds_instructions(text) else ""


def _is_free_of(book: Book, clusters: set[str]) -> bool:
    return clusters.isdisjoint(clusters_of(book.genres))


def _is_off(book: Book, clusters: set[str]) -> bool:
    """Whether its genres are known and the reader cares for none of them."""
    return bool(clusters_of(book.genres)) and _is_free_of(book, clusters)


def _title(book: Book) -> str:
    """Editions of a book share it: a subtitle, a series or the kind of binding is no part of it."""
    whole = " ".join(book.title.casefold().split())
    return _SUBTITLE.sub("", whole) or whole


def _shelf(book: Book) -> int:
    return int(digest(_title(book)), 16) % SHELVES
