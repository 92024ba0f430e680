"""The trace screen shows any number of spans, filters and sorts them, and tells one in full."""

from collections.abc import Iterator

import pytest

from graph.store import Store
from graph.tracing.traces import Span
from tests.graph.spans import a_span, a_turn
from tests.tui.made_up import HOSTILE, RUN, MakeApp, picture, settled
from tui.screens import trace
from tui.screens.runs import RunsScreen
from tui.screens.trace import TraceScreen
from tui.widgets.rows import Rows
from tui.widgets.span_detail import SpanDetail

PROMPT = "Write 2 new situations. Kind of person for “high”: keeps promises and plans ahead."
REPLY = "A neighbour asks you to keep the keys of the shared workshop for a month."


def made_up_spans() -> Iterator[Span]:
    """A run over one reader: a writer's call, a critic's kept reply, and one call that failed."""
    told = {
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": [a_turn("system", "You write."), a_turn("user", PROMPT)],
        "gen_ai.output.messages": [a_turn("assistant", REPLY)],
    }
    one = {"run_id": RUN}
    of_reader = one | {"reader_id": "reader-1"}
    critic = of_reader | {"name": "pair_critic", "node": "criticise"}
    yield a_span(1, "run", **one | {"reader_id": None, "name": RUN, "duration_s": 30.0})
    yield a_span(2, "reader", **of_reader | {"name": "reader-1", "duration_s": 29.0})
    yield a_span(3, "node", **of_reader, duration_s=3.25)
    yield a_span(4, **of_reader, duration_s=3.0, attributes=told)
    yield a_span(5, "node", **of_reader | {"name": "criticise", "node": "criticise"})
    yield a_span(6, **critic, cached=True, tokens_in=0, tokens_out=0, cost_usd=0.0)  # pyright: ignore[reportArgumentType]
    yield a_span(7, **critic, cost_usd=0.5, error="http://127.0.0.1:8000/v1 answers 429: too many")  # pyright: ignore[reportArgumentType]


@pytest.fixture
def traced(store: Store) -> Store:
    for span in made_up_spans():
        store.add_span(span)
    return store


def shown(pilot) -> list[str]:
    """The names of all rows, and the kind where it is no call."""
    screen = pilot.app.screen
    assert isinstance(screen, TraceScreen)
    spans = [screen._span(row) for row in range(screen.query_one(Rows).row_count)]
    return [span.name if span.kind == "call" else span.kind for span in spans if span]


async def test_from_the_runs_and_back(traced: Store, make_app: MakeApp) -> None:
    app = make_app(traced)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot, "s")
        assert isinstance(app.screen, TraceScreen)
        for part in ("runs › sample-01 › trace", "all kinds · all agents · as they began · 7"):
            assert part in picture(app)
        await settled(pilot, "down", "down", "down")
        assert PROMPT in " ".join(picture(app).split())
        assert REPLY in picture(app)
        assert "10 tokens in, 5 out, $0.2500" in picture(app)
        await settled(pilot, "escape")
        assert isinstance(app.screen, RunsScreen)


async def test_filters_and_sorting(traced: Store, make_app: MakeApp) -> None:
    app = make_app(traced)
    calls = ["scenario_writer", "pair_critic", "pair_critic"]
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot, "s")
        assert shown(pilot) == ["run", "reader", "node", calls[0], "node", *calls[1:]]
        for kinds in (["run"], ["reader"], ["node"] * 2, calls):
            await settled(pilot, "f")
            assert shown(pilot) == kinds
        await settled(pilot, "s")
        assert shown(pilot) == ["pair_critic", "scenario_writer", "pair_critic"], "dearest first"
        await settled(pilot, "s", "f")
        assert shown(pilot)[:4] == ["run", "reader", "node", "scenario_writer"], "slowest first"
        await settled(pilot, "s", "a")
        assert shown(pilot) == calls[1:], "agents in the order of the alphabet"
        await settled(pilot, "e")
        assert shown(pilot) == ["pair_critic"]
        assert "all kinds · pair_critic · errors only · as they began · 1" in picture(app)
        assert "answers 429" in picture(app)
        await settled(pilot, "a")
        assert shown(pilot) == []
        assert "There is no such span" in picture(app)
        await settled(pilot, "down", "space", "e", "a")
        assert len(shown(pilot)) == 7


async def test_only_pages_in_sight_are_read(
    empty_store: Store, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "PAGE", 50)
    monkeypatch.setattr(trace, "MOST_PAGES", 2)
    empty_store.begin_run(RUN, "m", {}, [], 1, [])
    for number in range(1000):
        empty_store.add_span(a_span(number, "node", run_id=RUN, name=f"n{number}"))
    read: list[int] = []
    find = Store.find_spans

    def counted(self, wanted, limit=None, whole=False, offset=0):
        read.append(offset)
        return find(self, wanted, limit, whole, offset)

    monkeypatch.setattr(Store, "find_spans", counted)
    app = make_app(empty_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "s")
        assert read == [0]
        await settled(pilot, "end")
        assert "n999" in picture(app)
        assert read == [0, 950]
        await settled(pilot, "home")
        assert "n0 " in picture(app)
        assert read == [0, 950]
        assert len(app.screen._pages) == 2  # pyright: ignore[reportAttributeAccessIssue]


async def test_what_is_erased_meanwhile_breaks_nothing(traced: Store, make_app: MakeApp) -> None:
    app = make_app(traced)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot, "s")
        with traced.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM spans WHERE kind = 'call'")
        await settled(pilot, *["down"] * 6)
        assert "There is no span" in " ".join(n.message for n in app._notifications)
        await settled(pilot, "f5")
        assert len(shown(pilot)) == 4


async def test_hostile_text_is_only_text(empty_store: Store, make_app: MakeApp) -> None:
    empty_store.begin_run(RUN, "m", {}, [], 1, [])
    told = {"gen_ai.output.messages": [a_turn("assistant", HOSTILE)], "x": HOSTILE}
    empty_store.add_span(
        a_span(1, run_id=RUN, reader_id=HOSTILE, name=HOSTILE, error=HOSTILE, attributes=told)
    )
    app = make_app(empty_store)
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot, "s", "a")
        assert "[red]x[/red]" in picture(app)
        assert not {"\x1b", "\x07", "\u202e"} & set(picture(app))


async def test_a_long_text_is_read_on(traced: Store, make_app: MakeApp) -> None:
    told = {"gen_ai.output.messages": [a_turn("assistant", "Line.\n" * 90 + "The end.")]}
    traced.add_span(a_span(0, run_id=RUN, attributes=told))
    app = make_app(traced)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, "s")
        assert "The end." not in picture(app)
        for _ in range(20):
            await settled(pilot, "space")
            if "The end." in picture(app):
                break
        else:
            pytest.fail("the end never came")
        await settled(pilot, "space")
        assert app.screen.query_one(SpanDetail).scroll_offset.y == 0


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_picture_of_a_trace(theme: str, traced: Store, make_app: MakeApp, snap_compare) -> None:
    async def travel(pilot) -> None:
        await settled(pilot, "s", *["down"] * 3)

    assert snap_compare(make_app(traced, theme=theme), run_before=travel, terminal_size=(100, 30))
