"""The spans of a run, any number of them; it reads what is in sight, and changes nothing."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from textual import on
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from agents.errors import GravityError
from graph.store import Store
from graph.tracing.traces import KINDS, ORDERS, Span, Wanted
from tui.screens.page import Page
from tui.widgets.plain import plain_line
from tui.widgets.rows import Column, Rows
from tui.widgets.span_detail import SpanDetail

T = TypeVar("T")
COLUMNS = (
    Column("Begun", 8),
    Column("Kind", 6),
    Column("Name", 12, share=3),
    Column("Node", 8, share=2),
    Column("Reader", 8, share=2),
    Column("Seconds", 8, align="right"),
    Column("Tokens", 7, align="right"),
    Column("Cost $", 7, align="right"),
    Column("Error", 5, share=4),
)
EMPTY = "There is no such span. A running synthesis makes more: press F5 to look again."
SORTED = {"started": "as they began", "cost": "dearest first", "duration": "slowest first"}
PAGE = 200
"""Spans that are read at once."""
MOST_PAGES = 8
"""Pages that are remembered."""


class TraceScreen(Page[None]):
    """What did the run do, and what took so long or cost so much?"""

    CSS_PATH = ["page.tcss", "trace.tcss"]
    BINDINGS = [
        Binding("f", "kind", "Kind"),
        Binding("a", "agent", "Agent"),
        Binding("e", "errors", "Errors"),
        Binding("s", "sort", "Sort"),
        Binding("space", "read_on", "Read on", show=False),
    ]

    def __init__(self, store: Store, run_id: str) -> None:
        super().__init__()
        self._store = store
        self._wanted = Wanted(run_id)
        self._agents: list[str] = []
        self._pages: OrderedDict[int, list[Span]] = OrderedDict()
        self._rows: Rows[int] = Rows(COLUMNS, self._cells, id="spans")

    def crumbs(self) -> Sequence[str]:
        """The run."""
        return "runs", self._wanted.run_id or "", "trace"

    def body(self) -> Sequence[Widget]:
        """The spans above, the highlighted one in full below."""
        return self._rows, SpanDetail(id="span", classes="pane")

    def on_mount(self) -> None:
        """Read for the first time."""
        self.action_reload()

    def action_reload(self) -> None:
        """Read again: a running synthesis makes more."""
        self._agents.clear()
        self._show()

    def _show(self) -> None:
        self.run_worker(self._load(), exclusive=True, group="load")

    async def _load(self) -> None:
        found = await self.fetch(partial(self._read, self._wanted))
        if found is None:
            return
        count, first, self._agents = found
        self._pages = OrderedDict({0: first})
        self._rows.show(range(count))
        self._rows.focus()
        wanted = self._wanted
        parts = (
            f"{wanted.kind}s" if wanted.kind else "all kinds",
            plain_line(wanted.agent or "all agents", 20),
            "errors only" if wanted.failed else "",
            SORTED[wanted.order],
            f"{count:,}",
        )
        self.count(" · ".join(filter(None, parts)))

    def _read(self, wanted: Wanted) -> tuple[int, list[Span], list[str]]:
        """How many there are, the first page, and all agents."""
        agents = self._agents or self._store.agents(wanted.run_id or "")
        return self._store.count_spans(wanted), self._store.find_spans(wanted, PAGE), agents

    def _span(self, row: int) -> Span | None:
        """The span of a row that is in sight, read together with its page."""
        number, at = divmod(row, PAGE)
        if number not in self._pages:
            try:
                page = self._store.find_spans(self._wanted, PAGE, offset=number * PAGE)
            except GravityError as error:
                self.tell(error)
                page = []
            self._pages[number] = page
            if len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        page = self._pages[number]
        return page[at] if at < len(page) else None

    def _cells(self, row: int) -> Sequence[Content | str]:
        span = self._span(row)
        return _cells(span) if span else ["gone"]

    @on(Rows.Moved)
    def _detail(self) -> None:
        self.run_worker(self._tell_of_span(), exclusive=True, group="detail")

    async def _tell_of_span(self) -> None:
        row = self._rows.current
        span = None if row is None else self._span(row)
        whole = await self.fetch(partial(self._store.span, span.id)) if span else None
        self.query_one(SpanDetail).show(whole, EMPTY)

    def _want(self, **changes: object) -> None:
        self._wanted = replace(self._wanted, **changes)  # pyright: ignore[reportArgumentType]
        self._show()

    def action_kind(self) -> None:
        """Show the next kind of spans only."""
        self._want(kind=_next((None, *KINDS), self._wanted.kind), agent=None)

    def action_agent(self) -> None:
        """Show the calls of the next agent only."""
        self._want(agent=_next((None, *self._agents), self._wanted.agent), kind=None)

    def action_errors(self) -> None:
        """Show what failed only, or all again."""
        self._want(failed=None if self._wanted.failed else True)

    def action_sort(self) -> None:
        """Sort by beginning, cost, duration."""
        self._want(order=_next(ORDERS, self._wanted.order))

    def action_read_on(self) -> None:
        """Scroll the span by a page, and from its end back to its beginning."""
        self.query_one(SpanDetail).read_on()


def _next(known: Sequence[T], now: T) -> T:
    return known[(known.index(now) + 1) % len(known)] if now in known else known[0]


def _cells(span: Span) -> Sequence[Content | str]:
    is_call = span.kind == "call"
    tokens = "kept" if span.cached else f"{span.tokens_in + span.tokens_out:,}"
    return (
        time.strftime("%H:%M:%S", time.localtime(span.started_at)),
        Content.styled(span.kind, "$text-muted"),
        plain_line(span.name),
        Content.styled(plain_line(span.node or ""), "$text-muted"),
        plain_line(span.reader_id or ""),
        f"{span.duration_s:.3f}",
        tokens if is_call else "",
        f"{span.cost_usd:.4f}" if is_call else "",
        Content.styled(plain_line(span.error or ""), "$text-error"),
    )
