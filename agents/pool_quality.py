"""What makes a set of scenarios fit to draw from: every check measures, says so, and mends nothing.

The pole must show from what an answer says and from nothing else: not from its length, not from
words that go with high poles everywhere, not from the name of the dimension.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import get_args

import numpy as np

from agents import gates
from agents.embeddings import Embedder
from agents.findings import Finding, Level, finding
from agents.frameworks.catalogue import dimension, frameworks
from agents.records import Domain, Scenario

SITUATION_WORDS = (20, 60)
ANSWER_WORDS = (15, 45)
LENGTH_RATIO = 1.25
"""The longer answer by the shorter, in characters."""
MOST_LENGTH_AUC = 0.55
"""Of the answers' length as the only sign of the high pole (0.5 tells nothing)."""
MOST_WORDS_AUC = 0.65
"""Of tf-idf words as the only sign, on dimensions the classifier was not fitted to."""
MOST_SIMILAR = 0.80
"""Cosine of two situations of one dimension; beyond it they had better be looked at."""
REPEATED = 0.95
"""Cosine from which they are one."""
MOST_COPIED_SHARE = 0.74
"""Of the words of a seed statement or a pole, in runs of two or more."""
MOST_SHARED_WORDS = 6
"""Words in a row that an answer may share with a seed statement or a pole."""
SETTINGS = ("US", "BR", "JP", "IN", "NG", "DE", "MX", "ID", "FR", "ZA")
"""The countries that the shipped scenes are lived in, beside neutral ones."""
LEAST_MEASURED = 200
"""Scenarios below which an AUC is chance: its standard error is about 0.03 at so many."""
FOLDS = 5


def flaws(scenario: Scenario) -> list[str]:
    """What is wrong with one scenario; nothing where it may be drawn."""
    axis = dimension(scenario.dimension)
    situation = scenario.situation
    found: list[tuple[str, str | None]] = [
        (
            "facet",
            None
            if scenario.facet == axis.facet
            else f"{scenario.facet}, but {axis.name} belongs to {axis.facet}",
        ),
        ("situation", gates.no_question(situation)),
        ("situation", None if _speaks_to_you(situation) else "speaks to nobody: say you"),
    ]
    if gates.words(scenario.high) == gates.words(scenario.low):
        found.append(("high", "says the same as low"))
    for field, answer in (("high", scenario.high), ("low", scenario.low)):
        found += [
            (field, gates.names_dimension(answer, axis)),
            (field, gates.copied_words(answer, axis.said, MOST_SHARED_WORDS)),
            (field, gates.copied_nearly(answer, axis.said, MOST_COPIED_SHARE)),
            (field, gates.other_language(answer, situation)),
            (field, gates.is_unsafe(answer)),
        ]
    if scenario.provenance != "written":  # the writer's schema and the critic bound the others
        found += [
            ("situation", _out_of_bounds(situation, SITUATION_WORDS)),
            ("high", _out_of_bounds(scenario.high, ANSWER_WORDS)),
            ("low", _out_of_bounds(scenario.low, ANSWER_WORDS)),
            ("high", gates.unequal_length(scenario.high, scenario.low, LENGTH_RATIO)),
        ]
    for field in ("situation", "high", "low"):
        text = str(getattr(scenario, field))
        found += [
            (field, gates.asserts_nation(text)),
            (field, gates.holds_instructions(text)),
            (field, gates.courts_judges(text)),
            (field, gates.touches_sensitive(text, [axis.sensitive] if axis.sensitive else [])),
        ]
    return [f"{field}: {flaw}" for field, flaw in found if flaw]


def audit(scenarios: Sequence[Scenario], embedder: Embedder) -> list[Finding]:
    """All checks on a set of scenarios, those of single scenarios first."""
    return [
        _each(scenarios),
        _length(scenarios),
        _words(scenarios),
        _nearness(scenarios, embedder),
        _coverage("life domains", scenarios, lambda s: s.domain, get_args(Domain)),
        _coverage("settings", scenarios, lambda s: s.culture or "neutral", ("neutral", *SETTINGS)),
    ]


