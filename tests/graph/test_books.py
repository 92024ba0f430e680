"""Catalogues are read in our schema and as Amazon's item metadata."""

import json
from pathlib import Path

import pytest

from agents.errors import NotFoundError
from agents.records import Book
from graph.books import find_book, plain_text, read_books
from tests.graph.reading import write_lines


def read(path: Path, only: set[str] | None = None) -> tuple[dict[str, Book], list[str]]:
    notices: list[str] = []
    return read_books(str(path), notices.append, only), notices


def test_sample_books_have_no_flaw() -> None:
    books, notices = read(Path("sample"))
    assert len(books) == 60
    assert notices == []


def test_our_schema_whatever_genres_look_like(tmp_path: Path) -> None:
    genres = [["Mystery", None], "Mystery|Humour", '["Mystery"]', "[Mystery", 7, None]
    rows = [{"id": f"b{n}", "title": "T", "genres": given} for n, given in enumerate(genres)]
    books, notices = read(write_lines(tmp_path / "b.jsonl", rows))
    assert [b.genres for b in books.values()] == [
        ("Mystery",),
        ("Mystery", "Humour"),
        ("Mystery",),
        ("[Mystery",),
        ("7",),
        (),
    ]
    assert notices == []


def test_gaps_are_filled_and_a_book_without_id_is_told_of(tmp_path: Path) -> None:
    rows = [{"book_id": 7}, {"title": "Nameless"}, {"id": "x", "description": "a<br>b &amp; c"}]
    books, notices = read(write_lines(tmp_path / "b.jsonl", rows))
    assert books["7"].title == "(untitled)"
    assert books["x"].description == "a\nb & c"
    assert len(notices) == 1
    assert notices[0].startswith("b.jsonl:2: id: ")


def test_amazon_metadata(tmp_path: Path) -> None:
    full = {
        "main_category": "Books",
        "title": "The Lantern &amp; the Ledger",
        "author": {"avatar": "u", "name": "Ines Prado", "about": ["writes"]},
        "description": ["<b>A town</b>", "and its debts."],
        "features": ["Second edition."],
        "categories": ["Books", "Literature", "Mystery"],
        "parent_asin": "B01",
        "details": {"Pages": "300"},
    }
    bare = {"parent_asin": "B02", "title": None, "author": None, "description": None}
    odd = {"parent_asin": "B03", "title": "T", "author": "{broken", "description": "plain text"}
    books, notices = read(write_lines(tmp_path / "meta_Books.jsonl", [full, bare, odd]))
    assert books["B01"] == Book(
        id="B01",
        title="The Lantern & the Ledger",
        author="Ines Prado",
        genres=("Literature", "Mystery"),
        description="A town \nand its debts.\nSecond edition.",
    )
    assert (books["B02"].title, books["B02"].genres) == ("(untitled)", ())
    assert (books["B03"].author, books["B03"].description) == ("{broken", "plain text")
    assert notices == []


def test_amazon_metadata_in_csv(tmp_path: Path) -> None:
    author = json.dumps({"name": "Ines Prado"}).replace('"', '""')
    path = tmp_path / "meta.csv"
    path.write_text(
        f'parent_asin,title,author,categories\nB01,T,"{author}","[""Books"", ""Mystery""]"\n'
    )
    (book,) = read(path)[0].values()
    assert (book.author, book.genres) == ("Ines Prado", ("Mystery",))


def test_only_and_first_of_equal_ids(tmp_path: Path) -> None:
    rows = [{"id": "a", "title": "one"}, {"id": "b", "title": "two"}, {"id": "a", "title": "3"}]
    books, _ = read(write_lines(tmp_path / "b.jsonl", rows), {"a"})
    assert [(b.id, b.title) for b in books.values()] == [("a", "one")]


def test_a_book_is_found_by_id_or_title() -> None:
    books = {"a": Book(id="a", title="One Lamp")}
    assert find_book(books, "a") is find_book(books, "ONE lamp")
    with pytest.raises(NotFoundError, match="no book 'b' among 1"):
        find_book(books, "b")


def test_plain_text_leaves_what_is_no_tag() -> None:
    assert plain_text("a < b and <i>c</i> &lt;3") == "a < b and  c  <3"
