"""One reader's profile with the evidence for it, and the choice of a book; it infers nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from textual import on, work
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from agents.records import Attribute, Book, Profile
from graph.store import ReaderInRun, Store
from tui.screens.books import BooksScreen
from tui.screens.page import Page
from tui.widgets.plain import plain_line
from tui.widgets.profile_text import (
    ATTRIBUTE_COLUMNS,
    attribute_cells,
    evidence_text,
    facts_line,
    interests_text,
)
from tui.widgets.rows import Rows


class ProfileScreen(Page):
    """Who is this reader, and which book is to be described?"""

    CSS_PATH = ["page.tcss", "profile.tcss"]
    BINDINGS = [
        Binding("b", "book", "Choose book"),
        Binding("d", "describe", "Describe it"),
        Binding("space", "read_on", "Read on", show=False),
    ]

    @dataclass
    class PreviewAsked(Message):
        """A book is to be described for the reader of `profile`."""

        run_id: str
        profile: Profile
        book: Book

    def __init__(
        self, store: Store, run_id: str, reader_id: str, books: Callable[[], Sequence[Book]]
    ) -> None:
        super().__init__()
        self._store = store
        self._run_id = run_id
        self._reader_id = reader_id
        self._books = books
        self._member: ReaderInRun | None = None
        self._book: Book | None = None
        self._rows: Rows[Attribute] = Rows(ATTRIBUTE_COLUMNS, attribute_cells, id="attributes")

    def crumbs(self) -> Sequence[str]:
        """The run and the reader."""
        return "runs", self._run_id, self._reader_id, "profile"

    def body(self) -> Sequence[Widget]:
        """Facts, attributes, and below them interests and evidence."""
        interests = VerticalScroll(Static(id="interests"), id="liking", classes="pane")
        interests.border_title = "Interests"
        evidence = VerticalScroll(Static(id="evidence"), id="grounds", classes="pane")
        evidence.border_title = "Evidence"
        return (
            Static(id="facts"),
            Static(id="book"),
            self._rows,
            Static("", id="unmade"),
            Horizontal(interests, evidence, id="below"),
        )

    def on_mount(self) -> None:
        """Read for the first time."""
        self._tell_book()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the reader again."""
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        member = await self.fetch(partial(self._store.reader, self._run_id, self._reader_id))
        if member is None:
            return
        self._member = member
        profile = member.profile
        self.set_class(profile is None, "-unmade")
        self.query_one("#facts", Static).update(facts_line(member.reader))
        if profile is None:
            self.query_one("#unmade", Static).update(
                Content(
                    "The profile is not made yet.\n\n"
                    f"`gravity synth --run {plain_line(self._run_id)}` makes it; then press F5."
                )
            )
            return
        self.query_one("#interests", Static).update(interests_text(profile))
        clearest = sorted(profile.attributes, key=lambda a: (-a.departure, a.dimension))
        self._rows.show(clearest, self._rows.cursor)
        self._rows.focus()

    @on(Rows.Moved)
    def _tell_evidence(self) -> None:
        if self._member and (attribute := self._rows.current):
            evidence = self.query_one("#evidence", Static)
            evidence.update(evidence_text(attribute, self._member.reader))
            self.query_one("#grounds").scroll_home(animate=False)

    def action_read_on(self) -> None:
        """Scroll the evidence by a page, and from its end back to its beginning."""
        grounds = self.query_one("#grounds")
        if grounds.scroll_offset.y >= grounds.max_scroll_y:
            grounds.scroll_home(animate=False)
        else:
            grounds.scroll_page_down(animate=False)

    def action_book(self) -> None:
        """Choose the book."""
        self._ask_for_book(then_describe=False)

    def action_describe(self) -> None:
        """Describe the book that was chosen, or ask for one first."""
        if self._member is None or self._member.profile is None:
            self.notify("The profile is not made yet.", severity="warning", markup=False)
        elif self._book is None:
            self._ask_for_book(then_describe=True)
        else:
            self.post_message(self.PreviewAsked(self._run_id, self._member.profile, self._book))

    @work(exclusive=True, group="book")
    async def _ask_for_book(self, then_describe: bool) -> None:
        def chosen(book: Book | None) -> None:
            if book:
                self._book = book
                self._tell_book()
                if then_describe:
                    self.action_describe()

        books = await self.fetch(self._books)
        if books is not None:
            self.app.push_screen(BooksScreen(books), chosen)

    def _tell_book(self) -> None:
        muted = "$text-muted"
        told = (
            Content.assemble(
                ("Book  ", muted),
                (plain_line(self._book.title), "bold"),
                (f"  {plain_line(self._book.author)}", muted),
            )
            if self._book
            else Content.styled("Book  none chosen yet: press b", muted)
        )
        self.query_one("#book", Static).update(told)
