"""How varied a set of texts is: four measures, each from its paper; they read no file."""

import gzip
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.embeddings import Vectors
from agents.gates import words

GRAM = 4


@dataclass(frozen=True)
class Diversity:
    """One set of texts, at its own count and at a number of words that all sets share."""

    texts: int
    distinct: int
    vendi: float
    """Effective number of different texts: more is better, at most `texts`."""
    compression: float
    """Bytes by gzipped bytes: less is better, about 2 for prose."""
    self_repetition: float
    """Less is better, 0 where no four words in a row come twice."""
    coverage: float
    """Entropy over themes by its maximum: 1 where all come equally often."""


def diversity(
    texts: Sequence[str], vectors: Vectors, themes: Vectors, budget: int, seed: int = 0
) -> Diversity:
    """All measures of one set.

    Args:
        texts: the set.
        vectors: unit vectors of the texts, a row each.
        themes: unit vectors of what texts may be about; each text counts for its nearest.
        budget: words after which the set is cut for the two measures that grow with length.
        seed: of the order in which texts are taken until the budget is spent.
    """
    cut = within(texts, budget, seed)
    return Diversity(
        texts=len(texts),
        distinct=len(set(texts)),
        vendi=vendi(vectors),
        compression=compression_ratio(cut),
        self_repetition=self_repetition(cut),
        coverage=coverage_entropy(vectors, themes),
    )


def vendi(vectors: Vectors) -> float:
    """Exp of the entropy of the eigenvalues of K/n, with K the cosines (arXiv 2210.02410)."""
    matrix = np.asarray(vectors, dtype=np.float64)
    values = np.linalg.eigvalsh(matrix.T @ matrix / len(matrix))
    values = values[values > 1e-12]
    return float(math.exp(-(values * np.log(values)).sum()))


def compression_ratio(texts: Sequence[str]) -> float:
    """Bytes of all texts by their gzipped bytes (Shaib et al. 2024, arXiv 2403.00553)."""
    joined = "\n".join(texts).encode()
    return len(joined) / len(gzip.compress(joined, mtime=0))


def self_repetition(texts: Sequence[str]) -> float:
    """Mean over texts of log(1 + Σ over its 4-grams of (df - 1)) (as in `diversity`, 0.3.1).

    df counts the texts of the set that hold the 4-gram.
    """
    grams = [_grams(text) for text in texts]
    held = Counter(gram for of_one in grams for gram in of_one)
    return sum(math.log1p(sum(held[g] - 1 for g in of_one)) for of_one in grams) / len(grams)


def coverage_entropy(vectors: Vectors, themes: Vectors) -> float:
    """Entropy of the nearest theme over the set, by the logarithm of the number of themes."""
    counts = np.bincount((vectors @ themes.T).argmax(axis=1), minlength=len(themes))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum() / math.log(len(themes)))


def within(texts: Sequence[str], budget: int, seed: int) -> list[str]:
    """Texts in random order until `budget` words are spent."""
    order = list(texts)
    random.Random(seed).shuffle(order)
    taken: list[str] = []
    spent = 0
    for text in order:
        spent += len(words(text))
        if spent > budget:
            break
        taken.append(text)
    return taken or order[:1]


def _grams(text: str) -> set[tuple[str, ...]]:
    tokens = words(text)
    return {tuple(tokens[i : i + GRAM]) for i in range(len(tokens) - GRAM + 1)}
