"""`gravity review` takes decisions from keys and files, and tells who said what and how alike."""

import json
import re
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from graph.store import Store
from tests.commands.conftest import Gravity
from tests.graph.deciding import a_judged_pair
from tui.cli import main


@pytest.fixture
def waiting(store: Store):
    """The pairs in the order in which they are asked about."""
    return store.pairs("asks", status="review")


@pytest.fixture
def pairwise(store: Store) -> Store:
    """The newest run, `two`, asks two people about each of four pairs."""
    settings = {"settings": {"synthesis": {"reviewers": 2}}}
    store.begin_run("two", "scripted", settings, [], 4, [])
    store.put_pairs([a_judged_pair(n, "two", sure=0.5) for n in range(4)])
    return store


# --- keys ---------------------------------------------------------------------------------------


def test_every_key(gravity: Gravity, store: Store, waiting) -> None:
    first, second, third, fourth = (p.id for p in waiting[:4])
    keys = ["a", "u", "u", "a", "e", "New chosen.", "", "s", "r", "too dull", "?", "x", "q"]
    told = gravity("review", "asks", "--reviewer", "eve", typed="\n".join(keys) + "\n")
    assert store.pair(first).status == "accepted"
    assert store.pair(first).reason == "approve by eve"
    edited = store.pair(second)
    assert (edited.status, edited.chosen) == ("accepted", "New chosen.")
    assert edited.rejected == waiting[1].rejected
    assert store.pair(third) == waiting[2]
    assert (store.pair(fourth).status, store.pair(fourth).reason) == ("rejected", "too dull")
    assert "Nothing to undo yet." in told.out
    assert "\ns  skip: " in told.out
    assert "Please answer with one of" in told.out
    assert f"\n4 of {len(waiting)}. [a]pprove" in told.out
    assert "3 decided. requested 24 = accepted 2 +" in told.out
    assert "`gravity synth --run asks` goes on" in told.out
    assert len(store.pairs("asks", status="review")) == len(waiting) - 3
    assert {line.via for line in store.trail("asks")} == {"terminal"}


def test_undo_restores(gravity: Gravity, store: Store, waiting) -> None:
    told = gravity("review", typed="r\nno\nu\nq\n")
    assert store.pair(waiting[0].id) == waiting[0]
    assert "0 decided." in told.out


@pytest.mark.parametrize("typed", ["", "r\n", "e\n", "e\nHalf an edit.\n"])
def test_the_end_of_input_quits_and_keeps_nothing_half_said(
    gravity: Gravity, store: Store, waiting, typed: str
) -> None:
    told = gravity("review", "asks", typed=typed)
    assert "0 decided." in told.out
    assert store.pairs("asks", status="review") == waiting
    assert store.trail("asks") == []


def test_an_edit_that_cannot_be_kept_is_told_in_a_line_and_asked_again(
    gravity: Gravity, store: Store, waiting
) -> None:
    typed = f"e\n{waiting[0].rejected}\n\ne\n\n\ne\n{'a' * 2001}\n\nq\n"
    told = gravity("review", "asks", typed=typed)
    assert "Both answers say the same. One must be the better." in told.out
    assert f"Neither answer of pair {waiting[0].id} is changed. Approve it instead." in told.out
    assert "The chosen answer has 2,001 characters, 2,000 at most are kept." in told.out
    assert told.out.count(f"\n1 of {len(waiting)}.") == 4
    assert store.trail("asks") == []


