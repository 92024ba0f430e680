"""Sheets of answers are read from every form, and one flawed sheet costs no other."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from agents.errors import InputError
from graph.answers import AnswerSheet, read_answers
from tests.graph.reading import write_lines

TWIVI = {item: item % 6 + 1 for item in range(1, 21)}
EXPECTED = {str(item): answer for item, answer in TWIVI.items()}


def read(path: Path, instrument: str | None = None) -> tuple[list[AnswerSheet], list[str]]:
    notices: list[str] = []
    return read_answers(path, instrument, notices.append), notices


def sheet(reader: str, **others: Any) -> dict[str, Any]:
    return {"reader_id": reader, "instrument": "twivi", "answers": EXPECTED} | others


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as sink:
        table = csv.DictWriter(sink, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def long_rows(reader: str, answers: dict[int, Any], **others: Any) -> list[dict[str, Any]]:
    return [{"reader_id": reader, "item": i, "answer": a} | others for i, a in answers.items()]


def refused(tmp_path: Path, *bad: dict[str, Any]) -> str:
    """The one notice on a bad reader between two good ones, read from JSONL."""
    rows = [sheet("first"), *bad, sheet("last")]
    sheets, notices = read(write_lines(tmp_path / "a.jsonl", rows))
    assert [(s.reader_id, s.answers) for s in sheets] == [("first", EXPECTED), ("last", EXPECTED)]
    [notice] = notices
    assert notice.endswith("; the sheet was refused")
    return notice


# --- forms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.jsonl.gz"])
def test_rows_of_one_answer(tmp_path: Path, name: str) -> None:
    both = zip(long_rows("ana", TWIVI), long_rows("bob", TWIVI), strict=True)
    rows = [row for pair in both for row in pair]
    path = tmp_path / name
    if name == "a.csv":
        write_csv(path, rows)
    elif name == "a.parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        write_lines(path, rows)
        if name.endswith("gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    sheets, notices = read(path, "TwIVI")
    assert sheets == [
        AnswerSheet(reader_id=reader, instrument="twivi", answers=EXPECTED)
        for reader in ("ana", "bob")
    ]
    assert notices == []


@pytest.mark.parametrize("answers", [EXPECTED, list(TWIVI.values())])
def test_one_row_a_reader_with_answers_as_object_or_list(tmp_path: Path, answers: Any) -> None:
    sheets, notices = read(write_lines(tmp_path / "a.jsonl", [sheet("ana", answers=answers)]))
    assert sheets[0].answers == EXPECTED
    assert sheets[0].numbered == TWIVI
    assert notices == []


def test_answers_as_json_in_a_cell(tmp_path: Path) -> None:
    row = {"id": "ana", "instrument": "twivi", "answers": json.dumps(EXPECTED)}
    assert read(write_csv(tmp_path / "a.csv", [row]))[0][0].answers == EXPECTED


@pytest.mark.parametrize("start", ["", "q", "Q", "item_", "TwIVI", "TwIVI-20_", "Frage ", "q0"])
def test_a_column_for_every_item(tmp_path: Path, start: str) -> None:
    row = {"id": "ana", "age": 40} | {f"{start}{item}": answer for item, answer in TWIVI.items()}
    sheets, notices = read(write_csv(tmp_path / "a.csv", [row]), "twivi")
    assert sheets == [AnswerSheet(reader_id="ana", instrument="twivi", answers=EXPECTED)]
    assert notices == []


def test_whole_numbers_are_taken_as_tables_write_them(tmp_path: Path) -> None:
    row = {"id": "ana"} | {f"q{item}": f"{answer}.0" for item, answer in TWIVI.items()}
    assert read(write_csv(tmp_path / "a.csv", [row]), "twivi")[0][0].answers == EXPECTED
    path = tmp_path / "a.parquet"
    rows = [
        {"id": reader} | {f"q{item}": float(answer) for item, answer in TWIVI.items()}
        for reader in ("ana", "bob")
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([*rows, {"id": "cy"}]), path)
    sheets, [notice] = read(path, "twivi")
    assert [s.answers for s in sheets] == [EXPECTED, EXPECTED]
    assert notice.startswith("a.parquet:3: cy: twivi: TwIVI has 20 items, this sheet 0; item 1:")


def test_a_row_that_names_its_instrument_means_it(tmp_path: Path) -> None:
    rows = [sheet("ana"), sheet("ana", instrument="Mini-IPIP", answers=[3] * 20)]
    sheets, notices = read(write_lines(tmp_path / "a.jsonl", rows), "pvq-21")
    assert [s.instrument for s in sheets] == ["twivi", "mini-ipip"]
    assert notices == []


# --- the short questionnaire ----------------------------------------------------------------------

SHORT = {"openness-h1": 5, "pace-l2": 1}


@pytest.mark.parametrize("form", ["object", "long", "wide"])
def test_the_short_questionnaire_goes_by_statements(tmp_path: Path, form: str) -> None:
    rows = {
        "object": [{"reader_id": "ana", "answers": SHORT | {"pace-h1": None}}],
        "long": [{"id": "ana", "item": item, "answer": a} for item, a in SHORT.items()],
        "wide": [{"id": "ana", "age": 40, "wave_2": 1} | SHORT],
    }[form]
    path = tmp_path / "a.jsonl"
    sheets, notices = read(write_lines(path, rows), "short")
    assert sheets == [AnswerSheet(reader_id="ana", instrument="short", answers=SHORT)]
    assert notices == []


@pytest.mark.parametrize(
    ("answers", "flaw"),
    [
        ({"openness-h1": 6}, "item openness-h1: 6 is not from 1 to 5"),
        ({"openness-h9": 3}, "item openness-h9: no such statement"),
        ({"openness-h1": "yes"}, "item openness-h1: 'yes' is no whole number"),
        ({}, "no answer"),
        ([3, 4], "answers: give an object of items and answers"),
    ],
)
def test_a_flawed_short_sheet_is_refused(tmp_path: Path, answers: Any, flaw: str) -> None:
    notice = refused(tmp_path, sheet("bad", instrument="short", answers=answers))
    assert notice == f"a.jsonl:2: bad: short: {flaw}; the sheet was refused"


# --- flaws --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"3": 7}, "item 3: 7 is not from 1 to 6"),
        ({"3": 0}, "item 3: 0 is not from 1 to 6"),
        ({"3": -1}, "item 3: -1 is not from 1 to 6"),
        ({"3": 2.5}, "item 3: '2.5' is no whole number"),
        ({"3": True}, "item 3: 'True' is no whole number"),
        ({"3": "often"}, "item 3: 'often' is no whole number"),
        ({"3": [4]}, "item 3: '[4]' is no whole number"),
        ({"3": None}, "TwIVI has 20 items, this sheet 19; item 3: no answer"),
        ({"21": 4}, "TwIVI has 20 items, this sheet 21; item 21: no such item"),
        ({"q3": 4}, "item 3: two answers"),
        ({"x": 4}, "item 'x': no item number"),
    ],
)
def test_a_flawed_sheet_is_refused_whole(tmp_path: Path, change: dict[str, Any], flaw: str) -> None:
    notice = refused(tmp_path, sheet("bad", answers=EXPECTED | change))
    assert notice == f"a.jsonl:2: bad: twivi: {flaw}; the sheet was refused"


def test_too_few_in_a_list(tmp_path: Path) -> None:
    notice = refused(tmp_path, sheet("bad", instrument="PVQ-21", answers=[3] * 20))
    assert "bad: pvq-21: PVQ-21 has 21 items, this sheet 20; item 21: no answer;" in notice


def test_many_flaws_are_counted(tmp_path: Path) -> None:
    notice = refused(tmp_path, sheet("bad", answers=dict.fromkeys(EXPECTED, 9)))
    assert "item 5: 9 is not from 1 to 6; and 15 more; the sheet was refused" in notice


def test_an_unknown_instrument_is_told_with_the_nearest(tmp_path: Path) -> None:
    notice = refused(tmp_path, sheet("bad", instrument="pvq-20"))
    assert notice.startswith("a.jsonl:2: bad: pvq-20: There is no instrument 'pvq-20'. Did you ")


def test_an_instrument_must_be_named(tmp_path: Path) -> None:
    notice = refused(tmp_path, sheet("bad", instrument=None))
    assert notice.startswith("a.jsonl:2: bad: no instrument is named; add a column `instrument`")


def test_answers_must_be_an_object_or_a_list(tmp_path: Path) -> None:
    assert "answers: give an object of items and answers" in refused(
        tmp_path, sheet("bad", answers="3,4,5")
    )


def test_the_same_reader_twice_counts_for_nothing(tmp_path: Path) -> None:
    again = sheet("bad", answers=dict.fromkeys(EXPECTED, 1), instrument="TWIVI")
    notice = refused(tmp_path, sheet("bad"), again)
    assert notice.startswith("a.jsonl:3: bad: twivi: the reader has a sheet of it already;")


def test_two_answers_to_one_item_in_rows_of_one_answer(tmp_path: Path) -> None:
    rows = long_rows("bad", TWIVI, instrument="twivi")
    bad = [*rows, rows[2]]  # line 22, after the first reader's
    assert refused(tmp_path, *bad) == (
        "a.jsonl:22: bad: twivi: item 3: two answers; the sheet was refused"
    )


def test_flaws_of_rows_of_one_answer_name_their_lines(tmp_path: Path) -> None:
    changed = TWIVI | {4: 8, 6: "x"}
    notice = refused(tmp_path, *long_rows("bad", changed, instrument="twivi"))
    assert notice == (
        "a.jsonl:7: bad: twivi: item 6: 'x' is no whole number;"
        " line 5: item 4: 8 is not from 1 to 6; the sheet was refused"
    )


def test_rows_without_an_item_or_an_answer(tmp_path: Path) -> None:
    rows = long_rows("ana", TWIVI) + long_rows("bob", TWIVI | {2: ""})
    rows += [*long_rows("cy", TWIVI), {"reader_id": "cy", "item": "", "answer": 3}]
    sheets, notices = read(write_csv(tmp_path / "a.csv", rows), "twivi")
    assert [s.reader_id for s in sheets] == ["ana"]
    assert notices == [
        "a.csv:22: bob: twivi: TwIVI has 20 items, this sheet 19; item 2: no answer;"
        " the sheet was refused",
        "a.csv:62: cy: twivi: item '': no item number; the sheet was refused",
    ]


def test_columns_of_two_kinds_are_not_guessed_at(tmp_path: Path) -> None:
    row = {"id": "ana"} | {f"q{i}": a for i, a in TWIVI.items()} | {"wave2": 1}
    path = write_csv(tmp_path / "a.csv", [row])
    with pytest.raises(InputError, match="no usable sheet"):
        read(path, "twivi")
    notices: list[str] = []
    with pytest.raises(InputError):
        read_answers(path, "twivi", notices.append)
    assert notices == [
        "a.csv:2: ana: twivi: item columns of more than one kind: q…, wave…; the sheet was refused"
    ]


def test_answers_need_a_reader(tmp_path: Path) -> None:
    rows = [sheet("ana"), sheet(""), sheet("", id="bob")]
    sheets, notices = read(write_lines(tmp_path / "a.jsonl", rows))
    assert [s.reader_id for s in sheets] == ["ana", "bob"]
    assert notices == ["a.jsonl:2: reader_id: answers need a reader; the row was skipped"]


def test_a_file_without_a_usable_sheet(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no usable sheet of answers"):
        read(write_lines(tmp_path / "a.jsonl", [sheet("ana", answers=[1])]))
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.csv")
