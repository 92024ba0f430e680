"""The embedded chat model, where its weights are: real words through the real client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import weights
from agents.embedded import EmbeddedServer
from agents.endpoint import EndpointChat, reach
from agents.errors import ReplyError, WeightsError
from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.pool import Pool
from agents.records import ModelCall
from agents.scenario_writer import Commission, ScenarioWriter
from agents.scripted import ScriptedEmbedder
from agents.settings import ChatSettings


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    if not weights.CHAT.present:
        pytest.skip("the embedded chat model is not here: gravity models fetch")
    yield EmbeddedServer(weights.CHAT.file_path, slots=1)


def settings_for(server: EmbeddedServer, max_tokens: int) -> ChatSettings:
    """At temperature 0, where it says the same every time."""
    return ChatSettings(
        base_url=server.base_url, max_tokens=max_tokens, repairs=0, timeout_s=300, temperature=0
    )


async def test_it_writes_a_scenario_in_the_asked_shape(server: EmbeddedServer, tmp_path: Path):
    calls: list[ModelCall] = []
    chat = EndpointChat(settings_for(server, 400), calls.append)
    pool = Pool(tmp_path, ScriptedEmbedder())
    pool.load(s for s in shipped_scenarios() if s.dimension == "openness")
    try:
        writer = ScenarioWriter(chat, pool)
        [written] = await writer.write(Commission(dimension("openness"), count=1))
    finally:
        await chat.close()
        pool.close()
    assert written.situation.endswith("?")
    assert min(len(written.high), len(written.low)) >= 40
    assert calls[0].tokens_in > 200 and 0 < calls[0].tokens_out <= 400


async def test_it_keeps_to_the_limit_of_tokens(server: EmbeddedServer, tmp_path: Path):
    calls: list[ModelCall] = []
    chat = EndpointChat(settings_for(server, 8), calls.append)
    pool = Pool(tmp_path, ScriptedEmbedder())
    with pytest.raises(ReplyError, match="cut off after 8 tokens"):
        await ScenarioWriter(chat, pool).write(Commission(dimension("openness"), count=1))
    await chat.close()
    pool.close()
    assert calls[0].tokens_out == 8


async def test_it_is_on_loopback_and_lists_itself(server: EmbeddedServer):
    assert server.base_url.startswith("http://127.0.0.1:")
    assert await reach(settings_for(server, 8))


def test_what_is_no_model_is_told(tmp_path: Path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"no model")
    with pytest.raises(WeightsError, match=r"broken\.gguf cannot be loaded"):
        EmbeddedServer(broken, slots=1)
