"""A file of a reader's words is taken row by row; every flaw is told with its place and field."""

import time
from pathlib import Path

import pytest

from agents.errors import InputError
from agents.verification import LEVELS, Verification
from graph.verifications import read_verifications
from tests.graph.reading import write_lines


def read(path: Path) -> tuple[list[Verification], list[str]]:
    notices: list[str] = []
    return read_verifications(path, "eve", notices.append), notices


def lines(tmp_path: Path, *rows: dict[str, object]) -> Path:
    return write_lines(tmp_path / "said.jsonl", rows)


def test_all_four_actions(tmp_path: Path) -> None:
    before = time.time()
    found, notices = read(
        lines(
            tmp_path,
            {"reader_id": "ana", "item": "openness", "action": "confirm"},
            {"id": "ana", "dimension": "pace", "action": "Correct ", "score": 57.5},
            {"reader_id": "bob", "item": "mystery", "action": "remove", "score": None},
            {"reader_id": 7, "item": "trust", "action": "forbid", "score": ""},
        )
    )
    assert notices == []
    assert [(v.reader_id, v.item, v.action, v.score) for v in found] == [
        ("ana", "openness", "confirm", None),
        ("ana", "pace", "correct", 57.5),
        ("bob", "mystery", "remove", None),
        ("7", "trust", "forbid", None),
    ]
    assert {v.by for v in found} == {"eve"}
    assert all(before <= v.at <= time.time() for v in found)


@pytest.mark.parametrize(
    ("given", "score"), [*LEVELS.items(), ("20", 20), ("80", 80), (" LOW ", 35)]
)
def test_scores_in_numbers_and_in_words(tmp_path: Path, given: str, score: float) -> None:
    path = tmp_path / "said.csv"
    path.write_text(f"reader_id,item,action,score\nana,openness,correct,{given}\n")
    assert read(path)[0][0].score == score


def test_the_pole_that_was_shown_is_read_where_it_was_confirmed(tmp_path: Path) -> None:
    shown: dict[str, object] = {"reader_id": "ana", "item": "openness", "pole": "low"}
    found, notices = read(
        lines(
            tmp_path,
            shown | {"action": "confirm"},
            shown | {"action": "confirm", "pole": None},
            shown | {"action": "remove"},
            shown | {"action": "confirm", "item": "mystery"},
        )
    )
    assert notices == []
    assert [v.pole for v in found] == ["low", None, None, None]


def test_rows_that_are_not_decided_are_skipped_silently(tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    path.write_text(
        "reader_id,item,statement,action,score\n"
        "ana,openness,likes the new,confirm,\nana,pace,reads fast,,\nana,nonsense,?,  ,50\n"
    )
    found, notices = read(path)
    assert [v.item for v in found] == ["openness"]
    assert notices == []


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        ({"reader_id": ""}, "reader_id: none is named"),
        ({"item": "opennes"}, "item: 'opennes' is none. Did you mean openness?"),
        (
            {"item": "Power Distance"},
            "item: 'Power Distance' is none. Did you mean power_distance?",
        ),
        ({"item": None}, "item: '' is none."),
        ({"action": "delete"}, "action: 'delete' is none of confirm, correct, remove, forbid"),
        ({"action": "correct"}, "score: correct needs one: T points from 20 to 80, or low,"),
        ({"action": "correct", "score": "very"}, "score: 'very' is none of T points"),
        ({"action": "correct", "score": 81}, "score: 81 is not from 20 to 80"),
        ({"action": "correct", "score": "nan"}, "score: nan is not from 20 to 80"),
        ({"action": "correct", "score": True}, "score: 'true' is none of T points"),
        ({"score": 50}, "score: '50' stands with confirm; only correct takes one"),
        ({"pole": "up"}, "pole: 'up' is neither high nor low"),
        ({"item": "mystery", "action": "correct", "score": 50}, "action: the genre mystery has no"),
    ],
)
def test_flaws_are_told_and_the_others_taken(
    tmp_path: Path, row: dict[str, object], flaw: str
) -> None:
    good = {"reader_id": "ana", "item": "openness", "action": "confirm"}
    found, notices = read(lines(tmp_path, good, good | row, good))
    assert len(found) == 2
    (notice,) = notices
    assert notice.startswith(f"said.jsonl:2: {flaw}")
    assert notice.endswith("; the row was left out")


def test_a_file_that_decides_nothing(tmp_path: Path) -> None:
    undecided = {"reader_id": "ana", "item": "openness", "action": ""}
    for rows in ([undecided], [undecided | {"action": "burn"}]):
        with pytest.raises(InputError, match=r"decides nothing\. Give rows with reader_id, item"):
            read(lines(tmp_path, *rows))
