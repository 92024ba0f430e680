"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from agents.errors import StorageError
from agents.replacing import replacing


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "told.txt"
    path.write_text("before")
    with replacing(path) as draft:
        draft.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "told.txt"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), replacing(path) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_beside_it_is_nobodys_draft(tmp_path: Path) -> None:
    beside = tmp_path / "told.tmp"
    beside.write_text("mine")
    with replacing(tmp_path / "told.txt") as draft:
        draft.write_text("new")
    assert beside.read_text() == "mine"


def test_what_cannot_be_written_is_named_with_its_cure(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"told\.txt cannot be written: No such.* Make room\."),
        replacing(tmp_path / "none" / "told.txt", "Make room.") as draft,
    ):
        draft.write_text("")
    with pytest.raises(StorageError, match="it is a folder"), replacing(tmp_path):
        pass
