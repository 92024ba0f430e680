"""How well chosen is told from rejected by what must not tell it: length, words, no profile.

A model that can tell them so learns the shortcut and not the reader. Each baseline is a logistic
regression on contrasts, features of the chosen answer less those of the rejected one, in both
orders, cross-validated so that no scenario (or no reader) is both learnt from and judged on.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from agents.findings import Finding, Level, finding

if TYPE_CHECKING:
    from training.pair_set import PairSet

Name = Literal["length", "surface", "profile-free"]
By = Literal["scenario", "reader"]

BOUNDS: dict[Name, tuple[float, float]] = {
    "length": (0.55, 0.65),
    "surface": (0.65, 0.75),
    "profile-free": (0.65, 0.80),
}
"""AUC up to which a baseline is fine, and beyond which it fails. 0.5 tells nothing; the first two
begin where `agents.pool_quality` has them for the scenes, since pairs can be no better. Without the
profile more may be told in all honesty: readers of like mind prefer the same answers."""
LEAST_PAIRS = 200
"""Below so many an AUC is chance: its standard error is about 0.03 at so many."""
FOLDS = 5
MOST_PAIRS = 5000
"""Pairs that are measured, evenly taken; the standard error is below 0.006 by then."""
Z = 1.96
"""Standard errors to the end of a 95 % interval."""
CONFIDENCE = {"length": 1.0, "surface": 1.0, "profile-free": 0.01}
"""Inverse strength of the ridge: hundreds of scaled features need a strong one."""
MOST_WORDS = 8


@dataclass(frozen=True)
class Baseline:
    """What one kind of feature tells."""

    name: Name
    by: By
    """What no fold shares with another."""
    auc: float
    """Area under the ROC curve of telling both orders of a pair apart."""
    error: float
    """Its standard error."""


def baselines(pairs: "PairSet") -> tuple[Baseline, ...]:
    """Every baseline by scenario and by reader; those with too little to measure are left out."""
    if len(pairs.rows) < LEAST_PAIRS:
        return ()
    taken = _taken(pairs)
    by: dict[By, tuple[str, str]] = {
        "scenario": ("group", "scenario_id"),
        "reader": ("reader_id", "reader_id"),
    }
    features = {
        "length": _lengths(pairs, taken),
        "surface": _surface(pairs, taken)[0],
        "profile-free": _meaning(pairs, taken),
    }
    found: list[Baseline] = []
    for kind, (group, unit) in by.items():
        groups = [pairs.rows[i][group] for i in taken]
        if len(set(groups)) < FOLDS:
            continue
        units = len({pairs.rows[i][unit] for i in taken})
        for name in BOUNDS:
            auc = _auc(features[name], groups, CONFIDENCE[name])
            found.append(Baseline(name, kind, auc, standard_error(auc, units)))
    return tuple(found)


def shortcut(pairs: "PairSet", name: Name) -> Finding:
    """One baseline against its bounds; it fails only where its whole 95 % interval is beyond."""
    check, (fine, most) = name, BOUNDS[name]
    found = [b for b in pairs.baselines if b.name == name]
    if not found:
        few = f"fewer than {LEAST_PAIRS} pairs, or than {FOLDS} scenarios and readers"
        return finding(check, "warn", f"{few}: not measured")
    level: Level = "ok"
    if any(b.auc > fine for b in found):
        level = "warn"
    if any(b.auc - Z * b.error > most for b in found):
        level = "fail"
    aucs = ", ".join(f"{b.auc:.2f}±{b.error:.2f} by {b.by}" for b in found)
    figure = f"AUC {aucs} (fine to {fine:.2f}, fails from {most:.2f})"
    return finding(check, level, figure, () if level == "ok" else _meant(pairs, name))


def standard_error(auc: float, units: int) -> float:
    """Of an AUC over `units` positives and as many negatives (Hanley & McNeil 1982, Radiology 143).

    The units are scenarios or readers and not pairs: pairs of one scenario are no independent
    witnesses, and counting them as such would make chance look sure.
    """
    both_above, both_below = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (units - 1) * (both_above + both_below - 2 * auc**2)
    return float(np.sqrt((auc * (1 - auc) + spread) / units**2))


def _taken(pairs: "PairSet") -> list[int]:
    count = len(pairs.rows)
    return list(range(count))[:: -(-count // MOST_PAIRS)]


def _lengths(pairs: "PairSet", taken: Sequence[int]) -> Any:
    chosen, rejected = np.array([[len(text) for text in pairs.answers[i]] for i in taken]).T
    return _scaled(np.log(chosen / rejected)[:, None])


def _surface(pairs: "PairSet", taken: Sequence[int]) -> tuple[Any, Any]:
    """Contrasts of tf-idf words, and the words."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second

    weigh = TfidfVectorizer(sublinear_tf=True, token_pattern=r"[\w']+")
    words: Any = weigh.fit_transform([text for i in taken for text in pairs.answers[i]])
    return words[::2] - words[1::2], weigh.get_feature_names_out()


