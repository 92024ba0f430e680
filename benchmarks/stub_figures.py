"""What became of the stub endpoint's calls, and how busy it was; it serves none."""

import time
from collections import Counter
from typing import Any


class Figures:
    """Counts since it was made; to be used in one event loop."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._in_flight = self._most_in_flight = 0
        self._busy_s = 0.0
        self._changed = time.time()
        self._cpu_s = time.process_time()
        self._first: float | None = None
        self._last: float | None = None

    @property
    def in_flight(self) -> int:
        """Calls that are taken up now."""
        return self._in_flight

    def since_first_s(self) -> float:
        """Seconds since the first call, which is this one where there was none."""
        now = time.time()
        self._first = self._first or now
        return now - self._first

    def take_up(self, calls: int) -> None:
        """So many more calls are in flight now, or fewer."""
        now = time.time()
        self._busy_s += self._in_flight * (now - self._changed)
        self._changed = now
        self._in_flight += calls
        self._most_in_flight = max(self._most_in_flight, self._in_flight)

    def ended(self, outcome: str) -> None:
        """One more call ended so."""
        self._outcomes[outcome] += 1
        self._last = time.time()

    def told(self, places: int) -> dict[str, Any]:
        """As /stats tells it.

        Args:
            places: calls that may be in flight; `utilisation` is the share of them that was taken
                up, from the arrival of the first call to the end of the last.
        """
        self.take_up(0)
        wall_s = self._last - self._first if self._first and self._last else 0.0
        return {
            "calls": self._outcomes.total(),
            "outcomes": dict(self._outcomes),
            "in_flight": self._in_flight,
            "most_in_flight": self._most_in_flight,
            "first": self._first,
            "last": self._last,
            "wall_s": wall_s,
            "busy_s": self._busy_s,
            "utilisation": self._busy_s / (places * wall_s) if wall_s else 0.0,
            "cpu_s": time.process_time() - self._cpu_s,
        }
