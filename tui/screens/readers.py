"""The readers of a run and what became of each; it changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from graph.store import ReaderInRun, Store
from tui.screens.page import Page
from tui.widgets.marks import status_mark
from tui.widgets.plain import plain, plain_line
from tui.widgets.rows import Column, Rows

COLUMNS = (
    Column("Reader", 14, share=1),
    Column("Age", 3, align="right"),
    Column("Country", 7),
    Column("Reviews", 7, align="right"),
    Column("Status", 10),
    Column("Accepted", 9, align="right"),
    Column("What is amiss", 18, share=3),
)


@dataclass(frozen=True)
class ReaderLine:
    """One reader with the number of accepted pairs."""

    member: ReaderInRun
    accepted: int

    @property
    def amiss(self) -> str:
        """The error, or the facets whose quota was not met and why."""
        starved = [f"{facet}: {why}" for facet, why in self.member.starved.items()]
        return self.member.error or "; ".join(starved)


class ReadersScreen(Page[None]):
    """Which reader?"""

    CSS_PATH = ["page.tcss", "readers.tcss"]
    BINDINGS = [Binding("enter", "pick", "Profile and preview")]

    @dataclass
    class ProfileAsked(Message):
        """The profile of a reader is wanted."""

        run_id: str
        reader_id: str

    def __init__(self, store: Store, run_id: str) -> None:
        super().__init__()
        self._store = store
        self._run_id = run_id
        self._rows: Rows[ReaderLine] = Rows(COLUMNS, _cells, id="readers")

    def crumbs(self) -> Sequence[str]:
        """The run."""
        return "runs", self._run_id, "readers"

    def body(self) -> Sequence[Widget]:
        """The readers, and in full what is amiss with the highlighted one."""
        about = VerticalScroll(Static(id="reader"), id="about", classes="pane")
        about.border_title = "Reader"
        return self._rows, about

    def on_mount(self) -> None:
        """Read for the first time."""
        self.action_reload()

    def action_reload(self) -> None:
        """Read the readers again."""
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        self._rows.loading = not self._rows.current
        lines = await self.fetch(partial(_lines, self._store, self._run_id))
        self._rows.loading = False
        if lines is None:
            return
        self._rows.show(lines, self._rows.cursor)
        self._rows.focus()
        finished = sum(line.member.status == "finished" for line in lines)
        self.count(f"{finished} of {len(lines)} finished")

    @on(Rows.Moved)
    def _tell_of_reader(self) -> None:
        line = self._rows.current
        self.query_one("#reader", Static).update(_about(line) if line else "")

    @on(Rows.Picked)
    def _ask_for_profile(self) -> None:
        if line := self._rows.current:
            self.post_message(self.ProfileAsked(self._run_id, line.member.reader.id))

    def action_pick(self) -> None:
        """Open the profile, wherever the focus is."""
        self._rows.action_pick()


def _lines(store: Store, run_id: str) -> list[ReaderLine]:
    accepted = store.accepted_counts(run_id)
    return [ReaderLine(member, accepted[member.reader.id]) for member in store.readers(run_id)]


def _cells(line: ReaderLine) -> Sequence[Content | str]:
    reader = line.member.reader
    return (
        plain_line(reader.id),
        "" if reader.age is None else f"{reader.age}",
        reader.country or "",
        f"{len(reader.reviews)}",
        status_mark(line.member.status),
        f"{line.accepted}/{line.member.requested}",
        Content.styled(plain_line(line.amiss), "$text-muted"),
    )


def _about(line: ReaderLine) -> Content:
    member = line.member
    made = "profile made" if member.profile else "the profile is not made yet"
    parts = [
        Content.assemble((plain_line(member.reader.id, 200), "bold"), (f"  {made}", "$text-muted"))
    ]
    if member.error:
        parts.append(Content.styled(plain(member.error), "$text-error"))
    parts += [
        Content.assemble((f"{facet}: ", "$text-warning"), plain_line(why))
        for facet, why in member.starved.items()
    ]
    return Content("\n").join(parts)
