"""World Values Survey: topics as dimensions, and the Inglehart-Welzel map; no question texts.

Sections of the seventh wave (2017-2022); indicators with their country-level loadings after
Inglehart and Welzel (2005, p. 49). The map's points are the open-numbers aggregates of the
Integrated Values Surveys 1981-2022. In that file the axis of self-expression runs the wrong way
round, and its sign is turned here. There was no second source to check the points against: they
serve for relative position, not to the decimal.
"""

import math
from functools import cache
from typing import Literal

from agents.frameworks.framework import Framework
from agents.records import Country, Record


class Section(Record):
    """A section of the questionnaire, with the questions it spans."""

    code: str
    """First and last question: Q1-Q45."""
    label: str
    dimension: str | None
    """None for demography, which is no belief."""


class Indicator(Record):
    """One of the ten questions, or sets of questions, that place a country on the map."""

    code: str
    """In the Integrated Values Surveys: F063."""
    questions: tuple[str, ...]
    """In the seventh wave."""
    content: str
    axis: Literal["secular", "self_expression"]
    loading: float
    """At the level of countries, on the pole that `direction` names."""
    direction: str
    """Which answers point to the secular or to the self-expression pole."""


class MapPoint(Record):
    """Where a country, or a part of it, stood on the map when it was last surveyed."""

    country: Country
    name: str
    year: int
    self_expression: float
    """Survival (negative) to self-expression (positive), in units of the map."""
    secular: float
    """Traditional (negative) to secular-rational (positive), in units of the map."""
    recent: bool
    """Whether surveyed in 2017 or later."""
    zone: str | None
    """By majority of three public taxonomies; none where they disagree or are silent."""
    part: bool = False
    """Whether it is a part of the country, or a state that joined it: Northern Ireland."""


class WorldValues(Framework):
    """The topics, and the map with what it is made from."""

    sections: tuple[Section, ...]
    indicators: tuple[Indicator, ...]
    points: tuple[MapPoint, ...]

    @property
    def knows_countries(self) -> bool:
        """Always: the map."""
        return True

    def point(self, code: str) -> MapPoint | None:
        """The country's place on the map, where it has one."""
        return next((p for p in self.points if p.country == code and not p.part), None)

    def neighbours(self, point: MapPoint, count: int) -> list[MapPoint]:
        """The other countries nearest on the map, nearest first."""
        others = [p for p in self.points if p.country != point.country]
        return sorted(others, key=lambda other: distance(point, other))[:count]


def distance(one: MapPoint, other: MapPoint) -> float:
    """Straight across the map, in its units."""
    return math.hypot(one.self_expression - other.self_expression, one.secular - other.secular)


@cache
def framework() -> WorldValues:
    """The thirteen topics and the map."""
    return WorldValues.read("wvs")
