"""When a failed call is tried again, and when it is not: it waits for nothing itself."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from agents.errors import EndpointError, RefusalError

PASSING = (408, 409, 429)
"""Statuses that say: not now; beside all of the server's own failures."""
TRIES_OF_A_STRANGER = 3
"""Of a call to an endpoint that never answered in this process: its address may be wrong."""
MOST_TRIES = 10
"""Of a call while others go through: it may be this one that the endpoint cannot do."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 2.0
"""Before a call is tried again: doubled each time, of which half by chance. A silent endpoint is
spared by the throttle; who comes back late after an outage holds a whole reader up."""


@dataclass
class Troubles:
    """What one call has been through."""

    began: float
    """When it was first tried; in seconds, as the others."""
    last: float
    """When it last failed."""
    tries: int = 0
    alone: int = 0
    """Tries that failed while others went through."""


class Patience:
    """How long to bear with one endpoint; to be used in one event loop.

    Args:
        most_s: seconds without any reply, after there were some, until it is given up.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._last_answer: float | None = None

    def answered(self) -> None:
        """The endpoint gave a reply, whatever it says."""
        self._last_answer = _now()

    def begin(self) -> Troubles:
        """A call begins."""
        return Troubles(began=_now(), last=_now())

    def pause_s(self, troubles: Troubles, error: EndpointError) -> float:
        """Seconds to wait before a call is tried again that has failed once more.

        Raises:
            EndpointError: it is not tried again, since nothing comes from the endpoint.
            RefusalError: nor here, since others go through and this one does not.
        """
        if not error.passing:
            raise error
        now, answer, pause_s = _now(), self._last_answer, error.retry_after_s
        troubles.tries += 1
        troubles.alone += answer is not None and answer > troubles.last
        troubles.last = now
        if answer is None and pause_s is None and troubles.tries >= TRIES_OF_A_STRANGER:
            raise error
        if troubles.alone >= MOST_TRIES:
            problem = (
                f"{error.problem} So it did {troubles.tries} times, while others went through."
            )
            raise RefusalError(problem) from error
        if pause_s is None:
            longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (troubles.tries - 1))
            pause_s = random.uniform(longest_s / 2, longest_s)
        silent_since = max(troubles.began, answer or troubles.began)
        if now + pause_s - silent_since > self._most_s:
            raise error
        return pause_s


def passes(status: int) -> bool:
    """Whether a status says: not now."""
    return status in PASSING or status >= 500


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """As the endpoint says it: in milliseconds, in seconds, or as a date."""
    try:
        if told := headers.get("retry-after-ms"):
            return max(0.0, float(told) / 1000)
        told = headers.get("retry-after", "")
        if told.replace(".", "", 1).isdigit():
            return float(told)
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
