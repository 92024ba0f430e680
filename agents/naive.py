"""The naive baseline: a model invents prompt and both answers from the profile alone."""

from collections.abc import Sequence
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, create_model

from agents.chat import Chat
from agents.prompting import render
from agents.records import Facet

AGENT = "naive_writer"


class NaiveDraft(BaseModel):
    """What a model invented in one go."""

    model_config = ConfigDict(str_strip_whitespace=True)

    prompt: str = Field(min_length=20, max_length=360)
    preferred: str = Field(min_length=50, max_length=270)
    """What this reader would rather hear."""
    other: str = Field(min_length=50, max_length=270)
    """What this reader would not."""


class NaiveDrafts(BaseModel):
    """The writer's reply."""

    pairs: list[NaiveDraft] = Field(min_length=1)


class NaiveWriter:
    """Asks for whole pairs, with nothing but the profile to go by."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def invent(
        self, portrait: str, facet: Facet, count: int, repeat: int = 0
    ) -> Sequence[NaiveDraft]:
        """At most `count` pairs about one facet of the reader behind `portrait`.

        Other ones, where the same was asked before with another `repeat`.

        Raises:
            ModelError: the model gave no usable reply.
        """
        turns = render("naive", count=str(count), facet=facet, portrait=portrait)
        drafts = await self._chat.ask(AGENT, turns, _drafts(count), repeat=repeat)
        return [draft for draft in drafts.pairs[:count] if draft.preferred != draft.other]


@cache
def _drafts(count: int) -> type[NaiveDrafts]:
    pairs = (list[NaiveDraft], Field(min_length=1, json_schema_extra={"maxItems": count}))
    return create_model("NaiveDrafts", __base__=NaiveDrafts, pairs=pairs)
