"""The engine by itself: which model speaks, how it is stopped, and what it refuses."""

import asyncio
from pathlib import Path

import pytest

from agents.errors import InputError, NotFoundError, WeightsError
from agents.records import Message
from serving.engine import Engine

ASK = (Message(role="user", content="a friend asks for a loan"),)


async def _text(engine: Engine, model: str = "base", **sampling) -> str:
    return "".join([piece async for piece in engine.stream(ASK, model, **sampling)])


async def test_the_same_seed_says_the_same_and_another_does_not(engine: Engine) -> None:
    assert await _text(engine) == await _text(engine)
    assert await _text(engine, seed=1) != await _text(engine, seed=2)


async def test_the_adapter_speaks_only_under_its_name(engine: Engine, tiny_base: Path) -> None:
    alone = Engine(tiny_base, max_new_tokens=24)

    base = await _text(engine)
    assert await _text(engine, "ana-v1.2") != base
    assert await _text(engine) == base == await _text(alone)
    assert engine.models == ("base", "ana-v1.2", "tom") and alone.models == ("base",)
    await alone.close()


async def test_without_temperature_the_seed_is_idle(engine: Engine) -> None:
    assert await _text(engine, temperature=0, seed=1) == await _text(engine, temperature=0, seed=2)


async def test_usage_is_counted(engine: Engine) -> None:
    generation = engine.stream(ASK, max_new_tokens=5, seed=3)
    text = "".join([piece async for piece in generation])

    assert text and generation.usage
    assert generation.usage.prompt_tokens == 9
    assert generation.usage.completion_tokens <= 5


async def test_the_event_loop_breathes_while_the_model_writes(engine: Engine) -> None:
    ticks, writing = 0, asyncio.create_task(_text(engine, max_new_tokens=100, seed=5))
    while not writing.done():
        await asyncio.sleep(0.001)
        ticks += 1

    assert ticks > 3


async def test_a_cancelled_answer_stops_the_model_and_frees_it(engine: Engine) -> None:
    generation, begun = engine.stream(ASK, max_new_tokens=200, temperature=0), asyncio.Event()

    async def read() -> None:
        async for _ in generation:
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert generation.usage is None
    assert await asyncio.wait_for(_text(engine, max_new_tokens=1), timeout=5) is not None


async def test_what_does_not_fit_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="exceed the model's 256"):
        await _text(engine, max_new_tokens=255)
    with pytest.raises(NotFoundError, match=r"Choose from base, ana-v1\.2, tom"):
        engine.stream(ASK, "nobody")


async def test_missing_weights_are_named(tmp_path: Path, tiny_base: Path) -> None:
    for broken in (Engine(tmp_path / "nowhere"), Engine(tiny_base, {"ana": tmp_path})):
        with pytest.raises(WeightsError, match=r"nowhere|'ana'"):
            await _text(broken)
        await broken.close()
