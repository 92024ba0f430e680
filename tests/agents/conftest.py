"""Fixtures of the agents' tests: embedders, a chat that is dictated to, and a real server."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agents import weights
from agents.chat import Reply, Weighed
from agents.embeddings import Embedder, SentenceEmbedder
from agents.errors import ModelError
from agents.records import Message
from agents.scripted import ScriptedEmbedder
from tests.tiny_model import build_tiny_model

SERVE = "from transformers.cli.transformers import main; main()"
LABELS = {
    "choice": ["n1", "n2", "n3"],
    "score": ["n4", "n5", "n6"],
    "noul": ["help", "win"],
}
PATIENCE_S = 120


class Dictated:
    """A chat that gives the replies it was handed, in turn, and keeps what it was asked."""

    name = "dictated"

    def __init__(self, *replies: object) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, list[Message]]] = []

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        self.asked.append((agent, list(messages)))
        answer = self.replies.pop(0)
        if isinstance(answer, ModelError):
            raise answer
        return reply.model_validate(answer)

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        return Weighed(await self.ask(agent, messages, reply))

    async def drain(self) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
def dictated() -> type[Dictated]:
    return Dictated


@pytest.fixture(scope="session")
def scripted() -> ScriptedEmbedder:
    return ScriptedEmbedder()


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    if not weights.EMBEDDING.present:
        pytest.skip("the embedded embedding model is not here: gravity models fetch")
    return SentenceEmbedder(weights.EMBEDDING.path, weights.EMBEDDING.name)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_tiny_model(tmp_path_factory.mktemp("decider"))
    (folder / "decision.json").write_text(json.dumps({"labels": LABELS}))
    return folder


@pytest.fixture(scope="module")
def real(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `transformers serve` with the tiny model."""
    log = tmp_path_factory.mktemp("served") / "log"
    command = [sys.executable, "-c", SERVE, "serve", str(tiny)]
    command += ["--host", "127.0.0.1", "--port", "0", "--device", "cpu"]
    with (
        log.open("wb") as told,
        subprocess.Popen(command, stdout=told, stderr=told) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE_S)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(r"running on (http://[\d.:]+)", log.read_text()):
            return found.group(1)
        time.sleep(0.05)
    raise AssertionError(f"transformers serve does not run: {log.read_text()[-2000:]}")
