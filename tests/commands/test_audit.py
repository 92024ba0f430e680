"""`gravity pairs audit` tells what is wrong with pairs, to a person, a script and a browser."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pyarrow
import pyarrow.parquet
import pytest

from tests.commands.conftest import Gravity
from tests.tiny_model import build_tiny_model, pair_row, write_pairs

SCRIPTED = ("--set", "chat.model=scripted")
NASTY = "\x1b[2J\x1b]0;owned\x07\x9b31mred\u202eevil\b\x7f<script>alert(1)</script>$x^${{ 7 * 7 }}"
HARM = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
CHECKS = 14


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Flags for a base model whose tokenizer is at hand."""
    folder = build_tiny_model(tmp_path_factory.mktemp("base"))
    return (*SCRIPTED, "--set", f"training.base_model={folder}")


@pytest.fixture
def rows() -> list[dict]:
    """Each scene for two readers of opposite minds."""
    return [pair_row(n, n // 2, "tom" if n % 2 else "ana", swap=n % 2 == 1) for n in range(40)]


def audit(
    gravity: Gravity, tmp_path: Path, flags: tuple[str, ...], rows: list[dict], code: int = 0
) -> str:
    file = write_pairs(tmp_path / "p.jsonl", rows)
    return gravity(*flags, "pairs", "audit", str(file), code=code).out


class Page(HTMLParser):
    """What a browser makes of a page: its tags, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        for name, value in attrs:
            if name in ("src", "href", "xlink:href"):
                assert (value or "").startswith("#"), value

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.usefixtures("gathered")
def test_what_a_run_gathers_passes(gravity: Gravity) -> None:
    gravity("synth", "--readers", "sample", "--model", "scripted", "--run", "all")
    for run in ("done", "all"):
        told = gravity(*SCRIPTED, "pairs", "audit", run)
        lines = [line for line in told.out.splitlines() if not line.startswith("  ")]
        assert lines[0].endswith("pairs.jsonl")
        assert len(lines) == 1 + CHECKS
        assert "✗" not in told.out


def test_rows_at_fault_are_told_and_end_in_exit_code_1(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
) -> None:
    sound = audit(gravity, tmp_path, base, rows)
    assert sound.startswith(f"40 pairs of {tmp_path / 'p.jsonl'}\n")
    rows[4]["prompt"][1]["content"] += f" {rows[4]['chosen'][0]['content']}"
    told = audit(gravity, tmp_path, base, rows, code=1)
    assert re.search(r"^✗ copied spans +0 of 40 pairs", told, re.MULTILINE)
    assert "\n    line 5 (p4), chosen: stands whole in the prompt\n" in told


def test_scripts_get_json(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
):
    rows += rows[:10]
    file = write_pairs(tmp_path / "p.jsonl", rows)
    told = gravity(*base, "pairs", "audit", str(file), "--json", code=1).json
    assert len(told) == CHECKS
    found = {finding["check"]: finding for finding in told}
    assert found["exact duplicates"]["level"] == "fail"
    assert found["exact duplicates"]["told"][0] == "line 41 (p0)"


def test_without_weights_the_rest_is_measured(
    gravity: Gravity, rows: list[dict], tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "p.jsonl", rows)
    told = gravity(*SCRIPTED, "pairs", "audit", str(file))
    assert "not measured: no tokenizer" in told.out
    assert "gravity models fetch" in told.err


def test_a_parquet_file_from_elsewhere_passes(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
) -> None:
    bare = [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in rows]
    file = tmp_path / "p.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(bare), file)
    told = gravity(*base, "pairs", "audit", str(file), "--html", str(tmp_path / "a.html"))
    assert "the file names no facets and no readers" in told.out


@pytest.mark.parametrize("name", ["absent.jsonl", "empty.jsonl", "broken.jsonl", "nonsense"])
def test_bad_input_is_one_line(gravity: Gravity, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "broken.jsonl").write_text('{"prompt": 1}\n')
    told = gravity(*SCRIPTED, "pairs", "audit", str(tmp_path / name), code=2)
    assert told.err.startswith("gravity: ")
    assert told.err.count("\n") == 1


def test_the_report_stands_alone_with_plots_that_take_the_pages_ink(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
) -> None:
    more = [row | {"pair_id": f"again {n}"} for n in range(5) for row in rows]
    file, html = write_pairs(tmp_path / "p.jsonl", more), tmp_path / "a.html"
    gravity(*base, "pairs", "audit", str(file), "--html", str(html), code=1)
    source = html.read_text("utf-8")
    page = Page(source)
    assert "script" not in page.tags
    assert page.text.index("copied spans") < page.text.index("line 41 (again 1)")
    assert "prefers-color-scheme: dark" in source
    assert "Audit of p.jsonl" in page.text
    drawn = re.findall(r"<svg.*?</svg>", source, re.DOTALL)
    assert len(drawn) == 5
    for svg in drawn:
        ElementTree.fromstring(svg)
        assert "currentColor" in svg
    ids = re.findall(r'\bid="([^"]+)"', source)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', source)) <= set(ids)
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_hostile_text_harms_neither_terminal_nor_browser(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
) -> None:
    readers = [f"reader {n}" for n in range(20)]
    rows += [pair_row(40 + n, 100 + n, reader) for n, reader in enumerate(readers)]
    for row in rows[:20]:
        row |= {"reader_id": NASTY, "pair_id": NASTY, "dimension": NASTY, "facet": NASTY}
    rows[0]["chosen"][0]["content"] = rows[0]["prompt"][1]["content"] = f"so {NASTY} is not"
    file, html = tmp_path / f"p{NASTY.replace('/', '')}.jsonl", tmp_path / "a.html"
    write_pairs(file, rows)
    told = gravity(*base, "pairs", "audit", str(file), "--html", str(html), code=1)
    as_json = gravity(*base, "pairs", "audit", str(file), "--json", code=1)
    assert not HARM.search(told.out + told.err + as_json.out + as_json.err)
    source = html.read_text("utf-8")
    assert not HARM.search(source)
    assert "script" not in Page(source).tags
    assert "<script>alert(1)</script>$x^${{ 7 * 7 }}" in Page(source).text
    for svg in re.findall(r"<svg.*?</svg>", source, re.DOTALL):
        ElementTree.fromstring(svg)


def test_a_report_that_cannot_be_written_is_named(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
) -> None:
    file = write_pairs(tmp_path / "p.jsonl", rows)
    for html in (tmp_path, tmp_path / "no" / "folder.html"):
        told = gravity(*base, "pairs", "audit", str(file), "--html", str(html), code=4)
        assert told.err.startswith(f"gravity: {html} cannot be written")


def test_a_training_stops_at_what_fails_and_names_the_way_on(
    gravity: Gravity, base: tuple[str, ...], rows: list[dict], tmp_path: Path
) -> None:
    rows[4]["prompt"][1]["content"] += f" {rows[4]['chosen'][0]['content']}"
    file = str(write_pairs(tmp_path / "p.jsonl", rows))
    told = gravity(*base, "train", file, "--max-steps", "1", code=5)
    assert "✗ copied spans" in told.err
    assert "--despite-audit" in told.err
    told = gravity(*base, "train", file, "--max-steps", "1", "--despite-audit", "--json")
    assert json.loads(told.out)["name"] == "p"
