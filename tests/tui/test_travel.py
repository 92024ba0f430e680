"""Every screen is reached and left by keys alone; looks, empty stores and odd text included."""

import subprocess
import sys

import pytest

from agents.records import Book
from graph.store import Store
from tests.tui.made_up import HOSTILE, RUN, MakeApp, make_pair, make_reader, picture, settled
from tui.screens.books import BooksScreen
from tui.screens.help import HelpScreen
from tui.screens.pairs import PairsScreen
from tui.screens.profile import ProfileScreen
from tui.screens.readers import ReadersScreen
from tui.screens.runs import RunsScreen
from tui.widgets.plain import plain, plain_line
from tui.widgets.rows import Rows


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_through_all_screens_and_back(
    store: Store, make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(store)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert "requested 12" in picture(app)
        assert "2 lines skipped" in picture(app)
        for keys, screen in (
            (["enter"], PairsScreen),
            (["question_mark"], HelpScreen),
            (["escape"], PairsScreen),
            (["escape"], RunsScreen),
            (["escape"], RunsScreen),
            (["p"], ReadersScreen),
            (["enter"], ProfileScreen),
            (["b"], BooksScreen),
            (["escape"], ProfileScreen),
            (["escape", "escape"], RunsScreen),
        ):
            await settled(pilot, *keys)
            assert isinstance(app.screen, screen)
        await settled(pilot, "q")
    assert app.return_code == 0


async def test_the_profile_shows_where_it_comes_from(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "p", "enter")
        shown = picture(app)
        assert "31 years · woman · Brazil · pt-BR" in shown
        assert "Conscientiousness" in shown
        assert "46%" in shown
        assert "known from: stated" in shown
        await settled(pilot, *["down"] * 3)
        assert "“I planned the whole weekend" in picture(app)


async def test_a_reader_without_profile(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "p", "end")
        assert "stays silent past 60 s" in picture(app)
        await settled(pilot, "enter")
        assert "The profile is not made yet" in picture(app)
        await settled(pilot, "d")
        assert isinstance(app.screen, ProfileScreen)


async def test_an_empty_store_says_how_to_begin(empty_store: Store, make_app: MakeApp) -> None:
    app = make_app(empty_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "p")
        assert isinstance(app.screen, RunsScreen)
        assert "gravity synth --readers sample" in picture(app)
        empty_store.begin_run(RUN, "m", {}, [make_reader(1)], 1, [])
        await settled(pilot, "f5", "enter")
        assert isinstance(app.screen, PairsScreen)
        assert "There is no pair yet" in picture(app)
        await settled(pilot, "a", "r", "e", "u", "n", "f", "space")
        assert isinstance(app.screen, PairsScreen)


async def test_the_theme_turns(store: Store, make_app: MakeApp) -> None:
    app = make_app(store, theme="light")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.theme == "gravity-light"
        await settled(pilot, "t")
        assert app.theme == "gravity-dark"


async def test_a_book_is_found_among_thousands(store: Store, make_app: MakeApp) -> None:
    books = [Book(id=f"b{n}", title=f"Volume {n}", author="A. B.") for n in range(4481)]
    app = make_app(store, books=books)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "p", "enter", "b", *"4321 vol")
        assert app.screen.query_one(Rows).row_count == 1
        await settled(pilot, "enter")
        assert "Volume 4321" in picture(app)


async def test_hostile_text_is_only_text(empty_store: Store, make_app: MakeApp) -> None:
    reader = make_reader(1).model_copy(update={"id": HOSTILE, "gender": HOSTILE})
    empty_store.begin_run(RUN, HOSTILE, {}, [reader], 1, [HOSTILE])
    empty_store.put_pairs(
        [make_pair(0, "review", reader_id=HOSTILE, chosen=HOSTILE, reason=HOSTILE)]
    )
    empty_store.end_reader(RUN, HOSTILE, "failed", error=HOSTILE)
    app = make_app(empty_store, books=[Book(id="b", title=HOSTILE, description=HOSTILE)])
    async with app.run_test(size=(80, 24)) as pilot:
        for keys in (["f5"], ["enter"], ["e"], ["escape", "escape", "p"], ["enter"], ["b"]):
            await settled(pilot, *keys)
            shown = picture(app)
            assert "[red]x[/red]" in shown
            assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_plain_keeps_words_and_drops_orders() -> None:
    assert plain("a\x1b[31mb\x1b[0m\x1b]0;title\x07c\x9b2Jd\r\ne\tf") == "abcd\ne f"
    assert plain("\u202eabc\u2066\x00\ud800") == "abc"
    assert plain_line("  two\n\n words ") == "two words"


def test_importing_the_app_loads_no_model_library() -> None:
    heavy = "{'torch', 'transformers', 'chromadb', 'trl', 'datasets', 'langgraph'}"
    code = f"import sys, tui.app; assert not {heavy} & sys.modules.keys(), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
