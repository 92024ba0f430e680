"""The scripted model: a deterministic chat and embedder that ship, for runs without weights.

What it writes has the right shape and varies with the prompt; it means nothing. About one draft
in eight repeats an example word for word and one is lopsided, and about one quote in eight stands
nowhere, so that every road of the graph is taken.
"""

import hashlib
import json
import math
import random
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import numpy as np

from agents.chat import Alternative, OnCall, Reply, Token, Weighed
from agents.deduplicator import SameChoice
from agents.embeddings import Vectors
from agents.errors import ReplyError
from agents.gates import words
from agents.judges.by_chat import Opinion
from agents.naive import NaiveDraft, NaiveDrafts
from agents.records import Message, ModelCall
from agents.scenario_writer import ScenarioDraft, ScenarioDrafts
from agents.stances.by_chat import FoundStance, FoundStances

DIMENSIONS = 256
_WHO = (
    "your neighbour,a cousin,a colleague,your old teacher,the shopkeeper,a guest,your sister,"
    "the bus driver,a new classmate,your landlord"
).split(",")
_WHAT = (
    "brings three boxes of tiles,asks for help with a broken gate,plans a picnic by the lake,"
    "wants to repaint the stairwell,finds a wallet under the bench,offers two spare tickets,"
    "starts a weekly chess evening,drops a tray of seedlings,needs a lift to the station,"
    "proposes to share the garden hose"
).split(",")
_WHEN = (
    "on a rainy Sunday,just before supper,at the end of a long shift,during the holidays,"
    "on the first warm day,while you are packing,early on market day,after the concert"
).split(",")
_ASK = (
    "What do you do first?,How do you answer?,What do you suggest?,Where do you begin?,"
    "What would you say?"
).split(",")
_HIGH = (
    "Go at it with both hands,Say yes before all is said,Call the whole street together,"
    "Ask a dozen questions about it,Make a game of it for everyone,Take the lead in the work,"
    "Offer twice what was asked for,Tell them plainly what you think,Set a date for it on the spot,"
    "Lend whatever the house holds,Try a way that nobody knows yet,Laugh and join in at once,"
    "Write a list and tick it off,Forgive the mess and hug them,Promise to stay until the end,"
    "Turn it into a song for later"
).split(",")
_LOW = (
    "Sit down and wait a little,Thank them and keep your plans,Close the door for a while,"
    "Let somebody else look into it,Stay with what has always worked,Do your own part and no more,"
    "Give a small sum and move on,Keep your opinion to yourself,Leave the day open for now,"
    "Hold on to what is yours,Ask for the usual way of doing it,Smile and watch from the bench,"
    "Take it as it comes today,Say that it was a nuisance,Leave early and sleep on it,"
    "Put it away without a word"
).split(",")
_WHY = (
    "since the day is young,because it matters to them,for the sake of peace,since it costs little,"
    "because tomorrow is another day,as you did last year"
).split(",")
_TAIL = (
    "and take it from there,and see how it goes,and leave the rest for later,as far as it goes,"
    "with a cup of tea,and mean it"
).split(",")


class ScriptedChat:
    """Answers by a hash of the prompt, at once and the same every time."""

    name = "scripted"
    models = ("scripted",)

    def __init__(self, on_call: OnCall) -> None:
        self._on_call = on_call

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        """A reply of the asked shape; it knows those of the writer, the critic and the reader."""
        dice = _dice(messages, repeat)
        if issubclass(reply, ScenarioDrafts):
            answer: Any = _drafts(messages, dice)
        elif issubclass(reply, Opinion):
            answer = _opinion(messages)
        elif issubclass(reply, NaiveDrafts):
            answer = _naive(messages, dice)
        elif issubclass(reply, SameChoice):
            answer = SameChoice(same=dice.random() < 0.5, confidence=0.8)
        elif issubclass(reply, FoundStances):
            answer = _stances(messages, dice)
        else:
            raise ReplyError(f"The scripted model knows no {reply.__name__}.")
        text = answer.model_dump_json()
        self._tell(agent, messages, text)
        return cast(Reply, answer)

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        """The same; the critic's answers are the surer, the clearer they follow from the words."""
        answer = await self.ask(agent, messages, reply)
        return Weighed(answer, _tokens(answer, messages) if isinstance(answer, Opinion) else ())

    async def stream(self, messages: Sequence[Message], model: str) -> AsyncIterator[str]:
        """The catalogue entry's first sentences, which are faithful for sure."""
        entry = re.findall(r"«(.*?)»", messages[-1].content)[-1]
        for sentence in re.findall(r"[^.!?]+[.!?]*", entry)[:2]:
            yield sentence

    async def drain(self) -> None:
        """Nothing is in flight."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def _tell(self, agent: str, messages: Sequence[Message], text: str) -> None:
        self._on_call(
            ModelCall(
                agent=agent,
                model=self.name,
                prompt=tuple(messages),
                reply=text,
                tokens_in=sum(len(words(m.content)) for m in messages),
                tokens_out=len(words(text)),
                duration_s=0.0,
                cost_usd=0.0,
            )
        )


class ScriptedEmbedder:
    """Hashed bags of words: texts are near where they share words."""

    name = "scripted"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text: shape (len(texts), 256), float32."""
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in words(text) or [text]:
                digest = hashlib.sha256(word.encode()).digest()
                row[digest[0]] += 1 if digest[1] % 2 else -1
            row[0] += 1e-3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _dice(messages: Sequence[Message], repeat: int) -> random.Random:
    text = "\n".join((*(m.content for m in messages), str(repeat)))
    return random.Random(hashlib.sha256(text.encode()).digest())


