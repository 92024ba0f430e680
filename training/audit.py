"""The audit of a set of pairs, every check in order; it mends nothing and sets nothing aside."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from agents.errors import TrainingError
from agents.findings import Finding, Level, finding
from agents.records import FACETS
from training.dataset import twin_share
from training.leakage import copied_spans, split_leakage
from training.nearness import near_duplicates, pair_distance
from training.pair_set import PairSet
from training.preflight import MINIMUM_PAIRS
from training.rendering import roles_and_template, truncation
from training.shortcuts import shortcut

MOST_SET_ASIDE = 0.05
"""Share of pairs that may be repeated, and that may be contradicted; beyond it, how they were
gathered is at fault."""
LEAST_TWINS = 0.5
"""Of twins, half or more keep length and style from telling (see the README, twin scenarios)."""
MOST_OF_ONE_READER = 0.2
MANY_READERS = 20
"""From so many readers no single one should have that share of the pairs."""
SIFTED = frozenset({"truncation", "exact duplicates", "contradictions"})
"""Checks of rows that a training sets aside and counts, and does not stop at."""


def audit(pairs: PairSet) -> list[Finding]:
    """All checks, those of single pairs before those of the set."""
    return [
        _usable(pairs),
        roles_and_template(pairs),
        truncation(pairs),
        _exact_duplicates(pairs),
        near_duplicates(pairs),
        _contradictions(pairs),
        shortcut(pairs, "length"),
        shortcut(pairs, "surface"),
        shortcut(pairs, "profile-free"),
        copied_spans(pairs),
        _coverage(pairs),
        _twins(pairs),
        split_leakage(pairs),
        pair_distance(pairs),
    ]


def require_sound(findings: Sequence[Finding], file: object) -> None:
    """Stops a training of pairs that fail the audit in what a preflight does not set aside.

    Raises:
        TrainingError: A check fails.
    """
    failed = [f.check for f in findings if f.level == "fail" and f.check not in SIFTED]
    if failed:
        raise TrainingError(
            f"The pairs fail their audit: {', '.join(failed)}.",
            f"`gravity pairs audit {file}` shows the rows; --despite-audit trains all the same.",
        )


def _usable(pairs: PairSet) -> Finding:
    report = pairs.preflight
    enough = len(report.usable) >= MINIMUM_PAIRS
    figure = f"{report.lines[0]} (at least {MINIMUM_PAIRS})"
    if report.doubted:
        figure += f"; {len(report.doubted)} less probable than {report.least_probability:g}"
    told = [
        f"{pairs.name(i)}: probability {pairs.rows[i]['probability']:.3f}" for i in report.doubted
    ]
    return finding("usable pairs", "ok" if enough else "fail", figure, told)


def _exact_duplicates(pairs: PairSet) -> Finding:
    """A scene may serve several readers; here the reader is the same, too."""
    told = "say the same for the same reader again"
    return _set_aside(pairs, "exact duplicates", pairs.preflight.repeated, told)


def _contradictions(pairs: PairSet) -> Finding:
    told = "prefer the other answer to the same prompt"
    return _set_aside(pairs, "contradictions", pairs.preflight.contradicted, told)


def _set_aside(pairs: PairSet, check: str, rows: Sequence[int], told: str) -> Finding:
    share = len(rows) / len(pairs.rows)
    level: Level = "fail" if share > MOST_SET_ASIDE else "warn" if rows else "ok"
    figure = (
        f"{len(rows)} of {len(pairs.rows)} pairs ({share:.1%}) {told} (at most"
        f" {MOST_SET_ASIDE:.0%})"
    )
    return finding(check, level, figure, [pairs.name(i) for i in rows])


def _coverage(pairs: PairSet) -> Finding:
    """Pairs by facet and dimension, and by reader."""
    check = "coverage"
    facets = Counter(row["facet"] for row in pairs.rows if row["facet"])
    told = [f"no pair of the facet {facet}" for facet in FACETS if facets and not facets[facet]]
    told += _one_poled(pairs)
    readers = Counter(row["reader_id"] for row in pairs.rows if row["reader_id"])
    if len(readers) >= MANY_READERS:
        told += [
            f"{reader} has {count / len(pairs.rows):.0%} of all pairs"
            for reader, count in readers.most_common()
            if count > MOST_OF_ONE_READER * len(pairs.rows)
        ]
    dimensions = {row["dimension"] for row in pairs.rows} - {""}
    lacking = [name for name, found in (("facets", facets), ("readers", readers)) if not found]
    figure = f"{len(dimensions)} dimensions in {len(facets)} facets, {len(readers)} readers"
    if lacking:
        figure = f"not measured: the file names no {' and no '.join(lacking)}"
    return finding(check, "warn" if told or lacking else "ok", figure, told)


def _one_poled(pairs: PairSet) -> list[str]:
    """Dimensions with one pole only; the poles of book pairs say which book comes first."""
    poles: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for i, row in enumerate(pairs.rows):
        if row["dimension"] and row["pole"] and not pairs.asks_alike(i):
            poles[row["dimension"]][row["pole"]] += 1
    return [
        f"{name}: {next(iter(count))} only ({count.total()})"
        for name, count in sorted(poles.items(), key=lambda kept: -kept[1].total())
        if len(count) == 1
    ]


def _twins(pairs: PairSet) -> Finding:
    share = twin_share(pairs.dataset)
    figure = f"{share:.0%} of the pairs have their twin in the set (at least {LEAST_TWINS:.0%})"
    return finding("twins", "ok" if share >= LEAST_TWINS else "warn", figure)
