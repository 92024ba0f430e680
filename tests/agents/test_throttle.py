"""The throttle finds what an endpoint bears, and gives turns fairly; on a clock that jumps."""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field

import pytest

from agents.throttle import Throttle, asking
from tests.agents.virtual_time import run

LATENCY_S = 0.3
REFUSED_AFTER_S = 0.005
TIME_OUT_S = 2.0


@dataclass
class Endpoint:
    """Answers after 0.3 s; refuses above its capacity, by chance, and while it is out."""

    capacity: int = 10_000
    refused: float = 0.0
    silent: float = 0.0
    out: tuple[float, float] = (0.0, 0.0)
    at_work: int = 0
    begun: list[float] = field(default_factory=list[float])
    answers: list[float] = field(default_factory=list[float])
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def call(self) -> bool:
        self.begun.append(now())
        throw = self.chance.random()
        out = self.out[0] <= now() < self.out[1]
        if out or self.at_work >= self.capacity or throw < self.refused:
            await asyncio.sleep(REFUSED_AFTER_S)
            return False
        if throw < self.refused + self.silent:
            await asyncio.sleep(TIME_OUT_S)
            return False
        self.at_work += 1
        await asyncio.sleep(LATENCY_S)
        self.at_work -= 1
        self.answers.append(now())
        return True

    def used(self, at_once: int, first: float = 0.0, last: float = 0.9) -> float:
        """Share of the answers that so many calls at once would have given meanwhile."""
        count = len(self.answers)
        a, b = int(first * count), int(last * count)
        return (b - a) / (self.answers[b] - self.answers[a]) * LATENCY_S / at_once


def now() -> float:
    return asyncio.get_running_loop().time()


async def answered(throttle: Throttle, endpoint: Endpoint, retry_after_s: float | None = None):
    while True:
        async with throttle.slot() as slot:
            if await endpoint.call():
                slot.answered()
                return
            slot.refused(retry_after_s)
        await asyncio.sleep(retry_after_s or endpoint.chance.uniform(0.25, 1.0))


async def many(
    endpoint: Endpoint, most: int, jobs: int, retry_after_s: float | None = None
) -> Throttle:
    throttle = Throttle(most)
    await asyncio.gather(*(answered(throttle, endpoint, retry_after_s) for _ in range(jobs)))
    return throttle


@pytest.mark.parametrize("most", [1, 3, 64, 256])
def test_a_healthy_endpoint_is_soon_used_to_the_full_and_never_beyond(most: int):
    endpoint = Endpoint(capacity=most)
    throttle = run(many(endpoint, most, 60 * most))
    assert len(endpoint.begun) == 60 * most, "nothing was refused"
    assert throttle.limit == most
    assert endpoint.used(most, first=0.2) > 0.99
    assert endpoint.answers[10 * most] < 17 * LATENCY_S


@pytest.mark.parametrize(("capacity", "most"), [(4, 64), (16, 64), (32, 256), (100, 256)])
def test_the_limit_of_an_endpoint_is_found(capacity: int, most: int):
    endpoint = Endpoint(capacity=capacity)
    throttle = run(many(endpoint, most, 100 * capacity))
    assert endpoint.used(capacity, first=0.25) > 0.85
    assert 0.7 * capacity <= throttle.limit <= 1.3 * capacity
    refused = len(endpoint.begun) - len(endpoint.answers)
    assert refused < 0.2 * len(endpoint.answers)


@pytest.mark.parametrize("most", [64, 256])
def test_what_is_refused_whatever_the_number_slows_nothing_down(most: int):
    endpoint = Endpoint(refused=0.25, silent=0.05)
    throttle = run(many(endpoint, most, 60 * most))
    assert throttle.limit == most
    a_call_s = 0.7 * LATENCY_S + 0.05 * TIME_OUT_S + 0.25 * REFUSED_AFTER_S
    assert endpoint.used(most, first=0.25) > 0.7 * 0.7 * LATENCY_S / a_call_s


def test_a_limit_is_found_among_refusals_by_chance():
    endpoint = Endpoint(capacity=32, refused=0.2)
    run(many(endpoint, 64, 3000))
    assert endpoint.used(32, first=0.25) > 0.7


def test_an_outage_is_ridden_out_with_single_calls():
    endpoint = Endpoint(out=(3.0, 63.0))
    run(many(endpoint, 64, 3000))
    meanwhile = [at for at in endpoint.begun if 5.0 < at < 63.0]
    assert 20 < len(meanwhile) < 64, "one call at most every other second"
    after = [at for at in endpoint.answers if at > 63.0]
    assert after[0] < 66.0
    assert after[500] < 70.0, "it is soon used to the full again"


def test_nobody_calls_before_the_endpoint_wants_it():
    endpoint = Endpoint(out=(0.0, 8.0))
    run(many(endpoint, 16, 64, retry_after_s=5.0))
    first = endpoint.begun[:16]
    assert max(first) == 0.0
    rest = endpoint.begun[16:]
    assert min(rest) >= 5.0


def test_a_reader_with_one_call_does_not_wait_for_another_with_hundreds():
    ended: dict[str, list[float]] = {"much": [], "little": []}

    async def ask(throttle: Throttle, who: str) -> None:
        asking.set(who)
        async with throttle.slot() as slot:
            await asyncio.sleep(LATENCY_S)
            slot.answered()
        ended[who].append(now())

    async def both() -> None:
        throttle = Throttle(4)
        await asyncio.gather(*(ask(throttle, "much") for _ in range(200)), ask(throttle, "little"))

    run(both())
    assert ended["little"][0] <= 3 * LATENCY_S
    assert max(ended["much"]) > 40 * LATENCY_S


def test_cancelled_calls_leak_no_turn():
    async def all_of_it() -> None:
        throttle, chance = Throttle(4), random.Random(2)
        endpoint = Endpoint()
        tasks = [asyncio.create_task(answered(throttle, endpoint)) for _ in range(60)]
        for task in chance.sample(tasks, 50):
            await asyncio.sleep(0.02)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert throttle.in_flight == 0
        began = now()
        await asyncio.gather(*(answered(throttle, endpoint) for _ in range(8)))
        assert now() - began <= 8 * LATENCY_S
        assert throttle.in_flight == 0

    run(all_of_it())


def test_draining_lets_calls_in_flight_end_and_begins_none():
    async def all_of_it() -> None:
        throttle, endpoint = Throttle(3), Endpoint()
        tasks = [asyncio.create_task(answered(throttle, endpoint)) for _ in range(10)]
        await asyncio.sleep(0.1)
        assert not throttle.draining
        await throttle.drain()
        assert throttle.draining
        assert len(endpoint.begun) == len(endpoint.answers) == 3
        await asyncio.sleep(10)
        assert len(endpoint.begun) == 3
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)

    run(all_of_it())
