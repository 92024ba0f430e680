"""The short questionnaire is answered by keys, kept at the end, and may be left at any time."""

import threading

import pytest

from agents.errors import ModelError
from agents.questionnaire import short_form
from graph.answers import AnswerSheet
from graph.store import Store
from tests.tui.made_up import RUN, MakeApp, make_profile, make_reader, picture, settled
from tui.questionnaire import QuestionnaireApp
from tui.screens.leave import LeaveScreen
from tui.screens.profile import ProfileScreen
from tui.screens.questionnaire import QuestionnaireScreen
from tui.widgets.rows import Rows

IDS = [statement.id for statement in short_form()]
TO_QUESTIONS = ("p", "enter", "a")


async def test_to_the_end_by_number_and_by_cursor() -> None:
    app = QuestionnaireApp("maya", {})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert short_form()[0].text in picture(app)
        assert "1 of 40" in picture(app)
        await settled(pilot, "down", "down", "enter")
        assert "2 of 40" in picture(app)
        await pilot.press(*"5" * 39)
        await settled(pilot)
        assert "You answered 40 of 40." in picture(app)
        await settled(pilot, "1", "s", "enter")
    assert app.return_value == dict.fromkeys(IDS, 5) | {IDS[0]: 2}


async def test_back_skip_and_on() -> None:
    app = QuestionnaireApp("maya", {})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "4", "s", "2", "left")
        assert short_form()[2].text in picture(app)
        assert "2 ● rather disagree" in picture(app)
        await settled(pilot, "backspace", "1", "s", "right", "left", "left", "left", "left")
        assert short_form()[0].text in picture(app)
        await settled(pilot, "escape", "y")
    assert app.return_value == {IDS[0]: 4, IDS[1]: 1}, "skipping takes an answer back"


async def test_leaving_asks_where_something_was_answered() -> None:
    app = QuestionnaireApp("maya", {})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "4", "q")
        assert isinstance(app.screen, LeaveScreen)
        assert "1 of 40?" in picture(app)
        await settled(pilot, "escape")
        assert "2 of 40" in picture(app)
        await settled(pilot, "escape", "n")
    assert app.return_value is None


async def test_leaving_untouched_asks_nothing() -> None:
    app = QuestionnaireApp("maya", {IDS[0]: 1})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "2 of 40" in picture(app), "it begins with the first unanswered statement"
        await settled(pilot, "left", "1", "escape")
    assert app.return_value is None


async def test_earlier_answers_come_back_with_the_new_ones() -> None:
    app = QuestionnaireApp("maya", {IDS[0]: 1, "pace-h2": 3})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "5", "escape", "enter")
    assert app.return_value == {IDS[0]: 1, "pace-h2": 3, IDS[1]: 5}


async def test_from_the_profile_the_answers_are_kept_and_the_profile_renewed(
    store: Store, make_app: MakeApp
) -> None:
    threads: list[threading.Thread] = []

    def renew(reader_id: str) -> None:
        threads.append(threading.current_thread())
        profile = make_profile(make_reader(1))
        store.keep_profile(
            RUN, profile.model_copy(update={"reader_id": reader_id, "attributes": ()})
        )

    app = make_app(store, renew=renew)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, *TO_QUESTIONS)
        assert isinstance(app.screen, QuestionnaireScreen)
        await settled(pilot, "4", "2", "escape", "y")
        assert isinstance(app.screen, ProfileScreen)
        (sheet,) = store.sheets("reader-1")
        assert (sheet.instrument, sheet.answers) == ("short", {IDS[0]: 4, IDS[1]: 2})
        assert app.screen.query_one(Rows).row_count == 3, (
            "the profile is shown as it was made again"
        )
        assert threads[0] is not threading.main_thread()
        assert [n.message for n in app._notifications][-1] == "The profile is made again."
        await settled(pilot, "a")
        assert "3 of 40" in picture(app)
        await settled(pilot, "q")
        assert isinstance(app.screen, ProfileScreen)
        assert len(threads) == 1, "nothing changed, nothing is made again"


async def test_answers_outlive_a_profile_that_cannot_be_made(
    store: Store, make_app: MakeApp
) -> None:
    def renew(reader_id: str) -> None:
        raise ModelError("The endpoint is silent.", "Look at it.")

    store.keep_sheets([AnswerSheet(reader_id="reader-1", instrument="short", answers={IDS[0]: 2})])
    app = make_app(store, renew=renew)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, *TO_QUESTIONS, "5", "escape", "y")
        assert "The endpoint is silent." in [n.message for n in app._notifications][-1]
    assert store.sheets("reader-1")[0].answers == {IDS[0]: 2, IDS[1]: 5}


@pytest.mark.parametrize("size", [(1, 1), (12, 4), (40, 10)])
async def test_tiny_terminals_break_nothing(size: tuple[int, int]) -> None:
    app = QuestionnaireApp("maya", {})
    async with app.run_test(size=size) as pilot:
        await settled(pilot, "4", "left", "s", "question_mark", "escape", "t", "1", "escape", "n")
    assert app.return_value is None


async def test_its_keys_are_listed() -> None:
    app = QuestionnaireApp("maya", {})
    async with app.run_test(size=(80, 30)) as pilot:
        await settled(pilot, "question_mark")
        shown = picture(app)
        for line in ("1-5  Answer", "s  Go on without an answer", "←  Back by one", "esc  Leave"):
            assert line in shown
        assert "Keep the answers" not in shown, "that comes at the end"
