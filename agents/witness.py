"""Tells of typed decisions as calls of a model, so that traces and accounts know them too."""

import asyncio
import json
import time
from collections.abc import Mapping

from agents.chat import OnCall
from agents.decisions import Answer, Decider, Question
from agents.errors import ModelError
from agents.records import Message, ModelCall

AGENT = "systemone"


class WitnessedDecider:
    """Passes questions on; the answers cost nothing, and are not kept.

    Args:
        decider: answers them.
        on_call: takes every request at its end, with its questions and answers as JSON. How long
            it took is told with the waiting for its turn and for a server that was away.
    """

    def __init__(self, decider: Decider, on_call: OnCall) -> None:
        self._decider = decider
        self._on_call = on_call

    @property
    def name(self) -> str:
        """The model's name."""
        return self._decider.name

    async def decide(
        self, state: str | Mapping[str, object], questions: Mapping[str, Question]
    ) -> dict[str, Answer]:
        """The answers to `questions` about `state`; see `Decider`."""
        began, answers, failure = time.perf_counter(), {}, None
        try:
            answers = await self._decider.decide(state, questions)
        except (ModelError, asyncio.CancelledError) as error:
            failure = str(error) or "The request was cancelled."
            raise
        else:
            return answers
        finally:
            asked = {name: question.model_dump(mode="json") for name, question in questions.items()}
            told = {name: answer.probabilities for name, answer in answers.items()}
            prompt = _json({"state": state, "questions": asked})
            self._on_call(
                ModelCall(
                    agent=AGENT,
                    model=self.name,
                    prompt=(Message(role="user", content=prompt),),
                    reply=_json(told) if told else "",
                    tokens_in=0,
                    tokens_out=0,
                    duration_s=time.perf_counter() - began,
                    cost_usd=0.0,
                    error=failure,
                )
            )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
