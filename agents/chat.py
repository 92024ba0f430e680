"""Chat models at OpenAI-compatible endpoints: the only file that knows the OpenAI client."""

import asyncio
import json
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import httpx2
import openai
from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from agents.errors import (
    EndpointError,
    KeyMissingError,
    ModelError,
    RefusalError,
    ReplyError,
    first_fault,
)
from agents.records import Message, ModelCall
from agents.settings import ChatSettings

Reply = TypeVar("Reply", bound=BaseModel)
OnCall = Callable[[ModelCall], None]

LOGPROBS = {"logprobs": True, "top_logprobs": 5}
"""Asked for beside a reply that is weighed; several endpoints refuse more than 5 alternatives."""


class Alternative(BaseModel):
    """What may stand at one place of a reply, as OpenAI tells it."""

    model_config = ConfigDict(frozen=True)
    token: str
    logprob: float = Field(strict=True, le=0)
    """Natural logarithm of its probability."""


class Token(Alternative):
    """What stands at one place of a reply."""

    top_logprobs: tuple[Alternative, ...] | None = None
    """The most probable ones, often with the token itself."""

    @property
    def probabilities(self) -> dict[str, float]:
        """Of everything that is known to be possible there, by its text."""
        return {a.token: math.exp(a.logprob) for a in (self, *(self.top_logprobs or ()))}


@dataclass(frozen=True)
class Weighed(Generic[Reply]):
    """A reply, and how probable its words were."""

    reply: Reply
    tokens: tuple[Token, ...] = ()
    """The whole reply in pieces; none where the endpoint tells no log-probabilities."""


