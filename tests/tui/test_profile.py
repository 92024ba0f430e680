"""The reader's word on each item of the profile is kept at once and shown at once."""

import pytest

from agents.records import ABOUT, Attribute, Evidence, Profile, Reader
from agents.verification import Verification
from graph.store import Store
from tests.tui.made_up import HOSTILE, RUN, MakeApp, picture, settled
from tui.app import GravityApp
from tui.screens.correct import CorrectScreen
from tui.screens.leave import LeaveScreen
from tui.screens.profile import ProfileScreen
from tui.widgets.profile_items import Item
from tui.widgets.rows import Rows

READER = "reader-1"
TO_PROFILE = ("p", "enter")


def said(store: Store) -> list[tuple[str, str, float | None, str]]:
    return [(v.item, v.action, v.score, v.by) for v in store.verifications(READER)]


def items(app: GravityApp) -> list[Item]:
    rows = app.screen.query_one(Rows)
    return list(rows._items)


def line_of(app: GravityApp, label: str) -> str:
    """The line of the table with `label`."""
    return next(line for line in picture(app).splitlines() if label in line)


def keys_to(app: GravityApp, name: str) -> list[str]:
    """What moves the cursor from the first row to the item `name`."""
    return ["home", *["down"] * [item.name for item in items(app)].index(name)]


