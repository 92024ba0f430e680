"""A client for System One servers: one request for all questions; it knows no agent."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from agents.decisions import Answer, Question, read_answers
from agents.errors import EndpointError, RefusalError, ReplyError

REFUSALS = (413, 422)
"""Too large, and unprocessable: statuses that speak of one request and not of the server."""


class SystemOne:
    """Asks one model of one server.

    Args:
        url: where the server is, without the path: http://127.0.0.1:8000.
        model: as the server calls it.
        timeout_s: to wait for all answers of one request.
    """

    def __init__(self, url: str, model: str, timeout_s: float) -> None:
        self._address = f"{url.rstrip('/')}/v1/systemone"
        self._model = model
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """The model's name, as verdicts and profiles tell it."""
        return self._model

    async def decide(
        self, state: str | Mapping[str, object], questions: Mapping[str, Question]
    ) -> dict[str, Answer]:
        """The answers to `questions` about `state`, from one request."""
        asked = {name: question.model_dump(mode="json") for name, question in questions.items()}
        body = await self._post({"model": self._model, "state": state, "questions": asked})
        try:
            answers = _Reply.model_validate_json(body).answers
        except ValidationError as error:
            problem = f"{self._address} does not answer as a System One server."
            raise ReplyError(problem, body.decode(errors="replace")) from error
        return read_answers(questions, answers)

    async def _post(self, body: Mapping[str, object]) -> bytes:
        try:
            async with httpx2.AsyncClient(timeout=self._timeout_s) as client:
                response = await client.post(self._address, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise EndpointError(
                f"{self._address} cannot be reached.", "Check that a System One server runs there."
            ) from error
        except httpx2.TimeoutException as error:
            raise EndpointError(
                f"{self._address} did not answer within {self._timeout_s:g} s.",
                "Serve a smaller model, or on a faster machine.",
            ) from error
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise EndpointError(f"{self._address} fails: {error}.", "Check the address.") from error
        if not response.is_success:
            told = f"{self._address} answers {response.status_code}: {_words(response.text)}"
            raise RefusalError(told) if response.status_code in REFUSALS else EndpointError(told)
        return response.content


class _Reply(BaseModel):
    answers: dict[str, Any]


def _words(body: str) -> str:
    """What the server says went wrong: FastAPI's `detail`, or the whole body."""
    try:
        told = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        told = body
    return " ".join(str(told).split())[:200]
