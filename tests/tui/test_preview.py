"""The preview streams the untuned and the tuned description, and can be stopped."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from agents.describer import Describer
from agents.errors import ConfigError, EndpointError
from agents.records import Message
from graph.store import Store
from tests.tui.made_up import BOOKS, LINES, MakeApp, picture, settled
from tui.app import GravityApp
from tui.screens.preview import PreviewScreen
from tui.screens.profile import ProfileScreen
from tui.widgets.description import DescriptionPane

TO_PREVIEW = ("p", "enter", "d", "enter")


async def test_both_descriptions_are_shown_and_checked(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PREVIEW)
        assert isinstance(app.screen, PreviewScreen)
        shown = picture(app)
        assert "A gripping tale" in shown
        assert "Thirty-one years of crossings" in shown
        assert "Sorbonne" in shown.split("doubt")[1]
        assert "✓ faithful" in shown
        assert "likes Crime and suspense" in shown


async def test_the_base_comes_first_and_escape_stops(store: Store, make_app: MakeApp) -> None:
    go = asyncio.Semaphore(0)
    app = make_app(store, go=go)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PREVIEW[:-1])
        await settled(pilot, TO_PREVIEW[-1], wait=False)
        for _ in range(3):
            go.release()
        await pilot.pause(0.2)
        assert "A gripping tale" in picture(app)
        assert "Thirty-one years of" not in picture(app)
        await settled(pilot, "escape", wait=False)
        assert isinstance(app.screen, PreviewScreen)
        assert "stopped" in picture(app)
        await settled(pilot, "escape")
        assert isinstance(app.screen, ProfileScreen)


async def test_one_model_alone_hints_at_training(store: Store, make_app: MakeApp) -> None:
    app = make_app(store, lines={"base": LINES["base"]})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PREVIEW)
        assert "A gripping tale" in picture(app)
        assert "gravity train sample-01" in picture(app)


async def test_no_describer_is_told(store: Store) -> None:
    def broken() -> Describer:
        raise ConfigError("There is no model.", "Name one in gravity.toml.")

    app = GravityApp(store, lambda: BOOKS, broken, lambda _id: None, "ada")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PREVIEW)
        assert "There is no model." in picture(app)


class HalfWriter:
    """Breaks off in the middle of the base text."""

    models: Sequence[str] = ("base", "tuned")

    async def stream(self, messages: Sequence[Message], model: str) -> AsyncIterator[str]:
        yield "[b]Half a text\x1b[2J"
        if model == "base":
            raise EndpointError("The line is dead.")

    async def close(self) -> None: ...


async def test_an_endpoint_that_dies_leaves_the_other_text(store: Store) -> None:
    app = GravityApp(store, lambda: BOOKS, lambda: Describer(HalfWriter()), lambda _id: None, "ada")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PREVIEW)
        base, tuned = app.screen.query(DescriptionPane)
        assert "failed" in str(base.border_title)
        assert "3 words" in str(tuned.border_title)
        assert picture(app).count("[b]Half a text") == 2
        assert "The line is dead." in picture(app)
