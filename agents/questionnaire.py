"""The short questionnaire: forty of our own seed statements to agree with; it scores none."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from agents.frameworks.catalogue import dimensions
from agents.records import SeedStatement

SHORT = "short"
"""Its name beside those of the published instruments."""
ANSWERS = (
    "strongly disagree",
    "rather disagree",
    "neither",
    "rather agree",
    "strongly agree",
)
"""What the answers 1 to 5 mean."""


@cache
def short_form() -> tuple[SeedStatement, ...]:
    """The statements in the order they are asked in; none is sensitive."""
    text = files("agents.frameworks").joinpath("questionnaire.json").read_text("utf-8")
    known = statements()
    return tuple(known[i] for i in json.loads(text)["statements"])


@cache
def statements() -> dict[str, SeedStatement]:
    """Every seed statement of every framework by its id."""
    return {s.id: s for axis in dimensions().values() for s in axis.statements}


def flaws(answers: Mapping[str, int]) -> dict[str, str]:
    """What is wrong with each answer that cannot be used; a missing one is no flaw."""
    told: dict[str, str] = {}
    for item, answer in answers.items():
        if item not in statements():
            told[item] = "no such statement"
        elif not 1 <= answer <= len(ANSWERS):
            told[item] = f"{answer} is not from 1 to {len(ANSWERS)}"
    return told
