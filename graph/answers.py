"""Reads sheets of answers to questionnaires from files; it scores nothing and stores nothing.

A sheet with any flaw is refused whole and told of; the others proceed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from agents import instruments, questionnaire
from agents.errors import InputError, NotFoundError
from agents.questionnaire import SHORT
from agents.records import Record
from graph.rows import Row, Tell, parsed_cell, read_rows

_NAMES = ("reader_id", "id", "user_id")
_NUMBERED = re.compile(r"((?:[^\W\d](?:.*\D)?)?)(\d{1,6})")
"""An item number, bare or behind a prefix that begins with a letter: 7, q7, item_7, PVQ-21_7."""
_STATEMENT = re.compile(r"\w+-[hl]\d+")
_WHOLE = re.compile(r"\s*([+-]?\d{1,9})(?:\.0*)?\s*")


class AnswerSheet(Record):
    """All answers of one reader to one questionnaire."""

    reader_id: str = Field(min_length=1)
    instrument: str
    """The name of a published instrument, or `short`."""
    answers: dict[str, int]
    """As printed, by item number, or by statement id for `short`."""

    @property
    def numbered(self) -> dict[int, int]:
        """By item number, as `Reader.instruments` has them; not for `short`."""
        return {int(item): answer for item, answer in self.answers.items()}


@dataclass
class _Draft:
    """A sheet in the making, with its flaws and their lines."""

    row: Row
    reader_id: str
    instrument: str
    answers: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Where each item was answered, well or badly."""
    flaws: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: Row, name: str, answer: Any) -> None:
        """Takes one answer; an empty one was not given."""
        if answer in (None, ""):
            return
        item = name.strip() if self.instrument == SHORT else _number(name)
        whole = _WHOLE.fullmatch(str(answer))
        if not item:
            self.flaws.append((row.line, f"item {name[:40]!r}: no item number"))
            return
        if item in self.lines:
            self.flaws.append((row.line, f"item {item}: two answers"))
        elif whole is None:
            self.flaws.append((row.line, f"item {item}: {str(answer)[:40]!r} is no whole number"))
        else:
            self.answers[item] = int(whole[1])
        self.lines.setdefault(item, row.line)


def read_answers(path: Path, instrument: str | None, tell: Tell) -> list[AnswerSheet]:
    """The flawless sheets of a file, in the order of their first rows.

    Three forms are read: rows of one answer (`reader_id, item, answer`); rows of one sheet with
    `answers`, an object by item or a list from item 1; and rows of one sheet with a column for
    every item: `1`, `q1` or `item_1`. A published instrument needs all answers; of the `short`
    questionnaire a reader may have been asked a part.

    Args:
        path: JSONL, CSV or Parquet, plain or gzipped.
        instrument: what rows mean that have no `instrument` of their own; `short` is ours.
        tell: takes a notice for every sheet that was refused.

    Raises:
        InputError: the file cannot be read, or holds no flawless sheet.
    """
    drafts: dict[tuple[str, str], _Draft] = {}
    for row in read_rows(path, tell):
        named = (row.values.get(key) for key in _NAMES)
        reader_id = next((str(name).strip() for name in named if name not in (None, "")), "")
        if not reader_id:
            tell(f"{row.place}: reader_id: answers need a reader; the row was skipped")
            continue
        form, flaw = _form(row.values.get("instrument") or instrument)
        known = drafts.get((reader_id, form))
        draft = known or _Draft(row, reader_id, form)
        drafts[reader_id, form] = draft
        if flaw:
            draft.flaws = [(draft.row.line, flaw)]
        elif row.values.keys() & {"item", "answer"}:
            draft.add(row, str(row.values.get("item", "")), row.values.get("answer"))
        elif known:
            draft.flaws.append((row.line, "the reader has a sheet of it already"))
        else:
            _add_sheet(draft, row)
    sheets = [sheet for draft in drafts.values() if (sheet := _finished(draft, tell))]
    if not sheets:
        raise InputError(f"{path}: no usable sheet of answers.", "The notices say what to mend.")
    return sheets


def _form(named: Any) -> tuple[str, str | None]:
    """The instrument's name; or what was named and why it is none."""
    name = str(named or "").strip()
    if not name:
        return "", "no instrument is named; add a column `instrument`, or name it in the command"
    if name.lower() == SHORT:
        return SHORT, None
    try:
        return instruments.instrument(name).name, None
    except NotFoundError as error:
        return name, str(error)


def _number(name: str) -> str | None:
    match = _NUMBERED.fullmatch(name.strip())
    return str(int(match[2])) if match else None


def _add_sheet(draft: _Draft, row: Row) -> None:
    given = parsed_cell(row.values.get("answers"))
    if given is None:
        pattern = _STATEMENT if draft.instrument == SHORT else _NUMBERED
        found = {name: match for name in row.values if (match := pattern.fullmatch(name.strip()))}
        starts = {m[1].lower() for m in found.values()} if draft.instrument != SHORT else set()
        if len(starts) > 1:
            listed = ", ".join(f"{start}…" for start in sorted(starts))
            draft.flaws.append((row.line, f"item columns of more than one kind: {listed}"))
            return
        given = {name: row.values[name] for name in found}
    elif isinstance(given, list) and draft.instrument != SHORT:
        given = dict(enumerate(given, 1))
    if not isinstance(given, dict):
        draft.flaws.append((row.line, "answers: give an object of items and answers"))
        return
    for name, answer in given.items():
        draft.add(row, str(name), answer)


def _finished(draft: _Draft, tell: Tell) -> AnswerSheet | None:
    found = list(draft.flaws)
    if draft.lines or not found:
        of_items = _short_flaws(draft) if draft.instrument == SHORT else _published_flaws(draft)
        found += ((draft.lines.get(item, draft.row.line), flaw) for item, flaw in of_items)
    if not found:
        return AnswerSheet(
            reader_id=draft.reader_id, instrument=draft.instrument, answers=draft.answers
        )
    line = found[0][0]
    told = [flaw if where == line else f"line {where}: {flaw}" for where, flaw in found]
    if len(told) > instruments.MOST_FLAWS:
        more = len(told) - instruments.MOST_FLAWS
        told = [*told[: instruments.MOST_FLAWS], f"and {more} more"]
    who = f"{draft.row.file}:{line}: {draft.reader_id}: {draft.instrument}".removesuffix(": ")
    tell(f"{who}: {'; '.join(told)}; the sheet was refused")
    return None


def _published_flaws(draft: _Draft) -> Iterable[tuple[str, str]]:
    form = instruments.instrument(draft.instrument)
    given = len(draft.lines)
    if given != form.items:
        yield "", f"{form.label} has {form.items} items, this sheet {given}"
    numbered = {int(item): answer for item, answer in draft.answers.items()}
    for number, flaw in instruments.flaws(form, numbered).items():
        item = str(number)
        if item in draft.answers or item not in draft.lines:
            yield item, f"item {item}: {flaw}"


def _short_flaws(draft: _Draft) -> Iterable[tuple[str, str]]:
    if not draft.lines:
        yield "", "no answer"
    for item, flaw in questionnaire.flaws(draft.answers).items():
        yield item, f"item {item}: {flaw}"
