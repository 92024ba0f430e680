"""The model behind the embedded judge: fitted on written examples, kept as plain arrays.

A multinomial logistic regression tells from all clues which flaw a pair has, or none. Both that and
the margin towards the reader's pole are put together and calibrated (Platt 1999) on what was said
of authors who were left out of the fit, so that no author's phrasing leaks into the probabilities.
"""

import dataclasses
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from filelock import FileLock

from agents.behaviour import pole_axis
from agents.embeddings import Embedder
from agents.frameworks.catalogue import dimensions, shipped_scenarios
from agents.judges.calibration import EDGE, platt
from agents.judges.clues import Read, read
from agents.judges.evidence import Evidence, signs
from agents.judges.examples import POOL, Example, Flaw, shipped_examples
from agents.judges.pole_model import Matrix, unit
from agents.records import Pole
from agents.replacing import replacing
from agents.stances.classifier import StanceClassifier
from agents.weights import CACHE_CURE, fitted_error, fitted_file

FLAWS: tuple[Flaw, ...] = (
    "off_dimension",
    "same_stance",
    "absurd_answer",
    "incoherent_situation",
    "unsafe",
)
"""What it tells from clues; the gates look for the others."""
STRENGTH = 0.3
"""Inverse regularisation of the regression that weighs the clues."""
MOST_DEVIATIONS = 4.0
"""Clues are cut off so many standard deviations from their mean."""
SWAPPED_EVERY = 8
"""Sound examples are also taken as wrong with their answers swapped, one in so many: with them,
half of what the calibration sees is right."""
RECIPE = 2
"""To be raised when the way of fitting changes, so that nothing fitted before is used."""


@dataclass(frozen=True)
class Estimate:
    """What is estimated of pairs, a row each."""

    probability: Matrix
    """That the pair is right, where half of all pairs are."""
    prefers: Matrix
    """That the chosen answer stands for the reader's pole."""
    flaws: Matrix
    """That it has each of FLAWS: shape (pairs, len(FLAWS))."""


