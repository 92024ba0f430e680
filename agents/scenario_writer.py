"""The scenario writer: grows a thin cell by a few twin scenarios per call."""

import hashlib
from collections.abc import Sequence
from functools import cache

from pydantic import BaseModel, Field, create_model

from agents.chat import Chat
from agents.prompting import render
from agents.records import Dimension, Message, Scenario

AGENT = "scenario_writer"
MOST_EXAMPLES = 3


class ScenarioDraft(BaseModel):
    """A situation with the answer of each kind of person."""

    situation: str = Field(pattern=r'^[^?"\\\n]{60,360}\?$')
    high: str = Field(min_length=50, max_length=270)
    low: str = Field(min_length=50, max_length=270)


class ScenarioDrafts(BaseModel):
    """The writer's reply."""

    scenarios: list[ScenarioDraft] = Field(min_length=1)


class ScenarioWriter:
    """Asks a chat model for twin scenarios, with pool entries as worked examples."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def write(
        self,
        dimension: Dimension,
        examples: Sequence[Scenario],
        count: int,
        setting: str | None = None,
        avoid: Sequence[str] = (),
        criticism: str = "",
    ) -> list[Scenario]:
        """At most `count` new scenarios for `dimension`.

        Args:
            dimension: the cell to grow.
            examples: pool entries of the same dimension, shown as earlier turns.
            count: how many to ask for in this call.
            setting: a country's name to set the scenes in; none leaves them neutral.
            avoid: situations to keep away from.
            criticism: what the critic said of the last attempt.

        Raises:
            ModelError: the model gave no usable reply.
        """
        shown = list(examples)[:MOST_EXAMPLES]
        turns = _conversation(dimension, shown, count, setting, avoid, criticism)
        drafts = await self._chat.ask(AGENT, turns, _drafts(count))
        return [
            Scenario(
                id=_identity(dimension, draft),
                facet=dimension.facet,
                dimension=dimension.name,
                situation=_clean(draft.situation),
                high=_clean(draft.high),
                low=_clean(draft.low),
                provenance="written",
                parents=tuple(s.id for s in shown),
            )
            for draft in drafts.scenarios[:count]
        ]


@cache
def _drafts(count: int) -> type[ScenarioDrafts]:
    """A reply whose schema asks for at most `count` drafts; more are no error, only not taken."""
    drafts = (list[ScenarioDraft], Field(min_length=1, json_schema_extra={"maxItems": count}))
    return create_model("ScenarioDrafts", __base__=ScenarioDrafts, scenarios=drafts)


def _conversation(
    dimension: Dimension,
    examples: Sequence[Scenario],
    count: int,
    setting: str | None,
    avoid: Sequence[str],
    criticism: str,
) -> list[Message]:
    avoided = "".join(f"- {situation}\n" for situation in avoid)

    def ask(number: int, avoid: str = "", criticism: str = "") -> tuple[Message, ...]:
        return render(
            "scenario_writer",
            count=str(number),
            setting=f" set in {setting}" if setting else "",
            high=dimension.high,
            low=dimension.low,
            avoid=avoid,
            criticism=criticism,
        )

    system, first = ask(1)
    turns = [system]
    for example in examples:
        draft = ScenarioDraft.model_construct(
            situation=example.situation, high=example.high, low=example.low
        )
        reply = ScenarioDrafts.model_construct(scenarios=[draft]).model_dump_json()
        turns += [first, Message(role="assistant", content=reply)]
    last = ask(
        count,
        f"Keep away from these situations:\n{avoided}" if avoided else "",
        f"The last attempt was refused: {criticism}\n" if criticism else "",
    )[1]
    return [*turns, last]


def _identity(dimension: Dimension, draft: ScenarioDraft) -> str:
    """The same text gets the same id, so that a repeated step adds nothing."""
    words = "\n".join((dimension.name, draft.situation, draft.high, draft.low))
    return f"w-{dimension.name}-{hashlib.sha256(words.encode()).hexdigest()[:10]}"


def _clean(text: str) -> str:
    return " ".join(text.split())
