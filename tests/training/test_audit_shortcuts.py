"""Shortcuts that are planted in pairs are found, and chance is not taken for one."""

import random
from pathlib import Path
from typing import Any

import pytest

from agents.findings import Finding
from agents.scripted import ScriptedEmbedder
from tests.tiny_model import pair_row, write_pairs
from training.dataset import read_pairs
from training.pair_set import PairSet
from training.settings import TrainingSettings
from training.shortcuts import BOUNDS, Name, Z, shortcut, standard_error

NOUNS = "ladder kite market harbour violin orchard winter letter kitchen bridge lamp tent".split()
SCENES, READERS = 120, 10


def said(dice: random.Random, count: int = 8) -> str:
    return " ".join(dice.choices(NOUNS, k=count))


def scenes(count: int = SCENES) -> list[dict[str, Any]]:
    """Each scene for two readers who prefer opposite answers, of random words."""
    dice = random.Random(0)
    rows = []
    for n in range(count):
        situation, one, other = said(dice), said(dice), said(dice)
        readers = dice.sample(range(READERS), 2)
        for reader, (chosen, rejected) in zip(readers, ((one, other), (other, one)), strict=True):
            row = pair_row(len(rows), n, f"reader-{reader}", swap=chosen == other)
            row["prompt"][1]["content"] = situation
            row["chosen"][0]["content"] = chosen
            row["rejected"][0]["content"] = rejected
            rows.append(row)
    return rows


def found(tmp_path: Path, rows: list[dict[str, Any]]) -> dict[Name, Finding]:
    dataset = read_pairs(write_pairs(tmp_path / "p.jsonl", rows))
    pairs = PairSet(dataset, None, TrainingSettings(), ScriptedEmbedder())
    return {name: shortcut(pairs, name) for name in BOUNDS}


def change(row: dict[str, Any], side: str, text: str) -> None:
    row[side][0]["content"] += f" {text}"


def test_twins_tell_nothing(tmp_path: Path) -> None:
    for finding in found(tmp_path, scenes()).values():
        assert finding.level == "ok"
        assert "AUC 0.50±" in finding.figure
        assert "by scenario" in finding.figure
        assert "by reader" in finding.figure


def test_length_that_tells_fails(tmp_path: Path) -> None:
    rows = scenes()
    for row in rows:
        change(row, "chosen", "lamp")
        change(row, "chosen", "tent kite lamp")
    finding = found(tmp_path, rows)["length"]
    assert finding.level == "fail"
    assert finding.told[0].startswith("the longer answer is the chosen one in 2")


def test_words_that_tell_fail_and_are_named(tmp_path: Path) -> None:
    rows = scenes()
    for row in rows:
        change(row, "chosen", "certainly")
        change(row, "rejected", "perchance")
    findings = found(tmp_path, rows)
    assert findings["length"].level == "ok"
    assert findings["surface"].level == "fail"
    assert findings["surface"].told[0].startswith("chosen answers say: certainly")
    assert findings["surface"].told[1].startswith("rejected answers say: perchance")


def test_readers_of_one_mind_make_the_profile_needless_which_is_said(tmp_path: Path) -> None:
    rows = [pair for pair in scenes(2 * SCENES) if pair["pole"] == "high"]
    for row in rows:
        change(row, "chosen", "violin orchard winter")
        change(row, "rejected", "bridge market harbour")
    finding = found(tmp_path, rows)["profile-free"]
    assert finding.level == "fail"
    assert finding.told[0].startswith("240 of 240 scenes have one preferred answer")
    assert finding.told[2] == "benevolence: 240 high, 0 low"


def test_a_shortcut_in_few_scenes_may_be_chance_and_only_warns(tmp_path: Path) -> None:
    rows = scenes(8)
    for row in rows[::2]:
        change(row, "chosen", "tent kite lamp winter letter")
    many = [
        row | {"reader_id": "", "pair_id": f"{n}-{row['pair_id']}"}
        for n in range(16)
        for row in rows
    ]
    finding = found(tmp_path, many)["length"]
    assert finding.level == "warn"
    assert "by reader" not in finding.figure


@pytest.mark.parametrize(
    "rows", [scenes(99), [row | {"scenario_id": "s", "reader_id": "r"} for row in scenes()]]
)
def test_too_little_is_not_measured(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    for finding in found(tmp_path, rows).values():
        assert finding.level == "warn"
        assert "not measured" in finding.figure


def test_the_standard_error_is_that_of_the_paper() -> None:
    assert standard_error(0.893, 54) == pytest.approx(0.032, abs=0.001)
    assert Z * standard_error(0.5, 100) == pytest.approx(0.08, abs=0.001)
