"""Deciding on pairs by keys changes the store, and only what was meant."""

from textual.widgets import TextArea

from agents.records import PairStatus
from graph.store import Store
from graph.tables import PairRow
from tests.tui.made_up import (
    REJECTED,
    RUN,
    SITUATIONS,
    MakeApp,
    make_pair,
    make_reader,
    picture,
    settled,
)
from tui.screens.edit import EditScreen
from tui.screens.pairs import PAGE, PairsScreen
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
        assert pilot.app.screen.query_one(Rows).current == "p00002"
        await settled(pilot, "s")
        assert pilot.app.screen.query_one(Rows).current == "p00004"


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
        assert "The chosen answer is empty." in picture(pilot.app)
        pilot.app.screen.query_one("#chosen", TextArea).text = REJECTED
        await settled(pilot, "ctrl+s")
        assert "Both answers say the same." in picture(pilot.app)
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
        assert pilot.app.screen.query_one(Rows).current == "p00000"
        await settled(pilot, "u")
        assert isinstance(pilot.app.screen, PairsScreen), "nothing to undo is no crash"


async def test_undo_takes_back_the_highlighted_decision_of_another_day(
    store: Store, make_app: MakeApp
) -> None:
    store.decide("p00000", "approve", "bob")
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "s", "a", "home", "u")
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
        assert (rows.row_count, rows.current) == (2, "p00002")


async def test_only_overruling_changes_what_was_never_in_review(
    store: Store, make_app: MakeApp
) -> None:
    store.end_reader(RUN, "reader-2", "waiting")
    async with make_app(store).run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, "enter", "f", "f", "f", "a")
        assert store.pair("p00003").status == "rejected"
        (said,) = pilot.app._notifications
        assert "is not in review: rejected without a person" in said.message
        await settled(pilot, "o")
        assert store.pair("p00003").status == "accepted"
        assert pilot.app.screen.query_one(Rows).row_count == 0
        await settled(pilot, "u")
        assert store.pair("p00003").status == "rejected"
        await settled(pilot, "f", "f", "home", "down", "o")
        assert isinstance(pilot.app.screen, ReasonScreen)
        await settled(pilot, *"no", "enter")
        assert (store.pair("p00001").status, store.pair("p00001").reason) == ("rejected", "no")
        await settled(pilot, "home", "o")
        assert statuses(store)[0] == "review", "what is in review is decided, not overruled"


async def test_what_is_published_is_told_to_stand(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, "enter", "down", "o", "enter")
        assert store.pair("p00001").status == "accepted"
        (said,) = pilot.app._notifications
        assert "Pair p00001 is published: accepted without a person" in said.message


async def test_of_two_people_each_goes_on_alone(empty_store: Store, make_app: MakeApp) -> None:
    settings = {"settings": {"synthesis": {"reviewers": 2}}}
    empty_store.begin_run(RUN, "scripted", settings, [make_reader(1)], 4, [])
    empty_store.put_pairs([make_pair(number, "review") for number in range(3)])
    empty_store.decide("p00001", "reject", "bob")
    async with make_app(empty_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "a")
        assert empty_store.pair("p00000").status == "review"
        assert pilot.app.screen.query_one(Rows).current == "p00001"
        assert "? waiting" in picture(pilot.app)
        assert "2 in review" in picture(pilot.app)
        await settled(pilot, "f", "u")
        assert "3 in review" in picture(pilot.app)
        assert [line.reviewer for line in empty_store.trail(RUN)] == ["bob", "ada", "ada"]


async def test_pairs_are_read_as_they_come_into_sight(
    empty_store: Store, make_app: MakeApp
) -> None:
    empty_store.begin_run(RUN, "scripted", {}, [make_reader(1)], 4, [])
    statuses: tuple[PairStatus, ...] = ("review", "rejected", "review", "rejected", "accepted")
    empty_store.put_pairs([make_pair(n, statuses[n % 5]) for n in range(1000)])
    asked: list[int] = []
    read = empty_store.pairs_by_id
    empty_store.pairs_by_id = lambda ids: asked.append(len(ids)) or read(ids)
    async with make_app(empty_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter")
        assert len(asked) == 1
        assert "all · 1000 of 1000 · 400 in review" in picture(pilot.app)
        assert pilot.app.screen.query_one(Rows).current == "p00000"
        await settled(pilot, "end")
        assert pilot.app.screen.query_one(Rows).current == "p00999"
        assert SITUATIONS[4][:20] in picture(pilot.app)
        await settled(pilot, "home", *["s"] * 3)
        assert pilot.app.screen.query_one(Rows).current == "p00007"
        await settled(pilot, "f", "a", "end", "a")
        assert pilot.app.screen.query_one(Rows).current == "p00000", "begins again after the last"
        assert "review only · 398 of 1000 · 398 in review" in picture(pilot.app)
        assert len(asked) < 8
        assert max(asked) <= PAGE + 1


async def test_reading_again_shows_what_others_did(store: Store, make_app: MakeApp) -> None:
    async with make_app(store).run_test(size=(80, 24)) as pilot:
        await settled(pilot, "enter", "down", "down")
        store.decide("p00000", "reject", "bob", "too bare")
        store.put_pairs([make_pair(5, "review")])
        await settled(pilot, "f5")
        rows = pilot.app.screen.query_one(Rows)
        assert (rows.row_count, rows.current) == (6, "p00002")
        await settled(pilot, "home")
        assert "too bare" in picture(pilot.app)


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
        with store.writing() as session:
            session.delete(session.get(PairRow, "p00000"))
        await settled(pilot, "a")
        (said,) = pilot.app._notifications
        assert "'p00000'" in said.message
        screen = pilot.app.screen
        assert isinstance(screen, PairsScreen)
        screen._read.clear()
        await settled(pilot, "down", "home")
        assert "gone" in picture(pilot.app)
        await settled(pilot, "f5")
        assert pilot.app.screen.query_one(Rows).row_count == 4
