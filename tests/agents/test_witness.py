"""Decisions are told as calls, those that came to nothing too."""

import asyncio
import json

import pytest

from agents.decisions import NoulQuestion, Question
from agents.errors import RefusalError
from agents.records import ModelCall
from agents.systemone import SystemOne
from agents.witness import AGENT, WitnessedDecider
from tests.agents.stub_endpoint import Answer, Stub, decisions, failure

FRIEND: dict[str, Question] = {"friend": NoulQuestion(instructions="«A friend asks.» Help?")}
YES = decisions({"friend": {"type": "noul", "noul": 0.75}})


def witnessed(stub: Stub, calls: list[ModelCall]) -> WitnessedDecider:
    return WitnessedDecider(SystemOne(stub.url, "small", 10), calls.append)


async def test_questions_and_answers_are_told() -> None:
    calls: list[ModelCall] = []
    with Stub([YES]) as stub:
        decider = witnessed(stub, calls)
        answers = await decider.decide({"reader": "patient"}, FRIEND)
    assert decider.name == "small"
    assert answers["friend"].probabilities == {"true": 0.75, "false": 0.25}
    [call] = calls
    assert (call.agent, call.model, call.error, call.cost_usd) == (AGENT, "small", None, 0.0)
    assert json.loads(call.prompt[0].content) == {
        "state": {"reader": "patient"},
        "questions": {"friend": {"type": "noul", "instructions": "«A friend asks.» Help?"}},
    }
    assert json.loads(call.reply) == {"friend": {"true": 0.75, "false": 0.25}}
    assert 0 < call.duration_s < 10


async def test_a_request_that_comes_to_nothing_is_told() -> None:
    calls: list[ModelCall] = []
    with Stub([failure(422, "too long")]) as stub, pytest.raises(RefusalError) as caught:
        await witnessed(stub, calls).decide("", FRIEND)
    [call] = calls
    assert (call.error, call.reply) == (str(caught.value), "")


async def test_a_request_that_is_cancelled_is_told() -> None:
    calls: list[ModelCall] = []
    with Stub([Answer(delay_s=1)]) as stub, pytest.raises(TimeoutError):
        await asyncio.wait_for(witnessed(stub, calls).decide("", FRIEND), 0.1)
    [call] = calls
    assert call.error == "The request was cancelled."
