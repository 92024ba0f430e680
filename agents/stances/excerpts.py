"""Cuts a reader's words into sentences and picks the most informative; it judges none of them."""

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents import gates
from agents.records import ABOUT, Reader

LEAST_WORDS = 4
MOST_CHARS = 400
"""A longer run of text without a full stop is no sentence and is cut here."""
SELF = frozenset("i i'm i've i'd i'll me my mine myself we we're we've us our ourselves".split())
SELF_WEIGHT = 1.5
"""Sentences in the first person say more of their writer than of the book."""

_SENTENCE = re.compile(r"[^.!?…。！？।؟]+[.!?…。！？।؟]*")
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True)
class Excerpt:
    """The sentence `text[start:end]` of a review."""

    review_id: str
    start: int
    end: int
    text: str


def excerpts(reader: Reader) -> list[Excerpt]:
    """The sentences of `about` and of all reviews in order; none that holds instructions."""
    sources = [(ABOUT, reader.about), *((r.id, r.text) for r in reader.reviews)]
    return [excerpt for review_id, text in sources for excerpt in _sentences(review_id, text)]


def most_informative(found: Sequence[Excerpt], most: int) -> list[Excerpt]:
    """At most `most` excerpts, those whose new words carry the most information, in their order.

    The information of a word is -log2 of its share in the reader's own words; words that an excerpt
    picked before has said carry none (greedy maximal coverage), and long sentences pay for their
    length with its square root. Sentences in the first person weigh half as much again.
    """
    if len(found) <= most:
        return list(found)
    vocabularies = [frozenset(gates.words(e.text.replace("’", "'"))) for e in found]
    counts = Counter(word for words in vocabularies for word in words)
    total = sum(counts.values())
    information = {word: -math.log2(n / total) for word, n in counts.items()}
    weights = [
        (SELF_WEIGHT if words & SELF else 1.0) / math.sqrt(len(words) or 1)
        for words in vocabularies
    ]
    said: set[str] = set()

    def gain(index: int) -> float:
        return weights[index] * sum(information[w] for w in vocabularies[index] - said)

    # Gains only shrink, so one that is still the largest when it is renewed is the pick.
    heap = [(-gain(i), i) for i in range(len(found))]
    heapq.heapify(heap)
    picked: list[int] = []
    while heap and len(picked) < most:
        _, index = heapq.heappop(heap)
        renewed = (-gain(index), index)
        if heap and renewed > heap[0]:
            heapq.heappush(heap, renewed)
            continue
        picked.append(index)
        said |= vocabularies[index]
    return [found[i] for i in sorted(picked)]


def _sentences(review_id: str, text: str) -> Iterable[Excerpt]:
    for sentence in _SENTENCE.finditer(text):
        if gates.holds_instructions(sentence.group()):
            continue
        for line in _LINE.finditer(text, *sentence.span()):
            words = line.group()
            start = line.start() + len(words) - len(words.lstrip())
            end = min(line.start() + len(words.rstrip()), start + MOST_CHARS)
            said = text[start:end]
            long_enough = len(gates.words(said)) >= LEAST_WORDS or not said.isascii()
            if end > start and long_enough:
                yield Excerpt(review_id, start, end, said)
