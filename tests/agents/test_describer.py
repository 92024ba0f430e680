"""The describer: what it asks for, what it never tells, and what it finds invented."""

import re
from collections.abc import AsyncIterator, Sequence

import pytest

from agents.describer import Describer, invented_names
from agents.frameworks.catalogue import dimension, dimensions
from agents.portrait import UNUSED_IN_DESCRIPTIONS, portrait, reasons, tastes
from agents.records import Attribute, Book, Evidence, Interest, Message, Profile

BOOK = Book(
    id="b1",
    title="The Ferry Keeper's Ledger",
    author="Ana Lídia Fontoura",
    genres=("Literary Fiction",),
    description="For thirty-one years Raimundo Sales has kept the ferry on the Tapajós. In 1994"
    " his daughter Celina left.",
)


def attribute(name: str, score: float, sd: float = 9.6) -> Attribute:
    evidence = Evidence(review_id="secret-review", start=3, end=20, pole="high")
    return Attribute(
        facet=dimension(name).facet,
        dimension=name,
        score=score,
        sd=sd,
        source="inferred_text",
        evidence=(evidence,),
    )


PROFILE = Profile(
    reader_id="reader-77",
    age=67,
    gender="nonbinary",
    country="BR",
    locale="pt-BR",
    interests=(Interest(cluster="romance", label="Romance", share=0.4, source="stated"),),
    attributes=(
        attribute("neuroticism", 80),
        attribute("economic_values", 15),
        attribute("pace", 39),
        attribute("openness", 65),
        attribute("power", 50.2),
    ),
)


class Echo:
    models = ("echo",)

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces
        self.asked: list[Sequence[Message]] = []

    async def stream(self, messages: Sequence[Message], model: str) -> AsyncIterator[str]:
        self.asked.append(messages)
        for piece in self.pieces:
            yield piece

    async def close(self) -> None: ...


def request_text(in_readers_language: bool = False) -> str:
    return "\n".join(
        m.content for m in Describer(Echo(), in_readers_language).request(PROFILE, BOOK)
    )


def test_the_request_tells_what_the_reader_enjoys_and_what_the_book_is():
    text = request_text()
    assert dimension("openness").high in text
    assert dimension("pace").low in text
    assert "reads most gladly romance" in text
    for fact in (BOOK.title, BOOK.author, *BOOK.genres, BOOK.description):
        assert f"«{fact}»" in text


def test_the_request_holds_nothing_of_the_person():
    text = request_text()
    for told in ("67", "nonbinary", "BR", "Brazil", "pt-BR", "reader-77", "secret-review"):
        assert not re.search(rf"\b{told}\b", text, re.IGNORECASE), told
    assert ", in Portuguese" not in text
    assert "three sentences, in Portuguese for a reader who" in request_text(
        in_readers_language=True
    )


@pytest.mark.parametrize("name", sorted(UNUSED_IN_DESCRIPTIONS))
@pytest.mark.parametrize("score", [10, 90])
def test_vulnerabilities_and_politics_are_never_levers(name: str, score: float):
    everything = PROFILE.model_copy(
        update={"attributes": tuple(attribute(n, score) for n in dimensions())}
    )
    told = tastes(everything) + "\n".join(reasons(everything))
    assert name not in told
    assert dimension(name).high not in told and dimension(name).low not in told


def test_a_portrait_leaves_out_what_is_hardly_known_and_knows_when_nothing_is():
    assert dimension("power").high not in tastes(PROFILE)
    assert tastes(Profile(reader_id="r")) == "likes a good book"
    assert portrait(Profile(reader_id="r"), "pace") == "- nothing is known of this reader yet"


def test_a_cut_off_last_sentence_is_left_out():
    describer = Describer(Echo())
    kept = describer.checked(PROFILE, BOOK, "base", "He keeps the ferry. “Why not?” Then the ri")
    assert kept.text == "He keeps the ferry. “Why not?”"
    assert describer.checked(PROFILE, BOOK, "base", " no full stop ").text == "no full stop"


def test_the_clearest_attribute_is_told_first_and_the_focus_of_a_pair_before_it():
    _gladly, first, second, *_ = tastes(PROFILE).split("; ")
    assert (first, second) == (dimension("openness").high, dimension("pace").low)
    focused = portrait(PROFILE, "power").splitlines()
    assert focused[0] == f"- {dimension('power').high}"
    assert len(focused) <= 4


def test_reasons_say_how_each_thing_is_known():
    liked, *told = reasons(PROFILE)
    assert liked == "likes Romance (40%, stated)"
    assert f"{dimension('openness').high} (openness 65±10, inferred_text, evidence: 1)" in told


def test_invented_names_and_numbers_are_found_once_each_in_order():
    text = (
        "On the Tapajós, Raimundo meets Captain Ferreira in 1987. Nobody believes Ferreira's tale,"
        " which won 3 prizes."
    )
    assert invented_names(text, BOOK) == ["Captain", "Ferreira", "1987", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "Watch Raimundo Sales keep his ledger; in 1994, Celina left.",
        "Ana Lídia Fontoura's novel is Literary Fiction. Slow days pass. And then: Rain.",
        "A ferry, a river and thirty-one years of waiting, of which I'd gladly hear more.",
        "Of the Ferry Keeper's Ledger, Celina's part is the finest.",
    ],
)
def test_what_the_entry_holds_is_not_invented(text: str):
    assert invented_names(text, BOOK) == []


async def test_a_description_says_whether_it_is_faithful_and_why_it_is_so():
    describer = Describer(Echo(" Raimundo keeps ", "the ferry.\n"))
    good = await describer.describe(PROFILE, BOOK, "base")
    assert (good.text, good.faithful) == ("Raimundo keeps the ferry.", True)
    assert good.why == reasons(PROFILE)
    assert (good.reader_id, good.book_id, good.method) == ("reader-77", "b1", "base")
    bad = await Describer(Echo("He meets Tobias.")).describe(PROFILE, BOOK, "base")
    assert not bad.faithful
    assert bad.why[-1] == "not in the book's entry: Tobias"


def test_a_fingerprint_changes_with_what_is_asked_and_with_nothing_else():
    describer = Describer(Echo())
    first = describer.fingerprint(PROFILE, BOOK, "base")
    older = PROFILE.model_copy(update={"age": 68, "country": "IN"})
    assert describer.fingerprint(older, BOOK, "base") == first
    assert describer.fingerprint(PROFILE, BOOK, "tuned") != first
    retold = BOOK.model_copy(update={"description": "Other."})
    assert describer.fingerprint(PROFILE, retold, "base") != first
    assert re.fullmatch("[0-9a-f]{64}", first)
