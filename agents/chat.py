"""What a chat model is to the agents: a question, a reply of a given shape, and what it cost."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from agents.records import Message, ModelCall

Reply = TypeVar("Reply", bound=BaseModel)
OnCall = Callable[[ModelCall], None]


@dataclass(frozen=True)
class Kept:
    """A reply that was paid for already."""

    text: str
    tokens_in: int
    tokens_out: int
    cost_usd: float
    logprobs: dict[str, Any] | None = None


Recall = Callable[[str], Kept | None]
"""Finds the kept reply of a key."""


class Alternative(BaseModel):
    """What may stand at one place of a reply, as OpenAI tells it."""

    model_config = ConfigDict(frozen=True)
    token: str
    logprob: float = Field(strict=True, le=0)
    """Natural logarithm of its probability."""


class Token(Alternative):
    """What stands at one place of a reply."""

    top_logprobs: tuple[Alternative, ...] | None = None
    """The most probable ones, often with the token itself."""

    @property
    def probabilities(self) -> dict[str, float]:
        """Of everything that is known to be possible there, by its text."""
        return {a.token: math.exp(a.logprob) for a in (self, *(self.top_logprobs or ()))}


@dataclass(frozen=True)
class Weighed(Generic[Reply]):
    """A reply, and how probable its words were."""

    reply: Reply
    tokens: tuple[Token, ...] = ()
    """The whole reply in pieces; none where the endpoint tells no log-probabilities."""


class Chat(Protocol):
    """A chat model that answers in the shape of a pydantic model."""

    @property
    def name(self) -> str:
        """The model's name, as traces tell it."""
        ...

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        """The model's answer in the shape of `reply`.

        Args:
            agent: who asks, as traces tell it.
            messages: the conversation so far.
            reply: the wanted shape.
            most_repairs: of a reply that does not fit, where the settings allow more.
            repeat: which of several replies to the same question is wanted. One that was given
                before may be given again, at no cost.

        Raises:
            ModelError: there is none; the kind of error says why.
        """
        ...

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        """The same with the probabilities of its tokens, where the endpoint tells them.

        Raises:
            ModelError: as `ask` does; a ReplyError too where they are no log-probabilities.
        """
        ...

    async def drain(self) -> None:
        """Begin no call any more, and return when those in flight have ended."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