class Chat(Protocol):
    """A chat model that answers in the shape of a pydantic model."""

    @property
    def name(self) -> str:
        """The model's name, as traces tell it."""
        ...

    async def ask(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        most_repairs: int | None = None,
    ) -> Reply:
        """The model's answer in the shape of `reply`.

        Args:
            agent: who asks, as traces tell it.
            messages: the conversation so far.
            reply: the wanted shape.
            most_repairs: of a reply that does not fit, where the settings allow more.

        Raises:
            ModelError: there is none; the kind of error says why.
        """
        ...

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        """The same with the probabilities of its tokens, where the endpoint tells them.

        Raises:
            ModelError: as `ask` does; a ReplyError too where they are no log-probabilities.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class EndpointChat:
    """A model behind any OpenAI-compatible endpoint, on the aiohttp transport.

    Every call, failed ones too, is told to `on_call`. To be made inside a running event loop.

    Raises:
        KeyMissingError: no base URL is set and the environment holds no key.
    """

    def __init__(self, settings: ChatSettings, on_call: OnCall) -> None:
        key = os.environ.get(settings.api_key_env)
        if not key and settings.base_url is None:
            raise KeyMissingError(
                f"No API key in the environment variable {settings.api_key_env}.",
                f"Set it (export {settings.api_key_env}=…), name an endpoint without keys"
                " (--base-url), or use --model embedded.",
            )
        self._settings = settings
        self._on_call = on_call
        self._http = openai.DefaultAioHttpClient(timeout=settings.timeout_s)
        self._gate = asyncio.Semaphore(settings.concurrency)
        self._weighs: bool | None = None
        self._llm = ChatOpenAI(
            model=settings.model,
            base_url=settings.base_url,
            api_key=SecretStr(key or "none"),
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,  # pyright: ignore[reportCallIssue]
            timeout=settings.timeout_s,
            max_retries=2,
            http_async_client=self._http,
        )

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
    ) -> Reply:
        """The model's answer, repaired at most `repairs` times where it does not fit."""
        repairs = self._settings.repairs
        if most_repairs is not None:
            repairs = min(repairs, most_repairs)
        return (await self._mended(agent, messages, reply, repairs, {}))[0]

    async def weigh(
        self, agent: str, messages: Sequence[Message], reply: type[Reply]
    ) -> Weighed[Reply]:
        """The answer with its log-probabilities, repaired as in `ask`.

        What an endpoint refuses before it ever told any is asked again without them; where that
        goes through, they are not asked for again.
        """
        repairs = self._settings.repairs
        wanted = {} if self._weighs is False else LOGPROBS
        try:
            fit, answer = await self._mended(agent, messages, reply, repairs, wanted)
        except ModelError as error:
            if not wanted or self._weighs or not _refuses_request(error):
                raise
            fit, answer = await self._mended(agent, messages, reply, repairs, {})
            self._weighs = False
            return Weighed(fit)
        if wanted:
            self._weighs = True
        return Weighed(fit, _tokens(agent, answer))

    @property
    def models(self) -> tuple[str, ...]:
        """The one model that `stream` answers with."""
        return (self.name,)

    async def stream(self, messages: Sequence[Message], model: str) -> AsyncIterator[str]:
        """The reply piece by piece; not traced, since what it makes is kept by who asked."""
        with _translating(self._settings):
            async for piece in self._llm.astream(_wire(messages)):
                yield piece.text

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def _mended(
        self,
        agent: str,
        messages: Sequence[Message],
        reply: type[Reply],
        repairs: int,
        wanted: Mapping[str, Any],
    ) -> tuple[Reply, AIMessage]:
        turns = list(messages)
        for repair in range(repairs + 1):
            try:
                return await self._call(agent, turns, reply, wanted)
            except ReplyError as error:
                if repair == repairs:
                    raise
                turns += [
                    Message(role="assistant", content=error.raw),
                    Message(role="user", content=f"{error.problem} Reply again, mended."),
                ]
        raise AssertionError("unreachable: the loop returns or raises")

    async def _call(
        self, agent: str, turns: Sequence[Message], reply: type[Reply], wanted: Mapping[str, Any]
    ) -> tuple[Reply, AIMessage]:
        started = time.perf_counter()
        answer, failure = AIMessage(content=""), None
        try:
            async with self._gate:
                started = time.perf_counter()
                with _translating(self._settings):
                    answer = await self._llm.ainvoke(
                        _wire(turns), response_format=_format(reply), **wanted
                    )
            return _parsed(agent, answer, reply), answer
        except ModelError as error:
            failure = error
            if isinstance(error.__cause__, openai.LengthFinishReasonError):
                answer = _cut_off(error.__cause__)
            raise
        except asyncio.CancelledError:
            failure = ModelError("The call was cancelled.")
            raise
        finally:
            self._on_call(self._told(agent, turns, answer, time.perf_counter() - started, failure))

    def _told(
        self,
        agent: str,
        turns: Sequence[Message],
        answer: AIMessage,
        duration_s: float,
        error: ModelError | None,
    ) -> ModelCall:
        usage = answer.usage_metadata
        tokens_in = usage["input_tokens"] if usage else 0
        tokens_out = usage["output_tokens"] if usage else 0
        prices = self._settings.price_in_usd, self._settings.price_out_usd
        return ModelCall(
            agent=agent,
            model=self.name,
            prompt=tuple(turns),
            reply=answer.text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            duration_s=duration_s,
            cost_usd=(tokens_in * prices[0] + tokens_out * prices[1]) / 1e6,
            error=str(error) if error else None,
        )


async def reach(settings: ChatSettings) -> list[str]:
    """The models an endpoint lists, asked for in one try.

    Raises:
        ModelError: the endpoint is unreachable, refuses, or wants a key.
    """
    key = os.environ.get(settings.api_key_env)
    with _translating(settings):
        async with openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=key or "none",
            timeout=min(settings.timeout_s, 10),
            max_retries=0,
        ) as client:
            return [model.id async for model in client.models.list()]


def _wire(turns: Sequence[Message]) -> list[BaseMessage]:
    return convert_to_messages([{"role": t.role, "content": t.content} for t in turns])