def _meaning(pairs: "PairSet", taken: Sequence[int]) -> Any:
    """Contrasts of the answers' vectors, alone and in the light of the situation."""
    chosen, rejected = (pairs.vectors([pairs.answers[i][n] for i in taken]) for n in (0, 1))
    contrast = chosen - rejected
    seen = pairs.vectors([pairs.situations[i] for i in taken])
    return _scaled(np.hstack([contrast, contrast * seen]))


def _scaled(contrasts: Any) -> Any:
    """By their root mean square: their mean over both orders is zero."""
    return contrasts / np.maximum(np.sqrt((contrasts**2).mean(axis=0)), 1e-9)


def _auc(contrasts: Any, groups: Sequence[str], confidence: float) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold

    count = len(groups)
    solver = "newton-cholesky" if isinstance(contrasts, np.ndarray) else "lbfgs"
    scores = np.zeros(count)
    for learnt, judged in GroupKFold(FOLDS).split(np.zeros(count), groups=groups):
        model = LogisticRegression(C=confidence, fit_intercept=False, max_iter=500, solver=solver)
        model.fit(_both(contrasts[learnt]), [1] * len(learnt) + [0] * len(learnt))
        scores[judged] = model.decision_function(contrasts[judged])
    return float(roc_auc_score([1] * count + [0] * count, np.concatenate([scores, -scores])))


def _both(contrasts: Any) -> Any:
    """The same pairs in both orders."""
    from scipy.sparse import issparse, vstack

    return (vstack if issparse(contrasts) else np.vstack)([contrasts, -contrasts])


def _meant(pairs: "PairSet", name: Name) -> list[str]:
    """What gives the preferred answer away, as far as it can be named."""
    if name == "length":
        longer = sum(len(chosen) > len(rejected) for chosen, rejected in pairs.answers)
        return [f"the longer answer is the chosen one in {longer} of {len(pairs.rows)} pairs"]
    if name == "surface":
        return _telling_words(pairs)
    return _one_sided(pairs)


def _telling_words(pairs: "PairSet") -> list[str]:
    from sklearn.linear_model import LogisticRegression

    taken = _taken(pairs)
    contrasts, words = _surface(pairs, taken)
    model = LogisticRegression(fit_intercept=False, max_iter=500)
    model.fit(_both(contrasts), [1] * len(taken) + [0] * len(taken))
    order = np.argsort(np.asarray(model.coef_)[0])
    return [
        f"{side} answers say: {', '.join(words[n] for n in picked)}"
        for side, picked in (
            ("chosen", order[::-1][:MOST_WORDS]),
            ("rejected", order[:MOST_WORDS]),
        )
    ]


def _one_sided(pairs: "PairSet") -> list[str]:
    """Where all readers prefer the same, no profile is needed to know it."""
    preferred: dict[str, set[str]] = {}
    poles: dict[str, Counter[str]] = {}
    for i, row in enumerate(pairs.rows):
        preferred.setdefault(row["scenario_id"], set()).add(pairs.answers[i][0])
        if row["dimension"] and not pairs.asks_alike(i):
            poles.setdefault(row["dimension"], Counter())[row["pole"]] += 1
    one = sum(len(answers) == 1 for answers in preferred.values())
    lopsided = sorted(
        poles.items(), key=lambda kept: min(kept[1]["high"], kept[1]["low"]) - kept[1].total()
    )
    return [
        f"{one} of {len(preferred)} scenes have one preferred answer only; with each scene put to",
        "readers of both poles the AUC is 0.50, and the more alike the readers, the higher it is",
        *(f"{name}: {count['high']} high, {count['low']} low" for name, count in lopsided[:5]),
    ]
