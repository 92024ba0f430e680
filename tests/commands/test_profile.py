"""`gravity profile`: showing, asking, answering and correcting, each from the command line."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from agents.questionnaire import short_form
from graph.store import Store
from tests.commands.conftest import Gravity

FILE = ("--readers", "sample", "--model", "scripted")


def attribute(profile: Any, dimension: str) -> Any:
    return next((a for a in profile["attributes"] if a["dimension"] == dimension), None)


def sheet(tmp_path: Path, *rows: object) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


# --- questionnaires -----------------------------------------------------------------------------


def test_the_short_questionnaire_goes_out_and_comes_back(
    gravity: Gravity, store: Store, tmp_path: Path
) -> None:
    rows = list(csv.DictReader(io.StringIO(gravity("profile", "questions", "us-walt").out)))
    assert [row["item"] for row in rows] == [s.id for s in short_form()]
    for row in rows:
        row["answer"] = "5" if row["item"].rpartition("-")[2].startswith("h") else "1"
    path = tmp_path / "answers.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    told = gravity("profile", "answer", str(path))
    assert told.out == "1 answer sheets kept, 2 profiles made again.\n"
    for run in ("done", "asks"):
        profile = gravity("profile", "show", "us-walt", "--run", run, "--json").json
        open_mind = attribute(profile, "openness")
        assert (open_mind["source"], open_mind["score"] > 60) == ("questionnaire", True)
    assert "40 questionnaire answers" in gravity("profile", "show", "us-walt").out


def test_a_published_instrument_by_item_number(gravity: Gravity, tmp_path: Path) -> None:
    rows = [{"reader_id": "us-walt", "item": n, "answer": 5 if n == 4 else 3} for n in range(1, 21)]
    gravity("profile", "answer", sheet(tmp_path, *rows), "--instrument", "mini-ipip")
    calm = attribute(gravity("profile", "show", "us-walt", *FILE, "--json").json, "neuroticism")
    assert [s["method"] for s in calm["sources"]] == ["Mini-IPIP"]
    assert calm["source"] == "questionnaire"


def test_the_neo_is_told_in_the_terms_of_its_norms(gravity: Gravity, tmp_path: Path) -> None:
    answers = {str(n): 3 for n in range(1, 121)}
    path = sheet(
        tmp_path, {"reader_id": "us-walt", "instrument": "IPIP-NEO-120", "answers": answers}
    )
    gravity("profile", "answer", path)
    told = gravity("profile", "show", "us-walt", *FILE).out
    [line] = [
        x for x in told.splitlines() if x.strip().startswith("Neuroticism") and "percentile" in x
    ]
    assert line.split()[-4:] == ["T", "59", "percentile", "79"], "72 of a man over 60, by hand"
    assert (
        "Anxiety" not in told
        and "  Anxiety" in gravity("profile", "show", "us-walt", "--all", *FILE).out
    )


@pytest.mark.parametrize(
    ("rows", "words", "said"),
    [
        ([{"reader_id": "r", "item": 1, "answer": 9}], ("pvq-21",), "9 is not from 1 to 6"),
        ([{"reader_id": "r", "item": 1, "answer": 2}] * 2, ("pvq-21",), "item 1: two answers"),
        ([{"reader_id": "r", "item": 1, "answer": 2}], ("pvq-21",), "has 21 items, this sheet 1"),
        ([{"reader_id": "r", "item": 1, "answer": 2}], ("pvq21x",), "Did you mean 'pvq-21'?"),
        ([{"reader_id": "r", "item": "openness-h9", "answer": 2}], ("short",), "openness-h9"),
    ],
)
def test_flawed_answers_are_refused_whole(
    gravity: Gravity, tmp_path: Path, home: Path, rows: list[Any], words: Any, said: str
) -> None:
    told = gravity("profile", "answer", sheet(tmp_path, *rows), "--instrument", *words, code=2)
    assert said in told.err
    assert "rows.jsonl:" in told.err
    store = Store(home / "gravity.db")
    assert store.sheets("r") == []
    store.close()


# --- verification -------------------------------------------------------------------------------


def test_a_sheet_of_decisions_changes_the_next_output(
    gravity: Gravity, store: Store, tmp_path: Path
) -> None:
    words = ("profile", "sheet", "us-walt", *FILE, "--base-url", "http://127.0.0.1:9/v1")
    listed = [json.loads(line) for line in gravity(*words).out.split("\n") if line]
    inferred = [row["item"] for row in listed]
    assert {"pace", "historical"} <= set(inferred), "genres and ways of reading"
    assert all(row["action"] == "" for row in listed)
    before = gravity("profile", "show", "us-walt", *FILE, "--json").json
    poles = {row["item"]: row["pole"] for row in listed}
    shown = "high" if attribute(before, "pace")["score"] >= 50 else "low"
    assert (poles["pace"], poles["historical"]) == (shown, None)
    other = "low" if attribute(before, "pace")["score"] >= 50 else "high"
    decisions = [
        {"reader_id": "us-walt", "item": "pace", "action": "correct", "score": other},
        {"reader_id": "us-walt", "item": "ideas", "action": "remove"},
        {"reader_id": "us-walt", "item": "comfort", "action": "forbid"},
        {"reader_id": "us-walt", "item": "historical", "action": "remove"},
        {"reader_id": "us-walt", "item": "invention", "action": ""},
    ]
    told = gravity("profile", "verify", sheet(tmp_path, *decisions), "--by", "walt")
    assert told.out == "4 decisions on 1 readers kept.\n"
    for words in (FILE, ("--run", "done")):
        after = gravity("profile", "show", "us-walt", *words, "--json").json
        pace = attribute(after, "pace")
        assert (pace["score"], pace["source"], pace["verified"]) == (
            {"low": 35.0, "high": 65.0}[other],
            "stated",
            True,
        )
        assert attribute(after, "ideas") is None
        assert attribute(after, "comfort")["forbidden"] is True
        assert "historical" not in {i["cluster"] for i in after["interests"]}
    shown = gravity("profile", "show", "us-walt", *FILE).out
    assert "corrected by walt" in shown and "use forbidden" in shown


def test_a_mistyped_reader_is_seen(gravity: Gravity, store: Store, tmp_path: Path) -> None:
    names = ("us-walt", "us-wlat")
    rows = [{"reader_id": name, "item": "pace", "action": "forbid"} for name in names]
    told = gravity("profile", "verify", sheet(tmp_path, *rows))
    assert told.out == "2 decisions on 2 readers kept.\n"
    assert told.err == "us-wlat: no run knows this reader yet; the decisions are kept for it\n"


def test_flawed_decisions_are_named_and_the_others_taken(gravity: Gravity, tmp_path: Path) -> None:
    rows = (
        {"reader_id": "us-walt", "item": "pase", "action": "confirm"},
        {"reader_id": "us-walt", "item": "pace", "action": "correct"},
        {"reader_id": "us-walt", "item": "pace", "action": "agree"},
        {"reader_id": "us-walt", "item": "pace", "action": "confirm"},
    )
    told = gravity("profile", "verify", sheet(tmp_path, *rows))
    assert told.out == "1 decisions on 1 readers kept.\n"
    for line, said in ((1, "Did you mean pace?"), (2, "score"), (3, "agree")):
        [notice] = [n for n in told.err.splitlines() if n.startswith(f"rows.jsonl:{line}:")]
        assert said in notice
    assert "decides nothing" in gravity("profile", "verify", sheet(tmp_path, rows[0]), code=2).err


# --- the text backends --------------------------------------------------------------------------


def test_a_backend_that_cannot_be_reached_is_told_in_one_line(gravity: Gravity) -> None:
    words = ("--set", "profiler.text=systemone", "profile", "show", "us-walt", *FILE)
    assert "systemone.url" in gravity(*words, code=2).err
    gone = ("--set", "systemone.url=http://127.0.0.1:9", *words)
    assert "cannot be reached" in gravity(*gone, code=3).err


def test_the_chat_backend_tells_its_cost(gravity: Gravity) -> None:
    told = gravity("--set", "profiler.text=chat", "profile", "show", "us-walt", *FILE)
    assert "1 model calls, " in told.err
    assert "read by scripted" in told.out


def test_no_text_is_read_where_none_is_asked_for(gravity: Gravity) -> None:
    words = ("--set", "profiler.text=none", "profile", "show", "us-walt", *FILE, "--json")
    methods = {s["source"] for a in gravity(*words).json["attributes"] for s in a["sources"]}
    assert "inferred_text" not in methods
