"""The stub endpoint: it holds its terms, counts right, and says what its askers can use."""

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import BaseModel, Field

from agents.deduplicator import Deduplicator
from agents.endpoint import EndpointChat
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.gatekeeper import refusals
from agents.judges.by_chat import ChatJudge
from agents.likeness import Likeness
from agents.pool import Pool
from agents.records import Scenario
from agents.scenario_writer import Commission, ScenarioWriter
from agents.scripted import ScriptedEmbedder
from agents.settings import ChatSettings, CriticSettings, DeduplicatorSettings
from benchmarks import stub_scenes
from benchmarks.critic import proposal
from benchmarks.patterns import matching
from benchmarks.schema_instances import Instances
from benchmarks.stub_endpoint import Endpoint, Terms, running
from benchmarks.stub_faults import Dice, Fault, Outage, shares_of
from benchmarks.stub_replies import Author

PASSING = 0.9
SHIPPED = shipped_scenarios()[::24]
AT_ONCE = Terms(latency_s=0.0)


class Stub:
    """A stub in this loop, and a client of it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def ask(self, prompt: str, **more: Any) -> tuple[int, Any]:
        body = {"model": "m", "messages": [{"role": "user", "content": prompt}], **more}
        async with self.session.post(f"{self.url}/v1/chat/completions", json=body) as reply:
            return reply.status, await reply.json()

    async def says(self, prompt: str, **more: Any) -> str:
        return (await self.ask(prompt, **more))[1]["choices"][0]["message"]["content"]

    async def stats(self) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/stats") as reply:
            return await reply.json()

    async def reset(self) -> None:
        await self.session.post(f"{self.url}/reset")


@asynccontextmanager
async def served(
    terms: Terms = AT_ONCE, shares: dict[Fault, float] | None = None, varies: bool = False
) -> AsyncGenerator[Stub]:
    endpoint = Endpoint(terms, Dice(shares or {}, seed=7), Author(PASSING, varies))
    runner = web.AppRunner(endpoint.app(), access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Stub(f"http://127.0.0.1:{runner.addresses[0][1]}", session)
    await runner.cleanup()


# --- terms --------------------------------------------------------------------------------------


async def test_as_many_calls_as_there_are_places_are_served_at_a_time():
    async with served(Terms(latency_s=0.05, in_flight=8)) as stub:
        began = time.monotonic()
        replies = await asyncio.gather(*(stub.ask(f"{n}") for n in range(40)))
        lasted_s, told = time.monotonic() - began, await stub.stats()
    assert [status for status, _ in replies] == [200] * 40
    assert lasted_s >= 5 * 0.05
    assert (told["calls"], told["outcomes"], told["most_in_flight"]) == (40, {"ok": 40}, 8)
    assert told["busy_s"] >= 40 * 0.05 and told["in_flight"] == 0
    assert told["busy_s"] == pytest.approx(told["utilisation"] * 8 * told["wall_s"])


async def test_who_comes_when_all_places_are_taken_may_be_refused():
    terms = Terms(latency_s=0.2, in_flight=2, over="429", retry_after_s=0.25)
    async with served(terms) as stub:
        replies = await asyncio.gather(*(stub.ask(f"{n}") for n in range(5)))
        told = await stub.stats()
        async with stub.session.get(f"{stub.url}/v1/models") as listed:
            assert (await listed.json())["data"][0]["id"] == "stub"
    assert Counter(status for status, _ in replies) == {200: 2, 429: 3}
    assert told["outcomes"] == {"ok": 2, "over": 3}


async def test_a_reset_counts_from_zero_and_throws_the_same_dice():
    async with served(shares={"500": 0.4}) as stub:
        first = [(await stub.ask("x"))[0] for _ in range(30)]
        await stub.reset()
        assert (await stub.stats())["calls"] == 0
        assert [(await stub.ask("x"))[0] for _ in range(30)] == first
        assert set(first) == {200, 500}


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["429", "500"])
async def test_some_calls_are_refused(fault: Fault):
    async with served(Terms(0.0, retry_after_s=0.5), {fault: 1.0}) as stub:
        body = {"messages": [{"role": "user", "content": "x"}]}
        async with stub.session.post(f"{stub.url}/v1/chat/completions", json=body) as reply:
            assert reply.status == int(fault)
            assert reply.headers.get("Retry-After") == ("0.5" if fault == "429" else None)
            assert (await reply.json())["error"]["message"]
        assert (await stub.stats())["outcomes"] == {fault: 1}


async def test_broken_replies_are_broken_as_they_say():
    shape = {"json_schema": {"name": "T", "schema": {"properties": {"t": {"minLength": 60}}}}}
    broken: tuple[Fault, ...] = ("malformed", "truncated", "refusal")
    told: dict[str, Any] = {}
    for fault in broken:
        async with served(shares={fault: 1.0}) as stub:
            told[fault] = (await stub.ask("x", response_format=shape))[1]["choices"][0]
    async with served() as stub:
        text = await stub.says("x", response_format=shape)
    assert len(json.loads(text)["t"]) >= 60
    assert told["truncated"]["finish_reason"] == "length"
    assert text.startswith(told["truncated"]["message"]["content"])
    assert told["malformed"]["finish_reason"] == "stop"
    with pytest.raises(json.JSONDecodeError):
        json.loads(told["malformed"]["message"]["content"])
    assert told["refusal"]["message"]["refusal"] and told["refusal"]["message"]["content"] is None


async def test_a_call_that_is_never_answered_gives_its_place_up_and_ends_with_its_client():
    async with served(Terms(0.01, in_flight=1), {"timeout": 1.0}) as stub:
        for n in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stub.ask(f"{n}"), 0.1)
        told = await stub.stats()
    assert (told["outcomes"], told["in_flight"]) == ({"timeout": 3}, 0)


async def test_a_client_that_leaves_is_counted_and_frees_its_place():
    async with served(Terms(30.0, in_flight=1)) as stub:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stub.ask("x"), 0.1)
        await asyncio.sleep(0.05)
        told = await stub.stats()
    assert (told["outcomes"], told["in_flight"]) == ({"gone": 1}, 0)


async def test_faults_come_as_often_as_asked_for():
    shares = shares_of("429=0.2,500=0.05,refusal=0.1")
    async with served(shares=shares) as stub:
        await asyncio.gather(*(stub.ask(f"{n}") for n in range(500)))
        outcomes = (await stub.stats())["outcomes"]
    assert sum(outcomes.values()) == 500
    for fault, share in shares.items():
        assert outcomes[fault] / 500 == pytest.approx(share, abs=0.06)


async def test_in_an_outage_connections_are_reset_those_under_way_too():
    async with served(Terms(0.1, outage=Outage(0.05, 0.2))) as stub:
        with pytest.raises(aiohttp.ClientConnectionError):
            await stub.ask("arrives before and would be answered in it")
        with pytest.raises(aiohttp.ClientConnectionError):
            await stub.ask("arrives in it")
        await asyncio.sleep(0.2)
        assert (await stub.ask("arrives after it"))[0] == 200
        assert (await stub.stats())["outcomes"] == {"outage": 2, "ok": 1}


@pytest.mark.parametrize("wrong", ["503=0.1", "429=0.9,500=0.2", "429=-1", "429"])
def test_faults_that_are_none_are_refused(wrong: str):
    with pytest.raises(ValueError):
        shares_of(wrong)


# --- replies ------------------------------------------------------------------------------------


async def test_the_same_prompt_gets_the_same_reply_unless_asked_to_vary():
    async with served() as stub:
        first = await stub.says("x")
        assert await stub.says("x") == first
        assert len({first, await stub.says("y"), await stub.says("x", seed=1)}) == 3
    async with served(varies=True) as stub:
        assert len({await stub.says("x") for _ in range(5)}) == 5


async def test_what_is_no_request_is_told_so():
    async with served() as stub:
        url = f"{stub.url}/v1/chat/completions"
        for body in (b"{", b"[]", b'{"messages": [{}]}'):
            async with stub.session.post(url, data=body) as reply:
                assert reply.status == 400, body
        assert (await stub.stats())["outcomes"] == {"400": 3}


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Leaf(BaseModel):
    code: str = Field(pattern=r"^[A-Z]{2}-\d{3}$")
    note: str = Field(min_length=120, max_length=130)


class Tree(BaseModel):
    mood: Mood
    age: Annotated[int, Field(gt=3, le=6)]
    share: float = Field(ge=0, le=1)
    maybe: int | None
    leaves: list[Leaf] = Field(min_length=2, max_length=4)
    below: "list[Tree]" = []


def test_made_json_fits_its_schema():
    made = [
        Instances(random.Random(n), stub_scenes.prose, 0.9).of(Tree.model_json_schema())
        for n in range(60)
    ]
    trees = [Tree.model_validate(one) for one in made]
    assert {tree.age for tree in trees} == {4, 5, 6}
    assert Counter(tree.mood for tree in trees).most_common(1)[0][0] is Mood.GOOD
    assert len({tree.leaves[0].note for tree in trees}) == 60
    assert any(tree.below for tree in trees) and any(tree.maybe is None for tree in trees)


@pytest.mark.parametrize(
    "pattern", [r'^[^?"\\\n]{60,360}\?$', r"^(ab|[c-e]){2}x?\w+$", r"\S+@[^@\s]+\.(com|org)", "[ä]"]
)
def test_made_strings_match_their_pattern(pattern: str):
    made = {matching(pattern, random.Random(n)) for n in range(20)}
    assert all(re.search(pattern, text) for text in made)
    assert len(made) > 1 or pattern == "[ä]"


def test_a_pattern_that_is_not_understood_is_no_string():
    with pytest.raises(ValueError, match="is not made here"):
        matching(r"(?=x)y", random.Random(1))


async def test_a_schema_within_a_prompt_is_answered_in_a_fence():
    schema = json.dumps(Leaf.model_json_schema())
    told_of = "* The format is given within <response_schema> markup tags.\n\n"
    prompt = f"{told_of}<response_schema>\n{schema}\n</response_schema>"
    async with served() as stub:
        content = [{"type": "text", "text": prompt}]
        _, reply = await stub.ask("", messages=[{"role": "user", "content": content}])
    told = reply["choices"][0]["message"]["content"]
    Leaf.model_validate_json(told.removeprefix("```json\n").removesuffix("\n```"))


def chat(stub: Stub) -> EndpointChat:
    settings = ChatSettings(model="stub", base_url=f"{stub.url}/v1", api_key_env="NO_SUCH_KEY")
    return EndpointChat(settings, lambda _call: None)


async def test_gravitys_writer_and_judge_can_use_what_it_says(tmp_path: Path):
    pool = Pool(tmp_path, ScriptedEmbedder())
    axis = dimension("assertiveness")
    async with served() as stub:
        endpoint = chat(stub)
        writer, judge = ScenarioWriter(endpoint, pool), ChatJudge(endpoint, votes=5)
        written = await writer.write(Commission(axis, 5, domains=("food",)))
        assert len(written) == 5 and {s.domain for s in written} == {"food"}
        pairs = [proposal(s, pole) for s in (*written, *SHIPPED) for pole in ("high", "low")]
        verdicts = await asyncio.gather(*(judge.judge(pair) for pair in pairs))
        await endpoint.close()
        told = await stub.stats()
    assert told["outcomes"] == {"ok": 1 + 2 * len(pairs)}, "log-probabilities are told at once"
    assert not any(verdict.flipped or verdict.failure for verdict in verdicts)
    passed = [verdict.probability is not None and verdict.probability > 0.5 for verdict in verdicts]
    assert sum(passed) / len(passed) == pytest.approx(PASSING, abs=0.1)
    pool.close()


async def test_made_scenes_pass_the_gates_and_the_deduplicator(tmp_path: Path):
    axis, dice = dimension("benevolence"), random.Random(1)
    scenes = [
        Scenario(
            id=str(n),
            facet=axis.facet,
            dimension=axis.name,
            situation=stub_scenes.situation(dice),
            high=stub_scenes.answer(dice, axis.high, axis.low),
            low=stub_scenes.answer(dice, axis.low, axis.high),
            provenance="written",
        )
        for n in range(200)
    ]
    refused = [r for s in scenes if (r := refusals(proposal(s, "high"), CriticSettings()))]
    assert len(refused) <= 4, refused
    embedder = ScriptedEmbedder()
    pool = Pool(tmp_path, embedder)
    deduplicator = Deduplicator(pool, Likeness(embedder), DeduplicatorSettings())
    assert len((await deduplicator.admit(scenes)).admitted) >= 196
    pool.close()


# --- the process --------------------------------------------------------------------------------


async def test_it_runs_in_a_process_of_its_own():
    with running("--latency", "0.01", "--faults", "500=1") as url:
        async with aiohttp.ClientSession() as session:
            assert (await Stub(url, session).ask("x"))[0] == 500


def test_a_wrong_option_is_told_in_one_line():
    command = [sys.executable, "-m", "benchmarks.stub_endpoint", "--faults", "503=1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "'503' is none of 429, 500" in ended.stderr and "Traceback" not in ended.stderr
