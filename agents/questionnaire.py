"""The short questionnaire: forty of our own seed statements to agree with; it scores none."""

import json
from functools import cache
from importlib.resources import files

from agents.errors import InputError
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


def checked_short(answers: dict[str, int]) -> dict[str, int]:
    """`answers` to seed statements as they are, where all of them can be used.

    Raises:
        InputError: a statement that does not exist, or an answer outside 1 to 5; none missing is
            asked for, since every statement counts by itself.
    """
    for item, answer in answers.items():
        if item not in statements():
            raise InputError(
                f"item {item}: no such seed statement.", "`gravity profile questions`."
            )
        if not 1 <= answer <= len(ANSWERS):
            raise InputError(f"item {item}: the answer {answer} is not from 1 to 5.")
    return answers
