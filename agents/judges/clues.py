"""Numbers that tell of a flaw in a pair, from vectors of its texts and sentences; none decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.embeddings import Embedder
from agents.gates import words
from agents.judges.examples import FIELDS, Field
from agents.judges.pole_model import Matrix, contrast, hashed_words, unit

ANSWERS: tuple[Field, Field] = ("chosen", "rejected")
_BREAKS = re.compile(r"(?<=[.!?;:])[\"'”’)\]]*\s+")
LEAST_WORDS = 4
"""A shorter sentence belongs to the one before it."""
ALONE = 0.3
"""Stands for the cosine between sentences where there is one only."""


@dataclass(frozen=True)
class Read:
    """Pairs as vectors."""

    dimensions: Matrix
    """Of each pair, as an index: shape (pairs,)."""
    whole: dict[str, Matrix]
    """Shape (pairs, vector length)."""
    sentences: dict[str, list[Matrix]]
    """Of each pair, shape (sentences, vector length)."""
    contrasts: Matrix
    """Of the chosen with the rejected answer: shape (pairs, contrast length)."""
    shared: Matrix
    """Words shared by the answers, and by each with the situation: shape (pairs, 3)."""

    def __len__(self) -> int:
        return len(self.dimensions)

    def take(self, rows: Matrix) -> "Read":
        """Some of the pairs, by their rows."""
        index = np.asarray(rows, dtype=int)
        return Read(
            self.dimensions[index],
            {field: vectors[index] for field, vectors in self.whole.items()},
            {field: [of[i] for i in index] for field, of in self.sentences.items()},
            self.contrasts[index],
            self.shared[index],
        )


def read(
    embedder: Embedder, pairs: Sequence[tuple[str, str, str]], dimensions: Sequence[int]
) -> Read:
    """Embed the texts of pairs, each once.

    Args:
        embedder: turns texts into vectors.
        pairs: situation, chosen and rejected answer of each.
        dimensions: of each pair, as an index.
    """
    split = {text: sentences(text) for pair in pairs for text in pair}
    texts = list(dict.fromkeys([*split, *(s for parts in split.values() for s in parts)]))
    vectors = dict(zip(texts, embedder.embed(texts), strict=True))
    columns = dict(zip(FIELDS, zip(*pairs, strict=True), strict=True))
    whole: dict[str, Matrix] = {
        f: np.stack([vectors[text] for text in column]) for f, column in columns.items()
    }
    chosen, rejected = (hashed_words(columns[field]) for field in ANSWERS)
    return Read(
        np.asarray(dimensions),
        whole,
        {
            field: [np.stack([vectors[s] for s in split[text]]) for text in column]
            for field, column in columns.items()
        },
        contrast(whole["chosen"], whole["rejected"], chosen, rejected),
        np.array([_shared(*pair) for pair in pairs]),
    )


def sentences(text: str) -> list[str]:
    """The sentences of a text, none of fewer than LEAST_WORDS words unless it is all there is."""
    found: list[str] = []
    for part in _BREAKS.split(text.strip()):
        if found and min(len(part.split()), len(found[-1].split())) < LEAST_WORDS:
            found[-1] += " " + part
        else:
            found.append(part)
    return found


def stance_clues(margins: Matrix, pairs: Read) -> Matrix:
    """How clearly the answers part on the dimension, beside all others: shape (pairs, 4)."""
    rows = np.arange(len(pairs))
    sizes = np.abs(margins)
    own = sizes[rows, pairs.dimensions]
    apart = np.linalg.norm(pairs.whole["chosen"] - pairs.whole["rejected"], axis=1)
    relative = np.log((own + 1e-9) / (sizes.mean(axis=1) + 1e-9))
    return np.stack([own, own / (apart + 1e-9), relative, _above(sizes, pairs.dimensions)], axis=1)


def topic_clues(pairs: Read, scenes: Matrix, answers: Matrix) -> Matrix:
    """How near situation and answers lie to what the dimension's examples are about.

    Args:
        pairs: to look at.
        scenes: mean situation of each dimension's examples, shape (dimensions, vector length).
        answers: the same of their answers.

    Returns:
        Shape (pairs, 4).
    """
    rows = np.arange(len(pairs))
    middle = unit(pairs.whole["chosen"] + pairs.whole["rejected"])
    near = pairs.whole["situation"] @ scenes.T, middle @ answers.T
    beyond = [n[rows, pairs.dimensions] - n.mean(axis=1) for n in near]
    return np.stack([*beyond, *(_above(n, pairs.dimensions) for n in near)], axis=1)


def coherence_clues(pairs: Read) -> Matrix:
    """How well the sentences of a pair hang together, the same in both orders of its answers."""
    found = []
    for row in range(len(pairs)):
        scene, parts = pairs.whole["situation"][row], pairs.sentences["situation"][row]
        one, other = (pairs.whole[field][row] for field in ANSWERS)
        each = np.array(
            [
                _answer_clues(vector, pairs.sentences[field][row], scene, parts)
                for field, vector in zip(ANSWERS, (one, other), strict=True)
            ]
        )
        middle, within = unit(one + other), _between(parts)
        found.append(
            [
                *each.min(axis=0),
                *(each.max(axis=0) - each.min(axis=0)),
                *within,
                parts[-1] @ middle,
                (parts @ middle).min(),
                len(parts),
                one @ other,
                scene @ middle,
            ]
        )
    return np.concatenate([np.array(found), pairs.shared], axis=1)


def _answer_clues(answer: Matrix, parts: Matrix, scene: Matrix, scene_parts: Matrix) -> list[float]:
    best = (parts @ scene_parts.T).max(axis=1)
    return [
        float(answer @ scene),
        float((parts @ scene).min()),
        _between(parts)[1],
        float(best.min()),
        float(best.mean()),
        float(answer @ scene_parts[-1]),
    ]


def _between(parts: Matrix) -> tuple[float, float]:
    """The least and the mean cosine between sentences."""
    if len(parts) == 1:
        return ALONE, ALONE
    cosines = (parts @ parts.T)[np.triu_indices(len(parts), 1)]
    return float(cosines.min()), float(cosines.mean())


def _shared(situation: str, chosen: str, rejected: str) -> tuple[float, float, float]:
    scene, one, other = (set(words(text)) for text in (situation, chosen, rejected))
    with_scene = sorted(len(answer & scene) / max(1, len(answer)) for answer in (one, other))
    return len(one & other) / max(1, len(one | other)), with_scene[0], with_scene[1]


def _above(values: Matrix, columns: Matrix) -> Matrix:
    """The share of all columns that lie above a row's own: shape (rows,)."""
    return (values > values[np.arange(len(values)), columns][:, None]).mean(axis=1)
