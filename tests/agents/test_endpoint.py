"""Chat over the wire, against a real server on loopback: replies, repairs, and every failure."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from agents import patience, throttle
from agents.budget import Budget
from agents.chat import Kept, Weighed
from agents.endpoint import EndpointChat, reach
from agents.errors import (
    BudgetError,
    EndpointError,
    KeyMissingError,
    ModelError,
    RefusalError,
    ReplyError,
)
from agents.patience import MOST_TRIES, TRIES_OF_A_STRANGER
from agents.records import Message, ModelCall
from agents.settings import ChatSettings
from tests.agents.stub_endpoint import Answer, Stub, completion, failure, pieces, token

GOOD = '{"preferred": "B", "confidence": 0.75, "reason": "warmer"}'
TURNS = [Message(role="system", content="Judge."), Message(role="user", content="A or B?")]
KEY = "GRAVITY_TEST_KEY"
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


class Choice(BaseModel):
    preferred: Literal["A", "B"]
    confidence: float
    reason: str


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (patience, throttle):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.001)
        monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@asynccontextmanager
async def chat_with(
    stub: Stub, calls: list[ModelCall] | None = None, **settings: Any
) -> AsyncIterator[EndpointChat]:
    given = {"model": "m", "base_url": stub.base_url, "api_key_env": KEY, "timeout_s": 10.0}
    told = calls if calls is not None else []
    chat = EndpointChat(ChatSettings.model_validate(given | settings), told.append)
    try:
        yield chat
    finally:
        await chat.close()


async def failed_with(stub: Stub, **settings: Any) -> tuple[ModelError, list[ModelCall]]:
    calls: list[ModelCall] = []
    with pytest.raises(ModelError) as caught:
        async with chat_with(stub, calls, **settings) as chat:
            await chat.ask("critic", TURNS, Choice)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 300
    assert calls[-1].error == line, "failed calls are told as well"
    assert all(call.error for call in calls)
    return caught.value, calls


async def test_a_reply_is_typed_and_counted(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY, "sesame")
    stub.answers = [completion(GOOD)]
    calls: list[ModelCall] = []
    prices = {"price_in_usd": 1.5, "price_out_usd": 6.0}
    async with chat_with(stub, calls, temperature=0.3, max_tokens=77, **prices) as chat:
        assert chat.name == "m"
        reply = await chat.ask("critic", TURNS, Choice)
    assert reply == Choice(preferred="B", confidence=0.75, reason="warmer")
    [call] = calls
    assert (call.agent, call.model, call.error) == ("critic", "m", None)
    assert (call.tokens_in, call.tokens_out) == (100, 20)
    assert call.cost_usd == pytest.approx((100 * 1.5 + 20 * 6.0) / 1e6)
    assert call.prompt == tuple(TURNS)
    assert json.loads(call.reply)["reason"] == "warmer"
    assert 0 < call.duration_s < 10
    [body] = stub.asked
    assert body["temperature"] == 0.3 and body["model"] == "m"
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    shape = body["response_format"]["json_schema"]
    assert shape["name"] == "Choice" and "preferred" in shape["schema"]["properties"]
    assert stub.keys == ["Bearer sesame"]


async def test_a_malformed_reply_is_mended_once(stub: Stub):
    stub.answers = [completion('{"preferred": "C"}'), completion(GOOD)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls) as chat:
        assert (await chat.ask("critic", TURNS, Choice)).preferred == "B"
    broken, mended = calls
    assert broken.error and "preferred: Input should be 'A' or 'B'" in broken.error
    assert mended.error is None
    assert [c.tokens_in for c in calls] == [100, 100]
    _, second = stub.asked
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert second["messages"][2]["content"] == '{"preferred": "C"}'
    assert "Input should be 'A' or 'B'" in second["messages"][3]["content"]


async def test_a_reply_that_stays_malformed_is_kept(stub: Stub):
    stub.answers = [completion("Sure! B."), completion("I said B.")]
    error, calls = await failed_with(stub)
    assert isinstance(error, ReplyError)
    assert error.raw == "I said B."
    assert [c.reply for c in calls] == ["Sure! B.", "I said B."]


@pytest.mark.parametrize("repairs", [0, 2])
async def test_how_often_to_repair_is_a_setting(stub: Stub, repairs: int):
    stub.answers = [completion("no")]
    _, calls = await failed_with(stub, repairs=repairs)
    assert len(calls) == repairs + 1


async def test_a_reply_that_is_cut_off_is_kept_and_counted(stub: Stub):
    stub.answers = [completion(GOOD[:20], finish="length")]
    error, calls = await failed_with(stub, max_tokens=20)
    assert isinstance(error, ReplyError)
    assert error.problem == "The reply is cut off after 20 tokens."
    assert error.raw == GOOD[:20]
    assert [(c.reply, c.tokens_in, c.tokens_out) for c in calls] == [(GOOD[:20], 100, 20)] * 2


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (completion(None, refusal="I would rather not."), "The model declined: I would rather not"),
        (failure(400, "flagged by policy"), "refuses this prompt: flagged by policy"),
        (completion("", finish="content_filter"), "filtered the reply"),
    ],
)
async def test_a_refusal_is_named_and_not_repeated(stub: Stub, answer: Answer, line: str):
    stub.answers = [answer]
    error, calls = await failed_with(stub)
    assert isinstance(error, RefusalError)
    assert line in str(error)
    assert len(calls) == len(stub.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "line"),
    [
        (failure(401, "bad key"), KeyMissingError, f"refuses the key in {KEY}."),
        (failure(403, "not yours"), KeyMissingError, f"refuses the key in {KEY}."),
        (failure(404, "what model?"), EndpointError, "has no model 'm'. Check chat.model."),
        (failure(500, "out of\nmemory"), EndpointError, "answers 500: out of memory"),
        (failure(429, "slow down"), EndpointError, "answers 429: slow down"),
        (Answer(502, b"<html>\n<h1>Bad gateway</h1>\n</html>", "text/html"), EndpointError, "502"),
        (
            Answer(200, b"<html>", "text/html"),
            EndpointError,
            "does not answer as an OpenAI-compatible endpoint",
        ),
        (Answer(200, b"<html>"), EndpointError, "does not answer as an OpenAI-compatible endpoint"),
        (Answer(200, b"{}"), EndpointError, "does not answer as an OpenAI-compatible endpoint"),
        (
            Answer(200, b'{"choices": []}'),
            EndpointError,
            "does not answer as an OpenAI-compatible endpoint",
        ),
        (
            failure(200, "overloaded"),
            EndpointError,
            "does not answer as an OpenAI-compatible endpoint",
        ),
    ],
)
async def test_what_goes_wrong_at_the_endpoint_is_one_line(
    stub: Stub, answer: Answer, kind: type[ModelError], line: str
):
    stub.answers = [answer]
    error, calls = await failed_with(stub)
    assert type(error) is kind
    assert stub.base_url in str(error) and line in str(error)
    passing = kind is EndpointError and answer.status != 404
    assert len(calls) == (TRIES_OF_A_STRANGER if passing else 1), "every try is told"


async def test_a_passing_failure_is_tried_again(stub: Stub):
    stub.answers = [failure(503, "busy"), failure(429, "slow down"), completion(GOOD)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls) as chat:
        assert (await chat.ask("critic", TURNS, Choice)).preferred == "B"
    told = [call.error and call.error.partition("answers ")[2] for call in calls]
    assert told == ["503: busy", "429: slow down", None]


@pytest.mark.parametrize(
    "header",
    [{"retry-after-ms": "900"}, {"retry-after": "0.9"}, {"retry-after": DATE}],
)
async def test_the_endpoint_says_when_to_try_again(stub: Stub, header: dict[str, str]):
    busy = replace(failure(429, "slow down"), headers=header)
    stub.answers = [busy, completion(GOOD)]
    started = time.monotonic()
    async with chat_with(stub) as chat:
        await chat.ask("critic", TURNS, Choice)
    assert (time.monotonic() - started >= 0.9) is (header != {"retry-after": DATE})


async def test_an_endpoint_that_answered_before_is_waited_for(stub: Stub):
    silence: list[Answer] = [failure(503, "busy")] * 40
    stub.answers = [completion(GOOD), *silence, completion(GOOD)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls) as chat:
        for _ in range(2):
            await chat.ask("critic", TURNS, Choice)
    assert len(calls) == 42 and calls[-1].error is None


async def test_one_prompt_that_an_endpoint_cannot_do_stops_nothing_else(stub: Stub):
    def reply(body: Any) -> Answer:
        return failure(500, "crash") if "poison" in str(body) else completion(GOOD)

    stub.answers = [reply]
    poison = [Message(role="user", content="poison")]
    async with chat_with(stub, concurrency=4) as chat:

        async def others() -> None:
            while True:
                await chat.ask("critic", TURNS, Choice)

        await chat.ask("critic", TURNS, Choice)
        at_work = asyncio.create_task(others())
        with pytest.raises(RefusalError, match=f"So it did {MOST_TRIES} times"):
            await chat.ask("critic", poison, Choice)
        at_work.cancel()


async def test_silence_past_the_time_out(stub: Stub):
    stub.answers = [Answer(delay_s=2.0)]
    error, calls = await failed_with(stub, timeout_s=0.6)
    assert type(error) is EndpointError
    assert "did not answer within 0.6 s. Raise chat.timeout_s." in str(error)
    assert len(calls) == TRIES_OF_A_STRANGER


async def test_a_kept_reply_costs_nothing(stub: Stub):
    kept: dict[str, Kept] = {}
    stub.answers = [completion(GOOD)]
    calls: list[ModelCall] = []
    settings = ChatSettings(model="m", base_url=stub.base_url, price_out_usd=1.0)
    chat = EndpointChat(settings, calls.append, recall=kept.get, budget=Budget(1.0))
    for repeat in (0, 0, 1):
        await chat.ask("critic", TURNS, Choice, repeat=repeat)
        kept |= {c.key: Kept(c.reply, c.tokens_in, c.tokens_out, c.cost_usd) for c in calls}
    await chat.close()
    assert [call.cached for call in calls] == [False, True, False]
    assert calls[1].cost_usd == calls[0].cost_usd > 0, "what it would have cost"
    assert len(stub.asked) == 2


async def test_the_cap_counts_calls_in_flight(stub: Stub):
    stub.answers = [replace(completion(GOOD), delay_s=0.05)]
    prices = {"price_in_usd": 1.0, "price_out_usd": 1.0, "max_tokens": 1000}
    settings = ChatSettings(model="m", base_url=stub.base_url, **prices)  # pyright: ignore[reportArgumentType]
    calls: list[ModelCall] = []
    chat = EndpointChat(settings, calls.append, budget=Budget(0.005))
    asked = [chat.ask("critic", TURNS, Choice, repeat=n) for n in range(60)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    await chat.close()
    assert any(isinstance(outcome, BudgetError) for outcome in outcomes)
    assert 0.003 < sum(call.cost_usd for call in calls) <= 0.005
    assert all(isinstance(outcome, (Choice, BudgetError)) for outcome in outcomes)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=completion(GOOD).body.replace(b'"usage"', b'"nothing"')),
        replace(completion(GOOD), delay_s=2.0),
        Answer(200, b"<html>"),
    ],
    ids=["no-usage", "silence", "no-reply"],
)
async def test_what_the_endpoint_does_not_tell_is_taken_at_its_dearest(stub: Stub, answer: Answer):
    stub.answers = [answer]
    settings = ChatSettings(
        model="m", base_url=stub.base_url, price_out_usd=1.0, timeout_s=0.6, patience_s=0
    )
    calls: list[ModelCall] = []
    chat = EndpointChat(settings, calls.append, budget=Budget(0.003))
    with contextlib.suppress(EndpointError):
        await chat.ask("critic", TURNS, Choice)
    assert calls[0].cost_usd == pytest.approx(0.002)
    with pytest.raises(BudgetError, match=r"\$0\.002000 are spent"):
        await chat.ask("critic", TURNS, Choice, repeat=1)
    await chat.close()


async def test_draining_begins_no_call_and_lets_those_in_flight_end(stub: Stub):
    stub.answers = [replace(completion(GOOD), delay_s=0.1)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls, concurrency=2) as chat:
        asked = [asyncio.create_task(chat.ask("critic", TURNS, Choice)) for _ in range(6)]
        await asyncio.sleep(0.05)
        await chat.drain()
        assert [call.error for call in calls] == [None, None]
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    assert len(stub.asked) == 2


async def test_nobody_there(stub: Stub):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        error, calls = await failed_with(stub, base_url=url)
    assert type(error) is EndpointError
    assert str(error) == f"{url} cannot be reached. Check chat.base_url."
    assert len(calls) == TRIES_OF_A_STRANGER
    assert stub.asked == []


async def test_a_missing_key_is_told_before_any_call(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(KEY, raising=False)
    calls: list[ModelCall] = []
    with pytest.raises(KeyMissingError, match=f"No API key in the environment variable {KEY}"):
        EndpointChat(ChatSettings(model="m", api_key_env=KEY), calls.append)
    assert calls == []


async def test_no_more_calls_in_flight_than_set(stub: Stub):
    stub.answers = [Answer(200, completion(GOOD).body, delay_s=0.05)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls, concurrency=3) as chat:
        await asyncio.gather(*(chat.ask("critic", TURNS, Choice) for _ in range(12)))
    assert len(calls) == 12
    assert stub.most_at_once == 3
    assert max(c.duration_s for c in calls) < 1, "waiting for a slot is no part of the call"


async def test_a_stream_comes_in_pieces(stub: Stub):
    stub.answers = [pieces("Slow ", "and ", "warm.")]
    async with chat_with(stub) as chat:
        assert chat.models == ("m",)
        got = [piece async for piece in chat.stream(TURNS, "m")]
    assert [piece for piece in got if piece] == ["Slow ", "and ", "warm."]
    assert stub.asked[0]["stream"] is True


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failure(401, "bad key"), KeyMissingError),
        (failure(404, "no such model"), EndpointError),
        (Answer(200, b"data: <html>\n\n", "text/event-stream"), EndpointError),
        (Answer(200, b'data: {"error": {"message": "busy"}}\n\n', "text/event-stream"), ModelError),
    ],
)
async def test_a_stream_that_fails_is_a_model_error(stub: Stub, answer: Answer, kind):
    stub.answers = [answer]
    async with chat_with(stub) as chat:
        with pytest.raises(kind):
            [piece async for piece in chat.stream(TURNS, "m")]


async def test_the_default_endpoint_is_where_the_environment_says(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(KEY, "sesame")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stub.base_url}/")
    stub.answers = [completion(GOOD)]
    async with chat_with(stub, base_url=None) as chat:
        assert (await chat.ask("critic", TURNS, Choice)).preferred == "B"


async def test_calls_go_through_a_proxy_where_the_environment_names_one(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", stub.base_url)
    stub.answers = [completion(GOOD)]
    async with chat_with(stub, base_url="http://nowhere.invalid/v1") as chat:
        assert (await chat.ask("critic", TURNS, Choice)).preferred == "B"


async def test_no_proxy_stands_between_where_the_environment_says_so(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    stub.answers = [completion(GOOD)]
    async with chat_with(stub, patience_s=0) as chat:
        with pytest.raises(EndpointError, match="cannot be reached"):
            await chat.ask("critic", TURNS, Choice)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with chat_with(stub) as chat:
        assert (await chat.ask("critic", TURNS, Choice)).preferred == "B"


async def test_reach_lists_the_models(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY, "sesame")
    listed = {"object": "list", "data": [{"id": i, "object": "model"} for i in ("base", "ana")]}
    stub.answers = [Answer(body=json.dumps(listed).encode())]
    assert await reach(ChatSettings(base_url=stub.base_url, api_key_env=KEY)) == ["base", "ana"]
    assert stub.keys == ["Bearer sesame"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failure(401, "no"), KeyMissingError),
        (failure(500, "no"), EndpointError),
        (Answer(200, b"<html>", "text/html"), EndpointError),
    ],
)
async def test_reach_fails_in_one_try(stub: Stub, answer: Answer, kind: type[ModelError]):
    stub.answers = [answer]
    with pytest.raises(kind):
        await reach(ChatSettings(base_url=stub.base_url, api_key_env=KEY))
    assert len(stub.keys) == 1


# --- replies that are weighed -------------------------------------------------------------------

TOKENS = [token('{"preferred": "'), token("B", 0.75, A=0.2), token(GOOD[15:])]


async def weighed(stub: Stub, times: int = 1, **settings: Any) -> list[Weighed[Choice]]:
    async with chat_with(stub, **settings) as chat:
        return [await chat.weigh("critic", TURNS, Choice) for _ in range(times)]


async def test_a_weighed_reply_comes_with_what_could_have_stood_in_it(stub: Stub):
    stub.answers = [completion(GOOD, logprobs=TOKENS)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls) as chat:
        found = await chat.weigh("critic", TURNS, Choice)
        await chat.ask("critic", TURNS, Choice)
    assert found.reply == Choice(preferred="B", confidence=0.75, reason="warmer")
    assert [t.token for t in found.tokens] == ['{"preferred": "', "B", GOOD[15:]]
    assert found.tokens[1].probabilities == pytest.approx({"B": 0.75, "A": 0.2})
    assert [call.error for call in calls] == [None, None]
    asked, plain = stub.asked
    assert (asked["logprobs"], asked["top_logprobs"]) == (True, 5)
    assert "logprobs" not in plain and "top_logprobs" not in plain


@pytest.mark.parametrize("tokens", [None, []])
async def test_an_endpoint_without_log_probabilities_tells_none(stub: Stub, tokens: object):
    stub.answers = [completion(GOOD, logprobs=tokens)]
    [found] = await weighed(stub)
    assert found.reply.preferred == "B" and found.tokens == ()
    assert len(stub.asked) == 1


async def test_what_is_weighed_is_the_reply_that_fits(stub: Stub):
    bad = '{"preferred": "C"}'
    stub.answers = [completion(bad, logprobs=[token(bad)]), completion(GOOD, logprobs=TOKENS)]
    [found] = await weighed(stub)
    assert "".join(t.token for t in found.tokens).startswith('{"preferred": "B')
    assert [body["logprobs"] for body in stub.asked] == [True, True]


@pytest.mark.parametrize("status", [400, 403, 422])
async def test_an_endpoint_that_refuses_log_probabilities_is_not_asked_for_them_again(
    stub: Stub, status: int
):
    stub.answers = [failure(status, "no logprobs here"), completion(GOOD)]
    calls: list[ModelCall] = []
    async with chat_with(stub, calls) as chat:
        for _ in range(2):
            assert (await chat.weigh("critic", TURNS, Choice)).tokens == ()
    assert ["logprobs" in body for body in stub.asked] == [True, False, False]
    assert [call.error is None for call in calls] == [False, True, True], "all calls are told"


async def test_a_prompt_that_is_refused_either_way_says_nothing_of_log_probabilities(stub: Stub):
    flagged = failure(400, "flagged by policy")
    stub.answers = [flagged, flagged, completion(GOOD, logprobs=TOKENS), flagged]
    async with chat_with(stub) as chat:
        with pytest.raises(RefusalError, match="flagged by policy"):
            await chat.weigh("critic", TURNS, Choice)
        assert (await chat.weigh("critic", TURNS, Choice)).tokens
        with pytest.raises(RefusalError):
            await chat.weigh("critic", TURNS, Choice)
    assert ["logprobs" in body for body in stub.asked] == [True, False, True, True]


async def test_a_refusal_of_log_probabilities_may_come_when_it_is_known_already(stub: Stub):
    refusal = failure(400, "no logprobs here").body
    waits = [0.0, 0.2]

    def reply(body: Any) -> Answer:
        return (
            Answer(400, refusal, delay_s=waits.pop(0)) if "logprobs" in body else completion(GOOD)
        )

    stub.answers = [reply]
    async with chat_with(stub) as chat:
        found = await asyncio.gather(*(chat.weigh("critic", TURNS, Choice) for _ in range(2)))
    assert [w.reply.preferred for w in found] == ["B", "B"] and waits == []


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_other_failures_are_not_laid_to_log_probabilities(stub: Stub, status: int):
    stub.answers = [failure(status, "no")]
    with pytest.raises(ModelError):
        await weighed(stub)
    assert all("logprobs" in body for body in stub.asked)


def with_logprob(logprob: object) -> list[dict[str, Any]]:
    return [token(GOOD) | {"logprob": logprob}]


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (with_logprob(float("nan")), "content.0.logprob: Input should be less than or equal to 0"),
        (with_logprob(0.1), "content.0.logprob: Input should be less than or equal to 0"),
        (with_logprob(None), "content.0.logprob: Input should be a valid number"),
        ([token(GOOD) | {"top_logprobs": [{"token": "B"}]}], "content.0.top_logprobs.0.logprob: "),
        ([{"logprob": -1.0}], "content.0.token: Field required"),
        ("high", "content: Input should be a valid tuple"),
    ],
)
async def test_what_is_no_log_probability_is_named_and_not_mended(
    stub: Stub, tokens: object, line: str
):
    stub.answers = [completion(GOOD, logprobs=tokens)]
    with pytest.raises(ReplyError, match=f"The critic's log-probabilities are unusable: {line}"):
        await weighed(stub)
    assert len(stub.asked) == 1


async def test_what_is_impossible_may_be_listed(stub: Stub):
    stub.answers = [completion(GOOD, logprobs=[token(GOOD) | {"logprob": float("-inf")}])]
    [found] = await weighed(stub)
    assert found.tokens[0].logprob == float("-inf")
