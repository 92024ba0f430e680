"""Typed questions answered in this process by transformers; it needs no server."""

import asyncio
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from agents.decisions import Answer, Question, read_answers
from agents.errors import RefusalError, WeightsError


class DecisionPipeline:
    """Any chat or decision model of transformers, loaded at the first question.

    Args:
        model: a folder, or a name that transformers knows.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._one_at_a_time = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name, as verdicts and profiles tell it."""
        return self._model

    async def decide(
        self, state: str | Mapping[str, object], questions: Mapping[str, Question]
    ) -> dict[str, Answer]:
        """The answers to `questions` about `state`, one after another.

        Raises:
            WeightsError: there is no such model, or it cannot be loaded.
            RefusalError: the questions are longer than the model reads.
            ReplyError: an answer is no probability of what was asked.
        """
        return await asyncio.to_thread(self._decide, state, questions)

    def _decide(
        self, state: str | Mapping[str, object], questions: Mapping[str, Question]
    ) -> dict[str, Answer]:
        asked = {name: question.model_dump(mode="json") for name, question in questions.items()}
        told = state if isinstance(state, str) else dict(state)
        with self._one_at_a_time:
            try:
                answers = self._pipeline({"state": told, "questions": asked})
            except (IndexError, RuntimeError, ValueError) as error:
                raise RefusalError(f"{self._model} cannot read these questions: {error}") from error
        return read_answers(questions, answers)

    @cached_property
    def _pipeline(self) -> Any:
        from transformers import pipeline  # takes seconds
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        try:
            return pipeline("decision", model=self._model, trust_remote_code=False)  # pyright: ignore
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"The decision model {self._model!r} cannot be loaded: {error}.",
                "Check systemone.model, or name a server with systemone.url.",
            ) from error
