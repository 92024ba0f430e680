"""Reads the shipped tables: dimensions, genre clusters and the candidate pool."""

import json
from functools import cache
from importlib.resources import files
from typing import Literal

from agents.errors import NotFoundError
from agents.records import Dimension, Facet, Record, Scenario

FRAMEWORKS = ("ocean", "schwartz", "beliefs", "reading")


class GenreCluster(Record):
    """One of nine clusters of genres, with the shop words that point to it."""

    id: str
    label: str
    side: Literal["fiction", "non-fiction"]
    keywords: tuple[str, ...]


@cache
def dimensions() -> dict[str, Dimension]:
    """All dimensions of all frameworks by name, in the order of the tables."""
    found: dict[str, Dimension] = {}
    for framework in FRAMEWORKS:
        table = json.loads(_text(f"{framework}.json"))
        for row in table["dimensions"]:
            common = {"framework": framework, "facet": table["facet"]}
            found[row["name"]] = Dimension.model_validate(common | row)
    return found


def dimension(name: str) -> Dimension:
    """The dimension called `name`.

    Raises:
        NotFoundError: no framework has it.
    """
    try:
        return dimensions()[name]
    except KeyError:
        raise NotFoundError(f"There is no dimension {name!r}.") from None


def dimensions_of(facet: Facet) -> list[Dimension]:
    """The dimensions of one facet."""
    return [d for d in dimensions().values() if d.facet == facet]


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


def _text(name: str) -> str:
    return files("agents.frameworks").joinpath(*name.split("/")).read_text("utf-8")
