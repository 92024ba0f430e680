"""The tiny base model, and a file of pairs from two opposite readers; trains nothing."""

from pathlib import Path

import pytest

from tests.tiny_model import build_tiny_model, pair_row, write_pairs


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def rows() -> list[dict]:
    helping = [pair_row(n, n) for n in range(20)]
    keeping = [pair_row(20 + n, n, "tom", swap=True) for n in range(5)]
    return helping + keeping


@pytest.fixture
def pairs(tmp_path: Path, rows: list[dict]) -> Path:
    return write_pairs(tmp_path / "pairs.jsonl", rows)
