"""Writes traces: every node and every model call becomes a span under its parent."""

import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from langgraph.errors import GraphInterrupt

from agents.records import ModelCall
from graph.events import Event, NodeDone
from graph.store import Span, Store


@dataclass(frozen=True)
class _Place:
    run_id: str
    reader_id: str | None
    span_id: str | None


_place: ContextVar[_Place | None] = ContextVar("place", default=None)


class Recorder:
    """Keeps spans in the store and passes events on to whoever listens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.listener: Callable[[Event], None] = lambda _event: None

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self.listener(event)

    @contextmanager
    def reader(self, run_id: str, reader_id: str) -> Generator[None]:
        """The span of one reader's part of a run; what happens inside becomes its children."""
        with self._span("reader", reader_id, _Place(run_id, reader_id, None)):
            yield

    @contextmanager
    def node(self, reader_id: str, name: str) -> Generator[None]:
        """The span of one node for the reader at hand."""
        started = time.perf_counter()
        with self._span("node", name, _place.get() or _Place("", reader_id, None)):
            yield
        self.tell(NodeDone(reader_id, name, time.perf_counter() - started))

    def on_call(self, call: ModelCall) -> None:
        """Keep a model call under the node that made it; calls outside a run are not kept."""
        place = _place.get()
        if place is None:
            return
        self._store.add_span(
            Span(
                id=uuid.uuid4().hex,
                parent_id=place.span_id,
                run_id=place.run_id,
                reader_id=place.reader_id,
                kind="call",
                name=call.agent,
                started_at=time.time() - call.duration_s,
                duration_s=call.duration_s,
                tokens_in=call.tokens_in,
                tokens_out=call.tokens_out,
                cost_usd=call.cost_usd,
                error=call.error,
                call=call.model_dump(mode="json"),
            )
        )

    @contextmanager
    def _span(self, kind: str, name: str, at: _Place) -> Generator[None]:
        """The span is written at its end; a process that is killed leaves its children only."""
        span_id, started, error = uuid.uuid4().hex, time.time(), None
        token = _place.set(_Place(at.run_id, at.reader_id, span_id))
        try:
            yield
        except GraphInterrupt:
            raise
        except BaseException as cause:
            error = f"{type(cause).__name__}: {cause}"[:500]
            raise
        finally:
            _place.reset(token)
            self._store.add_span(
                Span(
                    id=span_id,
                    parent_id=at.span_id,
                    run_id=at.run_id,
                    reader_id=at.reader_id,
                    kind="node" if kind == "node" else "reader",
                    name=name,
                    started_at=started,
                    duration_s=time.time() - started,
                    error=error,
                )
            )
