"""One question to a chat model: what it is told, in which shape it answers, and what it costs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic

from pydantic import BaseModel, ValidationError

from agents.chat import Reply
from agents.errors import RefusalError, ReplyError, first_fault
from agents.records import Message
from agents.settings import ChatSettings

LOGPROBS = {"logprobs": True, "top_logprobs": 5}
"""Asked for beside a reply that is weighed; several endpoints refuse more than 5 alternatives."""
BYTES_OF_A_TURN = 16
"""That endpoints add to each turn of a conversation, as tokens at most."""


@dataclass(frozen=True)
class Question(Generic[Reply]):
    """What is asked of the model, in which shape, and which of its replies is wanted."""

    agent: str
    turns: tuple[Message, ...]
    reply: type[Reply]
    repeat: int = 0
    wanted: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Asked for beside the reply."""

    @property
    def format(self) -> dict[str, Any]:
        """The shape as OpenAI takes it."""
        return _format(self.reply)

    def key(self, settings: ChatSettings) -> str:
        """A digest of what the reply depends on: prompt, model, parameters, and the repeat."""
        parts = (
            (settings.model, settings.temperature, settings.max_tokens),
            [(turn.role, turn.content) for turn in self.turns],
            _format_text(self.reply),
            self.wanted,
            self.repeat,
        )
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def dearest(self, settings: ChatSettings) -> float:
        """The most that one try can cost, in USD: no token is shorter than a byte."""
        prompt = sum(len(turn.content.encode()) + BYTES_OF_A_TURN for turn in self.turns)
        prompt += len(_format_text(self.reply))
        return settings.cost_usd(prompt, settings.max_tokens)

    def fitting(self, text: str, refusal: str | None) -> Reply:
        """The reply in its shape.

        Raises:
            RefusalError: there is none.
            ReplyError: it does not fit.
        """
        if refusal:
            raise RefusalError(f"The model declined: {refusal}")
        try:
            return self.reply.model_validate_json(text)
        except ValidationError as error:
            raise ReplyError(
                f"The {self.agent}'s reply does not fit: {fault(error)}", text
            ) from error


def fault(error: ValidationError) -> str:
    """The first thing wrong with a reply."""
    where, what = first_fault(error)
    return f"{where or 'reply'}: {what}."


@cache
def _format(reply: type[BaseModel]) -> dict[str, Any]:
    """Not `strict`: endpoints differ in the keywords they allow there, and we validate anyway."""
    schema = reply.model_json_schema()
    return {"type": "json_schema", "json_schema": {"name": reply.__name__, "schema": schema}}


@cache
def _format_text(reply: type[BaseModel]) -> str:
    return json.dumps(_format(reply))
