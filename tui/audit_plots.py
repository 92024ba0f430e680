"""What an audit measured, drawn as SVG that takes its ink from the page; it measures nothing."""

import io
import re
import warnings
from collections import Counter
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from training.nearness import SAME_ANSWER
from training.pair_set import PairSet
from training.shortcuts import BOUNDS, Z
from tui.widgets.plain import plain_line

INK = "#010203"
"""Stands for the colour of the page's text, light or dark."""
CHOSEN, REJECTED, FINE, FAILS = "#2b8cbe", "#d9822b", "#3a9d5d", "#d1495b"
WIDTH = 7.0
"""Inches of a plot, at 72 pixels each."""
BINS = 40
MOST_DIMENSIONS = 60
"""Dimensions that the map of coverage shows, the fullest ones."""


def plots(pairs: PairSet) -> dict[str, str]:
    """SVG by the name of the check that it belongs to; none where nothing was measured."""
    figures = {
        "truncation": _tokens(pairs),
        "length": _lengths(pairs),
        "profile-free": _baselines(pairs),
        "coverage": _coverage(pairs),
        "pair distance": _distances(pairs),
    }
    return {check: _svg(check, figure) for check, figure in figures.items() if figure}


def _tokens(pairs: PairSet) -> Figure | None:
    report = pairs.preflight
    if not report.lengths:
        return None
    figure, axes = _plot("tokens of the prompt with its longer answer", "pairs")
    axes.hist(report.lengths, bins=BINS, color=CHOSEN)
    _line(axes, report.max_length, FAILS, "max_length")
    return figure


def _lengths(pairs: PairSet) -> Figure:
    figure, axes = _plot("characters of an answer", "pairs")
    lengths = [[len(answers[side]) for answers in pairs.answers] for side in (0, 1)]
    edges = np.histogram_bin_edges(np.concatenate(lengths), BINS)
    for found, colour, label in zip(
        lengths, (CHOSEN, REJECTED), ("chosen", "rejected"), strict=True
    ):
        axes.hist(found, bins=edges, histtype="step", color=colour, label=label, linewidth=1.6)
    _legend(axes)
    return figure


def _baselines(pairs: PairSet) -> Figure | None:
    if not pairs.baselines:
        return None
    count = len(pairs.baselines)
    figure, axes = _plot(
        "AUC with its 95 % interval: fine up to green, fails from red", "", height=0.8 + 0.4 * count
    )
    for row, baseline in enumerate(pairs.baselines):
        at = count - row
        fine, fails = BOUNDS[baseline.name]
        axes.barh(at, baseline.auc, height=0.6, color=CHOSEN, xerr=Z * baseline.error, ecolor=INK)
        for bound, colour in ((fine, FINE), (fails, FAILS)):
            axes.plot([bound, bound], [at - 0.4, at + 0.4], color=colour, linewidth=2)
    axes.set_yticks(
        range(count, 0, -1), [f"{b.name} by {b.by}" for b in pairs.baselines], color=INK
    )
    axes.set_xlim(0.3, 1.0)
    return figure


def _coverage(pairs: PairSet) -> Figure | None:
    """Pairs of each dimension by pole; those of books have a genre instead and no pole."""
    columns = ("low", "high", "books")
    counts: dict[tuple[str, str], Counter[str]] = {}
    for i, row in enumerate(pairs.rows):
        if row["facet"]:
            column = "books" if pairs.asks_alike(i) else row["pole"]
            counts.setdefault((row["facet"], row["dimension"]), Counter())[column] += 1
    if not counts:
        return None
    fullest = sorted(counts, key=lambda cell: -counts[cell].total())[:MOST_DIMENSIONS]
    most = max(max(count.values()) for count in counts.values())
    figure, axes = _plot("", "", height=0.8 + 0.24 * len(fullest))
    for y, cell in enumerate(reversed(sorted(fullest))):
        for x, column in enumerate(columns):
            count = counts[cell][column]
            alpha = count / most
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=CHOSEN, alpha=alpha, linewidth=0))
            axes.text(x + 0.5, y + 0.5, str(count or ""), color=INK, ha="center", va="center")
    axes.set_xlim(0, len(columns))
    axes.set_ylim(0, len(fullest))
    axes.set_xticks([x + 0.5 for x in range(len(columns))], columns, color=INK)
    names = [plain_line(f"{facet}: {dimension}", 48) for facet, dimension in sorted(fullest)[::-1]]
    axes.set_yticks([y + 0.5 for y in range(len(fullest))], names, color=INK)
    return figure


def _distances(pairs: PairSet) -> Figure:
    figure, axes = _plot("cosine of chosen and rejected", "pairs")
    axes.hist(pairs.cosines, bins=BINS, color=CHOSEN)
    _line(axes, SAME_ANSWER, FAILS, "says the same")
    return figure


def _plot(x: str, y: str, height: float = 2.6) -> tuple[Figure, Any]:
    """A figure and its one pair of axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes: Any = figure.add_subplot()
    axes.set_facecolor("none")
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=INK)
    for name, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(name in ("left", "bottom"))
    return figure, axes


def _line(axes: Any, at: float, colour: str, label: str) -> None:
    axes.axvline(at, color=colour, linestyle="--", label=f"{label}: {at:g}")
    _legend(axes)


def _legend(axes: Any) -> None:
    axes.legend(frameon=False, labelcolor=INK)


def _svg(check: str, figure: Figure) -> str:
    """Without prologue and metadata, its ids told from those of other plots."""
    drawn = io.BytesIO()
    for text in figure.findobj(lambda artist: hasattr(artist, "set_parse_math")):
        text.set_parse_math(False)  # pyright: ignore[reportAttributeAccessIssue]
    with (
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": check}),
        warnings.catch_warnings(action="ignore"),  # of scripts that the measuring font lacks
    ):
        figure.savefig(drawn, format="svg", transparent=True)
    svg = drawn.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    name = check.replace(" ", "-")
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{check}" ', 1)
    return svg.replace(INK, "currentColor")
