"""Makes the spans of runs: each is kept when it ends, and sent on where a collector is set."""

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from langgraph.errors import GraphInterrupt

from agents.records import ModelCall
from graph.events import Event, NodeDone
from graph.failures import Failure
from graph.ledger import note_call
from graph.settings import RunSettings, TracingSettings
from graph.store import Store
from graph.tracing.collector import Collector, Outbox, headers_in
from graph.tracing.otlp import readable
from graph.tracing.redaction import Redactor, redactor_of
from graph.tracing.traces import PROMPT, REPLY, Kind, Span, insert_span


@dataclass(frozen=True)
class _Place:
    run_id: str
    reader_id: str | None = None
    node: str | None = None
    span_id: str | None = None


_place: ContextVar[_Place | None] = ContextVar("place", default=None)


class Recorder:
    """Keeps spans in the store and passes events on to whoever listens.

    Args:
        store: the run database.
        redactor: takes secrets out.
        tracing: how much of the texts is kept, and sent.
        outbox: sends spans to a collector.
    """

    def __init__(
        self,
        store: Store,
        redactor: Redactor | None = None,
        tracing: TracingSettings | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._store = store
        self._redactor = redactor or Redactor()
        self._tracing = tracing or TracingSettings()
        self._outbox = outbox
        self._trace_id = cache(store.trace_id)
        self.listener: Callable[[Event], None] = lambda _event: None

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self.listener(event)

    @contextmanager
    def run(self, run_id: str) -> Generator[None]:
        """The span of the work on a run, from its beginning or resumption to its end or stop."""
        with self._span("run", run_id, _Place(run_id)):
            yield

    @contextmanager
    def reader(self, run_id: str, reader_id: str) -> Generator[None]:
        """The span of one reader's part of a run; what happens inside becomes its children."""
        at = _place.get() or _Place(run_id)
        with self._span("reader", reader_id, replace(at, reader_id=reader_id)):
            yield

    @contextmanager
    def node(self, run_id: str, reader_id: str, name: str) -> Generator[None]:
        """The span of one node for the reader at hand."""
        started = time.perf_counter()
        at = _place.get() or _Place(run_id, reader_id)
        with self._span("node", name, replace(at, node=name)):
            yield
        self.tell(NodeDone(reader_id, name, time.perf_counter() - started))

    def on_call(self, call: ModelCall) -> None:
        """Keep and enter a model call under the node that made it; not one outside of a run."""
        place = _place.get()
        if place is None:
            return
        span = _span_of(call, place)
        with self._store.connected() as connection:
            insert_span(connection, self._redactor.span(span, self._tracing.texts))
            note_call(connection, place.run_id, place.reader_id or "", call)
        self._send(span)

    def failed(self, failure: Failure) -> None:
        """Keep a call that came to nothing, its texts like those of spans."""
        self._store.note_failure(self._redactor.failure(failure, self._tracing.texts))

    @contextmanager
    def _span(self, kind: Kind, name: str, at: _Place) -> Generator[None]:
        """The span is written at its end; a process that is killed leaves its children only."""
        span_id, started, cause = _fresh_id(), time.time(), None
        token = _place.set(replace(at, span_id=span_id))
        try:
            yield
        except GraphInterrupt:
            raise
        except BaseException as error:
            cause = error
            raise
        finally:
            _place.reset(token)
            span = Span(
                id=span_id,
                parent_id=at.span_id,
                run_id=at.run_id,
                reader_id=at.reader_id,
                kind=kind,
                name=name,
                node=at.node,
                started_at=started,
                duration_s=time.time() - started,
                error=f"{type(cause).__name__}: {cause}" if cause else None,
                attributes={"error.type": type(cause).__name__} if cause else None,
            )
            with self._store.connected() as connection:
                insert_span(connection, self._redactor.span(span, self._tracing.texts))
            self._send(span)

    def _send(self, span: Span) -> None:
        if self._outbox:
            sent = self._redactor.sent(span, self._tracing.otlp_texts)
            self._outbox.put(readable(sent, self._trace_id(span.run_id)))


@contextmanager
def open_recorder(store: Store, settings: RunSettings) -> Generator[Recorder]:
    """A recorder as the settings want it; at the end what is still to be sent is sent.

    Raises:
        ConfigError: the headers for the collector cannot be read.
    """
    tracing = settings.tracing
    if tracing.otlp_endpoint is None:
        yield Recorder(store, redactor_of(settings), tracing)
        return
    headers = headers_in(tracing.otlp_headers_env)
    outbox = Outbox(Collector(tracing.otlp_endpoint, headers))
    try:
        yield Recorder(store, redactor_of(settings, headers), tracing, outbox)
    finally:
        outbox.close()


def _span_of(call: ModelCall, place: _Place) -> Span:
    paid = not call.cached
    told: dict[str, Any] = {
        "gen_ai.request.model": call.model,
        PROMPT: [_turn(turn.role, turn.content) for turn in call.prompt],
    }
    if call.error:
        told["error.type"] = "ModelError"
    if call.reply:
        reason = "error" if call.error else "stop"
        told[REPLY] = [_turn("assistant", call.reply) | {"finish_reason": reason}]
    return Span(
        id=_fresh_id(),
        parent_id=place.span_id,
        run_id=place.run_id,
        reader_id=place.reader_id,
        kind="call",
        name=call.agent,
        node=place.node,
        started_at=time.time() - call.duration_s,
        duration_s=call.duration_s,
        tokens_in=call.tokens_in * paid,
        tokens_out=call.tokens_out * paid,
        cost_usd=call.cost_usd * paid,
        cached=call.cached,
        error=call.error,
        attributes=told,
    )


def _turn(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _fresh_id() -> str:
    return secrets.token_hex(8)