def test_bytes_that_are_no_text_do_no_harm(
    gravity: Gravity, store: Store, waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"\xff\nr\n\xffdull\nq\n"), "utf-8"))
    words = ["gravity", "--home", str(store.path.parent), "review", "asks"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert store.pair(waiting[0].id).reason == "\ufffddull"


def test_what_others_decide_meanwhile_is_not_asked_about(
    gravity: Gravity, store: Store, waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_prompt: str) -> str:
        for pair in waiting[:-1]:
            store.decide(pair.id, "reject", "bob")
        monkeypatch.setattr("builtins.input", lambda _prompt: "a")
        return "s"

    monkeypatch.setattr("builtins.input", answer)
    told = gravity("review", "asks", "--reviewer", "eve")
    assert "1 decided." in told.out
    assert f"\n{len(waiting)} of {len(waiting)}." in told.out
    assert store.pair(waiting[0].id).reason == "reject by bob"


def test_nothing_waits(gravity: Gravity, gathered) -> None:
    assert gravity("review", "done").out == "Nothing of done waits for a person.\n"


def test_every_pair_until_none_is_left(gravity: Gravity, store: Store, waiting) -> None:
    told = gravity("review", typed="a\n" * len(waiting))
    assert f"{len(waiting)} decided." in told.out
    assert store.pairs("asks", status="review") == []


def test_two_people_are_asked_about_each(gravity: Gravity, pairwise: Store) -> None:
    told = gravity("review", "--reviewer", "eve", typed="a\na\nr\n\nq\n")
    assert told.out.startswith("2 different people must decide; you are eve.\n")
    assert len(pairwise.pairs("two", "review")) == 4
    told = gravity("review", "--reviewer", "eve", typed="a\n")
    assert "\n1 of 1." in told.out
    assert gravity("review", "two", "--reviewer", "eve").out.endswith("waits for you.\n")
    gravity("review", "--reviewer", "bob", typed="a\n" * 4)
    assert len(pairwise.pairs("two", "accepted")) == 3
    assert pairwise.waiting("two", "cat") == ["two-2"]


# --- files --------------------------------------------------------------------------------------


def test_out_filled_in_and_in_again(
    gravity: Gravity, store: Store, waiting, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    told = gravity("review", "asks", "--export", str(file))
    assert told.out.startswith(f"{len(waiting)} pairs of asks in {file}: ")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    actions = ["approve", "edit", "reject", "skip"] + [""] * (len(rows) - 4)
    for row, action in zip(rows, actions, strict=True):
        row["action"] = action
    rows[1]["chosen"] = "Call her first."
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = gravity("review", "asks", "--decisions", str(file), "--reviewer", "eve")
    left = len(rows) - 3
    assert told.out.startswith(
        f"asks: 3 applied, 0 applied before, {left} left for later, 0 refused."
        " requested 24 = accepted 2 + rejected 0"
    )
    assert store.pair(waiting[1].id).chosen == "Call her first."
    assert [line.reviewer for line in store.trail("asks")] == ["eve"] * 3
    told = gravity("review", "asks", "--decisions", str(file), "--reviewer", "eve")
    assert "0 applied, 3 applied before" in told.out
    assert "\n  applied before: pairs.jsonl:1, pairs.jsonl:2, pairs.jsonl:3\n" in told.out
    assert len(store.trail("asks")) == 3


def test_a_refused_row_is_told_and_ends_in_2(
    gravity: Gravity, store: Store, waiting, tmp_path: Path
) -> None:
    file = tmp_path / "said.jsonl"
    published = store.pairs("done", status="accepted")[0].id
    rows = [
        {"pair": waiting[0].id, "action": "edit", "chosen": " "},
        {"pair": published, "action": "reject"},
        {"pair": waiting[1].id, "action": "approve"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = gravity("review", "asks", "--decisions", str(file), code=2)
    assert told.err.splitlines() == [
        "said.jsonl:1: chosen: The chosen answer is empty. Both answers need words.",
        f"said.jsonl:2: pair: Pair {published} is of run 'done'. Name that run.",
    ]
    assert "1 applied, 0 applied before, 0 left for later, 2 refused." in told.out
    file.write_text(json.dumps(rows[1]))
    told = gravity("review", "done", "--decisions", str(file), "--json", code=2)
    [fault] = told.json["faults"]
    assert fault.startswith(f"said.jsonl:1: pair: Pair {published} is published: accepted without")
    assert told.json["taken"] == 0
    assert told.json["accounting"]["requested"] == 24


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--decisions", "none.jsonl"], "none.jsonl cannot be read"),
        (["--decisions", "a.jsonl", "--export", "b.jsonl"], "stands without --export"),
        (["--json"], "stands with --decisions or --export"),
        (["--export", "pairs.txt"], "Call it .jsonl."),
        (["nope"], "There is no run 'nope'."),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    gravity: Gravity, gathered, words: list[str], said: str
) -> None:
    assert said in gravity("review", *words, code=2).err


# --- who said what ------------------------------------------------------------------------------


def test_the_log_tells_all_that_was_decided(gravity: Gravity, store: Store, waiting) -> None:
    first, second = (pair.id for pair in waiting[:2])
    store.decide(first, "edit", "eve", "clearer", chosen="Call \x1b[2Jher first.", via="screen")
    store.undo(first, "bob", via="terminal")
    store.decide(second, "reject", "cat", via="file")
    lines = gravity("review", "log", "asks").out.splitlines()
    at = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    for line, told in zip(
        lines,
        (
            rf"{at} {first} eve edit \(screen\) clearer · chosen: Call her first\. · "
            rf"undone {at} by bob",
            rf"{at} {first} bob undo \(terminal\)",
            rf"{at} {second} cat reject \(file\)",
        ),
        strict=True,
    ):
        assert re.fullmatch(told, line)
    assert gravity("review", "log", "asks", "--pair", second).out.count("\n") == 1
    assert gravity("review", "log", "--pair", first).out.count("\n") == 2
    told = gravity("review", "log", "asks", "--json").json
    assert [line["action"] for line in told] == ["edit", "undo", "reject"]
    assert told[0]["before"]["chosen"] == waiting[0].chosen
    assert gravity("review", "log", "done").out == "Nobody has decided on a pair of done.\n"
    assert "no pair 'nope'" in gravity("review", "log", "--pair", "nope", code=2).err


def test_the_log_seals_what_others_must_not_know_yet(gravity: Gravity, pairwise: Store) -> None:
    pairwise.decide("two-1", "reject", "eve", "dull")
    told = gravity("review", "log")
    assert "two-1 eve sealed (script)" in told.out
    assert "dull" not in told.out + gravity("review", "log", "--json").out
    pairwise.decide("two-1", "reject", "bob")
    assert "two-1 eve reject (script) dull" in gravity("review", "log").out


def test_agreement_of_people_by_facet(gravity: Gravity, pairwise: Store) -> None:
    assert gravity("review", "agreement").out.startswith(
        "No two people have decided on the same pair of two on their own.\n"
    )
    for number, eve, bob in ((0, "approve", "approve"), (1, "reject", "reject")):
        pairwise.decide(f"two-{number}", eve, "eve")  # pyright: ignore[reportArgumentType]
        pairwise.decide(f"two-{number}", bob, "bob")  # pyright: ignore[reportArgumentType]
    pairwise.decide("two-2", "approve", "eve")
    pairwise.decide("two-2", "reject", "bob")
    pairwise.decide("two-2", "reject", "cat")
    pairwise.decide("two-3", "approve", "cat")
    told = gravity("review", "agreement").out
    assert told.startswith("two: 3 reviewers, eve (3), bob (3), cat (1)\n")
    assert re.search(r"^  personality +1 +100% +– +1\.00$", told, re.M)
    assert re.search(r"^  all +3 +67% +0\.44 +0\.3\d$", told, re.M)
    between = gravity("review", "agreement", "two", "--json").json["between"]
    assert list(between) == ["personality", "value", "all"]
    assert (between["value"]["units"], between["value"]["share"]) == (2, 0.5)


def test_a_run_may_be_called_like_a_command(gravity: Gravity, store: Store) -> None:
    store.begin_run("log", "scripted", {}, [], 4, [])
    assert gravity("review", "pairs", "log").out == "Nothing of log waits for a person.\n"
    told = gravity("review", "--help").out
    assert all(name in told for name in ("pairs", "log", "agreement"))
