"""Pairs that wait for a person out to a file, decisions in from one; the store applies them.

A row that cannot be taken is told of and left out; the others are taken.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from agents.errors import DecisionError, InputError, NotFoundError, RepeatedError
from agents.records import Pair
from agents.replacing import replacing
from graph.pair_rows import UNDO
from graph.pairing import digest
from graph.reviewing.decisions import Decisions
from graph.reviewing.tally import Action
from graph.rows import Row, read_rows

SKIP = "skip"
ACTIONS = (*get_args(Action), SKIP, UNDO)
PAGE = 500
"""Pairs that are read at a time."""


@dataclass
class Applied:
    """What became of the rows of a file."""

    taken: int = 0
    """Decisions, and undos, that were applied."""
    left: int = 0
    """Rows that skip their pair, or say nothing of it yet."""
    repeated: list[str] = field(default_factory=list)
    """`file:line` of rows that were applied before; they changed nothing."""
    faults: list[str] = field(default_factory=list)
    """What is wrong with rows, as `file:line: field: what`."""


def apply_decisions(store: Decisions, run_id: str, path: Path, reviewer: str) -> Applied:
    """Apply the rows of a file in their order, each once however often the file is given.

    Args:
        store: the run database.
        run_id: the run whose pairs are decided on.
        path: JSONL, CSV or Parquet with `pair`, `action` (approve, edit, reject, skip or undo;
            nothing where it is left for later), and where wanted `reviewer`, `reason`, and for
            an edit `chosen` and `rejected`. The same row once more in a file is another decision.
        reviewer: who decides where a row names nobody.

    Raises:
        InputError: the file cannot be read.
    """
    applied, sent = Applied(), Counter[str]()
    for row in read_rows(path, applied.faults.append):
        try:
            if _apply(store, run_id, row, reviewer, sent):
                applied.taken += 1
            else:
                applied.left += 1
        except RepeatedError:
            applied.repeated.append(row.place)
        except DecisionError as error:
            applied.faults.append(f"{row.place}: {error.field}: {error}")
        except NotFoundError as error:
            applied.faults.append(f"{row.place}: pair: {error}")
    return applied


def write_waiting(store: Decisions, run_id: str, reviewer: str, path: Path) -> int:
    """Write the pairs that wait for a person as JSONL rows to fill in; how many.

    Raises:
        InputError: the file is there already, or is not called `.jsonl`.
        StorageError: the file cannot be written.
    """
    if path.suffix.lower() != ".jsonl":
        raise InputError(f"{path} would not be read again.", "Call it .jsonl.")
    if path.exists():
        raise InputError(f"{path} is there already.", "Name another file.")
    ids = store.waiting(run_id, reviewer)
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as out:
        for start in range(0, len(ids), PAGE):
            blanks = map(_blank, store.pairs_by_id(ids[start : start + PAGE]).values())
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in blanks)
    return len(ids)


def _apply(store: Decisions, run_id: str, row: Row, reviewer: str, sent: Counter[str]) -> bool:
    """Apply one row; whether it says anything."""
    action = (_text(row, "action") or "").strip().lower()
    if action in ("", SKIP):
        return False
    if action not in ACTIONS:
        raise DecisionError("action", f"{action[:40]!r} is none of {', '.join(ACTIONS)}.")
    pair_id = (_text(row, "pair") or "").strip()
    if not pair_id:
        raise DecisionError("pair", "No pair is named.", "`--export` writes rows that name them.")
    if (run := store.pair(pair_id).run_id) != run_id:
        raise DecisionError("pair", f"Pair {pair_id} is of run {run!r}.", "Name that run.")
    who = (_text(row, "reviewer") or "").strip() or reviewer
    reason, chosen, rejected = (_text(row, name) for name in ("reason", "chosen", "rejected"))
    texts = (chosen, rejected) if action == "edit" else ()
    content = json.dumps([pair_id, action, who, reason or "", *texts])
    sent[content] += 1
    key = digest(content, str(sent[content]))
    if action == UNDO:
        store.undo(pair_id, who, via="file", key=key)
    else:
        word: Action = action  # pyright: ignore[reportAssignmentType]
        store.decide(pair_id, word, who, reason or "", chosen, rejected, via="file", key=key)
    return True


def _text(row: Row, name: str) -> str | None:
    value = row.values.get(name)
    if value is not None and not isinstance(value, str):
        raise DecisionError(name, "This is no text.", "Put it in quotation marks.")
    return value


def _blank(pair: Pair) -> dict[str, Any]:
    """A row that says nothing of a pair yet, with all that there is to know of it."""
    judges = {
        v.judge: v.failure or f"{v.probability:.2f} {v.reason}".strip() for v in pair.verdicts
    }
    return {
        "pair": pair.id,
        "action": "",
        "reason": "",
        "reader": pair.reader_id,
        "facet": pair.facet,
        "dimension": pair.dimension,
        "prompt": [turn.model_dump() for turn in pair.prompt],
        "chosen": pair.chosen,
        "rejected": pair.rejected,
        "why": pair.reason,
        "judges": judges,
    }
