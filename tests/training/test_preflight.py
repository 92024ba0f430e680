"""What is set aside before training, and that it is counted."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from agents.errors import TrainingError
from tests.tiny_model import pair_row, write_pairs
from training.dataset import read_pairs
from training.preflight import Preflight, require_usable, sift


@pytest.fixture
def tokenizer(tiny_base: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_base)


def _checked(
    tmp_path: Path,
    rows: list[dict],
    tokenizer: PreTrainedTokenizerBase | None,
    least_probability: float | None = None,
) -> Preflight:
    dataset = read_pairs(write_pairs(tmp_path / "p.jsonl", rows))
    report = sift(dataset.to_list(), tokenizer, max_length=64, least_probability=least_probability)
    require_usable(report)
    return report


def test_good_pairs_are_all_usable(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    report = _checked(tmp_path, rows, tokenizer)

    assert report.usable == tuple(range(25))
    assert len(report.lines) == 1


def test_what_is_set_aside_is_counted(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    rows[0]["rejected"][0]["content"] = "keep " * 60
    rows.append(rows[1] | {"pair_id": "again"})
    rows.append(rows[2] | {"chosen": rows[2]["rejected"], "rejected": rows[2]["chosen"]})

    report = _checked(tmp_path, rows, tokenizer)

    assert (report.too_long, report.repeated, report.contradicted) == ((0,), (25,), (2, 26))
    assert report.total == len(report.usable) + 4
    assert len(report.lines) == 4
    assert report.longest <= 64


def test_the_majority_outvotes_a_contradiction(
    tmp_path: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    rows = [pair_row(n, n) for n in range(10)]
    rows.append(rows[0] | {"reader_id": "second reader of the same mind"})
    rows.append(rows[0] | {"chosen": rows[0]["rejected"], "rejected": rows[0]["chosen"]})

    assert _checked(tmp_path, rows, tokenizer).usable == tuple(range(11))


def test_doubted_pairs_are_set_aside_and_unjudged_ones_kept(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    rows[0]["probability"], rows[1]["probability"], rows[2]["probability"] = 0.69, 0.7, None
    rows[3]["probability"], rows[3]["rejected"][0]["content"] = 0.1, "keep " * 60
    del rows[4]["probability"]

    report = _checked(tmp_path, rows, tokenizer, 0.7)

    assert (report.doubted, report.too_long, report.unjudged) == ((0, 3), (), 2)
    assert report.usable == (1, 2, *range(4, 25))
    assert report.lines[1:] == (
        "2 set aside: less probable than 0.7",
        "2 kept that nobody judged",
    )
    assert _checked(tmp_path, rows, tokenizer).doubted == ()


def test_a_doubted_pair_outvotes_and_repeats_none(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    against = {"chosen": rows[0]["rejected"], "rejected": rows[0]["chosen"]}
    rows.append(rows[0] | against | {"probability": 0.5})
    rows.append(rows[1] | {"pair_id": "again"})
    rows[1]["probability"] = 0.5

    report = _checked(tmp_path, rows, tokenizer, 0.7)

    assert (report.doubted, report.repeated, report.contradicted) == ((1, 25), (), ())


def test_pairs_that_are_all_unjudged_are_all_kept(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    for row in rows:
        del row["probability"]

    report = _checked(tmp_path, rows, tokenizer, 1.0)

    assert len(report.usable) == report.unjudged == 25


def test_pairs_that_are_all_doubted_are_too_few(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    said = r"25 set aside: less probable than 0\.95.*or lower least_probability"
    with pytest.raises(TrainingError, match=said):
        _checked(tmp_path, rows, tokenizer, 0.95)


def test_too_few_pairs_are_refused(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(TrainingError, match="7 of 7 pairs usable"):
        _checked(tmp_path, [pair_row(n, n) for n in range(7)], tokenizer)


def test_a_model_without_chat_template_is_refused(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    tokenizer.chat_template = None

    with pytest.raises(TrainingError, match="chat template"):
        _checked(tmp_path, rows, tokenizer)
