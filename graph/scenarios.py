"""Reads scenarios from files for the pool, row by row; what cannot be drawn is told of."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.errors import NotFoundError, first_fault
from agents.frameworks.catalogue import dimension
from agents.pool_quality import flaws
from agents.records import Scenario
from graph.rows import Tell, parsed_cell, read_rows


def read_scenarios(path: Path, tell: Tell) -> Iterator[tuple[str, Scenario]]:
    """The scenarios of a JSONL, CSV or Parquet file with their `file:line`, one at a time.

    A row needs `dimension`, `situation`, `high` and `low`; `facet` follows from the dimension, and
    an `id` is made of the text where there is none.

    Args:
        path: the file.
        tell: takes a notice for every row that was set aside: `file:line: field: what`.

    Raises:
        InputError: the file cannot be used at all.
    """
    for row in read_rows(path, tell):
        try:
            scenario = scenario_of({k: v for k, v in row.values.items() if v not in (None, "")})
        except ValidationError as error:
            tell(f"{row.place}: {': '.join(first_fault(error))}")
            continue
        except NotFoundError as error:
            tell(f"{row.place}: dimension: {error}")
            continue
        found = flaws(scenario)
        if found:
            tell(f"{row.place}: {found[0]}")
        else:
            yield row.place, scenario


def scenario_of(values: dict[str, Any]) -> Scenario:
    """The scenario that these fields tell of.

    Raises:
        NotFoundError: there is no such dimension.
        ValidationError: a field is missing, unknown, or no such thing.
    """
    told = {name: parsed_cell(value) for name, value in values.items()}
    axis = dimension(str(told.get("dimension", "")))
    words = "\n".join(str(told.get(field)) for field in ("situation", "high", "low"))
    digest = hashlib.sha256(words.encode()).hexdigest()[:10]
    return Scenario.model_validate(
        {"id": f"i-{axis.name}-{digest}", "facet": axis.facet, "provenance": "pool"} | told
    )
