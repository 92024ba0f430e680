"""A judge is put right by decisions: the fit, how it is measured, and the file it is kept in."""

import math
import random
from pathlib import Path

import pytest

from agents.errors import StorageError
from agents.judges.calibration import (
    LEAST_DECISIONS,
    Calibration,
    Judged,
    assess,
    calibrated,
    cross_calibrated,
    given,
    keep_calibrations,
    platt,
    read_calibrations,
    shortage,
)
from agents.judges.reliability import (
    brier,
    expected_calibration_error,
    measure,
    reliability,
    wilson,
)
from agents.records import Verdict


def a_calibration(judge: str = "sure", slope: float = 0.5, intercept: float = 0.2) -> Calibration:
    return Calibration(
        judge=judge, slope=slope, intercept=intercept, decisions=40, approved=25, at=1.0
    )


def overconfident(count: int, groups: int = 10) -> list[Judged]:
    """People approve with half the log-odds that the judge states, and 0.4 more."""
    dice = random.Random(3)
    judged: list[Judged] = []
    for n in range(count):
        stated = dice.uniform(0.02, 0.98)
        odds = 0.5 * math.log(stated / (1 - stated)) + 0.4
        right = dice.random() < 1 / (1 + math.exp(-odds))
        judged.append(Judged(stated, right, f"s{n % groups}"))
    return judged


# --- the fit ------------------------------------------------------------------------------------


def test_the_line_that_people_follow_is_found() -> None:
    judged = overconfident(5000)
    slope, intercept = platt([j.probability for j in judged], [j.right for j in judged])
    assert slope == pytest.approx(0.5, abs=0.05)
    assert intercept == pytest.approx(0.4, abs=0.08)


def test_two_values_are_brought_to_platts_targets() -> None:
    """Without a fault the fit is exact: (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2)."""
    slope, intercept = platt([0.9] * 18 + [0.2] * 8, [True] * 18 + [False] * 8)
    kept = a_calibration(slope=slope, intercept=intercept)
    assert kept.apply(0.9) == pytest.approx(19 / 20, abs=1e-3)
    assert kept.apply(0.2) == pytest.approx(1 / 10, abs=1e-3)


@pytest.mark.parametrize(
    ("stated", "outcomes"),
    [([0.9] * 15 + [0.1] * 15, [False] * 15 + [True] * 15), ([0.7] * 30, [True, False, True] * 10)],
    ids=["turned round", "always the same"],
)
def test_a_judge_that_tells_nothing_is_not_turned_round(stated, outcomes) -> None:
    slope, intercept = platt(stated, outcomes)
    assert slope == 0
    kept = a_calibration(slope=slope, intercept=intercept)
    assert kept.apply(0.1) == kept.apply(0.9) == pytest.approx(sum(outcomes) / 30, abs=0.03)


def test_certainty_has_finite_odds() -> None:
    slope, intercept = platt([1.0] * 15 + [0.0] * 15, [True] * 15 + [False] * 15)
    assert math.isfinite(slope) and slope > 0
    kept = a_calibration(slope=1e4, intercept=intercept)
    assert (kept.apply(0.0), kept.apply(1.0)) == (0.0, 1.0)
    same = a_calibration(slope=1, intercept=0)
    assert same.apply(0.3) == pytest.approx(0.3)
    assert same.apply(1.0) == pytest.approx(1 - 1e-6)


@pytest.mark.parametrize(
    ("approved", "rejected", "enough"),
    [(10, 10, True), (LEAST_DECISIONS, 0, False), (0, 40, False), (10, 9, False), (19, 1, True)],
)
def test_too_few_decisions_are_counted(approved: int, rejected: int, enough: bool) -> None:
    judged = [Judged(0.5, True, "s")] * approved + [Judged(0.5, False, "s")] * rejected
    told = shortage(judged)
    assert (told is None) == enough
    if told:
        assert told.startswith(f"{approved + rejected} decisions, {approved} approved")
        assert "20 are needed, with both among them" in told


# --- held out -----------------------------------------------------------------------------------


def test_held_out_decisions_are_met_better_by_the_calibration() -> None:
    found = assess("sure", overconfident(1000), at=5.0)
    assert found.after is not None
    assert found.after.expected_error < found.before.expected_error / 2
    assert found.after.brier < found.before.brier
    kept = found.calibration
    assert (kept.judge, kept.decisions, kept.at) == ("sure", 1000, 5.0)
    assert sum(b.count for b in found.after.bins) == 1000


