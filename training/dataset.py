"""Exported pairs as a `datasets.Dataset`, split by group; tokenizes and judges nothing."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal

import pyarrow
import pyarrow.parquet
from datasets import Dataset
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from agents.errors import InputError, TrainingError
from agents.records import Message

Label = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
"""A column that files from elsewhere may lack, leave empty or fill with numbers."""


class Answer(BaseModel):
    """The single assistant message of a chosen or rejected answer."""

    role: Literal["assistant"]
    content: Annotated[str, Field(min_length=1)]


class PairRow(BaseModel):
    """One exported pair; columns that training has no use for are left alone.

    A file from elsewhere needs only `prompt`, `chosen` and `rejected`: its scenarios are then
    told apart by their situations, so that one situation is never both learnt from and measured on.
    """

    prompt: tuple[Message, ...] = Field(min_length=1)
    chosen: tuple[Answer, ...] = Field(min_length=1, max_length=1)
    rejected: tuple[Answer, ...] = Field(min_length=1, max_length=1)
    pair_id: Label = ""
    run_id: Label = ""
    reader_id: Label = ""
    scenario_id: Label = ""
    facet: Label = ""
    dimension: Label = ""
    pole: Label = ""
    probability: float | None = Field(default=None, ge=0, le=1)
    """The judges' mean that the pair is right; none where nobody judged it."""
    group: Label = ""
    """Pairs of one group are held out together; those of a scenario where it is empty."""

    @model_validator(mode="after")
    def _check(self) -> "PairRow":
        if self.chosen == self.rejected:
            raise ValueError("chosen and rejected are the same answer")
        if not self.scenario_id:
            told = situation([turn.model_dump() for turn in self.prompt])
            self.scenario_id = hashlib.sha256(told.encode()).hexdigest()[:16]
        self.group = self.group or self.scenario_id
        return self


def read_pairs(path: Path) -> Dataset:
    """The pairs of a JSONL or Parquet file, one row each, in the order of the file.

    The column `line` tells where in the file each stands: the line of JSONL, the row of Parquet.

    Raises:
        InputError: A row is broken (named by file and line) or the file holds none.
    """
    between = ": row " if path.suffix == ".parquet" else ":"
    rows = [_validated(row, f"{path}{between}{n}") | {"line": n} for n, row in _rows(path)]
    if not rows:
        raise InputError(f"{path} holds no pairs.", "Export accepted pairs first.")
    return Dataset.from_list(rows)


def situation(prompt: Sequence[Mapping[str, str]]) -> str:
    """What a prompt asks, without what its system turn tells of the reader."""
    return "\n".join(turn["content"] for turn in prompt if turn["role"] != "system")


def split(dataset: Dataset, holdout_share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Training and held-out pairs; all pairs of a group fall on the same side.

    A group is a scenario, or a shelf of books. Groups are ranked by a hash of seed and id and the
    first `holdout_share` of them held out, so that the split is the same everywhere and moves
    little as more groups come.

    Raises:
        TrainingError: There are fewer than two groups.
    """
    groups: list[str] = dataset["group"][:]
    ranked = sorted(set(groups), key=lambda s: hashlib.sha256(f"{seed}:{s}".encode()).digest())
    if len(ranked) < 2:
        raise TrainingError(
            "All pairs are of one group, a scenario or a shelf of books: none can be held out.",
            "Gather pairs from more scenarios.",
        )
    count = min(max(1, round(holdout_share * len(ranked))), len(ranked) - 1)
    held = set(ranked[:count])
    return (
        dataset.select([i for i, s in enumerate(groups) if s not in held]),
        dataset.select([i for i, s in enumerate(groups) if s in held]),
    )


def twin_share(dataset: Dataset) -> float:
    """Share of pairs whose scenario also appears with chosen and rejected swapped."""
    if not len(dataset):
        return 0.0
    keys = [
        (row["scenario_id"], row["chosen"][0]["content"], row["rejected"][0]["content"])
        for row in dataset.to_list()
    ]
    swapped = {(scenario, rejected, chosen) for scenario, chosen, rejected in keys}
    return sum(key in swapped for key in keys) / len(keys)


def flip_rate(dataset: Dataset) -> float:
    """Share of labels to be expected wrong: 1 minus the mean probability, 1 where nobody judged.

    Raises:
        TrainingError: It is 0.5 or more, from which labels say nothing or the opposite.
    """
    rate = 1 - fmean(1.0 if p is None else p for p in dataset["probability"])
    if rate >= 0.5:
        raise TrainingError(
            f"The label-flip rate ε of the {len(dataset)} training pairs, 1 − their mean"
            f" probability, is {rate:.3f}; smoothing needs less than 0.5.",
            "Set training.doubt to 'filter' or 'ignore', or gather better pairs.",
        )
    return rate


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Each row with its place in the file, from 1; JSONL rows are still text."""
    if not path.is_file():
        raise InputError(f"{path} is not there.", "Export accepted pairs first.")
    if path.suffix == ".parquet":
        try:
            table = pyarrow.parquet.read_table(path)
        except (pyarrow.ArrowInvalid, OSError) as error:
            raise InputError(f"{path} cannot be read as a Parquet file: {error}.") from error
        yield from enumerate(table.to_pylist(), 1)
        return
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as JSONL or Parquet.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    yield from ((n, line) for n, line in enumerate(lines, 1) if line.strip())


def _validated(row: Any, place: str) -> dict[str, Any]:
    try:
        read = PairRow.model_validate_json if isinstance(row, str) else PairRow.model_validate
        return read(row).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{place}: {field}{': ' if field else ''}{first['msg']}.",
            "A pair has a prompt (messages), and chosen and rejected (one assistant message each);"
            " its probability, if it has one, is between 0 and 1.",
        ) from error
