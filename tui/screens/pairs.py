"""The pairs of a run, and a person's decisions on them; the store keeps what is decided."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from textual import on
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from agents.errors import GravityError, NotFoundError
from agents.records import Pair, PairStatus
from graph.store import Store
from tui.screens.edit import Answers, EditScreen
from tui.screens.page import Page
from tui.screens.reason import ReasonScreen
from tui.widgets.marks import ground, status_mark
from tui.widgets.pair_detail import PairDetail
from tui.widgets.plain import plain_line
from tui.widgets.rows import Column, Rows

Filter = Literal["all"] | PairStatus
FILTERS: tuple[Filter, ...] = ("all", "review", "accepted", "rejected", "proposed")
COLUMNS = (
    Column("Status", 10),
    Column("Reader", 9, share=2),
    Column("Facet", 11),
    Column("Dimension", 14, share=2),
    Column("Pole", 4),
    Column("Prob", 4, align="right"),
    Column("Situation", 14, share=8),
)
EMPTY = "There is no pair yet. A running synthesis makes some: press F5 to look again."


class PairsScreen(Page[None]):
    """Which of these pairs are good?"""

    CSS_PATH = ["page.tcss", "pairs.tcss"]
    BINDINGS = [
        Binding("a", "approve", "Approve"),
        Binding("r", "reject", "Reject"),
        Binding("e", "edit", "Edit"),
        Binding("u", "undo", "Undo"),
        Binding("f", "filter", "Filter"),
        Binding("n", "next", "Next"),
        Binding("space", "read_on", "Read on", show=False),
    ]

    def __init__(self, store: Store, run_id: str, reviewer: str) -> None:
        super().__init__()
        self._store = store
        self._run_id = run_id
        self._reviewer = reviewer
        self._pairs: list[Pair] = []
        self._at: dict[str, int] = {}
        self._decided: list[str] = []
        self._filter: Filter = "all"
        self._rows: Rows[Pair] = Rows(COLUMNS, _cells, id="pairs")

    def crumbs(self) -> Sequence[str]:
        """The run."""
        return "runs", self._run_id, "pairs"

    def body(self) -> Sequence[Widget]:
        """The pairs above, the highlighted one in full below."""
        return self._rows, PairDetail(id="pair", classes="pane")

    def on_mount(self) -> None:
        """Read for the first time."""
        self.action_reload()

    # --- reading and showing ------------------------------------------------------------------

    def action_reload(self) -> None:
        """Read the pairs again: a running synthesis makes more."""
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        self._rows.loading = not self._pairs
        pairs = await self.fetch(partial(self._store.pairs, self._run_id))
        self._rows.loading = False
        if pairs is None:
            return
        self._pairs = pairs
        self._at = {pair.id: at for at, pair in enumerate(pairs)}
        self._show(self._rows.current)
        self._rows.focus()

    def _show(self, wanted: Pair | None, otherwise: int = 0) -> None:
        """Show what the filter lets through, the cursor on `wanted` or on row `otherwise`."""
        shown = [p for p in self._pairs if self._filter in ("all", p.status)]
        rows = (row for row, pair in enumerate(shown) if wanted and pair.id == wanted.id)
        self._rows.show(shown, next(rows, otherwise))
        waiting = sum(pair.status == "review" for pair in self._pairs)
        which = "all" if self._filter == "all" else f"{self._filter} only"
        self.count(f"{which} · {len(shown)} of {len(self._pairs)} · {waiting} in review")

    @on(Rows.Moved)
    def _detail(self) -> None:
        otherwise = "No such pair here: press f for another filter." if self._pairs else EMPTY
        self.query_one(PairDetail).show(self._rows.current, otherwise)

    def action_filter(self) -> None:
        """Show the next kind of pairs only."""
        self._filter = FILTERS[(FILTERS.index(self._filter) + 1) % len(FILTERS)]
        self._show(self._rows.current)

    def action_read_on(self) -> None:
        """Scroll the pair by a page, and from its end back to its beginning."""
        self.query_one(PairDetail).read_on()

    def action_next(self) -> None:
        """Go to the next pair that waits for a person."""
        current = self._rows.current
        self._go_on(self._at[current.id] if current else -1)

    def _go_on(self, at: int) -> None:
        """Go to the first pair in review after number `at`, beginning again after the last."""
        around = [*self._pairs[at + 1 :], *self._pairs[: at + 1]]
        waiting = next((pair for pair in around if pair.status == "review"), None)
        if waiting is None:
            self._show(self._rows.current, self._rows.cursor)
            self.notify(
                f"Nothing waits for a person here. `gravity synth --run {plain_line(self._run_id)}`"
                " goes on for the readers that waited.",
                title="All decided",
                markup=False,
            )
            return
        if self._filter not in ("all", "review"):
            self._filter = "review"
        self._show(waiting)

    # --- deciding -----------------------------------------------------------------------------

    def action_approve(self) -> None:
        """Accept the highlighted pair."""
        self._decide(lambda pair: self._store.decide(pair.id, "approve", self._reviewer))

    def action_reject(self) -> None:
        """Ask for a reason, then reject the highlighted pair."""
        pair = self._rows.current

        def rejected(reason: str | None) -> None:
            if pair and reason is not None:
                self._decide(
                    lambda pair: self._store.decide(
                        pair.id, "reject", self._reviewer, reason=reason
                    ),
                    pair,
                )

        if pair:
            self.app.push_screen(ReasonScreen(), rejected)

    def action_edit(self) -> None:
        """Let both answers be rewritten, then accept the highlighted pair."""
        pair = self._rows.current

        def edited(answers: Answers | None) -> None:
            if pair and answers:
                self._decide(
                    lambda pair: self._store.decide(
                        pair.id,
                        "edit",
                        self._reviewer,
                        chosen=answers.chosen,
                        rejected=answers.rejected,
                    ),
                    pair,
                )

        if pair:
            self.app.push_screen(EditScreen(Answers(pair.chosen, pair.rejected)), edited)

    def _decide(self, decide: Callable[[Pair], Pair], pair: Pair | None = None) -> None:
        pair = pair or self._rows.current
        if pair is None:
            return
        try:
            self._replace(decide(pair))
        except GravityError as error:
            self.tell(error)
            return
        self._decided.append(pair.id)
        if self._filter in ("all", "review"):
            self._go_on(self._at[pair.id])
        else:
            self._show(None, self._rows.cursor)

    def action_undo(self) -> None:
        """Take back the decision on the highlighted pair, else the last one taken here."""
        current = self._rows.current
        try:
            pair = self._undone(current.id if current else None)
        except GravityError as error:
            self.tell(error)
            return
        self._replace(pair)
        if self._filter not in ("all", pair.status):
            self._filter = "all"
        self._show(pair)

    def _undone(self, highlighted: str | None) -> Pair:
        if highlighted and highlighted not in self._decided[-1:]:
            try:
                pair = self._store.undo(highlighted)
            except NotFoundError:
                if not self._decided:
                    raise
            else:
                if highlighted in self._decided:
                    self._decided.remove(highlighted)
                return pair
        if not self._decided:
            raise NotFoundError("There is no decision to take back.")
        return self._store.undo(self._decided.pop())

    def _replace(self, pair: Pair) -> None:
        self._pairs[self._at[pair.id]] = pair


def _cells(pair: Pair) -> Sequence[Content | str]:
    situation = pair.prompt[-1].content if pair.prompt else ""
    what, pole = ground(pair)
    return (
        status_mark(pair.status),
        plain_line(pair.reader_id),
        Content.styled(pair.facet, "$text-muted"),
        plain_line(what).replace("_", " "),
        Content.styled(pole, "$text-muted"),
        "" if pair.probability is None else f"{pair.probability:.2f}",
        plain_line(situation),
    )
