"""What written examples teach of poles, topics and flawed words; it weighs no evidence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from agents.judges.clues import Read, coherence_clues, stance_clues, topic_clues
from agents.judges.examples import POOL, Example, Field, Flaw
from agents.judges.pole_model import Matrix, PoleModel, unit
from agents.records import Pole

WORDED: dict[Flaw, tuple[Field, ...]] = {
    "absurd_answer": ("chosen", "rejected"),
    "incoherent_situation": ("situation",),
    "unsafe": ("chosen", "rejected"),
}
"""Flaws that show in the words of a text, and in which texts."""
TEXT_STRENGTH, SENTENCE_STRENGTH = 3.0, 1.0
"""Inverse regularisation of the classifiers of texts and of sentences."""
ROUNDS = 2
"""Of finding the sentence that carries a text's flaw and fitting to it, as in learning from bags
of instances (Andrews, Tsochantaridis and Hofmann 2002)."""


@dataclass(frozen=True)
class Evidence:
    """Linear models of poles, topics, and of texts and sentences that read like a flaw."""

    poles: Matrix
    """Of a `PoleModel`."""
    scenes: Matrix
    """Mean situation of each dimension's sound examples: shape (dimensions, vector length)."""
    answers: Matrix
    """The same of their answers."""
    texts: Matrix
    """For each of WORDED, weights and intercept: shape (len(WORDED), vector length + 1)."""
    sentences: Matrix
    """The same for a single sentence."""

    @classmethod
    def fit(cls, pairs: Read, examples: Sequence[Example], axes: Matrix) -> Self:
        """Fitted to examples.

        Args:
            pairs: the examples as vectors, in their order.
            examples: sound ones, and such as have one of WORDED.
            axes: from each dimension's low to its high pole, shape (dimensions, vector length).
        """
        kinds = np.array([example.kind for example in examples])
        sound = pairs.take(np.flatnonzero(kinds == "sound"))
        towards_high = signs(e.pole for e in examples if e.kind == "sound")[:, None]
        both = unit(sound.whole["chosen"] + sound.whole["rejected"])
        pooled = np.array([e.author == POOL for e in examples if e.kind == "sound"])
        fewer = sound.take(np.flatnonzero(~pooled | (np.arange(len(pooled)) % 2 == 0)))
        texts: list[Matrix] = []
        sentences: list[Matrix] = []
        for flaw, fields in WORDED.items():
            at = [
                (row, field)
                for row, example in enumerate(examples)
                for field in fields
                if example.kind == flaw and field in (example.at or fields)
            ]
            flawed = np.stack([pairs.whole[field][row] for row, field in at])
            plain = np.concatenate([fewer.whole[field] for field in fields])
            texts.append(_linear(flawed, plain, TEXT_STRENGTH))
            bags = [pairs.sentences[field][row] for row, field in at]
            plain = np.concatenate([s for field in fields for s in sound.sentences[field]])[::2]
            line = _linear(np.concatenate(bags), plain, SENTENCE_STRENGTH)
            for _ in range(ROUNDS - 1):
                carriers = np.stack([bag[np.argmax(bag @ line[:-1])] for bag in bags])
                line = _linear(carriers, plain, SENTENCE_STRENGTH)
            sentences.append(line)
        return cls(
            PoleModel.fit(sound.contrasts * towards_high, sound.dimensions, axes).weights,
            _means(sound.whole["situation"], sound.dimensions, len(axes)),
            _means(both, sound.dimensions, len(axes)),
            np.stack(texts),
            np.stack(sentences),
        )

    def weigh(self, pairs: Read) -> tuple[Matrix, Matrix]:
        """Margins towards the high pole, shape (pairs,), and clues, shape (pairs, clues)."""
        margins = PoleModel(self.poles).margins(pairs.contrasts)
        clues = [
            stance_clues(margins, pairs),
            topic_clues(pairs, self.scenes, self.answers),
            coherence_clues(pairs),
            *(self._worded(pairs, n, fields) for n, fields in enumerate(WORDED.values())),
        ]
        own = margins[np.arange(len(pairs)), pairs.dimensions]
        return own, np.concatenate(clues, axis=1)

    def _worded(self, pairs: Read, flaw: int, fields: Sequence[Field]) -> Matrix:
        """The most that a text, and that a sentence, reads like a flaw: shape (pairs, 2)."""
        text, sentence = self.texts[flaw], self.sentences[flaw]
        whole = np.stack([pairs.whole[f] @ text[:-1] + text[-1] for f in fields]).max(axis=0)
        parts = [
            max(float((pairs.sentences[f][row] @ sentence[:-1]).max()) for f in fields)
            for row in range(len(pairs))
        ]
        return np.stack([whole, np.array(parts) + sentence[-1]], axis=1)


def signs(poles: Iterable[Pole]) -> Matrix:
    """1 for high, -1 for low: shape (poles,)."""
    return np.array([1.0 if pole == "high" else -1.0 for pole in poles])


def _linear(flawed: Matrix, plain: Matrix, strength: float) -> Matrix:
    """Weights and intercept of a logistic regression in which both sides count the same."""
    from sklearn.linear_model import LogisticRegression  # takes a second

    model: Any = LogisticRegression(C=strength, max_iter=300, tol=1e-3, class_weight="balanced")
    model.fit(np.concatenate([flawed, plain]), np.repeat([1, 0], [len(flawed), len(plain)]))
    return np.append(model.coef_[0], model.intercept_[0])


def _means(vectors: Matrix, dimensions: Matrix, count: int) -> Matrix:
    """The mean direction of each dimension's vectors, or nothing where it has none."""
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, dimensions, vectors)
    return unit(sums)
