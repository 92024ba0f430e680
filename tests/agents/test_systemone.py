"""Deciders: a real server and a pipeline with a tiny model, and a stub for what goes wrong."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.decision_pipeline import DecisionPipeline
from agents.decisions import ChoiceQuestion, NoulQuestion, Question, ScoreQuestion
from agents.errors import EndpointError, RefusalError, ReplyError, WeightsError
from agents.frameworks.catalogue import dimension
from agents.patience import TRIES_OF_A_STRANGER
from agents.records import Reader, Review
from agents.scripted import ScriptedEmbedder
from agents.stances.by_decision import DecisionStances
from agents.systemone import SystemOne
from tests.agents.stub_endpoint import Answer, Stub, decisions, failure

QUESTIONS: dict[str, Question] = {
    "who": ChoiceQuestion(
        instructions="what would i do", criteria={"high": "help", "low": "keep", "neither": "do"}
    ),
    "how much": ScoreQuestion(instructions="help", criteria=("keep", "share", "help gladly")),
    "friend": NoulQuestion(instructions="a friend asks"),
}


async def test_a_real_server_answers_every_type_of_question(real: str, tiny: Path):
    client = SystemOne(f"{real}/", str(tiny), 60)
    answers = await client.decide({"sentence 1": "i would help gladly"}, QUESTIONS)
    assert {name: list(a.probabilities) for name, a in answers.items()} == {
        "who": ["high", "low", "neither"],
        "how much": ["0", "1", "2"],
        "friend": ["true", "false"],
    }
    for answer in answers.values():
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert await client.decide({"sentence 1": "i would help gladly"}, QUESTIONS) == answers
    assert await client.decide("keep my own goals and win", QUESTIONS) != answers


async def test_the_pipeline_in_this_process_answers_as_the_server_does(real: str, tiny: Path):
    state = {"sentence 1": "i would help gladly"}
    served = await SystemOne(real, str(tiny), 60).decide(state, QUESTIONS)
    answers = await DecisionPipeline(str(tiny)).decide(state, QUESTIONS)
    assert answers.keys() == served.keys()
    for name, answer in answers.items():
        assert answer.probabilities == pytest.approx(served[name].probabilities, abs=1e-3)


async def test_a_pipeline_without_a_model_is_told(tmp_path: Path):
    with pytest.raises(WeightsError, match="cannot be loaded"):
        await DecisionPipeline(str(tmp_path / "gone")).decide("i", QUESTIONS)


async def test_a_real_server_decides_stances(real: str, tiny: Path):
    axis = dimension("pace")
    words = axis.texts("low")[0]
    reader = Reader(id="r", reviews=(Review(id="a", book_id="b", rating=5, text=words),))
    decider = SystemOne(real, str(tiny), 60)
    reading = await DecisionStances(decider, ScriptedEmbedder(), 500).read(reader, [axis])
    assert reading.notices == (), "the answer has the asked options"
    for stance in reading.stances:
        assert stance.evidence.quote(reader) == words
        assert -1 <= stance.strength <= 1


async def test_a_real_server_tells_what_it_refuses(real: str):
    with pytest.raises(EndpointError, match=r"answers 400: Server is pinned .* 'gone'"):
        await SystemOne(real, "gone", 60).decide("i", QUESTIONS)


# --- what goes wrong ----------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "who": {
        "type": "choice",
        "choice": "high",
        "confidence": 0.4,
        "probabilities": {"high": 0.6, "low": 0.3, "neither": 0.1},
    },
    "how much": {"type": "score", "score": 1.5, "probabilities": {"0": 0, "1": 0.5, "2": 0.5}},
    "friend": {"type": "noul", "noul": 0.75},
}


def choice(probabilities: object) -> dict[str, Any]:
    return GOOD | {"who": {"type": "choice", "probabilities": probabilities}}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


async def test_one_request_holds_state_model_and_all_questions(stub: Stub):
    stub.answers = [decisions(GOOD | {"unasked": 7})]
    answers = await SystemOne(stub.url, "m", 9).decide({"a": "«Tea»"}, QUESTIONS)
    assert {name: a.probabilities for name, a in answers.items()} == {
        "who": {"high": 0.6, "low": 0.3, "neither": 0.1},
        "how much": {"0": 0.0, "1": 0.5, "2": 0.5},
        "friend": {"true": 0.75, "false": 0.25},
    }
    [body] = stub.asked
    assert body == {
        "model": "m",
        "state": {"a": "«Tea»"},
        "questions": {
            "who": {
                "type": "choice",
                "instructions": "what would i do",
                "criteria": {"high": "help", "low": "keep", "neither": "do"},
            },
            "how much": {
                "type": "score",
                "instructions": "help",
                "criteria": ["keep", "share", "help gladly"],
            },
            "friend": {"type": "noul", "instructions": "a friend asks"},
        },
    }


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({k: v for k, v in GOOD.items() if k != "who"}, "'who' has no answer"),
        (GOOD | {"who": "high"}, "'who': answer: Input should be"),
        (GOOD | {"who": {"probabilities": {}}}, "'who': type: Field required"),
        (choice({"high": 0.6, "low": 0.3, "neither": 0.2}), "'who': .* sum to 1.100"),
        (choice({"high": 0.6, "low": 0.3, "neither": 0.098}), "'who': .* sum to 0.998"),
        (choice({"high": 1.2, "low": -0.2, "neither": 0}), "'who': probabilities.high: .* 1"),
        (choice({"high": 1, "low": -0.2, "neither": 0.2}), "'who': probabilities.low: .* 0"),
        (choice({"high": float("nan"), "low": 0.5, "neither": 0.5}), "'who': .* finite number"),
        (choice({"high": "1", "low": 0, "neither": 0}), "'who': .* valid number"),
        (choice({"high": True, "low": 0, "neither": 0}), "'who': .* valid number"),
        (choice({"high": 0.6, "low": 0.4}), "asks for a choice with high, low, neither"),
        (choice({"A": 0.6, "B": 0.3, "C": 0.1}), "the answer is a choice with A, B, C"),
        (GOOD | {"who": {"type": "noul", "noul": 0.5}}, "the answer is a noul with true, false"),
        (GOOD | {"who": GOOD["who"] | {"type": "score"}}, "the answer is a score with high"),
        (GOOD | {"friend": {"type": "noul"}}, "'friend' .* the answer is a noul with nothing"),
        (GOOD | {"friend": {"type": "noul", "noul": 1.5}}, "'friend': noul: "),
    ],
)
async def test_an_unusable_answer_names_its_question(stub: Stub, answers: object, line: str):
    stub.answers = [decisions(answers)]
    with pytest.raises(ReplyError, match=line) as caught:
        await SystemOne(stub.url, "m", 9).decide("i", QUESTIONS)
    assert "\n" not in str(caught.value)


async def test_rounded_probabilities_are_probabilities(stub: Stub):
    stub.answers = [decisions(choice({"high": 0.3333, "low": 0.3333, "neither": 0.3333}))]
    answers = await SystemOne(stub.url, "m", 9).decide("i", QUESTIONS)
    assert answers["who"].probabilities["low"] == 0.3333


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"answers": []}', b"\xff{", b"{}"])
async def test_what_is_no_system_one_reply_is_told(stub: Stub, body: bytes):
    stub.answers = [Answer(body=body)]
    with pytest.raises(ReplyError, match="/v1/systemone does not answer as a System One server"):
        await SystemOne(stub.url, "m", 9).decide("i", QUESTIONS)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer(404, b'{"detail":"Not Found"}'), "answers 404: Not Found"),
        (Answer(500, b"Internal\nServer Error"), "answers 500: Internal Server Error"),
        (Answer(503, b"x" * 9000), "answers 503: x+$"),
        (Answer(307, b"elsewhere"), "answers 307: elsewhere"),
    ],
)
async def test_a_failing_server_tells_in_its_own_words(stub: Stub, answer: Answer, line: str):
    stub.answers = [answer]
    with pytest.raises(EndpointError, match=line) as caught:
        await SystemOne(stub.url, "m", 9).decide("i", QUESTIONS)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    passing = answer.status >= 500
    assert len(stub.asked) == (TRIES_OF_A_STRANGER if passing else 1)


async def test_a_server_that_is_busy_for_a_while_is_asked_again(stub: Stub):
    busy = replace(failure(429, "busy"), headers={"retry-after-ms": "1"})
    stub.answers = [busy] * 5 + [decisions(GOOD)]
    answers = await SystemOne(stub.url, "m", 9).decide("i", QUESTIONS)
    assert answers["friend"].probabilities["true"] == 0.75
    assert len(stub.asked) == 6


async def test_no_more_requests_are_in_flight_than_set(stub: Stub):
    stub.answers = [replace(decisions(GOOD), delay_s=0.05)]
    client = SystemOne(stub.url, "m", 9, concurrency=2)
    await asyncio.gather(*(client.decide("i", QUESTIONS) for _ in range(8)))
    assert len(stub.asked) == 8
    assert stub.most_at_once == 2


@pytest.mark.parametrize("status", [413, 422])
async def test_a_refused_request_speaks_of_itself_alone(stub: Stub, status: int):
    stub.answers = [Answer(status, b'{"detail":[{"msg":"too many"}]}')]
    with pytest.raises(RefusalError, match=f"answers {status}: .*too many"):
        await SystemOne(stub.url, "m", 9).decide("i", QUESTIONS)


async def test_silence_and_absence_are_told(stub: Stub):
    stub.answers = [Answer(delay_s=2.0)]
    with pytest.raises(EndpointError, match=r"did not answer within 0\.6 s"):
        await SystemOne(stub.url, "m", 0.6).decide("i", QUESTIONS)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(EndpointError, match=f"{port}/v1/systemone cannot be reached"):
        await SystemOne(f"http://127.0.0.1:{port}", "m", 9).decide("i", QUESTIONS)


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1", "http://127.0.0.1:port"])
async def test_an_unusable_address_is_told(url: str):
    with pytest.raises(EndpointError, match="fails"):
        await SystemOne(url, "m", 9).decide("i", QUESTIONS)
