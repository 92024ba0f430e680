"""Decisions come in from files, each row once, and flawed rows are told of while others count."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError, StorageError
from agents.records import Verdict
from graph.reviewing.files import apply_decisions, write_waiting
from graph.store import Store
from tests.graph.deciding import a_judged_pair, open_run

RUN = "run-1"
IDS = [f"{RUN}-{number}" for number in range(1, 6)]
ONE, TWO, THREE, FOUR, FIVE = IDS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Five pairs wait for a person, and a sixth is of another run."""
    store = open_run(tmp_path)
    store.begin_run("run-2", "scripted", {}, [], 4, [])
    store.put_pairs([a_judged_pair(n, sure=n / 10) for n in range(1, 6)])
    store.put_pairs([a_judged_pair(1, "run-2")])
    yield store
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "said.jsonl"


def said(file: Path, *rows: dict[str, Any] | str) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def statuses(store: Store) -> list[str]:
    return [store.pair(pair_id).status for pair_id in IDS]


def test_every_action(store: Store, file: Path) -> None:
    rows = [
        {"pair": ONE, "action": "approve"},
        {"pair": TWO, "action": "EDIT ", "chosen": "Call her first.", "reviewer": "bob"},
        {"pair": THREE, "action": "reject", "reason": "dull"},
        {"pair": FOUR, "action": "skip"},
        {"pair": FIVE, "action": ""},
        {"pair": ONE, "action": "undo", "reviewer": "bob"},
    ]
    applied = apply_decisions(store, RUN, said(file, *rows), "eve")
    assert (applied.taken, applied.left, applied.repeated, applied.faults) == (4, 2, [], [])
    assert statuses(store) == ["review", "accepted", "rejected", "review", "review"]
    assert store.pair(TWO).chosen == "Call her first."
    assert store.pair(THREE).reason == "dull"
    trail = [(line.reviewer, line.action, line.via, line.undone_by) for line in store.trail(RUN)]
    assert trail == [
        ("eve", "approve", "file", "bob"),
        ("bob", "edit", "file", None),
        ("eve", "reject", "file", None),
        ("bob", "undo", "file", None),
    ]


def test_what_was_applied_is_not_applied_again(store: Store, file: Path) -> None:
    rows: Sequence[dict[str, Any]] = [
        {"pair": ONE, "action": "approve"},
        {"pair": ONE, "action": "undo"},
        {"pair": ONE, "action": "approve"},
        {"pair": TWO, "action": "reject", "reason": "dull"},
        {"pair": THREE, "action": "approve"},
    ]
    first = apply_decisions(store, RUN, said(file, *rows[:4]), "eve")
    assert first.taken == 4
    store.undo(TWO, "bob")
    trail = store.trail(RUN)
    again = apply_decisions(store, RUN, said(file, *rows), "eve")
    assert (again.taken, again.faults) == (1, [])
    assert again.repeated == [f"said.jsonl:{line}" for line in (1, 2, 3, 4)]
    assert store.trail(RUN)[:-1] == trail, "what bob took back stays taken back"
    assert statuses(store)[:3] == ["accepted", "review", "accepted"]
    other = apply_decisions(store, RUN, said(file, rows[0]), "bob")
    assert (other.taken, other.repeated) == (1, []), "another person's word is another"


def test_rows_are_applied_once_after_the_run_has_gone_on(store: Store, file: Path) -> None:
    rows = [{"pair": pair_id, "action": "approve"} for pair_id in IDS]
    apply_decisions(store, RUN, said(file, *rows), "eve")
    store.end_reader(RUN, "ana", "finished")
    again = apply_decisions(store, RUN, file, "eve")
    assert (again.taken, len(again.repeated), again.faults) == (0, 5, [])


