"""Frameworks as plain text of at most 100 columns, for any terminal and for pipes; no data here."""

import textwrap
from collections.abc import Iterator

from iso3166 import countries_by_alpha2

from agents.frameworks.framework import CAUTION, Framework, NationalTable
from agents.frameworks.hofstede import Hofstede
from agents.frameworks.schwartz import Schwartz
from agents.frameworks.wvs import MapPoint, WorldValues, distance
from agents.records import Dimension, Pole
from tui.widgets.framework_plots import NEIGHBOURS, WIDTH, bar, circle, world_map


def summary(framework: Framework) -> str:
    """A framework in a few lines."""
    axes = framework.dimensions
    parts = len(axes) - len(framework.parts(None))
    statements = [s for axis in axes for s in axis.statements]
    sensitive = [f"{a.label} ({a.sensitive})" for a in axes if a.sensitive]
    lone = sum(1 for a in axes for s in a.statements if s.sensitive and not a.sensitive)
    counts = f"{len(axes)} dimensions" + (
        f", {parts} of them parts of broader ones" if parts else ""
    )
    lines = [f"{framework.name:<10} {framework.label}: {framework.what}"]
    lines += _field("holds", f"{counts}; {len(statements)} seed statements")
    if sensitive or lone:
        more = [f"{lone} single statements"] if lone else []
        lines += _field("sensitive", ", ".join(sensitive + more))
    lines += _field("edition", framework.edition)
    lines += _field("licence", framework.licence)
    return "\n".join(lines)


def told(framework: Framework, statements: bool) -> str:
    """The whole framework: its picture where it has one, then its dimensions as a tree."""
    lines = [*summary(framework).splitlines(), *_field("source", framework.source), ""]
    if isinstance(framework, Schwartz):
        lines += [*circle(framework.ten, framework.nineteen, _labels(framework)), ""]
        rank = ", ".join(_labels(framework)[v] for v in framework.pan_cultural_rank)
        lines += [*_field("typical", f"most to least important the world over: {rank}"), ""]
    if isinstance(framework, WorldValues):
        lines += [*world_map(framework, None), ""]
        lines += [*_indicators(framework), "", *_sections(framework), ""]
    for axis in framework.parts(None):
        lines += _tree(framework, axis, statements)
    if framework.knows_countries:
        lines += ["", CAUTION]
    return "\n".join(lines)


def told_dimension(framework: Framework, axis: Dimension) -> str:
    """One dimension with its parts and statements, and its neighbours where it lies on a circle."""
    lines = list(_tree(framework, axis, statements=True))
    if isinstance(framework, Schwartz):
        labels = _labels(framework)
        for ring in (framework.ten, framework.nineteen):
            if axis.name in ring.groups:
                beside = ", ".join(labels[v] for v in ring.adjacent(axis.name))
                against = ", ".join(labels[v] for v in ring.conflicting(axis.name)) or "none"
                text = f"beside {beside}; against: {against}"
                lines += _field(f"of {len(ring.groups)}", text)
    return "\n".join(lines)


def told_country(framework: Framework, code: str) -> str:
    """Where a country stands: bars beside the median country, or its place on the map.

    Args:
        framework: one that `knows_countries`.
        code: ISO 3166 alpha-2.
    """
    if isinstance(framework, WorldValues):
        lines, source = _place(framework, code), framework.source
    else:
        assert framework.national is not None, "asked of frameworks that know countries only"
        lines, source = _bars(framework, framework.national, code), framework.national.source
    return "\n".join([*lines, "", CAUTION, *textwrap.wrap(source, WIDTH)])


def _place(framework: WorldValues, code: str) -> Iterator[str]:
    here = framework.point(code)
    if here is None:
        yield f"{_country(code)}: the map has no point for it; it is missing, not in the middle."
        return
    old = "" if here.recent else ", before 2017: the country may have moved since"
    yield f"{here.name} ({here.country}) on the Inglehart-Welzel map, surveyed in {here.year}{old}"
    yield f"zone: {here.zone or 'contested or none'}; {_coordinates(here)}"
    yield ""
    yield from world_map(framework, here)
    yield ""
    yield "Nearest on the map:"
    for other in framework.neighbours(here, NEIGHBOURS):
        away = f"{distance(here, other):.2f} away"
        zone = other.zone or "contested or none"
        yield f"  {other.country}  {other.name:<28.28} {away:<10}  {other.year}  {zone}"


def _coordinates(point: MapPoint) -> str:
    return f"self-expression {point.self_expression:+.2f}, secular {point.secular:+.2f}"


def _indicators(framework: WorldValues) -> Iterator[str]:
    yield "The ten indicators of the map, with their loadings at the level of countries:"
    for i in framework.indicators:
        axis = "self-expression" if i.axis == "self_expression" else "secular"
        head = f"  {i.loading:.2f} {axis:<15} {i.code} "
        text = f"{i.content}; {i.direction} ({', '.join(i.questions)})"
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)
        )


def _sections(framework: WorldValues) -> Iterator[str]:
    yield "The sections of the questionnaire, and the dimension each is here:"
    for s in framework.sections:
        yield f"  {s.code:<10} {s.label:<52} {s.dimension or 'none: facts, not beliefs'}"


def _bars(framework: Framework, table: NationalTable, code: str) -> Iterator[str]:
    row = table.country(code)
    yield f"{_country(code)} beside the median country (|)"
    yield f"{table.edition}; bars from {table.lowest:g} to {table.highest:g}"
    yield ""
    if row is None:
        yield f"This table has no row for {_country(code)}: its figures are missing."
    for axis in framework.dimensions:
        measured = table.measured(axis.code) if axis.code else []
        score = row.scores.get(axis.code) if row and axis.code else None
        if row and measured:
            yield bar(axis.label, score, measured, table)
    if isinstance(framework, Hofstede) and (regions := framework.regions_of(code)):
        yield ""
        yield "Rows of the matrix that cover it, or a part of it:"
        for region in regions:
            scores = (
                f"{k} {'missing' if v is None else f'{v:g}'}" for k, v in region.scores.items()
            )
            yield f"  {region.name:<20} {', '.join(scores)}"


def _tree(framework: Framework, axis: Dimension, statements: bool, depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    mark = f"  [sensitive: {axis.sensitive}]" if axis.sensitive else ""
    yield f"{indent}{axis.label}  ({axis.name}{', ' + axis.code if axis.code else ''}){mark}"
    poles: tuple[Pole, ...] = ("high", "low")
    for pole in poles:
        yield f"{indent}    {pole:<4}  {axis.pole(pole)}"
        for s in axis.statements:
            if statements and s.pole == pole:
                alone = (
                    f"  [sensitive: {s.sensitive}]" if s.sensitive and not axis.sensitive else ""
                )
                yield f"{indent}          {s.text}{alone}"
    for part in framework.parts(axis.name):
        yield from _tree(framework, part, statements, depth + 1)


def _field(name: str, text: str) -> list[str]:
    head = f"{'':10} {name:<10} "
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))


def _labels(framework: Framework) -> dict[str, str]:
    return {axis.name: axis.label for axis in framework.dimensions}


def _country(code: str) -> str:
    return f"{countries_by_alpha2[code].apolitical_name} ({code})"
