"""Gives calls to one endpoint their turns: fairly, and no more at once than it bears."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from agents.capacity import Capacity, Sample

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0
"""Between two calls to a silent endpoint: doubled each time."""

asking: ContextVar[str] = ContextVar("asking", default="")
"""Whose call it is, for fairness: a reader's id."""


@dataclass
class Slot:
    """One call's place; it is to be told how the call ended, unless that says nothing."""

    sample: Sample | None
    began: float
    ended: Literal["answered", "refused"] | None = None
    retry_after_s: float = 0.0

    def answered(self) -> None:
        """The endpoint gave a reply, whatever it says."""
        self.ended = "answered"

    def refused(self, retry_after_s: float | None) -> None:
        """The endpoint was too busy, silent, failing or not there; it may have said how long."""
        self.ended, self.retry_after_s = "refused", retry_after_s or 0.0


class Throttle:
    """Bounds the calls in flight to one endpoint; to be used in one event loop.

    Args:
        most: calls in flight at most, whatever the endpoint bears.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._capacity = Capacity(most)
        self._waiting: OrderedDict[str, deque[asyncio.Future[Sample | None]]] = OrderedDict()
        self._in_flight = 0
        self._resting = 0
        """Places that stay empty for a while after a refusal."""
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._told_until = 0.0
        """When the endpoint wants to be asked again, by what it said since its last answer."""
        self._pause_s = FIRST_PAUSE_S
        self._pause: asyncio.TimerHandle | None = None
        """While it runs, a silent endpoint is not called."""

    @property
    def limit(self) -> int:
        """Calls that may be in flight, where the endpoint is not silent."""
        return self._capacity.limit

    @property
    def in_flight(self) -> int:
        """Calls in flight."""
        return self._in_flight

    @property
    def draining(self) -> bool:
        """Whether no call begins any more."""
        return self._draining

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[Slot]:
        """Wait for a turn; readers take turns, however many calls each of them has."""
        slot = Slot(await self._turn(asking.get()), _now())
        try:
            yield slot
        finally:
            self._learn(slot)
            self._leave()

    async def drain(self) -> None:
        """Begin no call any more, and return when those in flight have ended."""
        self._draining = True
        await self._idle.wait()

    async def _turn(self, who: str) -> Sample | None:
        turn: asyncio.Future[Sample | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(turn)
        self._wake()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._capacity.cancelled(turn.result())
                self._leave()
            raise

    def _wake(self) -> None:
        """Give as many turns as there is room for, one reader after the other."""
        while self._waiting and self._has_room():
            who, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[who] = turns
            if turn.cancelled():
                continue
            turn.set_result(self._capacity.begun())
            self._in_flight += 1
            self._idle.clear()
            if self._capacity.silent:
                self._hold(self._pause_s)
                self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)

    def _has_room(self) -> bool:
        if self._draining:
            return False
        if self._capacity.silent:
            return self._pause is None and self._in_flight < self._most
        return self._in_flight + self._resting < self._capacity.limit

    def _learn(self, slot: Slot) -> None:
        now = _now()
        lasted_s, wanted = now - slot.began, bool(self._waiting)
        if slot.ended == "answered":
            self._told_until = 0.0
            self._capacity.answered(slot.sample, lasted_s, now, wanted)
        elif slot.ended == "refused":
            self._told_until = max(self._told_until, now + slot.retry_after_s)
            was_silent = self._capacity.silent
            self._capacity.refused(slot.sample, now, wanted)
            if not self._capacity.silent:
                self._rest(self._capacity.rest_s(lasted_s))
            elif was_silent:
                self._hold(0.0)
            else:
                self._pause_s = FIRST_PAUSE_S
                self._hold(self._pause_s)
        else:
            self._capacity.cancelled(slot.sample)

    def _leave(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()
        self._wake()

    def _rest(self, seconds: float) -> None:
        self._resting += 1
        asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._resting -= 1
        self._wake()

    def _hold(self, seconds: float) -> None:
        """Call the endpoint no sooner than in so many seconds, nor than it wants to be."""
        until = max(_now() + seconds, self._told_until)
        if self._pause:
            until = max(until, self._pause.when())
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_at(until, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._wake()


def _now() -> float:
    return asyncio.get_running_loop().time()