def _drafts(messages: Sequence[Message], dice: random.Random) -> ScenarioDrafts:
    examples = [
        ScenarioDraft.model_construct(**draft)
        for m in messages
        if m.role == "assistant"
        for draft in json.loads(m.content)["scenarios"]
    ]
    asked = re.search(r"Write (\d+)", messages[-1].content)
    return ScenarioDrafts(
        scenarios=[_draft(examples, dice) for _ in range(int(asked.group(1)) if asked else 1)]
    )


def _draft(examples: Sequence[ScenarioDraft], dice: random.Random) -> ScenarioDraft:
    luck = dice.randrange(8) if examples else None
    if luck == 0:
        return dice.choice(examples)
    draft = ScenarioDraft(
        situation=f"It is {dice.choice(_WHEN).removeprefix('on ')}: {dice.choice(_WHO)}"
        f" {dice.choice(_WHAT)}, and {dice.choice(_WHO)} {dice.choice(_WHAT)}. {dice.choice(_ASK)}",
        high=f"{dice.choice(_HIGH)}, {dice.choice(_TAIL)}, {dice.choice(_WHY)}.",
        low=f"{dice.choice(_LOW)}, {dice.choice(_TAIL)}, {dice.choice(_WHY)}.",
    )
    lopsided = f"{draft.high} {draft.high} {draft.high}"
    return draft.model_copy(update={"high": lopsided}) if luck == 1 else draft


def _naive(messages: Sequence[Message], dice: random.Random) -> NaiveDrafts:
    asked = re.search(r"Write (\d+)", messages[-1].content)
    drafts = [_draft([], dice) for _ in range(int(asked.group(1)) if asked else 1)]
    return NaiveDrafts(
        pairs=[NaiveDraft(prompt=d.situation, preferred=d.high, other=d.low) for d in drafts]
    )


def _lead(messages: Sequence[Message]) -> float:
    """By how much A shares more words with the portrait than B."""
    text = messages[-1].content
    _situation, a, b = re.findall(r"«(.*?)»", text)[-3:]
    portrait = text.split("Situation")[0]
    vectors = ScriptedEmbedder().embed([portrait, a, b])
    return float(vectors[0] @ vectors[1] - vectors[0] @ vectors[2])


def _opinion(messages: Sequence[Message]) -> Opinion:
    """The answer that shares more words with the portrait; nothing is wrong with the pair."""
    return Opinion(
        preferred="A" if _lead(messages) >= 0 else "B",
        offers_both="yes",
        both_plausible="yes",
        hinges="yes",
        reason="shares more words with the portrait",
    )


def _tokens(opinion: Opinion, messages: Sequence[Message]) -> tuple[Token, ...]:
    """Its text in pieces; each answer has the odds of the lead, its opposite the rest."""
    sure = min(0.99, 0.5 + abs(_lead(messages)))
    opposite = {"A": "B", "B": "A", "yes": "no"}
    pieces = re.split(r'(?<=")(A|B|yes)(?=")', opinion.model_dump_json())
    return tuple(
        Token(
            token=piece,
            logprob=math.log(sure),
            top_logprobs=(Alternative(token=opposite[piece], logprob=math.log(1 - sure)),),
        )
        if piece in opposite
        else Token(token=piece, logprob=0)
        for piece in pieces
    )


def _stances(messages: Sequence[Message], dice: random.Random) -> FoundStances:
    """Half of the sentences, at most six, each for a dimension that the dice choose."""
    text = messages[-1].content
    dimensions = re.findall(r"^- (\w+): ", text, re.MULTILINE)
    sentences = [
        (int(review), sentence.strip())
        for review, passages in re.findall(r"^Review (\d+):\n((?:«.*»\n?)+)", text, re.MULTILINE)
        for passage in re.findall(r"«(.*)»", passages)
        for sentence in re.findall(r"[^.!?]+[.!?]*", passage)
    ]
    return FoundStances(
        stances=[
            FoundStance(
                dimension=dice.choice(dimensions),
                pole=dice.choice(("high", "low")),
                certainty=round(dice.uniform(0.3, 0.9), 2),
                review=review,
                quote=f"As they say, {sentence}" if dice.randrange(8) == 0 else sentence,
            )
            for review, sentence in dice.sample(sentences, min(6, (len(sentences) + 1) // 2))
        ]
    )