async def test_genres_come_first_then_what_is_clearest_then_the_unknown(
    store: Store, make_app: MakeApp
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        broad = ["conscientiousness", "openness", "benevolence", "religious_values"]
        genres, unknown = ["mystery", "literary", "lives"], ["individualism", "pace"]
        assert [item.name for item in items(app)] == [*genres, *broad, *unknown]
        await settled(pilot, *keys_to(app, "openness"), "p")
        assert [item.name for item in items(app)][3:6] == [
            "conscientiousness",
            "orderliness",
            "openness",
        ]
        assert app.screen.query_one(Rows).current.name == "openness"
        await settled(pilot, "p")
        assert "Orderliness" not in picture(app)


async def test_the_pane_tells_what_is_known_and_from_where(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, *keys_to(app, "conscientiousness"))
        shown = picture(app)
        assert "clearly: plans ahead, keeps order and finishes what was started" in shown
        assert "63, with a probability of 80 % from 57 to 70" in shown
        assert "review text 80% (embedded), behaviour 20% (liked books)" in shown
        assert "kept until 2099-01-01" in shown
        assert "“I planned the whole weekend around this book”" in shown
        await settled(pilot, "space")
        assert "like: I make a list first" in picture(app)


@pytest.mark.parametrize(
    ("key", "action", "mark", "effect"),
    [
        ("c", "confirm", "✓ confirmed", "✓ confirmed by ada"),
        ("r", "remove", "✗ removed", "✗ removed by ada: neither shown elsewhere nor used"),
        ("f", "forbid", "⊘ forbidden", "⊘ use forbidden by ada: shown here, and used for nothing"),
    ],
)
@pytest.mark.parametrize("name", ["openness", "literary"])
async def test_a_key_writes_one_decision_and_the_row_shows_it(
    store: Store, make_app: MakeApp, key: str, action: str, mark: str, effect: str, name: str
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, *keys_to(app, name))
        label = app.screen.query_one(Rows).current.label
        before = line_of(app, label)
        await settled(pilot, key, key)
        assert said(store) == [(name, action, None, "ada")], "the same word twice is kept once"
        assert mark in line_of(app, label)
        assert effect in picture(app)
        assert app.screen.query_one(Rows).current.name == name
        await settled(pilot, "u")
        assert said(store) == []
        assert line_of(app, label) == before


async def test_what_is_confirmed_is_the_pole_that_was_shown(
    store: Store, make_app: MakeApp
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, *keys_to(app, "openness"), "c")
        await settled(pilot, *keys_to(app, "literary"), "c")
        assert [v.pole for v in store.verifications(READER)] == ["low", None]
        inferred = store.reader(RUN, READER).inferred
        assert inferred
        turned = tuple(
            a.model_copy(update={"score": 59}) if a.dimension == "openness" else a
            for a in inferred.attributes
        )
        store.keep_profile(RUN, inferred.model_copy(update={"attributes": turned}))
        await settled(pilot, "f5")
        assert "confirmed" not in line_of(app, "Openness")
        await settled(pilot, *keys_to(app, "openness"), "c")
        assert store.verifications(READER)[-1].pole == "high"
        assert "confirmed" in line_of(app, "Openness")


async def test_what_was_told_where_nothing_is_inferred_is_shown_and_can_be_taken_back(
    store: Store, make_app: MakeApp
) -> None:
    word = Verification(
        reader_id=READER, item="agreeableness", action="correct", score=65, by="ada", at=1
    )
    store.verify([word])
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        assert items(app)[-1].name == "agreeableness"
        await settled(pilot, "end")
        assert "65 ✓ corrected" in line_of(app, "Agreeableness")
        await settled(pilot, "u")
        assert said(store) == []
        assert "Agreeableness" not in picture(app)


async def test_a_removed_item_is_out_of_the_profile_and_can_come_back(
    store: Store, make_app: MakeApp
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, *keys_to(app, "openness"), "r")
        assert in_force(store).attribute("openness") is None
        assert "41" not in line_of(app, "Openness")
        await settled(pilot, "c")
        assert in_force(store).attribute("openness").verified
        await settled(pilot, "u", "u")
        assert not in_force(store).attribute("openness").verified


async def test_correcting_asks_in_words_and_keeps_the_score(
    store: Store, make_app: MakeApp
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, *keys_to(app, "openness"), "x")
        assert isinstance(app.screen, CorrectScreen)
        shown = picture(app)
        assert "seeks out unfamiliar ideas, art and places" in shown
        assert "2 ● rather low" in shown
        await settled(pilot, "escape")
        assert said(store) == []
        await settled(pilot, "x", "5", "x", "up", "enter")
        assert said(store) == [
            ("openness", "correct", 65.0, "ada"),
            ("openness", "correct", 57.0, "ada"),
        ]
        assert "57 ✓ corrected" in line_of(app, "Openness")
        assert "clearly: seeks out unfamiliar ideas" in picture(app)
        await settled(pilot, "u")
        assert "65 ✓ corrected" in line_of(app, "Openness")
        await settled(pilot, "c")
        assert len(said(store)) == 1, "a corrected item is the reader's own word already"


@pytest.mark.parametrize("name", ["individualism", "pace"])
async def test_what_is_not_known_of_the_reader_is_not_confirmed_but_can_be_told(
    store: Store, make_app: MakeApp, name: str
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, *keys_to(app, name), "c")
        assert said(store) == []
        (hint,) = app._notifications
        assert "x tells where" in hint.message
        await settled(pilot, "x", "4")
        assert said(store) == [(name, "correct", 57.0, "ada")]
        assert in_force(store).attribute(name).usable


async def test_a_sensitive_item_waits_for_its_confirmation(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        assert "1 to confirm" in picture(app)
        await settled(pilot, *keys_to(app, "religious_values"))
        assert "? sensitive" in line_of(app, "Religious values")
        assert "it touches on religion: not used until confirmed" in picture(app)
        await settled(pilot, "c")
        assert in_force(store).attribute("religious_values").usable
        assert "to confirm" not in picture(app)


async def test_an_unknown_sensitive_item_waits_for_nothing(
    empty_store: Store, make_app: MakeApp
) -> None:
    unknown = Attribute(
        facet="belief",
        dimension="religious_values",
        score=50,
        sd=10,
        source="default",
        sensitive="religion",
    )
    empty_store.begin_run(RUN, "m", {}, [Reader(id="a")], 1, [])
    empty_store.keep_profile(RUN, Profile(reader_id="a", attributes=(unknown,)))
    app = make_app(empty_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        assert "nothing known" in line_of(app, "Religious values")
        assert "confirm" not in picture(app).replace("c Confirm", "")


async def test_a_genre_has_nothing_to_correct(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, *TO_PROFILE, "x")
        assert isinstance(app.screen, ProfileScreen)
        assert len(app._notifications) == 1


async def test_nothing_to_undo_is_told(store: Store, make_app: MakeApp) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, *TO_PROFILE, "u")
        (told,) = app._notifications
        assert "Nothing was said" in told.message


async def test_the_profile_that_is_described_is_the_one_in_force(
    store: Store, make_app: MakeApp
) -> None:
    app = make_app(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, *TO_PROFILE)
        await settled(pilot, "r", "d", "enter")
        assert "Crime and suspense" not in picture(app)
        assert "Literary and contemporary" in picture(app)


async def test_odd_items_are_only_text(empty_store: Store, make_app: MakeApp) -> None:
    spoken = Evidence(review_id=ABOUT, start=0, end=len(HOSTILE), pole="high")
    odd = Attribute(
        facet="value", dimension=HOSTILE, score=60, sd=5, source="inferred_text", evidence=(spoken,)
    )
    gone = spoken.model_copy(update={"review_id": HOSTILE})
    other = odd.model_copy(update={"dimension": "power", "evidence": (gone,)})
    profile = Profile(reader_id="a", attributes=(odd, other), notices=(HOSTILE,))
    empty_store.begin_run(RUN, "m", {}, [Reader(id="a", about=HOSTILE)], 1, [])
    empty_store.keep_profile(RUN, profile)
    app = make_app(empty_store)
    async with app.run_test(size=(80, 24)) as pilot:
        for keys in ([*TO_PROFILE], ["down"], ["c"], ["x"]):
            await settled(pilot, *keys)
            shown = picture(app)
            assert "[red]x[/red]" in shown
            assert not {"\x1b", "\x07", "\u202e"} & set(shown)


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (30, 8)])
async def test_tiny_terminals_break_nothing(
    store: Store, make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(store)
    async with app.run_test(size=size) as pilot:
        await settled(
            pilot, *TO_PROFILE, "down", "p", "end", "x", "2", "c", "u", "a", "3", "escape"
        )
        assert isinstance(app.screen, LeaveScreen)
        assert said(store) == []


def in_force(store: Store) -> Profile:
    profile = store.reader(RUN, READER).profile
    assert profile
    return profile
