"""Chat models at OpenAI-compatible endpoints: patient, in turn, within the budget, told of."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from agents.budget import Bill, Budget
from agents.chat import Kept, OnCall, Recall, Reply, Token, Weighed
from agents.completion import Completion
from agents.connection import Connection
from agents.errors import (
    EndpointError,
    KeyMissingError,
    ModelError,
    ReplyError,
)
from agents.patience import Patience
from agents.question import LOGPROBS, Question, fault
from agents.records import Message, ModelCall
from agents.settings import ChatSettings
from agents.throttle import Slot, Throttle

NOTHING = Kept("", 0, 0, 0.0)


class EndpointChat:
    """A model behind any OpenAI-compatible endpoint.

    What passes (a busy, silent, failing or absent endpoint) is tried again, as long as the
    settings have patience. Every call, failed ones too, is told to `on_call`. To be made inside a
    running event loop.

    Args:
        settings: which model, where, and how hard to try.
        on_call: takes every call at its end; what it keeps, `recall` may find.
        recall: finds replies that were paid for before.
        budget: what may be spent.

    Raises:
        KeyMissingError: no base URL is set and the environment holds no key.
    """

    def __init__(
        self,
        settings: ChatSettings,
        on_call: OnCall,
        recall: Recall = lambda _key: None,
        budget: Budget | None = None,
    ) -> None:
        key = os.environ.get(settings.api_key_env)
        if not key and settings.base_url is None:
            raise KeyMissingError(
                f"No API key in the environment variable {settings.api_key_env}.",
                f"Set it (export {settings.api_key_env}=…), name an endpoint without keys"
                " (--base-url), or use --model embedded.",
            )
        self._settings = settings
        self._on_call = on_call
        self._recall = recall
        self._budget = budget or Budget()
        self._throttle = Throttle(settings.concurrency)
        self._patience = Patience(settings.patience_s)
        self._weighs: bool | None = None
        self._connection = Connection(settings)

    @property
    def name(self) -> str:
        """The model's name, as traces tell it."""
        return self._settings.model

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
        repeat: int = 0,
    ) -> Reply:
        """The model's answer, repaired at most `repairs` times where it does not fit."""
        repairs = self._settings.repairs
        if most_repairs is not None:
            repairs = min(repairs, most_repairs)
        question = Question(agent, tuple(messages), reply, repeat)
        return (await self._mended(question, repairs))[0]

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        """The answer with its log-probabilities, repaired as in `ask`.

        What an endpoint refuses before it ever told any is asked again without them; where that
        goes through, they are not asked for again.
        """
        repairs = self._settings.repairs
        plain = Question(agent, tuple(messages), reply)
        question = plain if self._weighs is False else replace(plain, wanted=LOGPROBS)
        try:
            fit, answer = await self._mended(question, repairs)
        except ModelError as error:
            if not question.wanted or self._weighs or not _refuses_request(error):
                raise
            fit, answer = await self._mended(plain, repairs)
            self._weighs = False
            return Weighed(fit)
        if question.wanted:
            self._weighs = True
        return Weighed(fit, _tokens(agent, answer))

    @property
    def models(self) -> tuple[str, ...]:
        """The one model that `stream` answers with."""
        return (self.name,)

    async def stream(self, messages: Sequence[Message], model: str) -> AsyncIterator[str]:
        """The reply piece by piece; not traced, since what it makes is kept by who asked."""
        async for piece in self._connection.stream(self._body(messages)):
            yield piece

    async def drain(self) -> None:
        """Begin no call any more, and return when those in flight have ended."""
        await self._throttle.drain()

    async def close(self) -> None:
        """Let go of connections."""
        await self._connection.close()

    async def _mended(self, question: Question[Reply], repairs: int) -> tuple[Reply, Kept]:
        for repair in range(repairs + 1):
            try:
                return await self._answered(question)
            except ReplyError as error:
                if repair == repairs:
                    raise
                mended = (
                    *question.turns,
                    Message(role="assistant", content=error.raw),
                    Message(role="user", content=f"{error.problem} Reply again, mended."),
                )
                question = replace(question, turns=mended)
        raise AssertionError("unreachable: the loop returns or raises")

    async def _answered(self, question: Question[Reply]) -> tuple[Reply, Kept]:
        """The kept reply, or a new one from as many tries as it takes."""
        key = question.key(self._settings)
        kept = self._recall(key)
        if kept:
            fit = question.fitting(kept.text, None)
            self._tell(question, kept, 0.0, key=key, cached=True)
            return fit, kept
        dearest, troubles = question.dearest(self._settings), self._patience.begin()
        while True:
            try:
                async with self._throttle.slot() as slot, self._budget.bill(dearest) as bill:
                    if not self._throttle.draining:
                        return await self._sent(question, key, slot, bill, dearest)
            except EndpointError as error:
                await asyncio.sleep(self._patience.pause_s(troubles, error))

    async def _sent(
        self, question: Question[Reply], key: str, slot: Slot, bill: Bill, dearest: float
    ) -> tuple[Reply, Kept]:
        """One call; what it cost is taken to be the dearest where the endpoint does not tell."""
        answer, failure, started = NOTHING, None, _now()
        try:
            body = self._body(question.turns, response_format=question.format, **question.wanted)
            completion = await self._connection.complete(body)
            answer = self._paid(completion, dearest)
            completion.require_whole(self._settings.max_tokens)
            return question.fitting(completion.text, completion.refusal), answer
        except ModelError as error:
            failure = error
            raise
        except asyncio.CancelledError:
            failure = EndpointError("The call was cancelled.", may_cost=True)
            raise
        finally:
            if isinstance(failure, EndpointError) and failure.may_cost:
                answer = replace(answer, cost_usd=dearest)
            bill.usd = answer.cost_usd
            self._learn(slot, failure)
            self._tell(question, answer, _now() - started, failure, key=key)

    def _body(self, turns: Sequence[Message], **more: Any) -> dict[str, Any]:
        return {
            "model": self.name,
            "messages": [{"role": turn.role, "content": turn.content} for turn in turns],
            "temperature": self._settings.temperature,
            "max_completion_tokens": self._settings.max_tokens,
            **more,
        }

    def _paid(self, completion: Completion, dearest: float) -> Kept:
        tokens_in, tokens_out = completion.tokens
        told = tokens_in + tokens_out > 0
        cost_usd = self._settings.cost_usd(tokens_in, tokens_out) if told else dearest
        return Kept(completion.text, tokens_in, tokens_out, cost_usd, completion.logprobs)

    def _learn(self, slot: Slot, failure: ModelError | None) -> None:
        if not isinstance(failure, EndpointError):
            self._patience.answered()
            slot.answered()
        elif failure.passing:
            slot.refused(failure.retry_after_s)

    def _tell(
        self,
        question: Question[Any],
        answer: Kept,
        duration_s: float,
        error: ModelError | None = None,
        *,
        key: str,
        cached: bool = False,
    ) -> None:
        self._on_call(
            ModelCall(
                agent=question.agent,
                model=self.name,
                prompt=question.turns,
                reply=answer.text,
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
                duration_s=duration_s,
                cost_usd=answer.cost_usd,
                error=str(error) if error else None,
                key=key,
                cached=cached,
                logprobs=answer.logprobs,
            )
        )


async def reach(settings: ChatSettings) -> list[str]:
    """The models an endpoint lists, asked for in one try.

    Raises:
        ModelError: the endpoint is unreachable, refuses, or wants a key.
    """
    timeout_s = min(settings.timeout_s, 10)
    connection = Connection(settings.model_copy(update={"timeout_s": timeout_s}))
    try:
        return await connection.models()
    finally:
        await connection.close()


class _Logprobs(BaseModel):
    content: tuple[Token, ...] | None = None


def _tokens(agent: str, answer: Kept) -> tuple[Token, ...]:
    try:
        return _Logprobs.model_validate(answer.logprobs or {}).content or ()
    except ValidationError as error:
        problem = f"The {agent}'s log-probabilities are unusable: {fault(error)}"
        raise ReplyError(problem, answer.text) from error


def _refuses_request(error: ModelError) -> bool:
    """Whether it may be a parameter that is refused, which endpoints say in different ways."""
    return error.status in (400, 403, 422)


def _now() -> float:
    return asyncio.get_running_loop().time()
