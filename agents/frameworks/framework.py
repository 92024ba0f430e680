"""What a framework of dimensions is, and how its table is read; it knows none by name."""

import json
from importlib.resources import files
from statistics import fmean, pstdev
from typing import Any, Self

from pydantic import Field, model_validator

from agents.posterior import NationalPrior
from agents.records import Country, Dimension, Facet, Record

CAUTION = (
    "A country's average says nothing of a person: most of the variation lies within countries."
)


class CountryScores(Record):
    """One country's averages by the code of the dimension; none where it was not measured."""

    country: Country
    scores: dict[str, float | None]


class NationalTable(Record):
    """A published table of country averages."""

    edition: str
    source: str
    share: float = Field(gt=0, lt=1)
    """Of a person's variance that the country explains."""
    lowest: float
    """The ends of the scale."""
    highest: float
    countries: tuple[CountryScores, ...]

    def country(self, code: str) -> CountryScores | None:
        """The row of the country with this alpha-2 code, where there is one."""
        return next((row for row in self.countries if row.country == code), None)

    def measured(self, dimension_code: str) -> list[float]:
        """The averages of all countries that have one."""
        scores = (row.scores.get(dimension_code) for row in self.countries)
        return [score for score in scores if score is not None]


class Framework(Record):
    """A theory of how people differ: its dimensions, where they come from, and their terms."""

    name: str
    label: str
    facet: Facet
    what: str
    """In one line without a full stop."""
    source: str
    edition: str
    """Of the tables that ship with it."""
    licence: str
    national: NationalTable | None = None
    dimensions: tuple[Dimension, ...]

    @model_validator(mode="before")
    @classmethod
    def _tell_the_dimensions(cls, table: dict[str, Any]) -> dict[str, Any]:
        common = {"framework": table["name"], "facet": table["facet"]}
        return table | {"dimensions": [common | row for row in table["dimensions"]]}

    @classmethod
    def read(cls, name: str) -> Self:
        """The framework as its table `NAME.json` tells of it."""
        table = files("agents.frameworks").joinpath(f"{name}.json").read_text("utf-8")
        return cls.model_validate(json.loads(table))

    @property
    def knows_countries(self) -> bool:
        """Whether it ships figures by country."""
        return self.national is not None

    def parts(self, parent: str | None) -> tuple[Dimension, ...]:
        """The dimensions that are part of `parent`; with none, those that stand by themselves."""
        return tuple(d for d in self.dimensions if d.parent == parent)

    def country(self, code: str) -> CountryScores | None:
        """The averages of the country with this alpha-2 code; none if the table has no row."""
        return self.national.country(code) if self.national else None

    def national_prior(self, axis: Dimension, country: str | None) -> NationalPrior | None:
        """Where the country stands among countries, in standard deviations; none if unmeasured."""
        if not (self.national and axis.code and country):
            return None
        row = self.national.country(country)
        score = row.scores.get(axis.code) if row else None
        if score is None:
            return None
        others = self.national.measured(axis.code)
        z = (score - fmean(others)) / pstdev(others)
        return NationalPrior(z=z, share=self.national.share, method=self.national.edition)
