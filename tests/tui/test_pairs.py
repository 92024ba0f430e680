"""Deciding on pairs by keys changes the store, and only what was meant."""

from textual.widgets import TextArea

from graph.store import Store
from tests.tui.made_up import CHOSEN, RUN, MakeApp, settled
from tui.screens.edit import EditScreen
from tui.screens.pairs import PairsScreen
from tui.screens.reason import ReasonScreen
from tui.widgets.rows import Rows


def statuses(store: Store) -> list[str]:
    return [pair.status for pair in store.pairs(RUN)]


async def test_approving_changes_the_store_and_goes_to_the_next(
    store: Store, make_app: MakeApp
) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "a")
        assert statuses(store) == ["accepted", "accepted", "review", "rejected", "review"]
        assert store.pair("p00000").reason == "approve by ada"
        assert pilot.app.screen.query_one(Rows).current.id == "p00002"
        await settled(pilot, "n")
        assert pilot.app.screen.query_one(Rows).current.id == "p00004"


async def test_rejecting_asks_why_and_leaving_rejects_nothing(
    store: Store, make_app: MakeApp
) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "r")
        assert isinstance(pilot.app.screen, ReasonScreen)
        await settled(pilot, "escape")
        assert statuses(store)[0] == "review"
        await settled(pilot, "r", *"too bare", "enter")
        assert store.pair("p00000").status == "rejected"
        assert store.pair("p00000").reason == "too bare"
        await settled(pilot, "r", "enter")
        assert store.pair("p00002").reason == "reject by ada"


async def test_editing_keeps_the_new_words(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "e")
        assert isinstance(pilot.app.screen, EditScreen)
        pilot.app.screen.query_one("#chosen", TextArea).text = "  "
        await settled(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, EditScreen), "an empty answer is not saved"
        pilot.app.screen.query_one("#chosen", TextArea).text = "I would take them."
        await settled(pilot, "ctrl+s")
        pair = store.pair("p00000")
        assert (pair.status, pair.chosen) == ("accepted", "I would take them.")
        await settled(pilot, "e", "escape")
        assert store.pair("p00002").status == "review"


async def test_undo_takes_back_the_last_decision(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        before = store.pairs(RUN)
        await settled(pilot, "enter", "a", "r", "enter")
        assert statuses(store)[:3] == ["accepted", "accepted", "rejected"]
        await settled(pilot, "u", "u")
        assert store.pairs(RUN) == before
        assert pilot.app.screen.query_one(Rows).current.id == "p00000"
        await settled(pilot, "u")
        assert isinstance(pilot.app.screen, PairsScreen), "nothing to undo is no crash"


async def test_undo_takes_back_the_highlighted_decision_of_another_day(
    store: Store, make_app: MakeApp
) -> None:
    store.decide("p00000", "approve", "bob")
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "n", "a", "home", "u")
        assert statuses(store)[0] == "review"
        assert statuses(store)[2] == "accepted"


async def test_the_filter_goes_around(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter")
        seen = []
        for _ in range(5):
            seen.append(pilot.app.screen.query_one(Rows).row_count)
            await settled(pilot, "f")
        assert seen == [5, 3, 1, 1, 0]
        await settled(pilot, "f", "a")
        rows = pilot.app.screen.query_one(Rows)
        assert (rows.row_count, rows.current.id) == (2, "p00002")


async def test_overturning_stays_in_the_filter(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "f", "f", "f", "a")
        assert store.pair("p00003").status == "accepted"
        assert pilot.app.screen.query_one(Rows).row_count == 0
        await settled(pilot, "u")
        assert store.pair("p00003").status == "rejected"


async def test_when_all_are_decided_it_says_how_to_go_on(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, "enter", "a", "a")
        assert not list(pilot.app._notifications)
        await settled(pilot, "a")
        (said,) = pilot.app._notifications
        assert f"gravity synth --run {RUN}" in said.message


async def test_a_pair_that_is_gone_is_told_not_crashed_on(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, "enter")
        screen = pilot.app.screen
        assert isinstance(screen, PairsScreen)
        screen._pairs[0] = screen._pairs[0].model_copy(update={"id": "gone"})
        screen._show(None)
        await settled(pilot, "a")
        (said,) = pilot.app._notifications
        assert "'gone'" in said.message
        assert store.pair("p00000").chosen == CHOSEN
