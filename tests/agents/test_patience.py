"""Patience tells what passes from what does not; on a clock that jumps."""

import asyncio

import pytest

from agents.errors import EndpointError, RefusalError
from agents.patience import MOST_TRIES, TRIES_OF_A_STRANGER, Patience
from tests.agents.virtual_time import run

BUSY = EndpointError("e answers 503: busy", passing=True)


async def tries_until(error: EndpointError, patience: Patience, others_answer: bool) -> float:
    """Seconds until the error is raised; a try takes 0.1 s."""
    loop = asyncio.get_running_loop()
    began, troubles = loop.time(), patience.begin()
    while True:
        await asyncio.sleep(0.1)
        if others_answer:
            patience.answered()
        try:
            await asyncio.sleep(patience.pause_s(troubles, error))
        except (EndpointError, RefusalError) as last:
            last.add_note(f"{troubles.tries}")
            assert loop.time() - began >= 0
            raise


def tries(patience_s: float, error: EndpointError, known: bool, others: bool) -> int:
    async def all_of_it() -> None:
        patience = Patience(patience_s)
        if known:
            patience.answered()
        await tries_until(error, patience, others)

    with pytest.raises((EndpointError, RefusalError)) as caught:
        run(all_of_it())
    return int(caught.value.__notes__[-1])


def test_what_does_not_pass_is_not_tried_again():
    assert tries(300, EndpointError("no such model"), known=True, others=False) == 0


def test_an_endpoint_that_never_answered_is_soon_given_up():
    assert tries(300, BUSY, known=False, others=False) == TRIES_OF_A_STRANGER


def test_one_that_did_is_waited_for_as_long_as_set():
    assert 300 / 2.1 < tries(300, BUSY, known=True, others=False) < 330
    assert tries(0, BUSY, known=True, others=False) == 1


def test_a_call_that_fails_while_others_go_through_is_a_refusal():
    async def all_of_it() -> None:
        await tries_until(BUSY, Patience(300), others_answer=True)

    with pytest.raises(RefusalError, match=f"So it did {MOST_TRIES} times, while others"):
        run(all_of_it())


def test_the_endpoint_says_how_long_to_wait():
    async def pauses() -> list[float]:
        patience = Patience(300)
        said = EndpointError("busy", passing=True, retry_after_s=7.0)
        troubles = patience.begin()
        return [patience.pause_s(troubles, said) for _ in range(3)]

    assert run(pauses()) == [7.0] * 3


def test_pauses_grow():
    async def pauses() -> list[float]:
        patience = Patience(1e6)
        patience.answered()
        troubles = patience.begin()
        return [patience.pause_s(troubles, BUSY) for _ in range(7)]

    for pause, longest in zip(run(pauses()), (0.5, 1, 2, 2, 2, 2, 2), strict=True):
        assert longest / 2 <= pause <= longest
