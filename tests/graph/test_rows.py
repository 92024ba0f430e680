"""Rows come with their place from every kind of file, gzipped and with a byte order mark too."""

import gzip
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from agents.errors import InputError
from graph.rows import Row, listed_cell, named_cell, parsed_cell, read_rows

ROWS = [{"id": "ana", "note": "são"}, {"id": "bob", "note": "ok"}]


def told(path: Path) -> tuple[list[tuple[int, dict]], list[str]]:
    notices: list[str] = []
    return [(row.line, row.values) for row in read_rows(path, notices.append)], notices


def as_lines(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["r.jsonl", "r.JSONL", "r.ndjson", "r.jsonl.gz", "v1.2.jsonl.gz"])
def test_lines_of_json(tmp_path: Path, name: str, mark: bytes) -> None:
    content = mark + as_lines(ROWS)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    rows, notices = told(path)
    assert rows == [(1, ROWS[0]), (2, ROWS[1])]
    assert notices == []


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz"])
def test_csv_with_a_byte_order_mark(tmp_path: Path, name: str) -> None:
    content = b"\xef\xbb\xbfid,note\r\nana,s\xc3\xa3o\r\nbob,ok\r\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    rows, _ = told(path)
    assert rows == [(2, ROWS[0]), (3, ROWS[1])]


def test_csv_leaves_out_empty_cells_and_surplus_ones(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("id,note\nana,,surplus\n")
    assert told(path)[0] == [(2, {"id": "ana"})]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([*ROWS, {"id": "c\0d"}]), path)
    rows, notices = told(path)
    assert rows[:2] == [(1, ROWS[0]), (2, ROWS[1])]
    assert rows[2][1]["id"] == "cd"
    assert notices == ["r.parquet:3: id: NUL bytes were removed"]


def test_empty_lines_are_passed_over_but_counted(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": 1}\n\n  \n{"id": 2}')
    assert told(path) == ([(1, {"id": 1}), (4, {"id": 2})], [])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.parquet", b"no parquet at all", "no Parquet file"),
        ("r.jsonl.gz", b'{"id": "plain"}\n', "cannot be read"),
        ("r.jsonl.gz", gzip.compress(as_lines(ROWS) * 999, mtime=0)[:60], "damaged or cut off"),
        ("r.txt", b"x", "unknown kind"),
    ],
)
def test_files_of_no_use(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        told(tmp_path / name)


def test_cells_hold_json_or_stay_as_they_are() -> None:
    assert parsed_cell('["a"]') == ["a"]
    assert parsed_cell("[sic] not a list") == "[sic] not a list"
    assert parsed_cell("[" * 100_000) == "[" * 100_000
    assert parsed_cell(3) == 3


def test_cells_hold_lists_and_names() -> None:
    assert listed_cell('["a", null, ""]') == ["a"]
    assert (listed_cell("a"), listed_cell(None), listed_cell([7, {}])) == (["a"], [], [7])
    assert named_cell(" a, b;c | d||") == ["a", "b", "c", "d"]
    assert named_cell('["a, b", 7, " "]') == ["a, b", "7"]
    assert named_cell(None) == []


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r.parquet"])
def test_text_is_composed_and_nothing_else_is_changed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    row = {"id": "Jose\u0301", "note": "ﬁn Ａ が किताब"}
    if name == "r.parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    else:
        path.write_bytes(
            as_lines([row])
            if name == "r.jsonl"
            else f"id,note\n{row['id']},{row['note']}\n".encode()
        )
    ((_, values),), notices = told(path)
    assert values == {"id": "Jos\u00e9", "note": row["note"]}
    assert notices == []


@pytest.mark.parametrize(
    ("file", "stem"), [("ana.csv", "ana"), ("ana.2.csv.GZ", "ana.2"), ("a.b.jsonl.gz", "a.b")]
)
def test_the_stem_of_a_file(file: str, stem: str) -> None:
    assert Row(file, 1, {}).stem == stem