def _each(scenarios: Iterable[Scenario]) -> Finding:
    listed = list(scenarios)
    told = [f"{s.id}: {flaw}" for s in listed for flaw in flaws(s)]
    ids = Counter(s.id for s in listed)
    told += [f"{name}: {count} scenarios of this id" for name, count in ids.items() if count > 1]
    figure = f"{len(told)} flaws in {len(listed)} scenarios"
    return finding("every scenario", "fail" if told else "ok", figure, told)


def _length(scenarios: Sequence[Scenario]) -> Finding:
    from sklearn.metrics import roc_auc_score  # takes a second

    if len(scenarios) < LEAST_MEASURED:
        return finding("length", "warn", f"fewer than {LEAST_MEASURED}: not measured")
    lengths = [len(s.high) for s in scenarios] + [len(s.low) for s in scenarios]
    auc = float(roc_auc_score([1] * len(scenarios) + [0] * len(scenarios), lengths))
    telling = max(auc, 1 - auc)
    figure = f"AUC {telling:.3f} of length alone (at most {MOST_LENGTH_AUC})"
    return finding("length", "ok" if telling <= MOST_LENGTH_AUC else "fail", figure)


def _words(scenarios: Sequence[Scenario]) -> Finding:
    """Grouped cross-validation: no dimension is both learnt from and judged on."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    groups = [s.dimension for s in scenarios] * 2
    if len(scenarios) < LEAST_MEASURED:
        return finding("words", "warn", f"fewer than {LEAST_MEASURED}: not measured")
    if len(set(groups)) < FOLDS:
        return finding("words", "warn", f"fewer than {FOLDS} dimensions: not measured")
    poles = [1] * len(scenarios) + [0] * len(scenarios)
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, token_pattern=r"[\w']+"),
        LogisticRegression(max_iter=500),
    )
    answers = [s.high for s in scenarios] + [s.low for s in scenarios]
    foretold = cross_val_predict(
        model, answers, poles, groups=groups, cv=GroupKFold(FOLDS), method="predict_proba"
    )
    auc = float(roc_auc_score(poles, np.asarray(foretold)[:, 1]))
    figure = f"AUC {auc:.3f} of words alone, by dimension (at most {MOST_WORDS_AUC})"
    return finding("words", "ok" if auc <= MOST_WORDS_AUC else "fail", figure)


def _nearness(scenarios: Sequence[Scenario], embedder: Embedder) -> Finding:
    cells: dict[str, list[int]] = defaultdict(list)
    for row, scenario in enumerate(scenarios):
        cells[scenario.dimension].append(row)
    if not scenarios:
        return finding("nearness", "ok", "no scenarios")
    all_vectors = embedder.embed([s.situation for s in scenarios])
    nearest, told = 0.0, list[str]()
    for rows in cells.values():
        cell, vectors = [scenarios[row] for row in rows], all_vectors[rows]
        cosines = np.triu(vectors @ vectors.T, 1)
        nearest = max(nearest, float(cosines.max()))
        for a, b in np.argwhere(cosines > MOST_SIMILAR).tolist():
            told.append(f"{cell[a].id} and {cell[b].id}: {cosines[a, b]:.2f}")
    figure = f"nearest two in a cell {nearest:.2f} (at most {MOST_SIMILAR:.2f})"
    level: Level = "fail" if nearest >= REPEATED else "warn" if told else "ok"
    return finding("nearness", level, figure, told)


def _coverage(
    what: str, scenarios: Sequence[Scenario], of: Callable[[Scenario], str], wanted: Sequence[str]
) -> Finding:
    found: dict[str, set[str]] = {name: set() for name in frameworks()}
    for scenario in scenarios:
        found[dimension(scenario.dimension).framework].add(of(scenario))
    told = [
        f"{name} has none in: {', '.join(lacking)}"
        for name, there in found.items()
        if (lacking := [w for w in wanted if w not in there])
    ]
    full = sum(len(there & set(wanted)) for there in found.values())
    figure = f"{full} of {len(found) * len(wanted)} frameworks × {what} have scenes"
    return finding(what, "warn" if told else "ok", figure, told)


def _speaks_to_you(text: str) -> bool:
    return bool(re.search(r"\byou(r|rs|rself|rselves)?\b", text, re.IGNORECASE))


def _out_of_bounds(text: str, bounds: tuple[int, int]) -> str | None:
    count = len(text.split())
    if bounds[0] <= count <= bounds[1]:
        return None
    return f"{count} words, wanted are {bounds[0]} to {bounds[1]}"
