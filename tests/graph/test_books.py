"""Catalogues are read in our schema; text is cleaned of HTML and nothing else."""

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


def test_only_and_first_of_equal_ids(tmp_path: Path) -> None:
    rows = [{"id": "a", "title": "one"}, {"id": "b", "title": "two"}, {"id": "a", "title": "3"}]
    books, _ = read(write_lines(tmp_path / "b.jsonl", rows), {"a"})
    assert [(b.id, b.title) for b in books.values()] == [("a", "one")]


def test_a_book_is_found_by_id_or_title() -> None:
    books = {"a": Book(id="a", title="One Lamp")}
    assert find_book(books, "a") is find_book(books, "ONE lamp")
    with pytest.raises(NotFoundError, match="no book 'b' among 1"):
        find_book(books, "b")


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("a < b and <i>c</i> &lt;3", "a < b and  c  <3"),
        ("I <3 it, 5 > 4", "I <3 it, 5 > 4"),
        (
            "one<br>two<BR/>three<br />four</br>five<br clear='all'>six",
            "one\ntwo\nthree\nfour\nfive\nsix",
        ),
        ("&amp;quot;so&amp;quot; &amp;amp;amp;#39;s &amp;eacute;", '"so" \'s é'),
        ("one&lt;br /&gt;two &amp;lt;b&amp;gt;three", "one\ntwo  three"),
        ("AT&T &amp; R&amp;B; Q&A", "AT&T & R&B; Q&A"),
        ("<!-- note --><p>Tea</p>", "Tea"),
        ("《夜》は<東京>で、cafe\u0301", "《夜》は<東京>で、caf\u00e9"),
        ("&#" + "9" * 5000 + "; &#x1F4D6; &#0;", "\U0001f4d6 \ufffd"),
    ],
)
def test_plain_text_is_cleaned_of_html_alone(given: str, plain: str) -> None:
    assert plain_text(given) == plain


def test_plain_text_takes_long_hostile_text_in_good_time() -> None:
    for piece in ("&amp;", "&amp;amp", "<br", "<a ", "&#", "&#x9", "<", "</b>"):
        plain_text(piece * 500_000)
