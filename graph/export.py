"""Writes accepted pairs in TRL's conversational format, with provenance and a dataset card."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from agents.errors import NotFoundError, StorageError
from agents.records import Pair
from agents.verification import supports
from graph.accounts import RunSummary
from graph.store import Store

_TURN = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())])
_TEXT = pyarrow.string()
_HOW = {
    "gravity": "synthesised by Gravity",
    "naive": "invented by a model from profiles alone (Gravity's naive baseline, judged by nobody)",
}
SCHEMA = pyarrow.schema(
    [
        *((name, pyarrow.list_(_TURN)) for name in ("prompt", "chosen", "rejected")),
        *((name, _TEXT) for name in ("pair_id", "run_id", "reader_id", "scenario_id")),
        *((name, _TEXT) for name in ("facet", "dimension", "pole", "group")),
        ("probability", pyarrow.float64()),
    ]
)


def export_pairs(store: Store, run_id: str, folder: Path) -> int:
    """Write `pairs.jsonl`, `pairs.parquet` and a dataset card to `folder`; how many pairs.

    Accepted pairs that their readers' profiles do not bear any more, such as after a correction,
    are left out; the card counts them.

    Raises:
        NotFoundError: the run has no accepted pair, or none that a profile still bears.
        StorageError: the folder cannot be written.
    """
    accepted = store.pairs(run_id, status="accepted")
    profiles = {member.reader.id: member.profile for member in store.readers(run_id)}
    pairs = [p for p in accepted if not (of := profiles.get(p.reader_id)) or supports(of, p)]
    if accepted and not pairs:
        raise NotFoundError(
            f"None of the {len(accepted)} accepted pairs of run {run_id!r} is in keeping with what"
            " its reader has said since.",
            "`gravity synth` gathers new ones.",
        )
    if not pairs:
        raise NotFoundError(
            f"Run {run_id!r} has no accepted pair.", f"`gravity runs show {run_id}` says why."
        )
    table = pyarrow.Table.from_pylist([_row(pair) for pair in pairs], schema=SCHEMA)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pairs.jsonl").write_text(_json_lines(table.to_pylist()), "utf-8")
        pyarrow.parquet.write_table(table, folder / "pairs.parquet")
        (folder / "README.md").write_text(_card(store.run(run_id), pairs, len(accepted)), "utf-8")
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}.") from error
    return len(pairs)


def twin_share(pairs: Iterable[Pair]) -> float:
    """Share of pairs whose scenario is also in the set with chosen and rejected swapped."""
    listed = list(pairs)
    poles: dict[str, set[str]] = {}
    for pair in listed:
        poles.setdefault(pair.scenario_id, set()).add(pair.pole)
    return sum(len(poles[p.scenario_id]) == 2 for p in listed) / len(listed) if listed else 0.0


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "prompt": [turn.model_dump() for turn in pair.prompt],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
        "pair_id": pair.id,
        "run_id": pair.run_id,
        "reader_id": pair.reader_id,
        "scenario_id": pair.scenario_id,
        "facet": pair.facet,
        "dimension": pair.dimension,
        "pole": pair.pole,
        "group": pair.group or pair.scenario_id,
        "probability": pair.probability,
    }


def _card(run: RunSummary, pairs: Sequence[Pair], accepted: int) -> str:
    facets = Counter(pair.facet for pair in pairs)
    return (
        files("graph")
        .joinpath("dataset_card.md")
        .read_text("utf-8")
        .format(
            run_id=run.id,
            how=_HOW[run.method],
            pairs=len(pairs),
            left_out=accepted - len(pairs),
            readers=len({pair.reader_id for pair in pairs}),
            scenarios=len({pair.scenario_id for pair in pairs}),
            twins=f"{twin_share(pairs):.0%}",
            facets="\n".join(f"| {facet} | {count} |" for facet, count in sorted(facets.items())),
        )
    )


def _json_lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
