"""What the stub endpoint says to a request, by dice that its prompt throws; it serves nothing.

Gravity's scenario writer is given made scenes (`benchmarks.stub_scenes`). Gravity's judge is given
what suits the reader, whichever letter it stands under, for a set share of pairs, and the other
answer for the rest; it finds nothing else wrong. Whatever else of Gravity's the scripted model
knows, it answers. All other JSON is made to fit its schema, which stands in `response_format` or,
as data-designer has it, in the prompt between <response_schema> tags.
"""

import hashlib
import json
import math
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from agents.deduplicator import SameChoice
from agents.frameworks.catalogue import dimension, dimensions
from agents.judges.by_chat import Opinion
from agents.naive import NaiveDrafts
from agents.records import Domain, Message
from agents.scenario_writer import ScenarioDrafts
from agents.scripted import ScriptedChat
from agents.stances.by_chat import FoundStances
from benchmarks import stub_scenes
from benchmarks.schema_instances import Instances

SCRIPTED: dict[str, type[BaseModel]] = {
    kind.__name__: kind for kind in (NaiveDrafts, SameChoice, FoundStances)
}
SURE = 0.97
"""Probability that log-probabilities give to each of the judge's answers; its opposite has the
rest."""
OPPOSITE = {"A": "B", "B": "A", "yes": "no", "no": "yes"}
_VALUE = re.compile(r'(?<=")(A|B|yes|no)(?=")')


@dataclass(frozen=True)
class Asked:
    """What a request wants."""

    turns: tuple[tuple[str, str], ...]
    """Role and content of each."""
    name: str = ""
    """Of its schema, where `response_format` has one."""
    schema: Mapping[str, Any] | None = None
    seed: int = 0

    @property
    def prompt(self) -> str:
        """All that the user said: after a repair the question stands before the last turn."""
        return "\n".join(content for role, content in self.turns if role == "user")

    @property
    def digest(self) -> bytes:
        """The same for the same conversation and seed."""
        told = "\n".join((*(content for _, content in self.turns), str(self.seed)))
        return hashlib.sha256(told.encode()).digest()


class Author:
    """Answers requests, the same one with the same words.

    Args:
        passing: share of pairs that the judge lets pass, and of enumerations of others of which
            the first value is taken.
        varies: whether the same request gets another reply each time, as from a model at a
            temperature above 0. The judge never changes its mind.
    """

    def __init__(self, passing: float, varies: bool = False) -> None:
        self._passing = passing
        self._varies = varies
        self._times: Counter[bytes] = Counter()
        self._scripted = ScriptedChat(lambda _call: None)
        stub_scenes.situation(random.Random())  # reads the shipped scenes before the first request

    async def reply(self, asked: Asked) -> str:
        """The text of the reply.

        Raises:
            ValueError: the request is not understood.
        """
        dice = self._dice(asked)
        if asked.name == ScenarioDrafts.__name__:
            return json.dumps({"scenarios": _scenes(asked, dice)})
        if asked.name == Opinion.__name__:
            return _opinion(asked.prompt, self._passing)
        if kind := SCRIPTED.get(asked.name):
            repeat = dice.getrandbits(31)
            turns = [Message.model_validate({"role": r, "content": c}) for r, c in asked.turns]
            told = await self._scripted.ask("stub", turns, kind, repeat=repeat)
            return told.model_dump_json()
        schema = asked.schema or _schema_in(asked.prompt)
        if not schema:
            return stub_scenes.prose(dice, 0, 200)
        made = json.dumps(Instances(dice, stub_scenes.prose, self._passing).of(schema))
        return made if asked.schema else f"```json\n{made}\n```"

    def _dice(self, asked: Asked) -> random.Random:
        digest = asked.digest
        if self._varies:
            self._times[digest] += 1
            digest += self._times[digest].to_bytes(8)
        return random.Random(digest)


