"""The meter counts what would be asked, repeats what was answered, and asks nobody."""

import json

import pytest
from pydantic import BaseModel

from agents.chat import Kept
from agents.errors import RefusalError
from agents.frameworks.catalogue import shipped_scenarios
from agents.judges.by_chat import Opinion
from agents.meter import BYTES_OF_A_TOKEN, Meter
from agents.naive import NaiveDrafts
from agents.question import LOGPROBS, Question
from agents.records import Message
from agents.scenario_writer import ScenarioDrafts
from agents.settings import ChatSettings

SETTINGS = ChatSettings(model="m", price_in_usd=1.0, price_out_usd=2.0)
TURNS = (Message(role="user", content="Is it so? «ja»"),)


class Word(BaseModel):
    word: str


async def test_what_is_not_kept_is_declined_and_counted() -> None:
    meter = Meter(SETTINGS, lambda _key: None)
    for reply in (Word, Opinion):
        with pytest.raises(RefusalError):
            await meter.ask("asker", TURNS, reply)
    with pytest.raises(RefusalError):
        await meter.weigh("judge", TURNS, Opinion)
    asker = meter.metered["asker"]
    assert (asker.questions, asker.kept, asker.declined) == (2, 0, 2)
    assert meter.declined == 3
    assert asker.tokens_in == len(TURNS[0].content.encode()) / BYTES_OF_A_TOKEN
    dearest = [Question("asker", TURNS, reply).dearest(SETTINGS) for reply in (Word, Opinion)]
    assert meter.first_usd == min(dearest)


async def test_what_is_kept_is_said_again() -> None:
    question = Question("asker", TURNS, Word, repeat=3)
    kept = {question.key(SETTINGS): Kept('{"word": "ja"}', 10, 5, 0.1)}
    meter = Meter(SETTINGS, kept.get)
    assert await meter.ask("asker", TURNS, Word, repeat=3) == Word(word="ja")
    with pytest.raises(RefusalError):
        await meter.ask("asker", TURNS, Word)
    assert (meter.metered["asker"].kept, meter.declined) == (1, 1)


@pytest.mark.parametrize("wanted", [{}, LOGPROBS])
async def test_an_opinion_is_known_in_either_form(wanted: dict[str, object]) -> None:
    question = Question("judge", TURNS, Opinion, wanted=wanted)
    meter = Meter(SETTINGS, {question.key(SETTINGS): Kept("{}", 10, 5, 0.1)}.get)
    with pytest.raises(RefusalError):
        await meter.weigh("judge", TURNS, Opinion)
    assert (meter.metered["judge"].kept, meter.first_usd) == (1, None)


async def test_replies_are_guessed_to_be_about_as_long_as_real_ones() -> None:
    meter = Meter(SETTINGS, lambda _key: None)
    for agent, reply in (("writer", ScenarioDrafts), ("naive", NaiveDrafts), ("judge", Opinion)):
        with pytest.raises(RefusalError):
            await meter.ask(agent, TURNS, reply)
    texts = ("situation", "high", "low", "domain")
    shipped = [json.dumps(s.model_dump(include=set(texts))) for s in shipped_scenarios()]
    middle = sum(map(len, shipped)) / len(shipped) / BYTES_OF_A_TOKEN
    assert meter.metered["writer"].tokens_out == pytest.approx(middle, rel=0.2)
    assert meter.metered["naive"].tokens_out > 100
    assert 30 < meter.metered["judge"].tokens_out < 100
