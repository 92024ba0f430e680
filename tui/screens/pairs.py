"""The pairs of a run, and a person's decisions on them; the store keeps what is decided."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Literal

from textual import on
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from agents.errors import DecisionError, GravityError, NotFoundError
from agents.records import Pair, PairStatus
from graph.reviewing.decisions import Standing
from graph.reviewing.tally import Action, Word, sound
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
NO_SUCH = "No such pair here: press f for another filter."
PAGE = 64
"""Pairs that are read at a time: those around the one that comes into sight."""


class PairsScreen(Page[None]):
    """Which of these pairs are good?

    How every pair stands is known; a pair itself is read when it comes into sight.
    """

    CSS_PATH = ["page.tcss", "pairs.tcss"]
    BINDINGS = [
        Binding("a", "approve", "Approve"),
        Binding("r", "reject", "Reject"),
        Binding("e", "edit", "Edit"),
        Binding("s", "skip", "Skip"),
        Binding("u", "undo", "Undo"),
        Binding("f", "filter", "Filter"),
        Binding("o", "overrule", "Overrule what is decided already", show=False),
        Binding("space", "read_on", "Read on", show=False),
    ]

    def __init__(self, store: Store, run_id: str, reviewer: str) -> None:
        super().__init__()
        self._store = store
        self._run_id = run_id
        self._reviewer = reviewer
        self._standings: dict[str, Standing] = {}
        """By id, in the order of their making."""
        self._said: dict[str, Standing] = {}
        """What was decided here while they were read."""
        self._at: dict[str, int] = {}
        self._read: dict[str, Pair | None] = {}
        """What has been in sight; none for a pair that is gone."""
        self._shown: list[str] = []
        self._decided: list[str] = []
        self._filter: Filter = "all"
        self._rows: Rows[str] = Rows(COLUMNS, self._cells, id="pairs")

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
        self._read.clear()
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        """Begin with one page, so that the first pair is there at once, and go on with all."""
        for most in (None,) if self._standings else (PAGE, None):
            self._said.clear()
            read = partial(self._store.standings, self._run_id, self._reviewer, most)
            found = await self.fetch(read)
            if found is None:
                return
            self._standings = dict(found) | self._said
            self._at = {pair_id: at for at, pair_id in enumerate(self._standings)}
            self._show(self._rows.current)

    def _pair(self, pair_id: str) -> Pair | None:
        """A pair that is in sight, read together with those around it."""
        if pair_id not in self._read:
            row = self._row(pair_id)
            around = [pair_id, *self._shown[max(0, row - PAGE // 2) : row + PAGE // 2]]
            self._read |= dict.fromkeys(around)
            try:
                self._read |= self._store.pairs_by_id(around)
            except GravityError as error:
                self.tell(error)
        return self._read[pair_id]

    def _cells(self, pair_id: str) -> Sequence[Content | str]:
        pair = self._pair(pair_id)
        return _cells(pair, self._standings[pair_id]) if pair else ["gone"]

    def _row(self, pair_id: str | None) -> int:
        """The row of a pair, or the one it would have if the filter let it through."""
        at = self._at.get(pair_id or "", 0)
        return bisect_left(self._shown, at, key=self._at.__getitem__)

    def _show(self, wanted: str | None) -> None:
        """Show what the filter lets through, the cursor on `wanted` or where it would be."""
        ids, standings = list(self._standings), list(self._standings.values())
        if self._filter != "all":
            ids = [i for i, standing in self._standings.items() if standing == self._filter]
        self._shown = ids
        with self.prevent(Rows.Moved):
            self._rows.show(ids, self._row(wanted))
        self._detail()
        which = "all" if self._filter == "all" else f"{self._filter} only"
        waiting = standings.count("review")
        self.count(f"{which} · {len(ids)} of {len(standings)} · {waiting} in review")

    @on(Rows.Moved)
    def _detail(self) -> None:
        pair_id = self._rows.current
        otherwise = NO_SUCH if self._standings else EMPTY
        self.query_one(PairDetail).show(self._pair(pair_id) if pair_id else None, otherwise)

    def action_filter(self) -> None:
        """Show the next kind of pairs only."""
        self._filter = FILTERS[(FILTERS.index(self._filter) + 1) % len(FILTERS)]
        self._show(self._rows.current)

    def action_read_on(self) -> None:
        """Scroll the pair by a page, and from its end back to its beginning."""
        self.query_one(PairDetail).read_on()

    def action_skip(self) -> None:
        """Go to the next pair that waits for this person, beginning again after the last."""
        current = self._rows.current
        at = self._at[current] if current else -1
        ids = list(self._standings)
        around = chain(ids[at + 1 :], ids[: at + 1])
        waiting = next((i for i in around if self._standings[i] == "review"), None)
        if waiting is None:
            self._show(current)
            self.notify(
                f"Nothing waits for you here. `gravity synth --run {plain_line(self._run_id)}`"
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
        if pair_id := self._rows.current:
            self._decide(pair_id, "approve")

    def action_reject(self, overrule: bool = False) -> None:
        """Ask for a reason, then reject the highlighted pair."""
        pair_id = self._rows.current

        def rejected(reason: str | None) -> None:
            if pair_id and reason is not None:
                self._decide(pair_id, "reject", reason, overrule=overrule)

        if pair_id:
            self.app.push_screen(ReasonScreen(), rejected)

    def action_edit(self) -> None:
        """Let both answers be rewritten, then accept the highlighted pair."""
        pair_id = self._rows.current
        pair = self._pair(pair_id) if pair_id else None

        def complaint(answers: Answers) -> str:
            try:
                assert pair
                sound(Word(self._reviewer, "edit", "", answers.chosen, answers.rejected), pair)
            except DecisionError as error:
                return str(error)
            return ""

        def edited(answers: Answers | None) -> None:
            if pair and answers:
                self._decide(pair.id, "edit", answers=answers)

        if pair:
            self.app.push_screen(EditScreen(Answers(pair.chosen, pair.rejected), complaint), edited)

    def action_overrule(self) -> None:
        """Turn what the critic, or people before, have decided of the highlighted pair."""
        pair_id = self._rows.current
        standing = self._standings[pair_id] if pair_id else None
        if standing == "accepted":
            self.action_reject(overrule=True)
        elif pair_id and standing == "rejected":
            self._decide(pair_id, "approve", overrule=True)
        elif pair_id:
            self.notify("Only what is accepted or rejected can be overruled.", markup=False)

    def _decide(
        self,
        pair_id: str,
        action: Action,
        reason: str = "",
        answers: Answers | None = None,
        overrule: bool = False,
    ) -> None:
        texts = (answers.chosen, answers.rejected) if answers else (None, None)
        try:
            pair = self._store.decide(
                pair_id, action, self._reviewer, reason, *texts, via="screen", overrule=overrule
            )
        except GravityError as error:
            self.tell(error)
            return
        self._take(pair, "waiting" if pair.status == "review" else pair.status)
        self._decided.append(pair_id)
        if self._filter in ("all", "review"):
            self.action_skip()
        else:
            self._show(pair_id)

    def action_undo(self) -> None:
        """Take back the decision on the highlighted pair, else the last one taken here."""
        try:
            pair = self._undone(self._rows.current)
        except GravityError as error:
            self.tell(error)
            return
        self._take(pair, pair.status)
        if self._filter not in ("all", pair.status):
            self._filter = "all"
        self._show(pair.id)

    def _undone(self, highlighted: str | None) -> Pair:
        if highlighted and highlighted not in self._decided[-1:]:
            try:
                pair = self._store.undo(highlighted, self._reviewer, via="screen")
            except (DecisionError, NotFoundError):
                if not self._decided:
                    raise
            else:
                if highlighted in self._decided:
                    self._decided.remove(highlighted)
                return pair
        if not self._decided:
            raise NotFoundError("There is no decision to take back.")
        return self._store.undo(self._decided.pop(), self._reviewer, via="screen")

    def _take(self, pair: Pair, standing: Standing) -> None:
        self._read[pair.id] = pair
        self._standings[pair.id] = self._said[pair.id] = standing


def _cells(pair: Pair, standing: Standing) -> Sequence[Content | str]:
    situation = pair.prompt[-1].content if pair.prompt else ""
    what, pole = ground(pair)
    return (
        status_mark(standing),
        plain_line(pair.reader_id),
        Content.styled(pair.facet, "$text-muted"),
        plain_line(what).replace("_", " "),
        Content.styled(pole, "$text-muted"),
        "" if pair.probability is None else f"{pair.probability:.2f}",
        plain_line(situation),
    )
