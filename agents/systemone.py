"""A client for System One servers: typed questions in, probabilities out; it knows no agent."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import httpx2
from pydantic import BaseModel, Field, ValidationError

from agents.errors import EndpointError, ReplyError, first_fault
from agents.records import Record

MOST_QUESTIONS = 64
"""Of one request, as the servers allow."""
TOLERANCE = 1e-3
"""By which the probabilities of one answer may miss a sum of one."""

Probability = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class ChoiceQuestion(Record):
    """Which of several options fits best?"""

    type: Literal["choice"] = "choice"
    instructions: str
    criteria: dict[str, str]
    """Options with what each of them means."""

    @property
    def options(self) -> tuple[str, ...]:
        """As the answer names them."""
        return tuple(self.criteria)


class ScoreQuestion(Record):
    """Which level fits best?"""

    type: Literal["score"] = "score"
    instructions: str
    criteria: tuple[str, ...]
    """What each level means, lowest first."""

    @property
    def options(self) -> tuple[str, ...]:
        """The levels as the answer names them: `0`, `1`, and so on."""
        return tuple(str(level) for level in range(len(self.criteria)))


class NoulQuestion(Record):
    """Yes or no?"""

    type: Literal["noul"] = "noul"
    instructions: str

    @property
    def options(self) -> tuple[str, ...]:
        """`true` and `false`."""
        return ("true", "false")


Question = ChoiceQuestion | ScoreQuestion | NoulQuestion


class Answer(Record):
    """How probable each option of a question is."""

    probabilities: dict[str, float]
    """By option; they sum to one."""


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

    async def decide(
        self, state: str | Mapping[str, object], questions: Mapping[str, Question]
    ) -> dict[str, Answer]:
        """The answers to `questions` about `state`, by the questions' names, from one request.

        Args:
            state: what the questions are about.
            questions: 1 to MOST_QUESTIONS of them.

        Raises:
            EndpointError: the server cannot be reached, is too slow, or refuses.
            ReplyError: an answer is missing, or is no probability of what was asked.
        """
        asked = {name: question.model_dump(mode="json") for name, question in questions.items()}
        body = await self._post({"model": self._model, "state": state, "questions": asked})
        try:
            answers = _Reply.model_validate_json(body).answers
        except ValidationError as error:
            problem = f"{self._address} does not answer as a System One server."
            raise ReplyError(problem, body.decode(errors="replace")) from error
        return {name: _answer(name, asked, answers) for name, asked in questions.items()}

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
            words = _words(response.text)
            raise EndpointError(f"{self._address} answers {response.status_code}: {words}")
        return response.content


class _Reply(BaseModel):
    answers: dict[str, Any]


class _Given(BaseModel):
    """An answer of any type as it comes over the wire."""

    type: str
    probabilities: dict[str, Probability] = {}
    noul: Probability | None = None


def _answer(name: str, question: Question, answers: Mapping[str, object]) -> Answer:
    if name not in answers:
        raise ReplyError(f"Question {name!r} has no answer.")
    try:
        given = _Given.model_validate(answers[name])
    except ValidationError as error:
        field, fault = first_fault(error)
        problem = f"Question {name!r}: {field or 'answer'}: {fault}."
        raise ReplyError(problem, str(answers[name])) from error
    found = given.probabilities
    if given.noul is not None:
        found = {"true": given.noul, "false": 1 - given.noul}
    if given.type != question.type or found.keys() != set(question.options):
        wanted = f"a {question.type} with {', '.join(question.options)}"
        told = f"a {given.type} with {', '.join(found) or 'nothing'}"
        raise ReplyError(f"Question {name!r} asks for {wanted}; the answer is {told}.")
    total = sum(found.values())
    if abs(total - 1) > TOLERANCE:
        raise ReplyError(f"Question {name!r}: the probabilities sum to {total:.3f}, not to one.")
    return Answer(probabilities=found)


def _words(body: str) -> str:
    """What the server says went wrong: FastAPI's `detail`, or the whole body."""
    try:
        told = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        told = body
    return " ".join(str(told).split())[:200]
