"""The connection to an OpenAI-compatible endpoint; puts what fails there into plain words."""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2
from pydantic import BaseModel

from agents.completion import Completion, Piece
from agents.errors import EndpointError, KeyMissingError, ModelError, RefusalError
from agents.patience import passes, retry_after_s
from agents.settings import ChatSettings

OPENAI, ADDRESS_ENV = "https://api.openai.com/v1", "OPENAI_BASE_URL"
"""Where calls go to if the settings name no endpoint; the variable, as in OpenAI's own client."""
COMPLETIONS, MODELS = "chat/completions", "models"


class Connection:
    """Sends single requests; whoever sends them decides how many at once, and which again.

    Its sockets are opened in the event loop of the first request, and are reused.

    Args:
        settings: where the endpoint is, where its key is, and how long it may be silent.
    """

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        self._named = settings.base_url or "the default endpoint"
        self._key = os.environ.get(settings.api_key_env) or "none"
        self._address = (settings.base_url or os.environ.get(ADDRESS_ENV) or OPENAI).rstrip("/")

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        timeout_s = self._settings.timeout_s
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._settings.concurrency, ssl=httpx2.create_ssl_context()
            ),
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=aiohttp.ClientTimeout(sock_connect=timeout_s, sock_read=timeout_s),
            proxy=_proxy(self._address),
        )

    async def complete(self, body: Mapping[str, Any]) -> Completion:
        """The endpoint's reply to a request for a chat completion.

        Raises:
            KeyMissingError: it wants another key.
            EndpointError: it is absent, busy, silent, failing, or no such endpoint.
            RefusalError: it does not take this request.
        """
        async with self._answer("POST", COMPLETIONS, json=body) as answer:
            return Completion.model_validate_json(await answer.read())

    async def stream(self, body: Mapping[str, Any]) -> AsyncIterator[str]:
        """The same piece by piece."""
        async with self._answer("POST", COMPLETIONS, json={**body, "stream": True}) as answer:
            async for line in answer.content:
                field, _, told = line.strip().partition(b":")
                if field == b"data" and told.strip() != b"[DONE]":
                    yield Piece.model_validate_json(told).text

    async def models(self) -> list[str]:
        """The names of the models that the endpoint lists."""
        async with self._answer("GET", MODELS) as answer:
            listed = _Models.model_validate_json(await answer.read())
            return [model.id for model in listed.data]

    async def close(self) -> None:
        """Let go of the sockets."""
        if "_session" in self.__dict__:
            await self._session.close()

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, **more: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """A successful answer; what is read of it and makes no sense fails in plain words too."""
        with self._translating():
            url = f"{self._address}/{path}"
            async with self._session.request(method, url, **more) as answer:
                if not answer.ok:
                    error = self._refused(answer, await answer.text(errors="replace"))
                    error.status = answer.status
                    raise error
                yield answer

    @contextmanager
    def _translating(self) -> Generator[None]:
        where = self._named
        try:
            yield
        except aiohttp.ConnectionTimeoutError as error:
            raise _absent(where) from error
        except TimeoutError as error:
            problem = f"{where} did not answer within {self._settings.timeout_s:g} s."
            cure = "Raise chat.timeout_s."
            raise EndpointError(problem, cure, passing=True, may_cost=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _absent(where) from error
        except ValueError as error:
            problem = f"{where} does not answer as an OpenAI-compatible endpoint."
            cure = "Check chat.base_url."
            raise EndpointError(problem, cure, passing=True, may_cost=True) from error

    def _refused(self, answer: aiohttp.ClientResponse, text: str) -> ModelError:
        """What a status other than success says."""
        settings, where = self._settings, self._named
        match answer.status:
            case 401 | 403:
                problem = f"{where} refuses the key in {settings.api_key_env}."
                return KeyMissingError(problem, "Check that variable.")
            case 404:
                return EndpointError(
                    f"{where} has no model {settings.model!r}.", "Check chat.model."
                )
            case 400 | 422:
                return RefusalError(f"{where} refuses this prompt: {_message(text)}")
            case status:
                return EndpointError(
                    f"{where} answers {status}: {_message(text)}",
                    passing=passes(status),
                    retry_after_s=retry_after_s(answer.headers),
                )


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: tuple[_Model, ...]


def _proxy(address: str) -> str | None:
    """Where the environment wants requests to go first; aiohttp would read it anew for each."""
    url = urlsplit(address)
    return None if proxy_bypass(url.netloc) else getproxies().get(url.scheme)


def _absent(where: str) -> EndpointError:
    return EndpointError(f"{where} cannot be reached.", "Check chat.base_url.", passing=True)


def _message(body: str) -> str:
    try:
        text = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        text = body
    return " ".join(text.split())[:200]
