"""What a check of a set of scenarios or pairs found; it checks nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_TOLD = 12

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    level: Level
    figure: str
    """What was measured, and against which bound."""
    told: tuple[str, ...] = ()
    """The scenarios, rows or cells at fault, at most `MOST_TOLD`."""


def finding(check: str, level: Level, figure: str, told: Sequence[str] = ()) -> Finding:
    """A finding that tells of the first `MOST_TOLD` at fault, and how many there are beside."""
    rest = len(told) - MOST_TOLD
    more = (f"and {rest} more",) if rest > 0 else ()
    return Finding(check, level, figure, (*told[:MOST_TOLD], *more))
