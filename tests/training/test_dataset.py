"""Reading and splitting pairs; no model here."""

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from agents.errors import InputError, TrainingError
from tests.tiny_model import pair_row, write_pairs
from training.dataset import flip_rate, read_pairs, split, twin_share


def test_parquet_reads_as_jsonl_does(tmp_path: Path, pairs: Path, rows: list[dict]) -> None:
    parquet = tmp_path / "pairs.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), parquet)

    assert read_pairs(parquet).to_list() == read_pairs(pairs).to_list()


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        ({"chosen": []}, "chosen"),
        ({"chosen": [{"role": "user", "content": "x"}]}, "chosen.0.role"),
        ({"rejected": pair_row(0, 0)["chosen"]}, "the same answer"),
        ({"prompt": None}, "prompt"),
        ({"probability": 90}, "probability"),
        ({"probability": float("nan")}, "probability"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, rows: list[dict], breakage: dict, said: str) -> None:
    rows[3] = pair_row(0, 0) | breakage
    path = write_pairs(tmp_path / "pairs.jsonl", rows)

    with pytest.raises(InputError, match=r"pairs\.jsonl:4: ") as problem:
        read_pairs(path)
    assert said in problem.value.problem


def test_text_that_is_no_json_is_named(tmp_path: Path, rows: list[dict]) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", rows[:2])
    path.write_text(path.read_text() + "{broken\n")

    with pytest.raises(InputError, match=r"pairs\.jsonl:3: "):
        read_pairs(path)


@pytest.mark.parametrize("name", ["absent.jsonl", "empty.jsonl", "binary.jsonl", "not.parquet"])
def test_unusable_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "not.parquet").write_text("text")

    with pytest.raises(InputError, match=name):
        read_pairs(tmp_path / name)


def test_pairs_from_elsewhere_need_only_three_columns(tmp_path: Path, rows: list[dict]) -> None:
    bare = [{key: row[key] for key in ("prompt", "chosen", "rejected")} for row in rows]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in bare))

    dataset = read_pairs(path)
    assert len(set(dataset["scenario_id"])) == 20
    assert set(dataset["probability"]) == {None}
    assert flip_rate(dataset) == 0


def test_no_scenario_is_on_both_sides(pairs: Path) -> None:
    learnt, held_out = split(read_pairs(pairs), 0.2, seed=7)

    assert len(set(held_out["scenario_id"])) == 4
    assert not set(learnt["scenario_id"]) & set(held_out["scenario_id"])
    assert len(learnt) + len(held_out) == 25


def test_the_split_is_the_same_in_any_order(pairs: Path) -> None:
    dataset = read_pairs(pairs)
    turned = dataset.select(range(len(dataset) - 1, -1, -1))

    assert set(split(dataset, 0.2, 7)[1]["pair_id"]) == set(split(turned, 0.2, 7)[1]["pair_id"])
    assert set(split(dataset, 0.2, 7)[1]["pair_id"]) != set(split(dataset, 0.2, 8)[1]["pair_id"])


def test_one_scenario_cannot_be_split(tmp_path: Path) -> None:
    dataset = read_pairs(write_pairs(tmp_path / "pairs.jsonl", [pair_row(0, 0)]))

    with pytest.raises(TrainingError, match="of one group"):
        split(dataset, 0.2, 7)


def test_twins_are_pairs_with_swapped_answers(pairs: Path) -> None:
    assert twin_share(read_pairs(pairs)) == 10 / 25


def test_the_flip_rate_is_what_the_mean_probability_leaves(
    tmp_path: Path, rows: list[dict]
) -> None:
    for row, probability in zip(rows, [0.5, 0.75, None, 1], strict=False):
        row["probability"] = probability
    dataset = read_pairs(write_pairs(tmp_path / "pairs.jsonl", rows[:4]))

    assert flip_rate(dataset) == pytest.approx((0.5 + 0.25 + 0 + 0) / 4)


@pytest.mark.parametrize("probability", [0.5, 0.2])
def test_labels_of_which_half_may_be_wrong_are_refused(
    tmp_path: Path, rows: list[dict], probability: float
) -> None:
    rows = [row | {"probability": probability} for row in rows]
    dataset = read_pairs(write_pairs(tmp_path / "pairs.jsonl", rows))

    with pytest.raises(TrainingError, match=f"is {1 - probability:.3f}; smoothing needs less than"):
        flip_rate(dataset)
