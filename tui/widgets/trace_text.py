"""Spans as lines, trees and tables of text for a plain terminal; it looks nothing up."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rich.text import Text
from rich.tree import Tree

from graph.tracing.figures import ReaderTrace, Step, StepFigures
from graph.tracing.traces import Span
from tui.widgets.plain import plain, plain_line

STYLES = {"run": "bold", "reader": "bold", "node": "", "call": "cyan"}
FIGURES = ("count", "errors", "tokens", "cost $", "median s", "p95 s")


def reader_line(reader: ReaderTrace) -> str:
    """One reader's part of a run: how it ended, and what it took."""
    kept = f" ({reader.cached} kept)" if reader.cached else ""
    calls = f"{reader.calls:,} calls{kept}"
    tokens = f"{reader.tokens_in + reader.tokens_out:,} tokens"
    return (
        f"{plain_line(reader.reader_id, 24):<24} {reader.status:<10} {reader.duration_s:>9.2f} s"
        f" {calls:>18} {tokens:>18} {dollars(reader.cost_usd):>10} {reader.errors:>4} errors"
    )


def span_line(span: Span) -> str:
    """One span in a list of many kinds."""
    began = time.strftime("%m-%d %H:%M:%S", time.localtime(span.started_at))
    where = f"{span.node} › {span.name}" if span.kind == "call" and span.node else span.name
    return (
        f"{span.id[:16]:<16} {began} {span.kind:<6} {plain_line(where, 32):<32}"
        f" {plain_line(span.reader_id or '', 16):<16} {span.duration_s:>9.3f} s"
        f" {f'{span.tokens_in:,}→{span.tokens_out:,}':>13} {dollars(span.cost_usd):>10}"
        f"  {plain_line(span.error or 'ok', 120)}"
    )


def label(span: Span) -> str:
    """One span in a tree, where its place is plain to see."""
    parts = [plain_line(span.name), f"{span.duration_s:.2f} s"]
    if span.kind == "call":
        parts.append("kept" if span.cached else f"{span.tokens_in}→{span.tokens_out} tokens")
    if span.cost_usd:
        parts.append(dollars(span.cost_usd))
    told = " · ".join([*parts, span.id[:16]])
    return f"{told}  error: {plain_line(span.error)}" if span.error else told


def span_tree(title: str, spans: Sequence[Span]) -> Tree:
    """Spans under their parents, with the texts of those that have any.

    A parent is written when it ends: where a process was killed, or is at work, its children stand
    under `unfinished`.
    """
    root, branches = Tree(Text(title)), dict[str, Tree]()
    children: dict[str | None, list[Span]] = defaultdict(list)
    known = {span.id for span in spans}
    for span in spans:
        is_top = span.kind == "reader" and span.parent_id not in known
        children[None if is_top else span.parent_id].append(span)

    def grow(branch: Tree, parent_id: str | None) -> None:
        for span in children.pop(parent_id, ()):
            style = "red" if span.error else STYLES[span.kind]
            grown = branches[span.id] = branch.add(Text(label(span), style=style))
            for role, text in span.turns:
                grown.add(Text(plain(f"{role}: {text}")))
            grow(grown, span.id)

    grow(root, None)
    while children:
        parent_id, orphans = next(iter(children.items()))
        whose = orphans[0].node if orphans[0].kind == "call" else orphans[0].reader_id
        told = f"{plain_line(whose or '')} · unfinished"
        grow(root.add(Text(told, style="yellow")), parent_id)
    return root


def span_told(span: Span) -> str:
    """One span in full: where it belongs, its figures, its attributes and its texts."""
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(span.started_at))
    told = {"begun": began, "run": span.run_id, "reader": span.reader_id, "node": span.node}
    told |= {"parent": span.parent_id, **(span.attributes or {})}
    short = {name: v for name, v in told.items() if v is not None and not isinstance(v, list)}
    lines = [f"\n  {name}: {plain_line(str(value))}" for name, value in short.items()]
    return f"{span.kind} {label(span)}{''.join(lines)}{conversation(span)}"


def conversation(span: Span) -> str:
    """The texts of a call, each under a blank line; nothing where none were read or kept."""
    return "".join(f"\n\n{role}: {plain(text)}" for role, text in span.turns)


def difference(
    names: tuple[str, str], figures: tuple[Mapping[Step, StepFigures], Mapping[Step, StepFigures]]
) -> str:
    """Two runs' steps under each other, with what the second has more."""
    width = max(12, *(len(plain_line(name, 30)) + 2 for name in names))
    lines: list[str] = []
    for step in dict.fromkeys((*figures[0], *figures[1])):
        rows = [_values(of_run.get(step, StepFigures())) for of_run in figures]
        lines.append(_row(plain_line(" › ".join(filter(None, step)), 40), FIGURES, width + 2))
        for name, row in zip(names, rows, strict=True):
            lines.append(_row(f"  {plain_line(name, 30)}", _told(row), width + 2))
        more = [second - first for first, second in zip(*rows, strict=True)]
        lines.append(_row("  difference", _told(more, "+"), width + 2))
    return "\n".join(lines)


def dollars(usd: float) -> str:
    """To a hundredth of a cent."""
    return f"${usd:.4f}"


def _values(figures: StepFigures) -> tuple[float, ...]:
    return (
        figures.count,
        figures.errors,
        figures.tokens,
        figures.cost_usd,
        figures.median_s,
        figures.p95_s,
    )


def _told(values: Sequence[float], sign: str = "") -> list[str]:
    forms = (f"{sign},d", f"{sign},d", f"{sign},d", f"{sign}.4f", f"{sign}.3f", f"{sign}.3f")
    return [format(value, form) for value, form in zip(values, forms, strict=True)]


def _row(name: str, cells: Sequence[str], width: int) -> str:
    widths = (8, 7, 11, 10, 9, 9)
    columns = (f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
    return f"{name:<{width}} {' '.join(columns)}"
