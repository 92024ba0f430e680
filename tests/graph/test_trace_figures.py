"""Readers and steps are summed up as their spans tell, unfinished ones too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.store import Store
from graph.tracing.figures import ReaderTrace, StepFigures, reader_traces, step_figures
from tests.graph.spans import a_span


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "gravity.db")
    yield store
    store.close()


def test_readers_in_the_order_of_their_beginning(store: Store) -> None:
    for span in (
        a_span(1, "run", reader_id=None, duration_s=99.0),
        a_span(2, "reader", duration_s=3.0, error="EndpointError: gone"),
        a_span(3, error="gone"),
        a_span(4, cached=True, tokens_in=0, tokens_out=0, cost_usd=0.0),
        a_span(8, "reader", duration_s=2.0),
        a_span(5, reader_id="bob"),
        a_span(6, "reader", reader_id="cat", error="ModelError: no"),
        a_span(7, "reader", run_id="two"),
    ):
        store.add_span(span)
    ana, bob, cat = reader_traces(store, "one")
    assert ana == ReaderTrace(
        reader_id="ana",
        status="ok",
        started_at=a_span(2).started_at,
        duration_s=5.0,
        calls=2,
        cached=1,
        errors=1,
        tokens_in=10,
        tokens_out=5,
        cost_usd=0.25,
    ), "that it failed once does not matter where it was taken up again"
    assert (bob.reader_id, bob.status, bob.duration_s) == ("bob", "unfinished", 0)
    assert (cat.reader_id, cat.status) == ("cat", "error")


def test_steps_by_node_and_agent(store: Store) -> None:
    store.add_span(a_span(0, "node", duration_s=4.0))
    for number in range(1, 101):
        error = "gone" if number <= 3 else None
        store.add_span(a_span(number, duration_s=float(number), cost_usd=0.01, error=error))
    store.add_span(a_span(101, name="deduplicator", node="deduplicate", cost_usd=9.0))
    store.add_span(a_span(102, "reader"))
    figures = step_figures(store, "one")
    assert list(figures) == [
        ("deduplicate", "deduplicator"),
        ("write", "scenario_writer"),
        ("write", ""),
    ], "the dearest first"
    calls = figures["write", "scenario_writer"]
    assert calls == StepFigures(100, 3, 1500, pytest.approx(1.0), 50.5, 95.0)
    assert figures["write", ""] == StepFigures(1, 0, 0, 0.0, 4.0, 4.0)
    assert step_figures(store, "nowhere") == {}
