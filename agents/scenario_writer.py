"""The scenario writer: grows a thin cell by a few twin scenarios per call."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from iso3166 import countries_by_alpha2
from pydantic import BaseModel, ConfigDict, Field, create_model

from agents.chat import Chat
from agents.frameworks.catalogue import frameworks
from agents.prompting import quoted, render
from agents.records import Dimension, Domain, Message, Scenario

if TYPE_CHECKING:
    from agents.pool import Pool  # with ChromaDB, which takes seconds

AGENT = "scenario_writer"
MOST_EXAMPLES = 3
MOST_AVOIDED = 5


class ScenarioDraft(BaseModel):
    """A situation with the answer of each kind of person."""

    model_config = ConfigDict(str_strip_whitespace=True)

    situation: str = Field(pattern=r'^[^?"\\\n]{60,360}\?$')
    high: str = Field(min_length=50, max_length=270)
    low: str = Field(min_length=50, max_length=270)
    domain: Domain = "community"


class ScenarioDrafts(BaseModel):
    """The writer's reply."""

    scenarios: list[ScenarioDraft] = Field(min_length=1)


@dataclass(frozen=True)
class Commission:
    """What the writer is to write, and what it is told beside."""

    dimension: Dimension
    """The cell to grow."""
    count: int
    """Scenarios wanted of this call."""
    country: str | None = None
    """ISO code of a country to set the scenes in; none leaves them neutral."""
    interest: str = ""
    """A kind of books that the person in the scene likes; of nobody in particular."""
    domains: tuple[Domain, ...] = ()
    """Parts of life that the pool has too few scenes of."""
    avoid: tuple[str, ...] = ()
    """Situations to keep away from."""
    criticism: str = ""
    """What the critic said of the last attempt."""
    repeat: int = 0
    """Which of several replies to the same commission is wanted."""

    @property
    def setting(self) -> str:
        """Where the scenes are set and what they touch on, as the prompt says it."""
        country = countries_by_alpha2[self.country].apolitical_name if self.country else ""
        place = f" set in {country}" if country else ""
        return place + (f", lived by somebody who reads {self.interest}" if self.interest else "")


class ScenarioWriter:
    """Asks a chat model for twin scenarios, with the nearest pool entries as worked examples."""

    def __init__(self, chat: Chat, pool: "Pool") -> None:
        self._chat = chat
        self._pool = pool

    async def write(self, commission: Commission) -> list[Scenario]:
        """At most `commission.count` new scenarios; not yet in the pool.

        Raises:
            ModelError: the model gave no usable reply; `raw` of a `ReplyError` is what it gave.
        """
        axis = commission.dimension
        near = await asyncio.to_thread(self._nearest, commission)
        shown, known = near[:MOST_EXAMPLES], near[MOST_EXAMPLES:]
        avoid = dict.fromkeys((*commission.avoid, *(s.situation for s in known)))
        turns = _conversation(commission, shown, list(avoid)[:MOST_AVOIDED])
        drafts = await self._chat.ask(
            AGENT, turns, _drafts(commission.count), repeat=commission.repeat
        )
        return [
            Scenario(
                id=_identity(axis, draft),
                facet=axis.facet,
                dimension=axis.name,
                situation=_clean(draft.situation),
                high=_clean(draft.high),
                low=_clean(draft.low),
                culture=commission.country,
                domain=draft.domain,
                provenance="written",
                parents=tuple(s.id for s in shown),
            )
            for draft in drafts.scenarios[: commission.count]
        ]

    def _nearest(self, commission: Commission) -> list[Scenario]:
        """The scenes of the cell and of its parts that are nearest to what is wanted."""
        axis = commission.dimension
        parts = frameworks()[axis.framework].parts(axis.name)
        wanted = f"{axis.high}, or {axis.low}{commission.setting} {' '.join(commission.domains)}"
        names = [axis.name, *(part.name for part in parts if part.sensitive is None)]
        found = self._pool.search(wanted, MOST_EXAMPLES + MOST_AVOIDED, names)
        return [neighbour.scenario for neighbour in found]


@cache
def _drafts(count: int) -> type[ScenarioDrafts]:
    """A reply whose schema asks for at most `count` drafts; more are no error, only not taken."""
    drafts = (list[ScenarioDraft], Field(min_length=1, json_schema_extra={"maxItems": count}))
    return create_model("ScenarioDrafts", __base__=ScenarioDrafts, scenarios=drafts)


def _conversation(
    commission: Commission, examples: Sequence[Scenario], avoid: Sequence[str]
) -> list[Message]:
    def ask(count: int, **last: str) -> tuple[Message, ...]:
        told = {"setting": commission.setting, "domains": "", "avoid": "", "criticism": ""} | last
        axis = commission.dimension
        return render("scenario_writer", count=str(count), high=axis.high, low=axis.low, **told)

    system, first = ask(1)
    turns = [system]
    for example in examples:
        draft = ScenarioDraft.model_construct(
            situation=example.situation,
            high=example.high,
            low=example.low,
            domain=example.domain,
        )
        reply = ScenarioDrafts.model_construct(scenarios=[draft]).model_dump_json()
        turns += [first, Message(role="assistant", content=reply)]
    avoided = "".join(f"- {quoted(situation)}\n" for situation in avoid)
    criticism = commission.criticism
    last = ask(
        commission.count,
        domains=f"Parts of life to take them from: {', '.join(commission.domains)}\n"
        if commission.domains
        else "",
        avoid=f"Keep away from these situations:\n{avoided}" if avoided else "",
        criticism=f"The last attempt was refused: {criticism}\n" if criticism else "",
    )[1]
    return [*turns, last]


def _identity(dimension: Dimension, draft: ScenarioDraft) -> str:
    """The same text gets the same id, so that a repeated step adds nothing."""
    words = "\n".join((dimension.name, draft.situation, draft.high, draft.low))
    return f"w-{dimension.name}-{hashlib.sha256(words.encode()).hexdigest()[:10]}"


def _clean(text: str) -> str:
    return " ".join(text.split())
