"""A hard cap on what a run may cost: calls in flight count with the most that they may cost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agents.errors import BudgetError


@dataclass
class Bill:
    """What a call costs; nothing, as long as nobody says so."""

    usd: float = 0.0


class Budget:
    """Lets calls begin as long as all that are in flight may end at their dearest.

    To be used in one event loop.

    Args:
        most_usd: the cap; none lets everything pass.
        spent_usd: what was spent before, by earlier parts of the run.
    """

    def __init__(self, most_usd: float | None = None, spent_usd: float = 0.0) -> None:
        self._most_usd = most_usd
        self._spent_usd = spent_usd
        self._in_flight = 0
        self._reserved_usd = 0.0
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def bill(self, most_usd: float) -> AsyncGenerator[Bill]:
        """Set aside the most that a call may cost; what is yielded is to be told what it did.

        Waits where calls in flight may turn out cheaper than they might have been.

        Raises:
            BudgetError: the cap leaves no room for the call.
        """
        while not self._has_room(most_usd):
            if not self._in_flight:
                raise self._exhausted(most_usd)
            await self._settled.wait()
        self._in_flight += 1
        self._reserved_usd += most_usd
        bill = Bill()
        try:
            yield bill
        finally:
            self._settle(bill, most_usd)

    def _settle(self, bill: Bill, most_usd: float) -> None:
        self._spent_usd += bill.usd
        self._in_flight -= 1
        self._reserved_usd = self._reserved_usd - most_usd if self._in_flight else 0.0
        self._settled.set()
        self._settled = asyncio.Event()

    def _has_room(self, usd: float) -> bool:
        if self._most_usd is None:
            return True
        return self._spent_usd + self._reserved_usd + usd <= self._most_usd

    def _exhausted(self, usd: float) -> BudgetError:
        return BudgetError(
            f"The cap of ${self._most_usd:g} is reached: ${self._spent_usd:.6f} are spent, and the"
            f" next call may cost ${usd:.6f}.",
            "Raise it (--max-cost) and run the same command again: it resumes. A lower"
            " chat.max_tokens makes calls cheaper at most.",
        )
