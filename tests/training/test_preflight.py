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
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase | None
) -> Preflight:
    dataset = read_pairs(write_pairs(tmp_path / "p.jsonl", rows))
    report = sift(dataset.to_list(), tokenizer, max_length=64)
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


def test_too_few_pairs_are_refused(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(TrainingError, match="7 of 7 pairs usable"):
        _checked(tmp_path, [pair_row(n, n) for n in range(7)], tokenizer)


def test_a_model_without_chat_template_is_refused(
    tmp_path: Path, rows: list[dict], tokenizer: PreTrainedTokenizerBase
) -> None:
    tokenizer.chat_template = None

    with pytest.raises(TrainingError, match="chat template"):
        _checked(tmp_path, rows, tokenizer)
