"""A cap holds whatever calls cost in the end, and lets through what it can."""

import asyncio
import random

import pytest

from agents.budget import Budget
from agents.errors import BudgetError
from tests.agents.virtual_time import run


async def spend(budget: Budget, most_usd: float, usd: float, seconds: float = 0.0) -> float:
    async with budget.bill(most_usd) as bill:
        await asyncio.sleep(seconds)
        bill.usd = usd
    return usd


def test_without_a_cap_everything_passes():
    assert run(spend(Budget(), 1e9, 5.0)) == 5.0


def test_a_cap_below_the_first_call_is_one_line():
    with pytest.raises(BudgetError) as caught:
        run(spend(Budget(0.01), 0.02, 0.001))
    told = "The cap of $0.01 is reached: $0.000000 are spent, and the next call may cost $0.020000."
    assert caught.value.problem == told
    assert "--max-cost" in str(caught.value)


def test_what_was_spent_before_counts():
    with pytest.raises(BudgetError, match=r"\$0\.009000 are spent"):
        run(spend(Budget(0.01, spent_usd=0.009), 0.002, 0.001))


def test_calls_that_cost_nothing_pass_any_cap():
    assert run(spend(Budget(0.0), 0.0, 0.0)) == 0.0


def test_a_call_waits_for_those_in_flight_that_may_turn_out_cheaper():
    async def both() -> list[float]:
        budget = Budget(1.0)
        first = asyncio.create_task(spend(budget, 0.9, 0.1, seconds=5))
        await asyncio.sleep(1)
        second = asyncio.create_task(spend(budget, 0.9, 0.2))
        await asyncio.sleep(1)
        assert not second.done()
        return [await first, await second]

    assert run(both()) == [0.1, 0.2]


def test_a_call_that_fails_gives_its_share_back():
    async def both() -> float:
        budget = Budget(1.0)
        with pytest.raises(TimeoutError):
            async with budget.bill(1.0):
                raise TimeoutError
        return await spend(budget, 1.0, 0.5)

    assert run(both()) == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_the_cap_is_never_passed_and_nearly_used(seed: int):
    chance = random.Random(seed)

    async def one(budget: Budget) -> float:
        most = chance.uniform(0.01, 0.05)
        try:
            return await spend(budget, most, chance.uniform(0, most), chance.uniform(0.1, 2))
        except BudgetError:
            return 0.0

    async def all_of_them() -> float:
        budget = Budget(1.0)
        return sum(await asyncio.gather(*(one(budget) for _ in range(300))))

    spent = run(all_of_them())
    assert 0.95 - 0.05 <= spent <= 1.0
