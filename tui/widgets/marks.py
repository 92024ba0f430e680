"""The signs and colours that statuses are shown by, and bars drawn in text; it looks nothing up."""

from textual.content import Content

from agents.records import Pair, Verdict

_MARKS = {
    "accepted": ("✓", "$text-success"),
    "rejected": ("✗", "$text-error"),
    "review": ("?", "$text-warning"),
    "proposed": ("·", "$text-muted"),
    "pending": ("·", "$text-muted"),
    "running": ("▸", "$text-primary"),
    "waiting": ("?", "$text-warning"),
    "stopped": ("-", "$text-muted"),
    "finished": ("✓", "$text-success"),
    "failed": ("✗", "$text-error"),
    "confirmed": ("✓", "$text-success"),
    "corrected": ("✓", "$text-success"),
    "removed": ("✗", "$text-error"),
    "forbidden": ("⊘", "$text-warning"),
    "sensitive": ("?", "$text-warning"),
}
LOWEST, HIGHEST, MIDDLE = 20.0, 80.0, 50.0
"""The part of the T scale that is drawn: three standard deviations to either side."""


def status_mark(status: str) -> Content:
    """A status as its sign and its word, in its colour."""
    sign, colour = _MARKS[status]
    return Content.styled(f"{sign} {status}", colour)


def share_bar(share: float, width: int) -> Content:
    """A bar filled to `share` of `width` cells; `share` is from 0 to 1."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    bar = "━" * (halves // 2) + "╸" * (halves % 2)
    return Content.styled(bar.ljust(width), "$primary")


def band_bar(score: float, reach: float, width: int) -> Content:
    """`score` as a point on its band of `reach` to either side, on the T scale from 20 to 80."""
    inner = width - 2

    def cell(value: float) -> int:
        part = (min(max(value, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
        return round(part * (inner - 1))

    cells = [" "] * inner
    cells[cell(MIDDLE)] = "┊"
    first, last = cell(score - reach), cell(score + reach)
    cells[first : last + 1] = "─" * (last - first + 1)
    at = cell(score)
    cells[at] = "●"
    edge = "$text-muted"
    line = "".join(cells)
    return Content.assemble(
        ("▕", edge),
        (line[:at], edge),
        (line[at], "$text-primary"),
        (line[at + 1 :], edge),
        ("▏", edge),
    )


def odds(verdict: Verdict) -> str:
    """How probable a judge finds it that a pair is right, or why it does not tell."""
    return verdict.failure or f"{verdict.probability:.2f}"


def ground(pair: Pair) -> tuple[str, str]:
    """What a pair rests on: a dimension and its pole; a genre, or a dash, and no pole."""
    if pair.group or not pair.dimension:
        return pair.dimension or "–", ""
    return pair.dimension, pair.pole
