"""A forecast holds: what runs then ask lies in its range, and it asks and keeps nothing itself."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from agents.endpoint import EndpointChat
from agents.settings import ChatSettings, CriticSettings, EmbeddingSettings, ProfilerSettings
from agents.stances.by_chat import AGENT as STANCE_READER
from graph.books import read_books
from graph.crew import Crew
from graph.forecasting import forecast as forecasting
from graph.forecasting.forecast import Forecast, forecast
from graph.forecasting.history import ACCEPTED, ADMITTED, history
from graph.forecasting.ranges import NOTHING, Range
from graph.services import RunServices
from graph.settings import RunSettings, SynthesisSettings
from graph.synthesis import synthesise
from graph.tables import Table
from tests.agents.stub_endpoint import Answer, Stub, completion
from tests.graph.crew import begin, open_crew, sample_readers, work

SCRIPTED = ChatSettings(model="scripted")
BOOKS = read_books("sample", lambda _notice: None)


def settings_of(home: Path, **sections: Any) -> RunSettings:
    """With scripted models, unless the sections say otherwise."""
    scripted: dict[str, Any] = {"chat": SCRIPTED, "embedding": EmbeddingSettings(model="scripted")}
    return RunSettings(home=home, **(scripted | sections))


async def foreseen(crew: Crew, home: Path, readers: int, **sections: Any) -> Forecast:
    """The forecast of this crew's run over sample readers."""
    services = RunServices(settings_of(home, synthesis=crew.settings, **sections))
    return await forecast(services, crew.pool, sample_readers(readers), BOOKS, "one")


async def foreseen_at_home(settings: RunSettings, readers: int) -> Forecast:
    """The forecast of a run over sample readers and the pool of the home."""
    services = RunServices(settings)
    with services.pool() as pool:
        return await forecast(services, pool, sample_readers(readers), BOOKS, "next")


async def run_at_home(settings: RunSettings, run_id: str, readers: int) -> Counter[str]:
    """Run over sample readers; calls by agent."""
    async for _event in synthesise(settings, sample_readers(readers), BOOKS, run_id):
        pass
    spent = RunServices(settings).store.spend_by(run_id, "agent")
    return Counter({agent: spend.calls for agent, spend in spent.items()})


def calls_of(told: Forecast) -> dict[str, Range]:
    return {agent.agent: agent.calls for agent in told.agents}


def assert_within(told: Forecast, actual: Counter[str]) -> None:
    """Every agent's calls lie in its range, and nobody calls who was not expected to."""
    for agent in {*actual, *calls_of(told)}:
        expected = calls_of(told).get(agent, NOTHING)
        assert expected.least <= actual[agent] <= expected.most, agent
        assert expected.least <= expected.likely <= expected.most, agent


def calls_made(crew: Crew) -> Counter[str]:
    return Counter({a: spend.calls for a, spend in crew.store.spend_by("one", "agent").items()})


# --- against runs -----------------------------------------------------------------------------


async def test_a_thin_pool(tmp_path: Path) -> None:
    with open_crew(tmp_path) as crew:
        told = await foreseen(crew, tmp_path, 12)
        begin(crew, "one", readers=12)
        await work(crew, "one", tmp_path)
        assert_within(told, calls_made(crew))
    least = calls_of(told)["scenario_writer"].least
    assert 0 < least <= len(told.lacking) <= sum(told.lacking.values())
    assert list(told.lacking.values()) == sorted(told.lacking.values(), reverse=True)


async def test_a_thin_pool_and_a_chat_judge(tmp_path: Path) -> None:
    critic = CriticSettings(judges=("chat",), votes=1)
    with open_crew(tmp_path, judge="chat") as crew:
        told = await foreseen(crew, tmp_path, 6, critic=critic)
        begin(crew, "one", readers=6)
        await work(crew, "one", tmp_path)
        assert_within(told, calls_made(crew))
    assert calls_of(told)["pair_critic"].least > 0


