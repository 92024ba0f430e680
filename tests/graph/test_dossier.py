"""What readers say of themselves lasts across runs, and counts wherever a profile is read."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from agents.errors import InputError, NotFoundError
from agents.records import Attribute, Evidence, Interest, Profile, Reader
from agents.verification import Verification
from graph.answers import AnswerSheet
from graph.store import Store
from tests.graph.crew import begin, open_crew, work

TODAY = date.today()


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "gravity.db")
    store.begin_run("one", "m", {}, [Reader(id="ana"), Reader(id="anabel")], 4, [])
    yield store
    store.close()


def a_sheet(instrument: str, reader: str = "ana", **answers: int) -> AnswerSheet:
    return AnswerSheet(reader_id=reader, instrument=instrument, answers=answers)


def said(action: str, at: float = 1.0, reader: str = "ana", **others) -> Verification:
    values = {"reader_id": reader, "item": "openness", "action": action, "by": "eve", "at": at}
    return Verification(**values | others)


def inferred(dimension: str = "openness", **others) -> Attribute:
    span = Evidence(review_id="r", start=0, end=4, pole="high", statement_id="openness-h1")
    values = {"facet": "personality", "dimension": dimension, "score": 54, "sd": 9.6}
    return Attribute(**values | {"source": "inferred_text", "evidence": (span,)} | others)


def a_profile(*attributes: Attribute, reader: str = "ana") -> Profile:
    liked = Interest(cluster="mystery", label="Mystery", share=1.0, source="inferred_behaviour")
    return Profile(reader_id=reader, interests=(liked,), attributes=attributes)


# --- answers ----------------------------------------------------------------------------------


def test_a_newer_sheet_replaces_the_older_of_its_instrument_only(store: Store) -> None:
    store.keep_sheets([a_sheet("short", **{"openness-h1": 5, "openness-h2": 4})])
    store.keep_sheets(
        [a_sheet("mini-ipip", **{"1": 5, "2": 1}), a_sheet("short", **{"pace-h1": 2})]
    )
    store.keep_sheets([a_sheet("short", "anabel", **{"openness-h1": 1})])
    assert store.sheets("ana") == [
        a_sheet("mini-ipip", **{"1": 5, "2": 1}),
        a_sheet("short", **{"pace-h1": 2}),
    ]
    assert store.sheets("bob") == []


def test_answers_join_those_of_the_input_file_and_win(store: Store) -> None:
    written = Reader(
        id="ana",
        questionnaire={"openness-h1": 1, "pace-h1": 3},
        instruments={"mini-ipip": {1: 2, 3: 3}, "pvq-21": {1: 6}},
    )
    assert store.with_answers(written) == written
    store.keep_sheets([a_sheet("short", **{"openness-h1": 5}), a_sheet("mini-ipip", **{"1": 4})])
    merged = store.with_answers(written)
    assert merged.questionnaire == {"openness-h1": 5, "pace-h1": 3}
    assert merged.instruments == {"mini-ipip": {1: 4, 3: 3}, "pvq-21": {1: 6}}
    assert store.with_answers(Reader(id="anabel")) == Reader(id="anabel")


def test_readers_of_every_run_have_their_answers(store: Store) -> None:
    store.keep_sheets([a_sheet("short", **{"openness-h1": 5})])
    store.begin_run("two", "m", {}, [Reader(id="ana", age=30)], 4, [])
    for run in ("one", "two"):
        assert store.reader(run, "ana").reader.questionnaire == {"openness-h1": 5}
        assert store.readers(run)[0].reader.questionnaire == {"openness-h1": 5}
    assert store.reader("one", "anabel").reader.questionnaire == {}


async def test_a_run_profiles_readers_with_their_answers(tmp_path: Path) -> None:
    with open_crew(tmp_path / "home") as crew:
        begin(crew, "one", readers=1)
        (member,) = crew.store.readers("one")
        answers = dict.fromkeys(("openness-h1", "openness-h2", "openness-h3"), 5)
        crew.store.keep_sheets([a_sheet("short", member.reader.id, **answers)])
        await work(crew, "one", tmp_path / "home")
        made = crew.store.reader("one", member.reader.id).inferred
        openness = made and made.attribute("openness")
        assert openness and openness.source == "questionnaire"
        assert openness.score > 50


def test_sheets_are_kept_all_or_none(store: Store) -> None:
    def broken() -> Iterator[AnswerSheet]:
        yield a_sheet("short", **{"pace-h1": 2})
        raise InputError("the second is unusable")

    with pytest.raises(InputError):
        store.keep_sheets(broken())
    assert store.sheets("ana") == []


# --- verifications ----------------------------------------------------------------------------


def test_the_last_word_counts_and_can_be_withdrawn(store: Store) -> None:
    store.keep_profile("one", a_profile(inferred()))
    words = [said("forbid"), said("correct", 2.0, score=35.0), said("confirm", item="mystery")]
    store.verify(words[:1])
    store.verify(words[1:])
    assert store.verifications("ana") == [words[0], words[2], words[1]]

    def openness() -> Attribute | None:
        profile = store.reader("one", "ana").profile
        assert profile
        return profile.attribute("openness")

    corrected = openness()
    assert corrected and (corrected.score, corrected.verified) == (35.0, True)
    assert store.withdraw("ana", "openness") == words[1]
    forbidden = openness()
    assert forbidden and forbidden.forbidden and forbidden.score == 54
    assert store.withdraw("ana", "openness") == words[0]
    assert openness() == inferred()
    with pytest.raises(NotFoundError, match="Nothing was said of 'openness' of reader 'ana'"):
        store.withdraw("ana", "openness")
    assert store.verifications("ana") == [words[2]]


def test_of_words_at_one_moment_the_later_kept_counts(store: Store) -> None:
    store.verify([said("correct", score=35.0), said("correct", score=65.0)])
    assert store.in_force(a_profile(inferred())).attributes[0].score == 65
    assert store.withdraw("ana", "openness").score == 65


def test_the_pole_that_was_confirmed_is_kept(store: Store) -> None:
    word = said("confirm", pole="low")
    store.verify([word])
    assert store.verifications("ana") == [word]
    assert store.in_force(a_profile(inferred())) == a_profile(inferred()), "it is high by now"


def test_readers_that_no_run_knows_are_named(store: Store) -> None:
    store.verify([said("forbid", reader="ann")])
    assert store.in_no_run(["ann", "ana", "bob", "ann"]) == ["ann", "bob"]


def test_every_reading_is_in_force_and_the_inferred_stays_in_sight(store: Store) -> None:
    raw = a_profile(inferred(), inferred("pace", expires_on=TODAY), inferred("trust"))
    store.keep_profile("one", raw)
    store.keep_profile("one", a_profile(inferred(), reader="anabel"))
    store.verify([said("remove"), said("forbid", item="mystery")])
    for member in (store.reader("one", "ana"), store.readers("one")[0]):
        assert member.profile
        assert [a.dimension for a in member.profile.attributes] == ["trust"]
        assert [i.forbidden for i in member.profile.interests] == [True]
        assert member.inferred == raw
    other = store.reader("one", "anabel")
    assert other.profile == other.inferred == a_profile(inferred(), reader="anabel")
    tomorrow = a_profile(inferred(expires_on=TODAY + timedelta(days=1)), reader="anabel")
    assert store.in_force(tomorrow) == tomorrow


def test_reading_a_run_costs_the_same_queries_for_any_number_of_readers(store: Store) -> None:
    readers = [Reader(id=f"r{n}") for n in range(50)]
    store.begin_run("many", "m", {}, readers, 4, [])
    store.verify(said("forbid", reader=r.id) for r in readers)
    asked: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert len(store.readers("many")) == 50
    assert len(asked) == 3
    assert len(store.readers_with_work("many")) == 50
    assert len(asked) == 4