def test_flawed_rows_are_told_of_and_the_others_count(store: Store, file: Path) -> None:
    store.put_pairs([store.pair(FIVE).model_copy(update={"status": "accepted"})])
    store.end_reader(RUN, "ana", "finished")
    rows = [
        '{"pair": "run-1-1", "action": ',
        {"pair": ONE, "action": "aprove"},
        {"action": "approve"},
        {"pair": "nope", "action": "approve"},
        {"pair": "run-2-1", "action": "approve"},
        {"pair": ONE, "action": "edit", "chosen": "  "},
        {"pair": ONE, "action": "edit", "chosen": "Wait 1."},
        {"pair": ONE, "action": "edit", "rejected": "a" * 3000},
        {"pair": ONE, "action": "approve", "chosen": "Changed."},
        {"pair": ONE, "action": "reject", "reason": 7},
        {"pair": ONE, "action": "undo"},
        {"pair": FIVE, "action": "reject"},
        "[1, 2]",
        {"pair": TWO, "action": "approve"},
    ]
    before = store.pair(ONE)
    applied = apply_decisions(store, RUN, said(file, *rows), "eve")
    beginnings = [
        "said.jsonl:1: broken JSON",
        "said.jsonl:2: action: 'aprove' is none of approve, edit, reject, skip, undo.",
        "said.jsonl:3: pair: No pair is named.",
        "said.jsonl:4: pair: There is no pair 'nope'.",
        "said.jsonl:5: pair: Pair run-2-1 is of run 'run-2'.",
        "said.jsonl:6: chosen: The chosen answer is empty.",
        "said.jsonl:7: chosen: Both answers say the same.",
        "said.jsonl:8: rejected: The rejected answer has 3,000 characters",
        "said.jsonl:9: chosen: The chosen answer is not that of pair run-1-1.",
        "said.jsonl:10: reason: This is no text.",
        "said.jsonl:11: pair: Nobody has decided on pair run-1-1.",
        "said.jsonl:12: pair: Pair run-1-5 is published: accepted without a person",
        "said.jsonl:13: not a JSON object",
    ]
    assert len(applied.faults) == len(beginnings)
    for fault, beginning in zip(applied.faults, beginnings, strict=True):
        assert fault.startswith(beginning)
        assert "\n" not in fault
    assert applied.taken == 1
    assert store.pair(ONE) == before
    assert store.pair(TWO).status == "accepted"


def test_a_table_does_as_well(store: Store, tmp_path: Path) -> None:
    table = tmp_path / "said.csv"
    table.write_text(f"pair,action,reason\n{ONE},approve,\n{TWO},reject,dull\n{THREE},,\n")
    applied = apply_decisions(store, RUN, table, "eve")
    assert (applied.taken, applied.left) == (2, 1)
    assert statuses(store)[:3] == ["accepted", "rejected", "review"]


# --- out and in again ---------------------------------------------------------------------------


def test_what_waits_goes_out_and_comes_back_filled_in(store: Store, file: Path) -> None:
    doubt = Verdict(judge="critic", probability=0.5, reason="flipped")
    silent = Verdict(judge="silent", failure="refused")
    odd = a_judged_pair(6).model_copy(
        update={"chosen": "«日本» e\u0301\n\u2028x", "verdicts": (doubt, silent), "reason": "why"}
    )
    store.put_pairs([odd])
    store.decide(ONE, "approve", "bob")
    assert write_waiting(store, RUN, "eve", file) == 5
    rows = [json.loads(line) for line in file.read_text("utf-8").split("\n")[:-1]]
    assert [row["pair"] for row in rows] == [TWO, THREE, FOUR, FIVE, odd.id]
    assert {row["action"] for row in rows} == {""}
    assert rows[0]["prompt"] == [{"role": "user", "content": "What do you do?"}]
    assert (rows[-1]["chosen"], rows[-1]["why"]) == (odd.chosen, "why")
    assert rows[-1]["judges"] == {"critic": "0.50 flipped", "silent": "refused"}

    assert apply_decisions(store, RUN, file, "eve").left == 5, "nothing is filled in yet"
    for row, action in zip(rows, ("approve", "edit", "reject", "skip", "approve"), strict=True):
        row["action"] = action
    rows[1]["chosen"] = "Better."
    applied = apply_decisions(store, RUN, said(file, *rows), "eve")
    assert (applied.taken, applied.left, applied.faults) == (4, 1, [])
    assert statuses(store) == ["accepted", "accepted", "accepted", "rejected", "review"]
    assert store.pair(odd.id).chosen == odd.chosen
    assert store.pair(THREE).chosen == "Better."


def test_no_work_is_overwritten_and_nothing_half_written(store: Store, file: Path) -> None:
    file.write_text("filled in")
    with pytest.raises(InputError, match="is there already"):
        write_waiting(store, RUN, "eve", file)
    assert file.read_text() == "filled in"
    with pytest.raises(InputError, match=r"Call it \.jsonl"):
        write_waiting(store, RUN, "eve", file.with_suffix(".txt"))
    with pytest.raises(StorageError, match="cannot be written"):
        write_waiting(store, RUN, "eve", file.parent / "no folder" / "said.jsonl")
    store.close()
    assert sorted(path.name for path in file.parent.glob("said*")) == ["said.jsonl"]


def test_a_file_that_is_not_there(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        apply_decisions(store, RUN, tmp_path / "none.jsonl", "eve")