async def test_a_full_pool(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    told = await foreseen_at_home(settings, 6)
    actual = await run_at_home(settings, "one", 6)
    assert_within(told, actual)
    assert told.total.calls.likely == actual.total() == 0
    accounts = RunServices(settings).store.run("one").accounting
    assert told.requested == accounts.requested
    assert told.unknown == accounts.rejected, "nothing else keeps a quota from being met"


async def test_the_naive_baseline(tmp_path: Path) -> None:
    with open_crew(tmp_path, method="naive") as crew:
        told = await foreseen(crew, tmp_path, 4)
        begin(crew, "one", readers=4)
        await work(crew, "one", tmp_path)
        assert_within(told, calls_made(crew))
        rounds = crew.settings.rounds
    assert calls_of(told) == {"naive_writer": Range(16, 16, 16 * rounds * 2)}
    assert told.calls_per_pair.likely == pytest.approx(16 / 48)
    assert told.lacking == {}


async def test_a_run_that_has_begun_is_forecast_to_its_end(tmp_path: Path) -> None:
    with open_crew(tmp_path, method="naive") as crew:
        begin(crew, "one", readers=3)
        [first, *_] = sample_readers(3)
        crew.store.end_reader("one", first.id, "finished")
        left = [r for r in sample_readers(3) if r.id in crew.store.readers_with_work("one")]
        services = RunServices(settings_of(tmp_path, synthesis=crew.settings))
        before = await forecast(services, crew.pool, left, BOOKS, "one")
        await work(crew, "one", tmp_path)
        assert_within(before, calls_made(crew))
        after = await forecast(services, crew.pool, left, BOOKS, "one")
    assert before.total.calls.least == 8
    assert after.total.calls == NOTHING, "all quotas are met"


# --- who reads the reviews ----------------------------------------------------------------------


async def test_a_chat_model_that_would_read_the_reviews_is_counted_and_not_asked(
    tmp_path: Path,
) -> None:
    read = await foreseen_at_home(settings_of(tmp_path), 3)
    profiler = ProfilerSettings(text="chat")
    critic = CriticSettings(judges=("chat",))
    unread = await foreseen_at_home(settings_of(tmp_path, profiler=profiler, critic=critic), 3)
    assert calls_of(unread)[STANCE_READER] == Range(3, 3, 6)
    judged = calls_of(unread)["pair_critic"]
    assert judged.least < judged.likely, "what the text tells can only be supposed"
    assert unread.unknown == read.unknown, "the embedded reader stands in"
    none = await foreseen_at_home(settings_of(tmp_path, profiler=ProfilerSettings(text="none")), 3)
    assert none.unknown >= read.unknown
    assert STANCE_READER not in calls_of(none)


async def test_a_chat_reader_and_judge_keep_to_the_range(tmp_path: Path) -> None:
    critic = CriticSettings(judges=("chat",))
    settings = settings_of(tmp_path, profiler=ProfilerSettings(text="chat"), critic=critic)
    told = await foreseen_at_home(settings, 3)
    assert_within(told, await run_at_home(settings, "one", 3))


# --- nothing is asked or kept -------------------------------------------------------------------


async def test_it_leaves_no_trace(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, critic=CriticSettings(judges=("chat",)))
    services = RunServices(settings)
    with services.pool() as pool:
        before = {scenario.id for scenario in pool.scenarios()}
        await forecast(services, pool, sample_readers(2), BOOKS, "one")
        assert {scenario.id for scenario in pool.scenarios()} == before
    with services.store.reading() as session:
        rows = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Table.metadata.tables.values()
        }
    assert set(rows.values()) == {0}, rows
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["pool"]


# --- what is known from before ------------------------------------------------------------------


def naive_reply(body: dict[str, Any]) -> Answer:
    """As many pairs as are asked for, no two alike."""
    prompt = body["messages"][-1]["content"]
    wanted = re.search(r"Write (\d+) different pairs about the (\w+)", prompt)
    assert wanted
    pairs = [
        {
            "prompt": f"What would you say of {wanted[2]} number {n} on a day like this one?",
            "preferred": f"That {wanted[2]} is a fine thing to have on a day, and {n} of them too",
            "other": f"That {wanted[2]} is nothing to speak of on any day, and {n} of them neither",
        }
        for n in range(int(wanted[1]))
    ]
    return completion(json.dumps({"pairs": pairs}))


