"""The faults of the stub endpoint: how often each kind comes, and when nobody is there; no server.

429, 500: refused at once. timeout: the work is done and its place given up, but no answer ever
comes. malformed: the latter half of the reply. truncated: the first half, with the finish reason
`length`. refusal: a refusal in place of the reply. The dice are thrown once for each request, in
the order in which they arrive. In an outage the connections of requests are reset, of those too
that arrived before it and would be answered in it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Fault = Literal["429", "500", "timeout", "malformed", "truncated", "refusal"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Outage:
    """Seconds from the first request since the start or the last reset, and how long it lasts."""

    start_s: float
    lasts_s: float

    def covers(self, since_first_s: float) -> bool:
        """Whether it is going on."""
        return self.start_s <= since_first_s < self.start_s + self.lasts_s


@dataclass
class Dice:
    """Says which fault befalls the next request.

    Args:
        shares: of all requests, by kind.
        seed: the same requests in the same order meet the same faults.
    """

    shares: Mapping[Fault, float]
    seed: int
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._random = random.Random(self.seed)

    def throw(self) -> Fault | None:
        """The next request's fault, if any."""
        left = self._random.random()
        for fault, share in self.shares.items():
            left -= share
            if left < 0:
                return fault
        return None


def shares_of(text: str) -> dict[Fault, float]:
    """Of `429=0.2,timeout=0.05`.

    Raises:
        ValueError: it names no fault, or the shares are not between 0 and 1 together.
    """
    shares: dict[Fault, float] = {}
    for part in filter(None, text.split(",")):
        name, _, share = part.partition("=")
        fault: Fault | None = next((f for f in FAULTS if f == name.strip()), None)
        if fault is None:
            raise ValueError(f"{name!r} is none of {', '.join(FAULTS)}")
        shares[fault] = float(share)
    if min(shares.values(), default=0) < 0 or sum(shares.values()) > 1:
        raise ValueError(f"{text!r}: shares are 0 or more, and 1 at most together")
    return shares


def outage_of(text: str) -> Outage:
    """Of `30,60`: after 30 seconds, for 60.

    Raises:
        ValueError: it is no such pair.
    """
    start, lasts = map(float, text.split(","))
    return Outage(start, lasts)
