"""Which of two answers stands for which pole of a dimension: a linear model on their contrast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]
WORD_FEATURES = 2048
"""Hashed words; the weights of a word are shared with those it collides with."""
WORDS_SHARE = 0.17
"""Of the words' similarity beside that of the sentence vectors."""
OWN_DIMENSION = 0.3
"""Weight of a dimension's own examples on top of its likeness to itself."""
RIDGE = 1.0
"""The regularisation of the ridge regression; examples have a mean similarity of one."""
AXIS_SHARE = 0.6
"""Of the axis between the poles' statements, in standard deviations of the fitted scores. All five
were chosen on written examples, each author's scored by a model fitted to the others'."""


@dataclass(frozen=True)
class PoleModel:
    """Kernel ridge regression over contrasts, shared between dimensions by how alike they are.

    The kernel of two contrasts x on dimensions a and b is (x · x') (likeness(a, b) + own [a = b]),
    a multi-task kernel (Evgeniou, Micchelli and Pontil 2005). It has no intercept, so that the
    margin of a swapped pair is the opposite: no order, and no length, can sway it.
    """

    weights: Matrix
    """Shape (dimensions, contrast length): towards each high pole."""

    @classmethod
    def fit(cls, contrasts: Matrix, dimensions: Matrix, axes: Matrix) -> "PoleModel":
        """Fitted to high answers' contrasts with low ones.

        Args:
            contrasts: shape (examples, contrast length), of `contrast`.
            dimensions: of each example, as a row of `axes`: shape (examples,).
            axes: shape (dimensions, vector length): from each low to each high pole.
        """
        directions = unit(axes)
        likeness = directions @ directions.T + OWN_DIMENSION * np.eye(len(axes))
        size = np.sqrt((contrasts**2).sum(axis=1).mean())
        scaled = contrasts / size
        kernel = (scaled @ scaled.T) * likeness[np.ix_(dimensions, dimensions)]
        shares = np.linalg.solve(kernel + RIDGE * np.eye(len(scaled)), np.ones(len(scaled)))
        fitted = (likeness[:, dimensions] * shares) @ scaled
        padded = np.zeros_like(fitted)
        padded[:, : axes.shape[1]] = axes
        weights = fitted / _spread(scaled, fitted[dimensions])
        weights += AXIS_SHARE * padded / _spread(scaled, padded[dimensions])
        return cls((weights / size).astype(np.float32))

    def margins(self, contrasts: Matrix) -> Matrix:
        """Towards the high pole of every dimension: shape (pairs, dimensions)."""
        return contrasts @ self.weights.T


def contrast(vectors: Matrix, others: Matrix, words: Matrix, other_words: Matrix) -> Matrix:
    """What answers say that others do not: shape (pairs, contrast length)."""
    share = np.sqrt(WORDS_SHARE)
    return np.concatenate([vectors - others, share * (words - other_words)], axis=1)


def hashed_words(texts: Sequence[str]) -> Matrix:
    """Which words a text holds, as unit vectors: shape (len(texts), WORD_FEATURES)."""
    from sklearn.feature_extraction.text import HashingVectorizer  # takes a second

    vectorizer: Any = HashingVectorizer(
        n_features=WORD_FEATURES, alternate_sign=False, binary=True, token_pattern=r"[\w']+"
    )
    return vectorizer.transform(texts).toarray().astype(np.float32)


def unit(vectors: Matrix) -> Matrix:
    """Rows at length one; a row of nothing stays so."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _spread(contrasts: Matrix, weights: Matrix) -> float:
    return float((contrasts * weights).sum(axis=1).std()) or 1.0
