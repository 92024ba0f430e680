"""Fixtures of the agents' tests: embedders, and a chat whose replies a test writes down."""

from collections.abc import Sequence

import pytest

from agents import weights
from agents.chat import Reply
from agents.embeddings import Embedder, SentenceEmbedder
from agents.errors import ModelError
from agents.records import Message
from agents.scripted import ScriptedEmbedder


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
    ) -> Reply:
        self.asked.append((agent, list(messages)))
        answer = self.replies.pop(0)
        if isinstance(answer, ModelError):
            raise answer
        return reply.model_validate(answer)

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
