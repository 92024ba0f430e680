"""Hofstede's six dimensions of national culture, with the matrix of 2015; never a person's score.

The figures are the dimension data matrix of 2015-08-16 in its 0-100 version (Hofstede, Hofstede
and Minkov 2010, geerthofstede.com). Later tables of commercial firms differ from it and are left
out, as are all estimates; what the matrix does not print is missing.
"""

from functools import cache

from agents.frameworks.framework import Framework
from agents.records import Country, Record


class Region(Record):
    """A row of the matrix for several countries, or for one language or group within a country."""

    code: str
    """As the matrix abbreviates it: AFW."""
    name: str
    members: tuple[Country, ...]
    scores: dict[str, float | None]


class Hofstede(Framework):
    """The six dimensions; of national culture, and here of what one person believes."""

    regions: tuple[Region, ...]

    def regions_of(self, code: str) -> tuple[Region, ...]:
        """The regional rows that cover the country, or a part of it."""
        return tuple(r for r in self.regions if code in r.members)


@cache
def framework() -> Hofstede:
    """The six dimensions and the matrix: countries by pdi, idv, mas, uai, lto and ivr, 0 to 100."""
    return Hofstede.read("hofstede")
