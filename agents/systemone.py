"""A client for System One servers: one request for all questions; it knows no agent."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from agents.decisions import Answer, Question, read_answers
from agents.errors import EndpointError, RefusalError, ReplyError
from agents.patience import Patience, passes, retry_after_s
from agents.throttle import Slot, Throttle

REFUSALS = (413, 422)
"""Too large, and unprocessable: statuses that speak of one request and not of the server."""


class SystemOne:
    """Asks one model of one server.

    Args:
        url: where the server is, without the path: http://127.0.0.1:8000.
        model: as the server calls it.
        timeout_s: to wait for all answers of one request.
        concurrency: requests in flight at most.
        patience_s: how long a server that answered before is waited for.
    """

    def __init__(
        self,
        url: str,
        model: str,
        timeout_s: float,
        concurrency: int = 8,
        patience_s: float = 300.0,
    ) -> None:
        self._address = f"{url.rstrip('/')}/v1/systemone"
        self._model = model
        self._timeout_s = timeout_s
        self._throttle = Throttle(concurrency)
        self._patience = Patience(patience_s)

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
        """What the server says; it is asked again while it is only busy or away."""
        troubles = self._patience.begin()
        while True:
            try:
                async with self._throttle.slot() as slot:
                    return await self._answered(body, slot)
            except EndpointError as error:
                await asyncio.sleep(self._patience.pause_s(troubles, error))

    async def _answered(self, body: Mapping[str, object], slot: Slot) -> bytes:
        try:
            response = await self._sent(body)
        except EndpointError as error:
            if error.passing:
                slot.refused(error.retry_after_s)
            raise
        slot.answered()
        self._patience.answered()
        if response.status_code in REFUSALS:
            raise RefusalError(self._told(response))
        return response.content

    async def _sent(self, body: Mapping[str, object]) -> httpx2.Response:
        """One request."""
        try:
            async with httpx2.AsyncClient(timeout=self._timeout_s) as client:
                response = await client.post(self._address, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise EndpointError(
                f"{self._address} cannot be reached.",
                "Check that a System One server runs there.",
                passing=True,
            ) from error
        except httpx2.TimeoutException as error:
            raise EndpointError(
                f"{self._address} did not answer within {self._timeout_s:g} s.",
                "Serve a smaller model, or on a faster machine.",
                passing=True,
            ) from error
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise EndpointError(f"{self._address} fails: {error}.", "Check the address.") from error
        if response.is_success or response.status_code in REFUSALS:
            return response
        raise EndpointError(
            self._told(response),
            passing=passes(response.status_code),
            retry_after_s=retry_after_s(response.headers),
        )

    def _told(self, response: httpx2.Response) -> str:
        return f"{self._address} answers {response.status_code}: {_words(response.text)}"


class _Reply(BaseModel):
    answers: dict[str, Any]


def _words(body: str) -> str:
    """What the server says went wrong: FastAPI's `detail`, or the whole body."""
    try:
        told = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        told = body
    return " ".join(str(told).split())[:200]
