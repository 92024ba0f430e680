"""`gravity critic` calibrates judges on what people decided, and tells how far judges agree."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agents.judges.calibration import read_calibrations
from agents.records import Verdict
from graph.store import Store
from tests.commands.conftest import Gravity
from tests.graph.deciding import a_judged_pair, decide_on, open_run

NASTY = "[red]\x1b[2J\x1b]0;owned\x07\x9b31m$_x$\u202eevil\r\b\x7f</text>"
HARM = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """A run `run-1` of which nothing is decided yet."""
    store = open_run(home)
    yield store
    store.close()


# --- calibrate ----------------------------------------------------------------------------------


def test_calibrate_shows_and_keeps(gravity: Gravity, store: Store, home: Path) -> None:
    decide_on(store, count=200)
    store.put_pairs([a_judged_pair(900, sure=0.4), a_judged_pair(901)])
    store.decide("run-1-900", "edit", "eve", chosen="New.")
    store.decide("run-1-901", "approve", "eve")
    told = gravity("critic", "calibrate").out
    kept = read_calibrations(home / "critic.json")
    assert list(kept) == ["sure"], "the wild one tells nothing"
    assert kept["sure"].slope == pytest.approx(0.5, abs=0.2)
    assert kept["sure"].decisions == 200
    assert told.startswith("202 decided pairs: ")
    assert "1 edited and left out" in told
    assert "1 that no judge rated" in told
    assert "People are asked about doubtful pairs" in told
    assert f"200 decisions, {kept['sure'].approved} approved; slope" in told
    assert "calibrated, held out: ECE" in told
    assert "without its scenario, in 5 folds" in " ".join(told.split())
    assert "the next run applies it" in told
    assert "`gravity critic calibrate --forget` takes it back." in told


def test_the_diagram_is_read_without_colour(gravity: Gravity, store: Store) -> None:
    decide_on(store, count=200)
    told = gravity("critic", "calibrate", "--dry-run").out
    rows = re.findall(
        r"^ +(0\.\d\d) │(.{40})│  (\d\.\d\d) (\d\.\d\d)–(\d\.\d\d) +(\d+)$", told, re.M
    )
    assert len(rows) >= 30
    for stated, strip, share, low, high, _ in rows:
        marks = {"┊": float(stated), "●": float(share)}
        if "◆" in strip:
            marks = {"◆": float(share)}
        for mark, value in marks.items():
            assert strip.index(mark) == pytest.approx(min(value * 40, 39), abs=1.3), strip
        drawn = [at for at, cell in enumerate(strip) if cell in "─●◆"]
        assert drawn[0] == pytest.approx(float(low) * 40, abs=2.3), "┊ may lie on the end"
        assert drawn[-1] == pytest.approx(min(float(high) * 40, 39), abs=2.3)
    assert sum(int(row[-1]) for row in rows[:10]) == 200


def test_a_judge_that_tells_nothing_is_told_of_and_not_kept(
    gravity: Gravity, store: Store, home: Path
) -> None:
    for number in range(40):
        store.put_pairs([a_judged_pair(number, turned=0.9 if number % 4 else 0.2)])
        store.decide(f"run-1-{number}", "reject" if number % 4 else "approve", "eve")
    told = gravity("critic", "calibrate").out
    assert "slope 0.00" in told
    assert "it tells nothing of what people" in told
    assert "would give every pair 0.2" in told
    assert "Nothing was kept." in told
    assert not (home / "critic.json").exists()


def test_a_dry_run_keeps_nothing(gravity: Gravity, store: Store, home: Path) -> None:
    decide_on(store)
    told = gravity("critic", "calibrate", "--dry-run")
    assert "Nothing was kept." in told.out
    assert not (home / "critic.json").exists()
    assert gravity("critic", "calibrate", "--dry-run", "--json").json["kept_in"] is None


def test_calibrate_for_scripts(gravity: Gravity, store: Store, home: Path) -> None:
    decide_on(store)
    store.put_pairs([a_judged_pair(900, new=0.4)])
    store.decide("run-1-900", "approve", "eve")
    told = gravity("critic", "calibrate", "--json").json
    assert sum(told["decisions"].values()) == 61
    assert [one["calibration"]["judge"] for one in told["judges"]] == ["sure", "wild"]
    assert {b["count"] for b in told["judges"][0]["before"]["bins"]} == {10}
    assert told["judges"][0]["after"]["expected_error"] >= 0
    assert "1 decision, 1 approved" in told["too_few"]["new"]
    assert told["kept_in"] == str(home / "critic.json")
    assert "not for all that are judged" in told["caution"]


def test_only_the_named_runs_count_and_other_judges_stay(
    gravity: Gravity, store: Store, home: Path
) -> None:
    decide_on(store)
    store.begin_run("run-2", "scripted", {}, [], 1, [])
    decide_on(store, "run-2", count=30, sure="late", wild="later")
    gravity("critic", "calibrate", "run-1")
    assert set(read_calibrations(home / "critic.json")) == {"sure", "wild"}
    first = read_calibrations(home / "critic.json")["sure"]
    told = gravity("critic", "calibrate", "run-2").out
    assert told.startswith("30 decided pairs")
    kept = read_calibrations(home / "critic.json")
    assert set(kept) == {"sure", "wild", "late", "later"}
    assert kept["sure"] == first
    assert gravity("critic", "calibrate", "run-1", "last").out.startswith("90 decided pairs")
    assert "no run 'nope'" in gravity("critic", "calibrate", "nope", code=2).err


def test_few_scenarios_show_no_after(gravity: Gravity, store: Store) -> None:
    for number in range(40):
        pair = a_judged_pair(number % 4 + 10 * number, sure=(number + 1) / 42)
        store.put_pairs([pair])
        store.decide(pair.id, "approve" if number > 20 else "reject", "eve")
    told = gravity("critic", "calibrate").out
    assert "Fewer than 5 scenarios" in told
    assert "calibrated, held out: ECE" not in told


def test_forget_takes_it_back(gravity: Gravity, store: Store, home: Path) -> None:
    decide_on(store)
    gravity("critic", "calibrate")
    assert "is gone" in gravity("critic", "calibrate", "--forget").out
    assert not (home / "critic.json").exists()
    assert "Nothing is kept" in gravity("critic", "calibrate", "--forget").out
    assert gravity("critic", "calibrate", "--forget", "--json").json == {"forgotten": False}
    for more in (["--dry-run"], ["run-1"], ["--svg", "d.svg"]):
        assert "stands alone" in gravity("critic", "calibrate", "--forget", *more, code=2).err


def test_a_damaged_file_is_told_of_and_can_be_forgotten(
    gravity: Gravity, store: Store, home: Path
) -> None:
    decide_on(store)
    (home / "critic.json").write_text("[{")
    told = gravity("critic", "calibrate", code=4)
    assert "critic.json is damaged" in told.err
    assert told.out == ""
    gravity("critic", "calibrate", "--forget")
    gravity("critic", "calibrate")


def test_svg(gravity: Gravity, store: Store, home: Path) -> None:
    decide_on(store, sure=NASTY)
    gravity("critic", "calibrate", "--svg", "diagram.svg")
    text = Path("diagram.svg").read_text("utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert not HARM.search(text)
    assert "$_x$" in text
    assert "calibrated, held out" in text


def test_an_svg_that_cannot_be_written_keeps_nothing(
    gravity: Gravity, store: Store, home: Path
) -> None:
    decide_on(store)
    told = gravity("critic", "calibrate", "--svg", "gone/diagram.svg", code=4)
    assert "diagram.svg cannot be written" in told.err
    assert not (home / "critic.json").exists()


def test_no_decisions(gravity: Gravity, store: Store) -> None:
    told = gravity("critic", "calibrate", code=2)
    assert told.err.count("\n") == 1
    assert "No person has decided on a pair." in told.err
    assert "gravity review" in told.err


def test_too_few_decisions_are_counted(gravity: Gravity, store: Store, home: Path) -> None:
    decide_on(store, count=12)
    told = gravity("critic", "calibrate", code=2)
    assert "sure has 12 decisions, " in told.err
    assert "20 are needed, with both among them" in told.err
    assert not (home / "critic.json").exists()


def test_decisions_on_what_no_judge_saw(gravity: Gravity, store: Store) -> None:
    store.put_pairs([a_judged_pair(1)])
    store.decide("run-1-1", "approve", "eve")
    told = gravity("critic", "calibrate", code=2)
    assert "1 decided pair: 1 approved, 0 rejected, 1 that no judge rated." in told.err


# --- agreement ----------------------------------------------------------------------------------


def test_agreement_by_facet_and_with_people(gravity: Gravity, store: Store) -> None:
    decide_on(store)
    told = gravity("critic", "agreement").out
    assert told.startswith("run-1: 2 judges, sure, wild\n")
    assert re.search(r"^  personality +30 +\d+% +-?0\.\d\d +-?0\.\d\d$", told, re.M)
    assert re.search(r"^  all +60 ", told, re.M)
    assert re.search(r"^  sure +60 ", told, re.M)
    assert "alpha (Krippendorff) and AC1" in told
    as_json = gravity("critic", "agreement", "run-1", "--json").json
    assert list(as_json["between"]) == ["personality", "value", "all"]
    assert as_json["between"]["all"]["units"] == 60
    assert as_json["people"]["sure"]["share"] > as_json["people"]["wild"]["share"]


def test_judges_that_always_agree_have_no_alpha(gravity: Gravity, store: Store) -> None:
    store.put_pairs([a_judged_pair(n, one=0.9, other=0.8) for n in range(4)])
    told = gravity("critic", "agreement").out
    assert re.search(r"^  all +4 +100% +– +1\.00$", told, re.M)
    assert "No person has approved or rejected any of them: `gravity review`." in told


def test_one_judge_alone(gravity: Gravity, store: Store) -> None:
    store.put_pairs([a_judged_pair(n, one=0.9) for n in range(4)])
    told = gravity("critic", "agreement").out
    assert "One judge alone, one, judged the pairs of run-1: agreement needs two." in told
    assert "between judges" not in told
    store.decide("run-1-1", "approve", "eve")
    assert re.search(r"^  one +1 +100% ", gravity("critic", "agreement").out, re.M)


def test_nothing_is_judged(gravity: Gravity, store: Store) -> None:
    silent = Verdict(judge="silent", failure="refused")
    store.put_pairs([a_judged_pair(1).model_copy(update={"verdicts": (silent,)})])
    assert gravity("critic", "agreement").out == "No judge has judged a pair of run-1.\n"
    assert "no run 'nope'" in gravity("critic", "agreement", "nope", code=2).err


def test_a_judges_name_cannot_steer_a_terminal(gravity: Gravity, store: Store) -> None:
    decide_on(store, count=30, sure=NASTY, wild=f"{NASTY}2")
    for words in (["calibrate"], ["calibrate", "--json"], ["agreement"], ["agreement", "--json"]):
        told = gravity("critic", *words)
        assert "[red]" in told.out
        assert not HARM.search(told.out + told.err)
    few = open_run_of_few(store)
    told = gravity("critic", "calibrate", few, code=2)
    assert "[red]" in told.err
    assert not HARM.search(told.err)


def open_run_of_few(store: Store) -> str:
    store.begin_run("few", "scripted", {}, [], 1, [])
    decide_on(store, "few", count=3, sure=NASTY)
    return "few"


def test_a_run_as_it_comes(gravity: Gravity, gathered: Path) -> None:
    """Judged by the critic and decided by a person through the commands alone."""
    gravity("review", "asks", typed="a\n" * 20)
    told = gravity("critic", "calibrate", code=2)
    assert re.search(r"Too few decisions: embedded has (\d+) decisions?, \1 approved", told.err)
    told = gravity("critic", "agreement", "asks").out
    assert "One judge alone, embedded" in told
    assert re.search(r"^  embedded +[1-9]", told, re.M)
