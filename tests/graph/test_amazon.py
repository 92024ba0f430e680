"""Amazon Reviews 2023: editions become one, headlines come first, items are cleaned."""

import json
from pathlib import Path

from agents.records import Book
from graph.books import read_books
from tests.graph.reading import read, without_ages, write_lines


def review(user: str, item: str, **others: object) -> dict[str, object]:
    """A row of a review file, made up."""
    return {
        "rating": 5.0,
        "title": "A keeper",
        "text": "Read it twice.<br /><br />My aunt &amp; I agree.",
        "images": [],
        "asin": f"{item}-pb",
        "parent_asin": item,
        "user_id": user,
        "timestamp": 1588687728923,
        "helpful_vote": 0,
        "verified_purchase": True,
    } | others


def books(path: Path) -> tuple[dict[str, Book], list[str]]:
    notices: list[str] = []
    return read_books(str(path), notices.append), notices


def test_reviews(tmp_path: Path) -> None:
    rows = [review("AE1", "B01"), review("AE2", "B01", rating=1.0), review("AE1", "B02", title="")]
    rows.append(review("AE2", "B03", timestamp="yesterday"))
    path = write_lines(tmp_path / "Books.jsonl", rows)
    (one, two), notices = read(path)
    assert [(r.book_id, r.timestamp) for r in one.reviews] == [
        ("B01", 1588687728),
        ("B02", 1588687728),
    ]
    assert one.reviews[0].text == "A keeper. Read it twice.\n\nMy aunt & I agree."
    assert one.reviews[1].text.startswith("Read it twice.")
    assert (one.age, one.country) == (None, None)
    assert [r.rating for r in two.reviews] == [1.0]
    assert notices[0].startswith("Books.jsonl:4: review.timestamp: ")
    assert notices[1:] == [without_ages(path, 2)]


def test_reviews_of_several_editions_become_one(tmp_path: Path) -> None:
    rows = [
        review("AE1", "B01", title="", text="Third.", timestamp=3000, rating=2.0),
        review("AE1", "B02", title="", text="Another."),
        review("AE1", "B01", title="", text="First.", timestamp=1000),
        review("AE1", "B01", title="", text="Third.<br>", timestamp=2000, rating=4.0),
        review("AE1", "B01", title="", text="", timestamp=None, rating=5.0),
        review("AE2", "B01", title="", text="Mine."),
        review("AE2", "B01", title="", text="Mine."),
    ]
    path = write_lines(tmp_path / "Books.jsonl", rows)
    (one, two), notices = read(path)
    merged, other = one.reviews
    assert (merged.book_id, merged.rating, merged.timestamp) == ("B01", 2.0, 3)
    assert merged.text == "First.\n\nThird."
    assert merged.id != other.id
    assert [r.text for r in two.reviews] == ["Mine."]
    assert notices == [
        "Books.jsonl: parent_asin: reviews of another edition, joined to the reader's one review"
        " of the book: 4",
        without_ages(path, 2),
    ]


def test_headlines_keep_their_end(tmp_path: Path) -> None:
    titles = ["Wow!", "最高。", "Sem palavras…", "Fine", None, " "]
    rows = [review("AE1", f"B{n}", title=t, text="Body.") for n, t in enumerate(titles)]
    rows.append(review("AE1", "B9", title="Only this", text=None))
    (one,), _ = read(write_lines(tmp_path / "r.jsonl", rows))
    assert [r.text for r in one.reviews] == [
        "Wow! Body.",
        "最高。 Body.",
        "Sem palavras… Body.",
        "Fine. Body.",
        "Body.",
        "Body.",
        "Only this.",
    ]


def test_languages_are_kept_and_composed(tmp_path: Path) -> None:
    texts = ["涙が止まらない", "Uma hist\u006f\u0301ria", "यह किताब अच्छी है", "Ｗｉｄｅ ㎏ ﬁn"]
    rows = [review("AE1", f"B{n}", title="", text=text) for n, text in enumerate(texts)]
    (one,), _ = read(write_lines(tmp_path / "r.jsonl", rows))
    assert [r.text for r in one.reviews] == [texts[0], "Uma hist\u00f3ria", texts[2], texts[3]]


def test_a_review_without_a_parent_is_of_its_own_edition(tmp_path: Path) -> None:
    path = tmp_path / "Books.csv"
    path.write_text(
        "user_id,asin,parent_asin,rating,timestamp\n"
        "AE1,B01-pb,,4.0,1588687728923\nAE1,B02-pb,B02,4.0,\n"
    )
    (one,), _ = read(path)
    assert [r.book_id for r in one.reviews] == ["B01-pb", "B02"]


def test_items(tmp_path: Path) -> None:
    full = {
        "main_category": "Books",
        "title": "The Lantern &amp;amp; the Ledger",
        "author": {"avatar": "u", "name": "Ines Prado", "about": ["writes"]},
        "description": ["<b>A town</b>", "and its &amp;quot;debts&amp;quot;."],
        "features": ["Second edition.<BR>Signed."],
        "categories": ["Books", "Literature &amp; Fiction", "Mystery"],
        "parent_asin": "B01",
        "details": {"Pages": "300"},
    }
    bare = {"parent_asin": "B02", "title": None, "author": None, "description": None}
    odd = {"parent_asin": "B03", "title": "T", "author": "{broken", "description": "plain text"}
    again = full | {"title": "The same parent", "asin": "another edition"}
    found, notices = books(write_lines(tmp_path / "meta_Books.jsonl", [full, bare, odd, again]))
    assert found["B01"] == Book(
        id="B01",
        title="The Lantern & the Ledger",
        author="Ines Prado",
        genres=("Literature & Fiction", "Mystery"),
        description='A town \nand its "debts".\nSecond edition.\nSigned.',
    )
    assert (found["B02"].title, found["B02"].genres) == ("(untitled)", ())
    assert (found["B03"].author, found["B03"].description) == ("{broken", "plain text")
    assert len(found) == 3
    assert notices == []


def test_items_in_csv(tmp_path: Path) -> None:
    author = json.dumps({"name": "Ines Prado"}).replace('"', '""')
    path = tmp_path / "meta.csv"
    path.write_text(
        f'parent_asin,title,author,categories\nB01,T,"{author}","[""Books"", ""Mystery""]"\n'
    )
    (book,) = books(path)[0].values()
    assert (book.author, book.genres) == ("Ines Prado", ("Mystery",))
