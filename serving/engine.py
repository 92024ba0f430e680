"""Streams text from the base model or an adapter without blocking the event loop; knows no HTTP."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from agents.errors import NotFoundError
from agents.records import Message
from serving.sampling import Sampling, Usage

if TYPE_CHECKING:
    from serving.weights import Weights

BASE = "base"
"""The name of the model with every adapter off."""


class Engine:
    """One base model and its adapters, answering one request at a time.

    The weights are loaded on first use, in the engine's own thread; making an Engine is free.

    Args:
        base: Folder of plain weights, or a transformers model name.
        adapters: Folder of each adapter by the name to serve it under.
        max_new_tokens: Of an answer at most, where a request does not say.
        temperature: Of sampling, where a request does not say.
        seed: Of sampling, where a request does not say.
    """

    def __init__(
        self,
        base: Path | str,
        adapters: Mapping[str, Path] | None = None,
        max_new_tokens: int = 160,
        temperature: float = 0.7,
        seed: int = 7,
    ) -> None:
        self._base = base
        self._adapters = dict(adapters or {})
        self._default = Sampling(max_new_tokens, temperature, seed)
        self._weights: Weights | None = None
        # One thread is both the queue and the lock: the model answers in turn.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gravity-engine")

    @property
    def models(self) -> tuple[str, ...]:
        """`base`, then the adapters."""
        return (BASE, *self._adapters)

    def stream(
        self,
        messages: Sequence[Message],
        model: str = BASE,
        *,
        max_new_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> "Generation":
        """The answer of `model` as it is written; iterate over it with `async for`.

        Raises:
            NotFoundError: `model` is not served here.
        """
        if model not in self.models:
            raise NotFoundError(
                f"The model {model!r} is not served here.", f"Choose from {', '.join(self.models)}."
            )
        default = self._default
        sampling = Sampling(
            max_new_tokens=default.max_new_tokens if max_new_tokens is None else max_new_tokens,
            temperature=default.temperature if temperature is None else temperature,
            seed=default.seed if seed is None else seed,
        )
        return Generation(self, messages, None if model == BASE else model, sampling)

    async def close(self) -> None:
        """The same as `shut_down`, for who closes any writer alike."""
        self.shut_down()

    def shut_down(self) -> None:
        """Takes no more requests and lets the memory go once the last has ended."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._weights = None

    def load(self) -> "Weights":
        """The weights; called in the engine's thread only, where the first call takes seconds."""
        if self._weights is None:
            from serving.weights import Weights

            self._weights = Weights(self._base, self._adapters)
        return self._weights

    @property
    def thread(self) -> ThreadPoolExecutor:
        """Where all work on the weights is done."""
        return self._thread


class Generation:
    """One answer being written: an async iterable of text, then its usage.

    Ending the iteration early, or cancelling the task that iterates, stops the model at its next
    token.
    """

    usage: Usage | None = None
    """Known when the text has ended of itself."""

    def __init__(
        self, engine: Engine, messages: Sequence[Message], adapter: str | None, sampling: Sampling
    ) -> None:
        self._engine = engine
        self._messages = messages
        self._adapter = adapter
        self._sampling = sampling
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends the writing at the next token."""
        self._stopped.set()

    async def __aiter__(self) -> AsyncIterator[str]:
        """The text in pieces of about a word.

        Raises:
            InputError: The conversation does not fit the model.
            WeightsError: The model cannot be loaded.
        """
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()

        def write(text: str | None) -> None:
            if text is None or not self._stopped.is_set():
                loop.call_soon_threadsafe(pieces.put_nowait, text)

        def work() -> Usage | None:
            try:
                if self._stopped.is_set():
                    return None
                return self._engine.load().generate(
                    self._messages, self._adapter, self._sampling, write, self._stopped.is_set
                )
            finally:
                write(None)

        working = loop.run_in_executor(self._engine.thread, work)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            self.usage = await working
        finally:
            self.stop()