async def test_kept_replies_cost_nothing_again(tmp_path: Path) -> None:
    with Stub([naive_reply]) as stub:
        chat = ChatSettings(model="m", base_url=stub.base_url, price_in_usd=1, price_out_usd=10)
        settings = settings_of(tmp_path, chat=chat, synthesis=SynthesisSettings(method="naive"))
        before = await foreseen_at_home(settings, 2)
        assert before.total.calls.least == 8
        assert before.first_call_usd is not None
        assert before.first_call_usd >= chat.cost_usd(0, chat.max_tokens)
        actual = await run_at_home(settings, "one", 2)
        assert_within(before, actual)
        again = await foreseen_at_home(settings, 2)
        assert (again.total.calls.least, again.total.calls.likely, again.kept) == (0, 0, 8)
        assert again.first_call_usd is None
        assert await run_at_home(settings, "two", 2) == Counter({"naive_writer": 0})
        more = await foreseen_at_home(settings, 3)
        assert more.total.calls.least == 4
        assert more.total.tokens_in.least == 4 * 100, "as many as each call took before"
        assert more.total.cost_usd.least == pytest.approx(4 * chat.cost_usd(100, 20))


async def test_orders_to_the_writer_are_those_of_a_run(tmp_path: Path) -> None:
    """Over a pool as it was, a call is kept for every dimension that lacks scenes."""

    def written(body: dict[str, Any]) -> Answer:
        scene = {"situation": f"{'You wait for a bus in the rain. ' * 3}What now?"}
        answers = {
            "high": "You sing to all who wait there. " * 2,
            "low": "You count the cars. " * 3,
        }
        return completion(json.dumps({"scenarios": [scene | answers]}))

    with Stub([written]) as stub:
        chat = ChatSettings(model="m", base_url=stub.base_url)
        with open_crew(tmp_path, lambda on_call: EndpointChat(chat, on_call)) as crew:
            before = await foreseen(crew, tmp_path, 12, chat=chat)
            begin(crew, "one", readers=12)
            await work(crew, "one", tmp_path)
            await crew.chat.close()
            assert_within(before, calls_made(crew))
            synthesis = crew.settings
        with open_crew(tmp_path / "elsewhere") as crew:
            settings = settings_of(tmp_path, chat=chat, synthesis=synthesis)
            told = await forecast(
                RunServices(settings), crew.pool, sample_readers(12), BOOKS, "one more"
            )
    assert before.total.calls.least > 0
    assert told.total.calls.least == 0
    assert told.kept >= before.total.calls.least


async def test_earlier_runs_speak_for_the_likely_figures(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    store = RunServices(settings).store
    nothing = history(store, settings, ())
    assert (nothing.runs, nothing.odds.accepted, nothing.odds.admitted) == (0, ACCEPTED, ADMITTED)
    await run_at_home(settings, "one", 6)
    past = history(store, settings, ())
    judged = [p for p in store.pairs("one") if not p.group]
    assert (past.runs, past.shipped.pairs) == (1, len(judged))
    assert past.odds.accepted > ACCEPTED, "the embedded judge passes shipped scenes"
    other = settings_of(tmp_path, critic=CriticSettings(accept_from=0.9))
    assert history(store, other, ()).runs == 0, "another critic"


async def test_of_many_readers_some_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasting, "MOST_LOOKED_AT", 3)
    settings = settings_of(tmp_path, synthesis=SynthesisSettings(method="naive"))
    heard: list[int] = []
    services = RunServices(settings)
    with services.pool() as pool:
        readers = sample_readers(12)
        told = await forecast(
            services, pool, readers, BOOKS, "one", lambda count, _note: heard.append(count)
        )
    assert (told.readers, told.looked_at, heard) == (12, 3, [1, 2, 3])
    assert told.total.calls.likely == 4 * 12
    assert told.requested == 144