def _format(reply: type[BaseModel]) -> dict[str, Any]:
    """Not `strict`: endpoints differ in the keywords they allow there, and we validate anyway."""
    schema = reply.model_json_schema()
    return {"type": "json_schema", "json_schema": {"name": reply.__name__, "schema": schema}}


def _parsed(agent: str, answer: AIMessage, reply: type[Reply]) -> Reply:
    refusal = answer.additional_kwargs.get("refusal")
    if refusal:
        raise RefusalError(f"The model declined: {refusal}")
    try:
        return reply.model_validate_json(answer.text)
    except ValidationError as error:
        raise ReplyError(
            f"The {agent}'s reply does not fit: {_first(error)}", answer.text
        ) from error


class _Logprobs(BaseModel):
    content: tuple[Token, ...] | None = None


def _tokens(agent: str, answer: AIMessage) -> tuple[Token, ...]:
    told = answer.response_metadata.get("logprobs")
    try:
        return _Logprobs.model_validate(told or {}).content or ()
    except ValidationError as error:
        problem = f"The {agent}'s log-probabilities are unusable: {_first(error)}"
        raise ReplyError(problem, answer.text) from error


def _refuses_request(error: ModelError) -> bool:
    """Whether it may be a parameter that is refused: with 400, 403 or 422, by endpoint."""
    kinds = openai.BadRequestError, openai.PermissionDeniedError, openai.UnprocessableEntityError
    return isinstance(error.__cause__, kinds)


def _cut_off(error: openai.LengthFinishReasonError) -> AIMessage:
    usage = error.completion.usage
    counted = usage and {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    return AIMessage(error.completion.choices[0].message.content or "", usage_metadata=counted)


def _first(error: ValidationError) -> str:
    field, fault = first_fault(error)
    return f"{field or 'reply'}: {fault}."


@contextmanager
def _translating(settings: ChatSettings) -> Generator[None]:
    """The client takes whatever has status 200 for an answer and trips over what is none."""
    try:
        yield
    except openai.OpenAIError as error:
        raise _translated(error, settings) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        where = settings.base_url or "the default endpoint"
        problem = f"{where} does not answer as an OpenAI-compatible endpoint."
        raise EndpointError(problem, "Check chat.base_url.") from error


def _translated(error: openai.OpenAIError, settings: ChatSettings) -> ModelError:
    where = settings.base_url or "the default endpoint"
    match error:
        case openai.LengthFinishReasonError():
            problem = f"The reply is cut off after {settings.max_tokens} tokens."
            return ReplyError(problem, _cut_off(error).text)
        case openai.ContentFilterFinishReasonError():
            return RefusalError(f"{where} filtered the reply.")
        case openai.APITimeoutError() if not _while_connecting(error):
            return EndpointError(
                f"{where} did not answer within {settings.timeout_s:g} s.", "Raise chat.timeout_s."
            )
        case openai.APIConnectionError():
            return EndpointError(f"{where} cannot be reached.", "Check chat.base_url.")
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return KeyMissingError(
                f"{where} refuses the key in {settings.api_key_env}.", "Check that variable."
            )
        case openai.NotFoundError():
            return EndpointError(f"{where} has no model {settings.model!r}.", "Check chat.model.")
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return RefusalError(f"{where} refuses this prompt: {_message(error)}")
        case openai.APIStatusError():
            return EndpointError(f"{where} answers {error.status_code}: {_message(error)}")
        case _:
            return EndpointError(f"{where} fails: {error}")


def _while_connecting(error: BaseException) -> bool:
    """Whether nobody was there: the aiohttp transport calls a refused connection a time-out."""
    cause = error.__cause__
    return isinstance(cause, httpx2.ConnectTimeout) or (
        cause is not None and _while_connecting(cause)
    )


def _message(error: openai.APIStatusError) -> str:
    try:
        text = str(json.loads(error.response.text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        text = error.response.text
    return " ".join(text.split())[:200]
