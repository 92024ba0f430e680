"""The pool in tables and a heat map of characters; it reads no database."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal, get_args

from agents.frameworks.catalogue import dimension, frameworks
from agents.pool import Neighbour
from agents.pool_quality import SETTINGS
from agents.records import Domain, Scenario
from tui.widgets.plain import plain_line

By = Literal["domain", "setting"]
NAME = 32
"""Columns for the name of a dimension."""
WIDTH = 79
SHADES = "░▒▓█"


@dataclass(frozen=True)
class Coverage:
    """How many scenes there are for each dimension in each part of life and each setting."""

    domains: Counter[tuple[str, str]]
    settings: Counter[tuple[str, str]]
    provenances: Counter[str]

    @property
    def total(self) -> int:
        """Scenes in all."""
        return self.provenances.total()

    def counts(self) -> dict[str, object]:
        """The same for scripts: by dimension, then by part of life and setting."""
        return {
            "scenes": self.total,
            "provenance": dict(self.provenances),
            "domains": _nested(self.domains),
            "settings": _nested(self.settings),
        }

    def of(self, name: str) -> int:
        """Scenes of one dimension."""
        return sum(self.domains[name, domain] for domain in get_args(Domain))


def covered(scenarios: Iterable[Scenario]) -> Coverage:
    """Count scenes as they come; none is kept."""
    coverage = Coverage(Counter(), Counter(), Counter())
    for scenario in scenarios:
        coverage.domains[scenario.dimension, scenario.domain] += 1
        coverage.settings[scenario.dimension, scenario.culture or "neutral"] += 1
        coverage.provenances[scenario.provenance] += 1
    return coverage


def told_stats(coverage: Coverage, by: By) -> str:
    """A row for each dimension: its count, and a heat map over parts of life or settings."""
    counts = coverage.domains if by == "domain" else coverage.settings
    columns = get_args(Domain) if by == "domain" else _settings(coverage)
    edges = _edges(max(counts.values(), default=1))
    kinds = ", ".join(f"{count} {name}" for name, count in coverage.provenances.most_common())
    names = [f"{c[:2]}\u00a0{c}" if c[:2] != c else c for c in columns]
    lines = [f"{coverage.total:,} scenes: {kinds or 'none'}", f"{_key(edges)} in each {by}"]
    lines += wrap(", ".join(names), WIDTH)
    lines += [*wrap(f"thinnest: {', '.join(_thinnest(coverage))}", WIDTH), ""]
    heads = " ".join(column[:2] for column in columns)
    for framework in frameworks().values():
        lines.append(f"{_cut(framework.label, NAME):<{NAME}}      {heads}")
        for axis in framework.dimensions:
            name = _cut(f"{'  ' if axis.parent else ''}{axis.label}", NAME)
            row = " ".join(_shade(counts[axis.name, c], edges) * 2 for c in columns)
            lines.append(f"{name:<{NAME}} {coverage.of(axis.name):>4} {row}")
        lines.append("")
    return "\n".join(line.rstrip() for line in lines).rstrip().replace("\u00a0", " ")


def told_scenario(scenario: Scenario) -> str:
    """A scenario with both answers and where it comes from."""
    axis = dimension(scenario.dimension)
    ages = f"{scenario.ages[0]} to {scenario.ages[1]} years"
    return "\n".join(
        (
            f"{plain_line(scenario.id)}  {scenario.facet}: {axis.name}",
            f"  {scenario.domain}, {scenario.culture or 'neutral'}, {ages}, {scenario.provenance}"
            + (f", after {plain_line(', '.join(scenario.parents))}" if scenario.parents else ""),
            "",
            plain_line(scenario.situation, 1000),
            "",
            f"high  {plain_line(scenario.high, 1000)}",
            f"      ({axis.high})",
            f"low   {plain_line(scenario.low, 1000)}",
            f"      ({axis.low})",
        )
    )


def told_neighbours(found: Sequence[Neighbour], width: int) -> str:
    """One line of `width` columns for each: cosine, id and situation."""
    return "\n".join(
        _cut(
            f"{n.similarity:5.2f}  {_cut(plain_line(n.scenario.id), 28):<28}"
            f" {plain_line(n.scenario.situation)}",
            width,
        )
        for n in found
    )


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (name, column), count in counts.items():
        nested.setdefault(name, {})[column] = count
    return nested


def _settings(coverage: Coverage) -> tuple[str, ...]:
    others = sorted({setting for _, setting in coverage.settings} - {"neutral", *SETTINGS})
    return ("neutral", *SETTINGS, *others)


def _thinnest(coverage: Coverage) -> list[str]:
    """Of the dimensions that have scenes of their own alone; a broad one draws on its parts'."""
    names = [a.name for f in frameworks().values() for a in f.dimensions if not f.parts(a.name)]
    return [f"{n} {coverage.of(n)}" for n in sorted(names, key=coverage.of)[:5]]


def _edges(most: int) -> list[int]:
    """The most that each shade stands for: by equal factors up to the fullest cell."""
    return sorted({math.ceil(most ** (step / 3)) for step in range(4)})


def _shade(count: int, edges: Sequence[int]) -> str:
    """A dot for none, then darker shades up to the fullest cell."""
    return SHADES[bisect_left(edges, count) - len(edges)] if count else "·"


def _key(edges: Sequence[int]) -> str:
    told = ["·· none"]
    for least, most in zip((1, *(edge + 1 for edge in edges)), edges, strict=False):
        told.append(f"{_shade(most, edges) * 2} {least if least == most else f'{least} to {most}'}")
    return ", ".join(told)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