def asked_of(body: Mapping[str, Any]) -> Asked:
    """What a chat completion's request wants.

    Raises:
        LookupError, TypeError, AttributeError: it is no such request.
    """
    shape = (body.get("response_format") or {}).get("json_schema") or {}
    return Asked(
        tuple((turn["role"], _content(turn["content"])) for turn in body["messages"]),
        shape.get("name", ""),
        shape.get("schema"),
        int(body.get("seed") or 0),
    )


def tokens(text: str) -> list[dict[str, Any]]:
    """The reply in pieces, with log-probabilities: those of the judge's answers tell their odds."""
    return [
        _token(piece, math.log(SURE), [_token(OPPOSITE[piece], math.log(1 - SURE))])
        if piece in OPPOSITE
        else _token(piece, 0.0)
        for piece in _VALUE.split(text)
    ]


def _token(text: str, logprob: float, others: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    listed = {"token": text, "logprob": logprob, "bytes": None}
    return {**listed, "top_logprobs": [listed, *others]} if others else listed


def _content(told: str | Sequence[Mapping[str, Any]]) -> str:
    """Of a turn, which may have come in parts."""
    return told if isinstance(told, str) else "".join(part["text"] for part in told)


def _schema_in(prompt: str) -> Mapping[str, Any] | None:
    found = re.findall(r"<response_schema>\s*(\{.*?\})\s*</response_schema>", prompt, re.DOTALL)
    return json.loads(found[-1]) if found else None


def _scenes(asked: Asked, dice: random.Random) -> list[dict[str, str]]:
    """As many as the schema has room for, for the poles and parts of life it asks for."""
    poles = dict(re.findall(r'"(high|low)": (.+)$', asked.prompt, re.MULTILINE))
    wanted = re.findall(r"^Parts of life to take them from: (.+)$", asked.prompt, re.MULTILINE)
    domains = wanted[-1].split(", ") if wanted else get_args(Domain)
    count = asked.schema["properties"]["scenarios"]["maxItems"] if asked.schema else 1
    if not poles.keys() >= {"high", "low"}:
        raise ValueError("the stub does not find the poles in this writer's prompt")
    return [
        {
            "situation": stub_scenes.situation(dice),
            "high": stub_scenes.answer(dice, poles["high"], poles["low"]),
            "low": stub_scenes.answer(dice, poles["low"], poles["high"]),
            "domain": dice.choice(domains),
        }
        for _ in range(count)
    ]


def _opinion(prompt: str, passing: float) -> str:
    """The reader's own answer for a share of pairs, by dice that do not see the letters."""
    axis = re.search(r"tell a person who (.+) from a person who (.+)\.$", prompt, re.MULTILINE)
    answers = re.findall(r"^Answer [AB]: «(.*)»$", prompt, re.MULTILINE)
    if not axis or len(answers) != 2:
        raise ValueError("the stub does not find axis and answers in this judge's prompt")
    portrait = prompt.partition("Situation:")[0]
    dice = random.Random("\n".join((portrait, *sorted(answers))))
    high, low = axis.groups() if _is_high(portrait, *axis.groups()) else reversed(axis.groups())
    suits = [stub_scenes.stands_for(told, high, low) for told in answers]
    if suits[0] == suits[1]:
        suits[answers.index(min(answers))] = not suits[0]
    preferred = "A" if suits[0] == (dice.random() < passing) else "B"
    reason = "It is what the reader would say, by all that is known."
    told = {"preferred": preferred, "offers_both": "yes", "both_plausible": "yes"}
    return json.dumps({**told, "hinges": "yes", "reason": reason})


def _is_high(portrait: str, high: str, low: str) -> bool:
    """Where the reader stands on an axis, or else on the broader one that it is a part of."""
    lines = {line.removeprefix("- ") for line in portrait.splitlines()}
    if lines & {high, low}:
        return high in lines
    whole = _whole(high)
    return whole is not None and whole in lines


@cache
def _whole(high: str) -> str | None:
    """The high pole of the dimension that the one of this high pole is a part of."""
    for axis in dimensions().values():
        if axis.high == high:
            return dimension(axis.parent).high if axis.parent else None
    return None