@dataclass(frozen=True)
class EmbeddedModel:
    """All that was fitted for one embedder."""

    evidence: Evidence
    mean: Matrix
    deviation: Matrix
    """Of every clue, over sound examples."""
    flaws: Matrix
    """Weights and intercept, shape (1 + len(FLAWS), clues + 1), no flaw first."""
    steepness: Matrix
    """Of the logistic function of the margin."""
    line: Matrix
    """Slope and intercept of the calibration."""
    pool_margins: Matrix
    """Towards the high pole, of every shipped scene: nothing of these is embedded again."""
    pool_clues: Matrix
    """Shape (shipped scenes, clues)."""

    @classmethod
    def of(cls, embedder: Embedder) -> Self:
        """The model for `embedder`: shipped, kept by an earlier process, or fitted now.

        Raises:
            StorageError: the user's cache cannot be written.
        """
        examples = shipped_examples()
        path = kept_at(embedder, examples)
        with as_file(files("agents.judges").joinpath("fitted", path.name)) as shipped:
            found = cls._load(shipped)
        if found:
            return found
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock")):
                found = cls._load(path)
                if found is None:
                    found = cls.fit(embedder, examples)
                    found.save(path)
                return found
        except OSError as error:
            raise fitted_error(path, error) from error

    @classmethod
    def fit(cls, embedder: Embedder, examples: Sequence[Example]) -> Self:
        """Fitted to written examples of several authors, and the pool."""
        rows = _dimension_rows([example.dimension for example in examples])
        pairs = read(embedder, [example.texts for example in examples], rows)
        axes = _axes(embedder)
        written = [e for e in examples if e.author != POOL]
        margins, clues = _held_out(pairs, examples, axes)
        evidence = Evidence.fit(pairs, examples, axes)
        fitted = cls._weighed(evidence, written, margins * signs(e.pole for e in written), clues)
        pool = np.flatnonzero([example.author == POOL for example in examples])
        if not len(pool):
            return fitted
        margins, clues = evidence.weigh(pairs.take(pool))
        return dataclasses.replace(fitted, pool_margins=margins, pool_clues=clues)

    @classmethod
    def _weighed(
        cls, evidence: Evidence, written: Sequence[Example], margins: Matrix, clues: Matrix
    ) -> Self:
        from sklearn.linear_model import LogisticRegression  # takes a second

        kinds = [example.kind for example in written]
        sound = np.array([kind == "sound" for kind in kinds])
        labels = np.array([1 + FLAWS.index(kind) if kind in FLAWS else 0 for kind in kinds])
        known = sound | (labels > 0)
        mean, deviation = clues[sound].mean(axis=0), clues[sound].std(axis=0) + 1e-6
        telling: Any = LogisticRegression(C=STRENGTH, max_iter=1000)
        telling.fit(_standard(clues[known], mean, deviation), labels[known])
        swapped = np.concatenate([margins[sound], -margins[sound]])[:, None]
        steep: Any = LogisticRegression(C=100.0, fit_intercept=False)
        steep.fit(swapped, np.repeat([1, 0], int(sound.sum())))
        draft = cls(
            evidence,
            mean,
            deviation,
            np.concatenate([telling.coef_, telling.intercept_[:, None]], axis=1),
            np.array(steep.coef_[0, 0]),
            np.array([1.0, 0.0]),
            np.zeros(0),
            np.zeros((0, clues.shape[1])),
        )
        few = np.flatnonzero(sound)[::SWAPPED_EVERY]
        rows = np.concatenate([np.flatnonzero(known), few])
        facing = np.concatenate([margins[known], -margins[few]])
        right = [bool(sound[row]) for row in np.flatnonzero(known)] + [False] * len(few)
        raw = draft._combined(facing, clues[rows])[0]
        return dataclasses.replace(draft, line=np.array(platt(raw.tolist(), right)))

    def estimate(
        self,
        embedder: Embedder,
        pairs: Sequence[tuple[str, str, str]],
        names: Sequence[str],
        poles: Sequence[Pole],
    ) -> Estimate:
        """What is to be thought of pairs.

        Args:
            embedder: the one it was fitted for.
            pairs: situation, chosen and rejected answer of each.
            names: the dimension of each.
            poles: the pole that each chosen answer is to stand for.
        """
        margins, clues = self._weigh(embedder, pairs, names)
        raw, prefers, flaws = self._combined(margins * signs(poles), clues)
        slope, intercept = self.line
        raised = slope * np.log(raw / (1 - raw)) + intercept
        return Estimate(np.clip(_logistic(raised), EDGE, 1 - EDGE), prefers, flaws)

    def save(self, path: Path) -> None:
        """Write it down, or leave what is there."""
        arrays = {
            **{f.name: getattr(self.evidence, f.name) for f in dataclasses.fields(Evidence)},
            **{name: getattr(self, name) for name in _WEIGHTS},
        }
        halved = {name: array.astype(np.float16) for name, array in arrays.items()}
        with replacing(path, CACHE_CURE) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **halved)

    @classmethod
    def _load(cls, path: Path) -> Self | None:
        """What was written down; none where there is nothing usable."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                arrays = {name: kept[name].astype(np.float32) for name in kept.files}
            names = [f.name for f in dataclasses.fields(Evidence)]
            evidence = Evidence(**{name: arrays.pop(name) for name in names})
            return cls(evidence, **arrays)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None

    def _weigh(
        self, embedder: Embedder, pairs: Sequence[tuple[str, str, str]], names: Sequence[str]
    ) -> tuple[Matrix, Matrix]:
        """Margins and clues of pairs: kept ones of shipped scenes, in either order of answers."""
        known = _shipped_rows() if len(self.pool_margins) == len(shipped_scenarios()) else {}
        kept = [known.get((name, *pair)) for name, pair in zip(names, pairs, strict=True)]
        margins = np.zeros(len(pairs))
        clues = np.zeros((len(pairs), self.pool_clues.shape[1]))
        for row, found in enumerate(kept):
            if found:
                margins[row] = found.sign * self.pool_margins[found.row]
                clues[row] = self.pool_clues[found.row]
        fresh = [row for row, found in enumerate(kept) if not found]
        if fresh:
            rows = _dimension_rows([names[row] for row in fresh])
            of = read(embedder, [pairs[row] for row in fresh], rows)
            margins[fresh], clues[fresh] = self.evidence.weigh(of)
        return margins, clues

    def _combined(self, facing: Matrix, clues: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """That pairs are right before calibration, that they are preferred, and their flaws."""
        standard = _standard(clues, self.mean, self.deviation)
        scores = standard @ self.flaws[:, :-1].T + self.flaws[:, -1]
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = raised / raised.sum(axis=1, keepdims=True)
        prefers = _logistic(self.steepness * facing)
        return np.clip(prefers * shares[:, 0], EDGE, 1 - EDGE), prefers, shares[:, 1:]


_WEIGHTS = [f.name for f in dataclasses.fields(EmbeddedModel) if f.name != "evidence"]


class _Shipped(NamedTuple):
    """Where a shipped scene stands in the pool, and 1 where its high answer comes first."""

    row: int
    sign: float


@cache
def _shipped_rows() -> dict[tuple[str, ...], _Shipped]:
    """Every shipped scene by dimension, situation and answers, in both orders of these."""
    found: dict[tuple[str, ...], _Shipped] = {}
    for row, s in enumerate(shipped_scenarios()):
        found[s.dimension, s.situation, s.high, s.low] = _Shipped(row, 1.0)
        found[s.dimension, s.situation, s.low, s.high] = _Shipped(row, -1.0)
    return found


def kept_at(embedder: Embedder, examples: Sequence[Example]) -> Path:
    """Where the cache keeps what was fitted to `examples`, under the name it also ships by."""
    told = json.dumps([RECIPE, list(dimensions()), [e.model_dump() for e in examples]])
    return fitted_file("critic", embedder.name, told, ".npz")


def _held_out(pairs: Read, examples: Sequence[Example], axes: Matrix) -> tuple[Matrix, Matrix]:
    """Margins and clues of written examples by evidence fitted on other authors."""
    authors = np.array([example.author for example in examples])
    rows: list[int] = []
    margins: list[Matrix] = []
    clues: list[Matrix] = []
    for author in dict.fromkeys(authors[authors != POOL].tolist()):
        others = np.flatnonzero(authors != author)
        evidence = Evidence.fit(pairs.take(others), [examples[n] for n in others.tolist()], axes)
        theirs = np.flatnonzero(authors == author)
        margin, clue = evidence.weigh(pairs.take(theirs))
        rows += theirs.tolist()
        margins.append(margin)
        clues.append(clue)
    order = np.argsort(rows)
    return np.concatenate(margins)[order], np.concatenate(clues)[order]


def _axes(embedder: Embedder) -> Matrix:
    """From low to high poles, by what is said of them and by the stance classifier."""
    said = np.stack([pole_axis(embedder, axis) for axis in dimensions().values()])
    stances = StanceClassifier.of(embedder)
    told = np.zeros_like(said)
    known = [(k, w) for k, w in zip(stances.kinds, stances.coefficients.T, strict=True) if k]
    rows = _dimension_rows([kind.dimension for kind, _ in known])
    for row, sign, (_, weights) in zip(rows, signs(k.pole for k, _ in known), known, strict=True):
        told[row] += sign * weights
    return unit(said) + unit(told)


def _dimension_rows(names: Sequence[str]) -> list[int]:
    """The place of each dimension in the catalogue."""
    order = {name: row for row, name in enumerate(dimensions())}
    return [order[name] for name in names]


def _standard(clues: Matrix, mean: Matrix, deviation: Matrix) -> Matrix:
    return np.clip((clues - mean) / deviation, -MOST_DEVIATIONS, MOST_DEVIATIONS)


def _logistic(values: Matrix) -> Matrix:
    return 1 / (1 + np.exp(-values))
