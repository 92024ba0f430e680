"""Makes strings that match a regular expression, by dice; it knows no look-around and no flags."""

import random
import re
import string
from collections.abc import Callable, Iterable
from functools import cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

CHARACTERS = string.ascii_lowercase + " " + string.ascii_uppercase + string.digits + ".,;:!?-_'/"
"""What is chosen from where several would do."""
MOST_MORE = 8
"""Repetitions beyond the least, where more are allowed."""
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_DIGIT: str.isdigit,
    codes.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    codes.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    codes.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}


def matching(pattern: str, dice: random.Random) -> str:
    """A string that matches `pattern`.

    Raises:
        ValueError: the pattern holds what is not made here.
    """
    made = _joined(_parsed(pattern), dice)
    if not re.search(pattern, made):
        raise ValueError(f"{made!r} was made for {pattern!r}, and does not match")
    return made


@cache
def _parsed(pattern: str) -> Any:
    return parser.parse(pattern)


def _joined(parts: Iterable[tuple[Any, Any]], dice: random.Random) -> str:
    return "".join(_made(code, argument, dice) for code, argument in parts)


def _made(code: Any, argument: Any, dice: random.Random) -> str:
    match code:
        case codes.AT:
            return ""
        case codes.LITERAL:
            return chr(argument)
        case codes.NOT_LITERAL:
            return dice.choice(_members(((codes.NEGATE, None), (codes.LITERAL, argument))))
        case codes.ANY:
            return dice.choice(CHARACTERS)
        case codes.IN:
            return dice.choice(_members(tuple(argument)))
        case codes.SUBPATTERN:
            return _joined(argument[-1], dice)
        case codes.BRANCH:
            return _joined(dice.choice(argument[1]), dice)
        case codes.MAX_REPEAT | codes.MIN_REPEAT:
            least, most, repeated = argument
            count = dice.randint(least, min(most, least + MOST_MORE))
            return "".join(_joined(repeated, dice) for _ in range(count))
        case _:
            raise ValueError(f"{code} is not made here")


@cache
def _members(items: tuple[tuple[Any, Any], ...]) -> str:
    """The characters of a set such as [^a-z,]: those of ours, and those it names."""
    named = "".join(
        chr(argument if code is codes.LITERAL else argument[0])
        for code, argument in items
        if code in (codes.LITERAL, codes.RANGE)
    )
    is_negative = any(code is codes.NEGATE for code, _ in items)
    known = dict.fromkeys(CHARACTERS + ("" if is_negative else named))
    return "".join(c for c in known if any(_holds(i, c) for i in items) != is_negative)


def _holds(item: tuple[Any, Any], character: str) -> bool:
    code, argument = item
    match code:
        case codes.LITERAL:
            return ord(character) == argument
        case codes.RANGE:
            return argument[0] <= ord(character) <= argument[1]
        case codes.CATEGORY:
            return _CATEGORIES[argument](character)
        case _:
            return False
