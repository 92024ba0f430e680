"""Spans are kept once, found by what they are, in any order and page by page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.errors import NotFoundError
from agents.records import Reader
from graph.store import Store
from graph.tracing.traces import Span, Wanted
from tests.graph.spans import a_span


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "gravity.db")
    yield store
    store.close()


def kept(store: Store, *spans: Span) -> tuple[Span, ...]:
    for span in spans:
        store.add_span(span)
    return spans


def found(store: Store, **wanted: Any) -> list[int]:
    return [int(span.id, 16) for span in store.find_spans(Wanted("one", **wanted))]


def test_spans_come_back_as_they_were_in_the_order_of_their_beginning(store: Store) -> None:
    late, early, other = kept(
        store, a_span(9, error="no"), a_span(1, "reader"), a_span(2, "reader", reader_id="bob")
    )
    kept(store, a_span(3, run_id="two"))
    assert store.spans("one") == [early, other, late]
    assert store.spans("one", "ana") == [early, late]


def test_the_same_span_again_changes_nothing(store: Store) -> None:
    (first,) = kept(store, a_span(1))
    store.add_span(a_span(1, name="another"))
    assert store.spans("one") == [first]


def test_each_condition_lets_pass_what_meets_it(store: Store) -> None:
    kept(
        store,
        a_span(1, "run", reader_id=None),
        a_span(2, "reader"),
        a_span(3, "node"),
        a_span(4),
        a_span(5, name="pair_critic", node="criticise", cost_usd=0.5, duration_s=9.0),
        a_span(6, reader_id="bob", error="The endpoint is gone."),
    )
    assert found(store) == [1, 2, 3, 4, 5, 6]
    assert found(store, reader_id="bob") == [6]
    assert found(store, kind="node") == [3]
    assert found(store, agent="scenario_writer") == [4, 6]
    assert found(store, node="write") == [3, 4, 6]
    assert found(store, failed=True) == [6]
    assert found(store, failed=False) == [1, 2, 3, 4, 5]
    assert found(store, least_cost_usd=0.3) == [5]
    assert found(store, least_duration_s=9.0) == [5]
    assert found(store, node="write", failed=False, kind="call") == [4]
    assert store.count_spans(Wanted("one", node="write")) == 3


def test_words_are_found_in_prompts_replies_and_errors(store: Store) -> None:
    told = {"attributes": {"gen_ai.output.messages": [{"content": 'Ein "Café" – 100 % und_mehr'}]}}
    kept(store, a_span(1), a_span(2, error="The endpoint is gone."), a_span(3, **told))
    assert found(store, words=("prompt", "REPLY")) == [1, 2]
    assert found(store, words=("gone.",)) == [2]
    assert found(store, words=("Prompt", "nowhere")) == []
    assert found(store, words=("Café",)) == found(store, words=('"Café"',)) == [3]
    assert found(store, words=("0_%",)) == [], "LIKE's own signs are letters here"
    assert found(store, words=("%", "und_mehr")) == [3]


def test_order_and_pages(store: Store) -> None:
    for number, (cost, duration) in enumerate([(1.0, 5.0), (3.0, 1.0), (2.0, 3.0), (3.0, 2.0)]):
        kept(store, a_span(number, cost_usd=cost, duration_s=duration))
    assert found(store, order="cost") == [1, 3, 2, 0], "equals in the order of their beginning"
    assert found(store, order="duration") == [0, 2, 3, 1]
    wanted = Wanted("one", order="cost")
    pages = [store.find_spans(wanted, 3, offset=o) for o in (0, 3)]
    assert [s.id for page in pages for s in page] == [s.id for s in store.find_spans(wanted)]


def test_attributes_are_read_where_they_are_wanted_alone(store: Store) -> None:
    (span,) = kept(store, a_span(1))
    assert store.find_spans(Wanted("one"))[0].attributes is None
    assert store.find_spans(Wanted("one"), whole=True) == [span]
    assert list(store.each_span(Wanted("one"), whole=True)) == [span]
    assert span.turns == [("user", "Prompt 1."), ("assistant", "Reply 1.")]
    assert span.reply == "Reply 1."


def test_lists_read_no_texts(store: Store) -> None:
    """Else 100,000 spans would have hundreds of megabytes read for a page of a hundred lines."""
    query = "EXPLAIN QUERY PLAN SELECT id, reader_id, error, cost_usd, cached, node FROM spans"
    with store.reading() as session:
        for order in ("started_at, id", "cost_usd DESC, started_at, id"):
            told = f"{query} WHERE run_id = 'one' AND reader_id = 'ana' ORDER BY {order} LIMIT 9"
            plan = session.connection().exec_driver_sql(told).all()
            assert "COVERING INDEX spans_by_run" in str(plan)


def test_a_span_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    one, two = kept(store, a_span(1, id="ab12"), a_span(2, id="ab34"))
    assert store.span("ab1") == one
    assert store.span("ab34") == two
    with pytest.raises(NotFoundError, match="several spans whose id begins with 'ab'"):
        store.span("ab")
    with pytest.raises(NotFoundError, match=r"no span '%'.*trace filter"):
        store.span("%")


def test_a_trace_is_one_for_all_that_is_done_on_a_run_and_for_no_other(
    store: Store, tmp_path: Path
) -> None:
    store.begin_run("one", "m", {}, [Reader(id="ana")], 1, [])
    store.begin_run("two", "m", {}, [Reader(id="ana")], 1, [])
    elsewhere = Store(tmp_path / "other.db")
    elsewhere.begin_run("one", "m", {}, [Reader(id="ana")], 1, [])
    ids = [store.trace_id("one"), store.trace_id("two"), elsewhere.trace_id("one")]
    elsewhere.close()
    assert len(set(ids)) == 3
    assert store.trace_id("one") == ids[0]
    assert all(len(i) == 32 and int(i, 16) for i in ids)
