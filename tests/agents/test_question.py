"""A question's key, its price at most, and whether a reply fits."""

from dataclasses import replace

import pytest
from pydantic import BaseModel

from agents.errors import RefusalError, ReplyError
from agents.question import LOGPROBS, Question
from agents.records import Message
from agents.settings import ChatSettings

SETTINGS = ChatSettings(model="m", price_in_usd=1.0, price_out_usd=2.0, max_tokens=100)


class Word(BaseModel):
    word: str


class Other(BaseModel):
    word: str
    more: int


ASKED = Question("asker", (Message(role="user", content="Já?"),), Word)


def test_the_same_question_has_the_same_key_whoever_asks():
    again = Question("another", (Message(role="user", content="Já?"),), Word)
    assert ASKED.key(SETTINGS) == again.key(SETTINGS.model_copy(update={"timeout_s": 1.0}))


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, turns=(Message(role="system", content="Já?"),)),
        replace(ASKED, turns=(Message(role="user", content="Ja?"),)),
        replace(ASKED, reply=Other),
        replace(ASKED, repeat=1),
        replace(ASKED, wanted=LOGPROBS),
    ],
)
def test_another_question_has_another_key(other: Question[Word]):
    assert other.key(SETTINGS) != ASKED.key(SETTINGS)


@pytest.mark.parametrize("change", [{"model": "n"}, {"temperature": 0.1}, {"max_tokens": 101}])
def test_so_it_has_under_other_parameters(change: dict[str, object]):
    assert ASKED.key(SETTINGS.model_copy(update=change)) != ASKED.key(SETTINGS)


def test_no_call_costs_more_than_the_dearest():
    dearest = ASKED.dearest(SETTINGS)
    assert dearest > SETTINGS.cost_usd(len("Já?".encode()), 100)
    assert dearest < SETTINGS.cost_usd(1000, 100)
    longer = replace(ASKED, turns=(Message(role="user", content="é" * 500),))
    assert longer.dearest(SETTINGS) - dearest == pytest.approx(SETTINGS.cost_usd(996, 0))


def test_a_reply_fits_or_says_what_is_wrong():
    assert ASKED.fitting('{"word": "ja"}', None) == Word(word="ja")
    with pytest.raises(ReplyError, match="The asker's reply does not fit: word: ") as caught:
        ASKED.fitting('{"word": 1}', None)
    assert caught.value.raw == '{"word": 1}'
    with pytest.raises(RefusalError, match="The model declined: no"):
        ASKED.fitting("", "no")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1:8000/v1", "begin it with http:// or https://"),
        ("https://me:sesame@there/v1", "leave name and password out"),
        ("http://there:port/v1", "its port is no number: port"),
    ],
)
def test_an_address_may_stand_in_every_error(address: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        ChatSettings(base_url=address)


@pytest.mark.parametrize("address", ["http://[::1]:8000/v1", "https://there", "http://a:1/v1?x=y"])
def test_what_is_an_address_is_taken(address: str):
    assert ChatSettings(base_url=address).base_url == address
