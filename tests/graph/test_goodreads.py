"""A Goodreads export is one unnamed person's ratings, and a catalogue of their books."""

import csv
from pathlib import Path

import pytest

from graph.books import rated_books, read_books
from tests.graph.reading import read, without_ages

COLUMNS = (
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,"
    "Publisher,Binding,Number of Pages,Year Published,Original Publication Year,Date Read,"
    "Date Added,Bookshelves,Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,"
    "Private Notes,Read Count,Owned Copies"
).split(",")


def row(number: int, rating: object, **others: object) -> dict[str, object]:
    """A row of an export, made up; `_` stands for a blank in a column's name."""
    return {
        "Book Id": number,
        "Title": f"Lamps (Lamp Keepers, #{number})",
        "Author": "Ines Prado",
        "Author l-f": "Prado, Ines",
        "ISBN": '="0374159122"',
        "ISBN13": '=""',
        "My Rating": rating,
        "Average Rating": 4.12,
        "Date Added": "2023/05/01",
        "Exclusive Shelf": "read",
        "Private Notes": "PRIVATE",
        "Read Count": 1,
    } | {name.replace("_", " "): value for name, value in others.items()}


def export(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as sink:
        sheet = csv.DictWriter(sink, COLUMNS)
        sheet.writeheader()
        sheet.writerows(rows)
    return path


def test_one_file_is_one_reader_named_for_it(tmp_path: Path) -> None:
    rows = [
        row(
            1, 5, Date_Read="2023/06/02", My_Review="Warm.<br/><br/>&quot;Lamps&quot;, mãe\nand I."
        ),
        row(2, 3),
        row(3, 1, Date_Added=None),
    ]
    path = export(tmp_path / "José's books.2024.csv", rows)
    (reader,), notices = read(path)
    assert reader.id == "José's books.2024"
    assert [(r.book_id, r.rating, r.timestamp) for r in reader.reviews] == [
        ("1", 5, 1685664000),
        ("2", 3, 1682899200),
        ("3", 1, None),
    ]
    assert reader.reviews[0].text == 'Warm.\n\n"Lamps", mãe\nand I.'
    assert reader.reviews[0].title == "Lamps (Lamp Keepers, #1)"
    assert notices == [without_ages(path, 1)]


def test_what_is_not_rated_is_counted_and_left_out(tmp_path: Path) -> None:
    rows = [row(n, 0, Exclusive_Shelf="to-read") for n in range(40)]
    rows += [row(50, 0, My_Review="No stars."), row(51, "", My_Review="None."), row(52, 4)]
    path = export(tmp_path / "ana.csv", rows)
    (reader,), notices = read(path)
    assert [r.book_id for r in reader.reviews] == ["52"]
    assert notices == [
        "ana.csv: My Rating: books without a rating, left out: 40",
        "ana.csv: My Review: reviews without a rating, left out: 2",
        without_ages(path, 1),
    ]


def test_private_notes_are_never_read(tmp_path: Path) -> None:
    path = export(tmp_path / "ana.csv", [row(1, 5, Private_Notes="PRIVATE", Spoiler="true")])
    (reader,), notices = read(path)
    catalogue = read_books(str(path), notices.append)
    assert "PRIVATE" not in f"{reader!r} {catalogue!r} {notices!r}"


@pytest.mark.parametrize(
    ("flaw", "place"),
    [
        ({"My_Rating": "great"}, "ana.csv:3: review.rating: "),
        ({"My_Rating": 9}, "ana.csv:3: review.rating: "),
        ({"Date_Read": "2023/13/45"}, "ana.csv:3: review.timestamp: "),
    ],
)
def test_a_bad_row_costs_no_other(tmp_path: Path, flaw: dict[str, object], place: str) -> None:
    path = export(tmp_path / "ana.csv", [row(1, 5), row(2, 5, **flaw), row(3, 5)])
    (reader,), notices = read(path)
    assert [r.book_id for r in reader.reviews] == ["1", "3"]
    assert notices[0].startswith(place)
    assert len(notices) == 2


def test_the_same_file_is_the_catalogue(tmp_path: Path) -> None:
    shelves = "historical-fiction, to-read, read, currently-reading, favoritos"
    rows = [row(1, 5, Bookshelves=shelves, My_Review="Warm."), row(2, 0), row(3, 4)]
    path = export(tmp_path / "ana.csv", rows)
    readers, notices = read(path)
    notices.clear()
    whole = read_books(str(path), notices.append)
    rated = read_books(str(path), notices.append, rated_books(readers))
    assert (list(whole), list(rated)) == (["1", "2", "3"], ["1", "3"])
    book = whole["1"]
    assert (book.title, book.author) == ("Lamps (Lamp Keepers, #1)", "Ines Prado")
    assert book.genres == ("historical-fiction", "favoritos")
    assert (book.description, whole["2"].genres) == ("", ())
    assert notices == []


def test_a_book_without_id_is_told_of(tmp_path: Path) -> None:
    notices: list[str] = []
    path = export(tmp_path / "ana.csv", [row(1, 5) | {"Book Id": ""}, row(2, 5)])
    assert list(read_books(str(path), notices.append)) == ["2"]
    assert [n.split(" String")[0] for n in notices] == ["ana.csv:2: id:"]


def test_isbns_with_bare_quotes_do_not_break_the_row(tmp_path: Path) -> None:
    path = tmp_path / "ana.csv"
    path.write_text('Book Id,Title,ISBN,ISBN13,My Rating\n7,Lamps,="039363552X",="",4\n')
    (reader,), _ = read(path)
    assert [(r.book_id, r.rating) for r in reader.reviews] == [("7", 4)]
