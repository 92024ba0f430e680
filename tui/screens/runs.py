"""The first screen: the runs and how each stands; it starts and stops none."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from graph.accounts import RunSummary
from graph.store import Store
from tui.screens.page import Page
from tui.widgets.marks import status_mark
from tui.widgets.plain import plain_line
from tui.widgets.rows import Column, Rows

COLUMNS = (
    Column("Run", 13, share=3),
    Column("Begun", 11),
    Column("Status", 10),
    Column("Model", 8, share=2),
    Column("Readers", 7, align="right"),
    Column("Accepted", 9, align="right"),
    Column("Review", 6, align="right"),
    Column("Cost $", 6, align="right"),
)
EMPTY = """There is no run yet.

Make the first one in another terminal:

    gravity synth --readers sample

or the whole tour in a few minutes:

    make demo

then press F5 here."""
SKIPPED_SHOWN = 20


class RunsScreen(Page[None]):
    """Which run?"""

    CSS_PATH = ["page.tcss", "runs.tcss"]
    CRUMBS = ("runs",)
    BINDINGS = [
        Binding("enter", "pick", "Pairs"),
        Binding("p", "readers", "Readers"),
        Binding("s", "trace", "Trace"),
        Binding("t", "app.toggle_theme", "Theme"),
        Binding("escape", "back", show=False),
    ]

    @dataclass
    class PairsAsked(Message):
        """The pairs of a run are wanted."""

        run_id: str

    @dataclass
    class ReadersAsked(Message):
        """The readers of a run are wanted."""

        run_id: str

    @dataclass
    class TraceAsked(Message):
        """The trace of a run is wanted."""

        run_id: str

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._rows: Rows[RunSummary] = Rows(COLUMNS, _cells, id="runs")

    def body(self) -> Sequence[Widget]:
        """The runs, the account of the highlighted one, and a word where there is none."""
        account = VerticalScroll(Static(id="account"), id="about", classes="pane")
        account.border_title = "Account"
        return self._rows, account, Static(Content(EMPTY), id="empty")

    def on_screen_resume(self) -> None:
        """Show how the runs stand now: decisions may have been taken on another screen."""
        self.action_reload()

    def action_reload(self) -> None:
        """Read the runs again."""
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        runs = await self.fetch(self._store.runs)
        if runs is None:
            return
        self.set_class(not runs, "-empty")
        self._rows.show(runs, self._rows.cursor)
        if runs:
            self._rows.focus()
        self.count(f"{len(runs)} run{'' if len(runs) == 1 else 's'}")

    @on(Rows.Moved)
    def _tell_of_run(self) -> None:
        run = self._rows.current
        self.query_one("#account", Static).update(_account(run) if run else "")

    @on(Rows.Picked)
    def _ask_for_pairs(self) -> None:
        if run := self._rows.current:
            self.post_message(self.PairsAsked(run.id))

    def action_pick(self) -> None:
        """Open the pairs, wherever the focus is."""
        self._rows.action_pick()

    def action_readers(self) -> None:
        """Open the readers of the highlighted run."""
        if run := self._rows.current:
            self.post_message(self.ReadersAsked(run.id))

    def action_trace(self) -> None:
        """Open the trace of the highlighted run."""
        if run := self._rows.current:
            self.post_message(self.TraceAsked(run.id))

    def action_back(self) -> None:
        """There is no screen before this one."""


def _cells(run: RunSummary) -> Sequence[Content | str]:
    return (
        plain_line(run.id),
        time.strftime("%m-%d %H:%M", time.localtime(run.created_at)),
        status_mark(run.status),
        Content.styled(plain_line(run.written_by), "$text-muted"),
        f"{run.readers}",
        f"{run.accounting.accepted}/{run.accounting.requested}",
        Content.styled(f"{run.in_review}", "$text-warning") if run.in_review else "0",
        f"{run.spend.cost_usd:.2f}",
    )


def _account(run: RunSummary) -> Content:
    begun, changed = (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
        for at in (run.created_at, run.updated_at)
    )
    per_pair = (
        f", {run.spend.calls / run.accounting.accepted:.2f} calls per accepted pair"
        if run.accounting.accepted
        else ""
    )
    dim = "$text-muted"
    lines = [
        Content.assemble(
            (plain_line(run.id), "bold"),
            (f"  begun {begun}, changed {changed}, model {plain_line(run.written_by)}", dim),
        ),
        Content(str(run.accounting)),
        Content(
            f"{run.proposals} pairs proposed, {run.in_review} wait for a person;"
            f" {run.spend.calls:,} model calls{per_pair}; {run.spend.tokens:,} tokens"
        ),
    ]
    if run.skipped:
        lines.append(Content.styled(f"{len(run.skipped)} lines skipped:", "$text-warning"))
        shown = run.skipped[:SKIPPED_SHOWN]
        lines += [Content.styled(f"  {plain_line(line)}", dim) for line in shown]
    else:
        lines.append(Content.styled("no line of the readers' file was skipped", dim))
    return Content("\n").join(lines)
