"""The deduplicator: lets into the pool what is new, and says what the rest collided with."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, Field

from agents.chat import Chat
from agents.errors import RefusalError, ReplyError
from agents.likeness import Likeness
from agents.prompting import quoted, render
from agents.records import Scenario
from agents.settings import DeduplicatorSettings

if TYPE_CHECKING:
    from agents.pool import Neighbour, Pool  # with ChromaDB, which takes seconds

AGENT = "deduplicator"
LOOK_FROM = 0.3
"""Cosine of two situations below which they are not compared any further."""


@dataclass(frozen=True)
class Admission:
    """What became of proposed scenarios."""

    admitted: tuple[Scenario, ...]
    collisions: "tuple[tuple[Scenario, Neighbour], ...]"


class Referee(Protocol):
    """Whoever can say of two scenarios that look alike whether they put the same choice."""

    async def same(self, one: Scenario, other: Scenario) -> float:
        """The probability that they do.

        Raises:
            ModelError: the referee could not be asked.
        """
        ...


@dataclass(frozen=True)
class _Doubt:
    """A neighbour that may be the same, and how probably."""

    neighbour: "Neighbour"
    probability: float


class Deduplicator:
    """Keeps the pool diverse: within cells by the choice at stake, across cells by the scene.

    Args:
        pool: where scenarios are looked up and added.
        likeness: says how probable it is that two scenarios are the same.
        settings: from which probability on they count as the same.
        referee: decides in the grey zone; without one 0.5 does.
    """

    def __init__(
        self,
        pool: "Pool",
        likeness: Likeness,
        settings: DeduplicatorSettings,
        referee: Referee | None = None,
    ) -> None:
        self._pool = pool
        self._likeness = likeness
        self._settings = settings
        self._referee = referee

    async def admit(self, scenarios: Sequence[Scenario]) -> Admission:
        """Add to the pool each scenario that is no duplicate there or among the others."""
        different: set[tuple[str, str]] = set()
        admitted: list[Scenario] = []
        collisions: list[tuple[Scenario, Neighbour]] = []
        left = list(scenarios)
        while left:
            doubts = await asyncio.to_thread(self._add, left, different)
            again: list[Scenario] = []
            for scenario, doubt in zip(left, doubts, strict=True):
                if doubt is None:
                    admitted.append(scenario)
                elif await self._are_same(scenario, doubt):
                    collisions.append((scenario, doubt.neighbour))
                else:
                    different.add((scenario.id, doubt.neighbour.scenario.id))
                    again.append(scenario)
            left = again
        return Admission(tuple(admitted), tuple(collisions))

    def _add(
        self, scenarios: Sequence[Scenario], different: set[tuple[str, str]]
    ) -> list[_Doubt | None]:
        def doubt(scenario: Scenario, neighbours: "Sequence[Neighbour]") -> _Doubt | None:
            alike = [
                n
                for n in neighbours
                if self._may_be_same(scenario, n) and (scenario.id, n.scenario.id) not in different
            ]
            odds = self._likeness.probabilities([(scenario, n.scenario) for n in alike])
            doubts = [_Doubt(n, p) for n, p in zip(alike, odds.tolist(), strict=True)]
            repeated = [n for n in neighbours if n.similarity >= self._settings.same_scene_at]
            doubts += [_Doubt(n, 1.0) for n in repeated]
            worst = max(doubts, key=lambda d: d.probability, default=None)
            return worst if worst and worst.probability >= self._settings.distinct_below else None

        return self._pool.add_unless(scenarios, doubt)

    def _may_be_same(self, scenario: Scenario, neighbour: "Neighbour") -> bool:
        """Whether the choices at stake are worth comparing; across cells the scene alone counts."""
        near = LOOK_FROM <= neighbour.similarity < self._settings.same_scene_at
        return near and neighbour.scenario.dimension == scenario.dimension

    async def _are_same(self, scenario: Scenario, doubt: _Doubt) -> bool:
        """What the odds say, or the referee in the grey zone, unless it gives no answer."""
        if doubt.probability >= self._settings.duplicate_from:
            return True
        probability = doubt.probability
        if self._referee:
            with contextlib.suppress(RefusalError, ReplyError):
                probability = await self._referee.same(scenario, doubt.neighbour.scenario)
        return probability >= 0.5


class SameChoice(BaseModel):
    """A referee's answer to: do both scenarios put the same choice to the same person?"""

    same: bool
    confidence: float = Field(ge=0.5, le=1)
    """That the answer is right: 0.5 a guess, 1 certain."""


class ChatReferee:
    """Asks a chat model whether two scenarios of a cell are one."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def same(self, one: Scenario, other: Scenario) -> float:
        """The probability that both put the same choice."""
        messages = render(
            "same_choice",
            first=quoted(one.situation),
            first_high=quoted(one.high),
            first_low=quoted(one.low),
            second=quoted(other.situation),
            second_high=quoted(other.high),
            second_low=quoted(other.low),
        )
        answer = await self._chat.ask(AGENT, messages, SameChoice)
        return answer.confidence if answer.same else 1 - answer.confidence
