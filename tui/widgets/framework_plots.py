"""Frameworks drawn with characters: a bar, the circle of values, the map of countries; no data."""

import math
from collections.abc import Iterator, Sequence
from statistics import median

from agents.frameworks.framework import NationalTable
from agents.frameworks.schwartz import OPPOSITE, Circle, HigherOrder
from agents.frameworks.wvs import MapPoint, WorldValues

WIDTH = 100
BAR = 36
NEIGHBOURS = 6
GROUPS: dict[HigherOrder | None, str] = {
    "openness_to_change": "○",
    "self_enhancement": "◆",
    "conservation": "●",
    "self_transcendence": "◇",
    None: "·",
}
ZONES = {
    "African-Islamic": "A",
    "Catholic Europe": "C",
    "Confucian": "F",
    "English-Speaking": "E",
    "Latin America": "L",
    "Orthodox Europe": "O",
    "Protestant Europe": "P",
    "West & South Asia": "W",
    None: "?",
}


class Canvas:
    """Characters on a grid; what is put later lies on top."""

    def __init__(self, width: int, height: int) -> None:
        self._rows = [[" "] * width for _ in range(height)]

    def put(self, x: float, y: float, text: str) -> None:
        """Write from column `x` of row `y`; what does not fit is cut."""
        row = self._rows[round(y)]
        for column, character in enumerate(text, round(x)):
            if 0 <= column < len(row):
                row[column] = character

    def lines(self) -> list[str]:
        """The rows without the spaces at their ends."""
        return ["".join(row).rstrip() for row in self._rows]


def circle(ten: Circle, nineteen: Circle, labels: dict[str, str]) -> Iterator[str]:
    """Two rings: the refined values outside, the ten inside, marked by higher-order group."""
    height, left, right = 33, 29, 50
    centre_x, centre_y = left + right / 2, (height - 1) / 2
    canvas = Canvas(WIDTH, height)
    for ring, reach in ((nineteen, 1.0), (ten, 0.6)):
        step = 2 * math.pi / len(ring.groups)
        for at, (value, group) in enumerate(ring.groups.items()):
            sine = math.sin(at * step)
            text = f"{GROUPS[group]} {labels[value]}"
            x = centre_x + reach * right / 2 * sine
            if reach < 1 or abs(sine) < 0.1:
                x -= len(text) / 2
            elif sine < 0:
                text = f"{labels[value]} {GROUPS[group]}"
                x -= len(text)
            canvas.put(x, centre_y * (1 - reach * math.cos(at * step)), text)
    for row, group in enumerate(OPPOSITE, -2):
        canvas.put(centre_x - 11, centre_y + row + (row > -1), f"{GROUPS[group]} {_words(group)}")
    yield from canvas.lines()
    yield ""
    yield "Neighbours go together, opposite groups conflict: ○ with ●, ◆ with ◇; · is on a border."


def world_map(framework: WorldValues, here: MapPoint | None) -> Iterator[str]:
    """The Inglehart-Welzel map; with `here`, it and its neighbours are named by their codes."""
    width, height = 92, 29
    canvas = Canvas(width, height)
    xs = [p.self_expression for p in framework.points]
    ys = [p.secular for p in framework.points]

    def put(point: MapPoint, text: str, shift: int = 0) -> None:
        x = (point.self_expression - min(xs)) / (max(xs) - min(xs)) * (width - 5)
        y = (max(ys) - point.secular) / (max(ys) - min(ys)) * (height - 1)
        canvas.put(x + shift, y, text)

    for point in framework.points:
        put(point, ZONES[point.zone])
    if here:
        for point in reversed(framework.neighbours(here, NEIGHBOURS)):
            put(point, point.country)
        put(here, f"[{here.country}]", shift=-1)
    yield f"{'secular-rational':>{(width + 16) // 2}}"
    yield from canvas.lines()
    yield f"{'traditional':>{(width + 11) // 2}}"
    yield f"survival {'─' * (width - 26)} self-expression"
    marks = [f"{mark} {zone or 'contested or none'}" for zone, mark in ZONES.items()]
    yield "   ".join(marks[:5])
    yield "   ".join(marks[5:])


def bar(label: str, score: float | None, measured: Sequence[float], table: NationalTable) -> str:
    """A country's score as a line; `|` is the median of what was measured."""
    middle = median(measured)
    cells = "·" * BAR if score is None else ("█" * _cell(score, table)).ljust(BAR, "·")
    at = min(_cell(middle, table), BAR - 1)
    figure = "missing" if score is None else f"{score:g}"
    cells = f"{cells[:at]}|{cells[at + 1 :]}"
    return f"{label:<35} {cells} {figure:>7}  median {middle:.4g} of {len(measured)}"


def _cell(value: float, table: NationalTable) -> int:
    return round((value - table.lowest) / (table.highest - table.lowest) * BAR)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("self ", "self-")
