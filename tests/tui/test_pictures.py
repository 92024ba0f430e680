"""Pictures of every screen, most at 80 × 24; `pytest --snapshot-update` takes them anew."""

import pytest
from textual.widgets import Input, TextArea

from graph.store import Store
from tests.tui.made_up import MakeApp, settled

PROFILE = ("p", "enter")
SCREENS = {
    "runs": (),
    "pairs": ("enter",),
    "pairs_in_review": ("enter", "f"),
    "keys": ("enter", "question_mark"),
    "reason": ("enter", "r"),
    "edit": ("enter", "e"),
    "readers": ("p", "down"),
    "profile": (*PROFILE, "down", "down", "down"),
    "decided": (*PROFILE, "c", "down", "f", "down", "down", "x", "5", "down", "r"),
    "correct": (*PROFILE, "down", "down", "down", "x"),
    "questionnaire": (*PROFILE, "a", "4", "2", "left"),
    "leave": (*PROFILE, "a", "4", "escape"),
    "no_profile": ("p", "end", "enter"),
    "books": ("p", "enter", "b"),
    "preview": ("p", "enter", "d", "enter"),
}
LIGHT = ("runs", "pairs", "profile", "decided", "questionnaire", "preview")


@pytest.fixture(autouse=True)
def _still_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture must not depend on the half second in which a cursor is dark."""
    monkeypatch.setattr(Input, "cursor_blink", False)
    monkeypatch.setattr(TextArea, "cursor_blink", False)


@pytest.mark.parametrize(
    ("name", "theme"), [*((name, "dark") for name in SCREENS), *((name, "light") for name in LIGHT)]
)
def test_picture(name: str, theme: str, store: Store, make_app: MakeApp, snap_compare) -> None:
    store.decide("p00004", "reject", "bob")
    app = make_app(store, theme=theme)

    async def travel(pilot) -> None:
        await settled(pilot, *SCREENS[name])

    assert snap_compare(app, run_before=travel, terminal_size=(80, 24))


def test_picture_of_a_wide_profile(store: Store, make_app: MakeApp, snap_compare) -> None:
    async def travel(pilot) -> None:
        await settled(pilot, *PROFILE, "down", "down", "down", "p")

    assert snap_compare(make_app(store), run_before=travel, terminal_size=(120, 35))


def test_picture_of_an_empty_store(empty_store: Store, make_app: MakeApp, snap_compare) -> None:
    assert snap_compare(make_app(empty_store), run_before=settled, terminal_size=(80, 24))