def test_no_scenario_is_judged_by_what_it_taught() -> None:
    """One scenario is all approved; held out, nothing of it may be known."""
    others = [Judged(0.5, n % 2 == 0, f"s{n // 10}") for n in range(40)]
    odd = [Judged(0.5, True, "odd")] * 10
    held_out = cross_calibrated([*others, *odd])
    assert held_out[-1] == pytest.approx(0.5)
    assert all(p > 0.5 for p in held_out[:40])


def test_few_scenarios_hold_nothing_out() -> None:
    assert assess("sure", overconfident(40, groups=4), at=0.0).after is None
    assert assess("sure", overconfident(40, groups=5), at=0.0).after is not None


# --- reliability --------------------------------------------------------------------------------


def test_bins_are_of_equal_mass_and_keep_equal_probabilities_together() -> None:
    bins = reliability([n / 100 for n in range(100)], [n >= 50 for n in range(100)])
    assert [b.count for b in bins] == [10] * 10
    assert [b.share_right for b in bins] == [0.0] * 5 + [1.0] * 5
    assert bins[0].mean_probability == pytest.approx(0.045)
    ties = reliability([0.8] * 70 + [0.3] * 30, [True, False] * 50, bins=5)
    assert [(b.count, b.mean_probability) for b in ties] == [
        (30, pytest.approx(0.3)),
        (70, pytest.approx(0.8)),
    ]
    assert reliability([0.8, 0.3] * 9, [True] * 18) == reliability([0.3, 0.8] * 9, [True] * 18)


def test_errors_by_hand() -> None:
    stated, right = [0.2] * 4 + [0.9] * 6, [True, False, False, False] + [True] * 3 + [False] * 3
    bins = reliability(stated, right, bins=2)
    assert expected_calibration_error(bins) == pytest.approx(0.4 * 0.05 + 0.6 * 0.4)
    assert brier(stated, right) == pytest.approx((0.64 + 3 * 0.04 + 3 * 0.01 + 3 * 0.81) / 10)


@pytest.mark.parametrize(("count", "bins"), [(20, 2), (39, 3), (60, 6), (1000, 10)])
def test_bins_are_as_many_as_ten_outcomes_each_allow(count: int, bins: int) -> None:
    assert len(measure([n / count for n in range(count)], [True] * count).bins) == bins


def test_the_interval_is_wilsons() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for right, count, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(right, count) == pytest.approx((low, high), abs=6e-5)
    assert wilson(20, 20)[1] == pytest.approx(1)


# --- verdicts -----------------------------------------------------------------------------------


def test_a_calibrated_verdict_keeps_what_the_judge_gave() -> None:
    said = Verdict(judge="sure", probability=0.9, criteria={"prefers": 0.9}, reason="so")
    kept = {"sure": a_calibration()}
    once = calibrated(said, kept)
    assert once.probability == pytest.approx(kept["sure"].apply(0.9))
    assert once.criteria == {"prefers": 0.9, "uncalibrated": 0.9}
    assert (given(said), given(once), once.reason) == (0.9, 0.9, "so")
    assert calibrated(once, kept) == once, "a calibration is applied to what was given, once"


def test_a_verdict_without_a_probability_or_a_calibration_stays() -> None:
    kept = {"sure": a_calibration()}
    for said in (Verdict(judge="sure", failure="refused"), Verdict(judge="wild", probability=0.9)):
        assert calibrated(said, kept) == said


# --- the file -----------------------------------------------------------------------------------


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "critic.json"
    assert read_calibrations(path) == {}
    names = ("sure", "[red]\x1b[2J", "判官")
    keep_calibrations(path, [a_calibration(name) for name in names])
    assert read_calibrations(path) == {name: a_calibration(name) for name in names}
    keep_calibrations(path, [a_calibration("sure")])
    assert list(read_calibrations(path)) == ["sure"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (b"[{", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"{}", "valid array"),
        (b'[{"judge": "a"}]', r"0\.slope: Field required"),
        (
            b'[{"judge":"a","slope":-1,"intercept":0,"decisions":1,"approved":1,"at":0}]',
            r"0\.slope: Input should be greater",
        ),
    ],
)
def test_a_damaged_file_is_named_with_its_cure(tmp_path: Path, damage: bytes, told: str) -> None:
    path = tmp_path / "critic.json"
    path.write_bytes(damage)
    with pytest.raises(StorageError, match=rf"critic\.json is damaged: .*{told}.*--forget"):
        read_calibrations(path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "critic.json"
    path.mkdir()
    with pytest.raises(StorageError, match=r"critic\.json cannot be written"):
        keep_calibrations(path, [a_calibration()])
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(StorageError, match=r"critic\.json cannot be read"):
        read_calibrations(path)
