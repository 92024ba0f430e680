"""Reads what readers said of their own profiles from a file; it applies and keeps nothing.

A row with a flaw is left out and told of; the others are taken.
"""

import difflib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from agents.errors import InputError
from agents.frameworks.catalogue import dimensions
from agents.records import Pole
from agents.verification import LEVELS, Verification, VerificationAction, verifiable_items
from graph.rows import Tell, read_rows

LOWEST, HIGHEST = 20, 80
ACTIONS: tuple[str, ...] = get_args(VerificationAction)


def read_verifications(path: Path, by: str, tell: Tell) -> list[Verification]:
    """What a file says of profiles, in its order; rows without an action are not decided yet.

    Args:
        path: JSONL, CSV or Parquet with `reader_id` (or `id`), `item` (or `dimension`), `action`
            and, with `correct` alone, `score`: T points from 20 to 80, or one of `LEVELS`.
            Where there is a `pole`, that pole alone is confirmed.
        by: who says so: the reader's name, or that of an operator for them.
        tell: takes a notice for every row that is left out.

    Raises:
        InputError: the file cannot be read, or decides nothing.
    """
    now, items = time.time(), verifiable_items()
    read: list[Verification] = []
    for row in read_rows(path, tell):
        if _text(row.values, "action"):
            try:
                read.append(_verification(row.values, by, now, items))
            except ValueError as flaw:
                tell(f"{row.place}: {flaw}; the row was left out")
    if not read:
        raise InputError(
            f"{path} decides nothing.",
            f"Give rows with reader_id, item and action ({', '.join(ACTIONS)}).",
        )
    return read


def _verification(values: Mapping[str, Any], by: str, at: float, items: set[str]) -> Verification:
    reader_id = _text(values, "reader_id", "id")
    item, action = _text(values, "item", "dimension"), _text(values, "action").lower()
    if not reader_id:
        raise ValueError("reader_id: none is named")
    if item not in items:
        raise ValueError(f"item: {item[:40]!r} is none.{_nearest(item, items)}")
    if action not in ACTIONS:
        raise ValueError(f"action: {action[:40]!r} is none of {', '.join(ACTIONS)}")
    return Verification(
        reader_id=reader_id,
        item=item,
        action=action,  # pyright: ignore[reportArgumentType]
        score=_score(values.get("score"), item, action),
        pole=_pole(_text(values, "pole").lower(), item, action),
        by=by,
        at=at,
    )


def _score(given: Any, item: str, action: str) -> float | None:
    told = str("" if given is None else given).strip().lower()
    if action != "correct":
        if told:
            raise ValueError(f"score: {told[:40]!r} stands with {action}; only correct takes one")
        return None
    if item not in dimensions():
        raise ValueError(f"action: the genre {item} has no score to correct; confirm or remove it")
    levels = f"T points from {LOWEST} to {HIGHEST}, or {', '.join(LEVELS)}"
    if not told:
        raise ValueError(f"score: correct needs one: {levels}")
    try:
        score = LEVELS[told] if told in LEVELS else float(told)
    except ValueError:
        raise ValueError(f"score: {told[:40]!r} is none of {levels}") from None
    if not LOWEST <= score <= HIGHEST:
        raise ValueError(f"score: {told[:40]} is not from {LOWEST} to {HIGHEST}")
    return score


def _pole(told: str, item: str, action: str) -> Pole | None:
    """The pole that was shown, which matters where it was confirmed."""
    if action != "confirm" or item not in dimensions() or not told:
        return None
    if told not in ("high", "low"):
        raise ValueError(f"pole: {told[:40]!r} is neither high nor low")
    return told


def _nearest(item: str, items: set[str]) -> str:
    near = difflib.get_close_matches(item.lower().replace(" ", "_"), items, n=1, cutoff=0.4)
    return f" Did you mean {near[0]}?" if near else ""


def _text(values: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that says something."""
    told = (str(values.get(name) or "").strip() for name in names)
    return next(filter(None, told), "")
