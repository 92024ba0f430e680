"""Schwartz's values on their circle: neighbours, opposites, groups; scoring is elsewhere.

The ten values of 1992 and the nineteen of the refined theory (Schwartz et al. 2012, JPSP 103,
663-688), in the order that 49 groups reproduced (Schwartz and Cieciuch 2022, Assessment 29,
1005-1019). Neighbours go together; the values of opposite higher-order groups conflict.
"""

from functools import cache
from typing import Literal

from agents.errors import NotFoundError
from agents.frameworks.framework import Framework
from agents.records import Record

HigherOrder = Literal[
    "openness_to_change", "self_enhancement", "conservation", "self_transcendence"
]
OPPOSITE: dict[HigherOrder, HigherOrder] = {
    "openness_to_change": "conservation",
    "conservation": "openness_to_change",
    "self_enhancement": "self_transcendence",
    "self_transcendence": "self_enhancement",
}


class Circle(Record):
    """Values in the order of the circle; the last is next to the first."""

    groups: dict[str, HigherOrder | None]
    """The higher-order group by value; none for face and humility, which lie on a border."""

    @property
    def values(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(self.groups)

    def position(self, value: str) -> int:
        """Steps from the first value.

        Raises:
            NotFoundError: the value is not on this circle.
        """
        if value not in self.groups:
            raise NotFoundError(
                f"There is no {value!r} on the circle of {len(self.groups)} values.",
                f"There are: {', '.join(self.groups)}.",
            )
        return self.values.index(value)

    def distance(self, one: str, other: str) -> int:
        """Steps between two values along the shorter arc: min(|i - j|, n - |i - j|).

        Raises:
            NotFoundError: a value is not on this circle.
        """
        steps = abs(self.position(one) - self.position(other))
        return min(steps, len(self.groups) - steps)

    def adjacent(self, value: str) -> tuple[str, str]:
        """The values before and after; they go together with it.

        Raises:
            NotFoundError: the value is not on this circle.
        """
        at = self.position(value)
        return self.values[at - 1], self.values[(at + 1) % len(self.values)]

    def conflicting(self, value: str) -> tuple[str, ...]:
        """The values of the opposite higher-order group; none for a value without a group.

        Raises:
            NotFoundError: the value is not on this circle.
        """
        self.position(value)
        group = self.groups[value]
        return tuple(v for v, g in self.groups.items() if group and g == OPPOSITE[group])


class Schwartz(Framework):
    """The values as dimensions, and the two circles they form."""

    ten: Circle
    nineteen: Circle
    pan_cultural_rank: tuple[str, ...]
    """The ten values from the most to the least important on average (Schwartz and Bardi 2001,
    JCCP 32, 268-290): a person is notable only where they depart from it."""


@cache
def framework() -> Schwartz:
    """The ten values, each followed by its refinements; face stands by itself."""
    return Schwartz.read("schwartz")
