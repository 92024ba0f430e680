"""The deduplicator: lets into the pool what is new, and says what the rest collided with."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from agents.pool import Neighbour, Pool
from agents.records import Scenario
from agents.settings import DeduplicatorSettings


@dataclass(frozen=True)
class Admission:
    """What became of proposed scenarios."""

    admitted: tuple[Scenario, ...]
    collisions: tuple[tuple[Scenario, Neighbour], ...]


class Deduplicator:
    """Keeps the cells of a pool diverse."""

    def __init__(self, pool: Pool, settings: DeduplicatorSettings) -> None:
        self._pool = pool
        self._settings = settings

    async def admit(self, scenarios: Sequence[Scenario]) -> Admission:
        """Add to the pool each scenario that is no duplicate there or among the others."""
        if not scenarios:
            return Admission((), ())
        found = await asyncio.to_thread(
            self._pool.add_unless_near, scenarios, self._settings.duplicate_at
        )
        both = list(zip(scenarios, found, strict=True))
        return Admission(
            admitted=tuple(s for s, neighbour in both if neighbour is None),
            collisions=tuple((s, neighbour) for s, neighbour in both if neighbour),
        )
