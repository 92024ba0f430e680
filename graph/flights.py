"""Single flight: for each dimension one writer at a time, whoever else needs scenes there waits."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Flights:
    """Who is writing for which dimension in this process."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._held: dict[str, list[asyncio.Lock]] = {}

    async def begin(self, reader_id: str, dimensions: Iterable[str]) -> None:
        """Wait until nobody else writes for any of these dimensions, and hold them.

        All take them in the same order, so that no two wait for each other.
        """
        self.end(reader_id)
        held = self._held.setdefault(reader_id, [])
        for name in sorted(set(dimensions)):
            await self._locks[name].acquire()
            held.append(self._locks[name])

    def end(self, reader_id: str) -> None:
        """Let the dimensions go that the reader's thread holds, if any."""
        for lock in self._held.pop(reader_id, []):
            lock.release()
