"""Typed questions with probable answers, and who can give them; it asks nobody itself."""

from collections.abc import Mapping
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, Field, ValidationError

from agents.errors import ReplyError, first_fault
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


class Decider(Protocol):
    """Whoever answers typed questions with probabilities."""

    @property
    def name(self) -> str:
        """The model's name, as verdicts and profiles tell it."""
        ...

    async def decide(
        self, state: str | Mapping[str, object], questions: Mapping[str, Question]
    ) -> dict[str, Answer]:
        """The answers to `questions` about `state`, by the questions' names.

        Args:
            state: what the questions are about.
            questions: 1 to MOST_QUESTIONS of them.

        Raises:
            EndpointError: the model cannot be reached, is too slow, or is not there.
            RefusalError: these questions are refused.
            ReplyError: an answer is missing, or is no probability of what was asked.
        """
        ...


def read_answers(
    questions: Mapping[str, Question], answers: Mapping[str, object]
) -> dict[str, Answer]:
    """What was answered to each question.

    Raises:
        ReplyError: an answer is missing, or is no probability of what was asked.
    """
    return {name: _answer(name, asked, answers) for name, asked in questions.items()}


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
