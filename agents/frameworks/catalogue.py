"""The shipped frameworks by name, genre clusters and the candidate pool; it knows no figures.

A further framework is a table `NAME.json`, a module with `framework()`, and its line here.
"""

import difflib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

from agents.errors import NotFoundError
from agents.frameworks import hofstede, ocean, reading, schwartz, wvs
from agents.frameworks.framework import Framework
from agents.posterior import NationalPrior
from agents.records import Dimension, Facet, Record, Scenario


class GenreCluster(Record):
    """One of nine clusters of genres, with the shop words that point to it."""

    id: str
    label: str
    side: Literal["fiction", "non-fiction"]
    keywords: tuple[str, ...]


@cache
def frameworks() -> dict[str, Framework]:
    """All frameworks by name."""
    shipped = (
        ocean.framework(),
        schwartz.framework(),
        hofstede.framework(),
        wvs.framework(),
        reading.framework(),
    )
    return {framework.name: framework for framework in shipped}


def framework(name: str) -> Framework:
    """The framework called `name`.

    Raises:
        NotFoundError: there is none; names the nearest.
    """
    try:
        return frameworks()[name]
    except KeyError:
        raise NotFoundError(
            f"There is no framework {name!r}.", _nearest(name, frameworks())
        ) from None


@cache
def dimensions() -> dict[str, Dimension]:
    """All dimensions of all frameworks by name, in the order of the tables."""
    return {axis.name: axis for f in frameworks().values() for axis in f.dimensions}


def dimension(name: str) -> Dimension:
    """The dimension called `name`.

    Raises:
        NotFoundError: no framework has it; names the nearest.
    """
    try:
        return dimensions()[name]
    except KeyError:
        raise NotFoundError(
            f"There is no dimension {name!r}.", _nearest(name, dimensions())
        ) from None


def dimensions_of(facet: Facet) -> list[Dimension]:
    """The dimensions of one facet."""
    return [d for d in dimensions().values() if d.facet == facet]


@cache
def national_prior(dimension_name: str, country: str | None) -> NationalPrior | None:
    """What the country alone says of a person there; none where no figure was published.

    Raises:
        NotFoundError: no framework has the dimension.
    """
    axis = dimension(dimension_name)
    return frameworks()[axis.framework].national_prior(axis, country)


@cache
def genre_clusters() -> tuple[GenreCluster, ...]:
    """The nine genre clusters."""
    rows = json.loads(_text("genres.json"))["clusters"]
    return tuple(GenreCluster.model_validate(row) for row in rows)


@cache
def shipped_scenarios() -> tuple[Scenario, ...]:
    """The candidate pool that ships with Gravity."""
    folder = files("agents.frameworks").joinpath("scenarios")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".jsonl"))
    lines = [
        line for name in names for line in _text(f"scenarios/{name}").splitlines() if line.strip()
    ]
    return tuple(Scenario.model_validate_json(line) for line in lines)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    near = difflib.get_close_matches(plain, names, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"There are: {', '.join(names)}." if len(names) < 10 else ""


def _text(name: str) -> str:
    return files("agents.frameworks").joinpath(*name.split("/")).read_text("utf-8")
