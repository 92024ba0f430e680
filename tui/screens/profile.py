"""One reader's profile: what was inferred and why, and the reader's own word on each item of it.

The store keeps what is said; this screen infers nothing.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from textual import on, work
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from agents.errors import GravityError
from agents.questionnaire import SHORT
from agents.records import Attribute, Book, Interest, Profile
from agents.verification import Verification, VerificationAction
from graph.answers import AnswerSheet
from graph.store import ReaderInRun, Store
from tui.screens.books import BooksScreen
from tui.screens.correct import CorrectScreen
from tui.screens.page import Page
from tui.screens.questionnaire import QuestionnaireScreen
from tui.widgets.item_text import COUNTRY_ONLY, NOT_KNOWN, item_text
from tui.widgets.plain import plain_line
from tui.widgets.profile_items import ITEM_COLUMNS, Item, item_cells, profile_items
from tui.widgets.profile_text import facts_line
from tui.widgets.rows import Rows


class ProfileScreen(Page[None]):
    """Is this true of the reader, may it be used, and which book is to be described?"""

    CSS_PATH = ["page.tcss", "profile.tcss"]
    BINDINGS = [
        Binding("c", "confirm", "Confirm", tooltip="Confirm that the item is true"),
        Binding("x", "correct", "Correct", tooltip="Say what is true instead"),
        Binding("r", "say('remove')", "Remove", tooltip="Remove the item"),
        Binding("f", "say('forbid')", "Forbid", tooltip="Forbid the use of the item"),
        Binding("u", "undo", "Undo", show=False, tooltip="Take the last word on it back"),
        Binding("p", "parts", "Parts", tooltip="Show or hide parts of dimensions"),
        Binding("a", "ask", "Ask", tooltip="Ask the short questionnaire"),
        Binding("d", "describe", "Describe", tooltip="Describe a book for the reader"),
        Binding("b", "book", "Book", show=False, tooltip="Choose the book"),
        Binding("space", "read_on", "Read on", show=False),
        Binding("escape", "back", "Back", show=False),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    @dataclass
    class PreviewAsked(Message):
        """A book is to be described for the reader of `profile`."""

        run_id: str
        profile: Profile
        book: Book

    def __init__(
        self,
        store: Store,
        run_id: str,
        reader_id: str,
        books: Callable[[], Sequence[Book]],
        renew: Callable[[str], object],
        reviewer: str,
    ) -> None:
        super().__init__()
        self._store = store
        self._run_id = run_id
        self._reader_id = reader_id
        self._books = books
        self._renew = renew
        self._reviewer = reviewer
        self._member: ReaderInRun | None = None
        self._said: Sequence[Verification] = ()
        self._parts = False
        self._book: Book | None = None
        self._rows: Rows[Item] = Rows(ITEM_COLUMNS, item_cells, id="items")

    def crumbs(self) -> Sequence[str]:
        """The run and the reader."""
        return "runs", self._run_id, self._reader_id, "profile"

    def body(self) -> Sequence[Widget]:
        """Facts, items, and below or beside them the highlighted one in full."""
        return (
            Static(id="facts"),
            Static(id="book"),
            Static(id="notices"),
            Container(
                self._rows,
                VerticalScroll(Static(id="told"), id="grounds", classes="pane"),
                id="main",
            ),
            Static("", id="unmade"),
        )

    # --- showing ------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Read for the first time."""
        self._tell_book()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the reader again."""
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        read = await self.fetch(self._read)
        if read is None:
            return
        self._member, self._said = read
        inferred = self._member.inferred
        self.set_class(inferred is None, "-unmade")
        self.query_one("#facts", Static).update(facts_line(self._member.reader))
        if inferred is None:
            self.query_one("#unmade", Static).update(
                Content(
                    "The profile is not made yet.\n\n"
                    f"`gravity synth --run {plain_line(self._run_id)}` makes it; then press F5."
                )
            )
            return
        notices = [Content(plain_line(notice)) for notice in inferred.notices]
        told = self.query_one("#notices", Static)
        told.update(Content("\n").join(notices))
        told.display = bool(notices)
        self._show(inferred)
        self._rows.focus()

    def _read(self) -> tuple[ReaderInRun, Sequence[Verification]]:
        member = self._store.reader(self._run_id, self._reader_id)
        return member, self._store.verifications(self._reader_id)

    def _show(self, inferred: Profile) -> None:
        """Put all items in the table, the cursor on the item it stood on."""
        before = self._rows.current
        items = profile_items(inferred, self._said, date.today(), self._parts)
        names = [item.name for item in items]
        at = names.index(before.name) if before and before.name in names else self._rows.cursor
        self._rows.show(items, at)
        said = sum(item.said is not None for item in items)
        waits = sum(item.state == "sensitive" for item in items)
        self.count(f"{said} decided · {waits} to confirm" if waits else f"{said} decided")

    @on(Rows.Moved)
    def _tell_item(self) -> None:
        if self._member and (item := self._rows.current):
            self.query_one("#told", Static).update(item_text(item, self._member.reader))
            grounds = self.query_one("#grounds")
            grounds.border_title = Content(f"{item.label} · {item.facet}")
            grounds.scroll_home(animate=False)

    def action_parts(self) -> None:
        """Show the parts of broad dimensions, or hide them."""
        self._parts = not self._parts
        if self._member and self._member.inferred:
            self._show(self._member.inferred)

    def action_read_on(self) -> None:
        """Scroll the pane by a page, and from its end back to its beginning."""
        grounds = self.query_one("#grounds")
        if grounds.scroll_offset.y >= grounds.max_scroll_y:
            grounds.scroll_home(animate=False)
        else:
            grounds.scroll_page_down(animate=False)

    # --- deciding -----------------------------------------------------------------------------

    def action_confirm(self) -> None:
        """Say that the highlighted item is true, where anything is known that could be."""
        item = self._rows.current
        if item and not item.known:
            self._hint(NOT_KNOWN if item.shown.source == "default" else COUNTRY_ONLY)
        elif item and item.state in ("confirmed", "corrected"):
            self._hint(f"It is {item.state} already. u takes that back.")
        else:
            self.action_say("confirm")

    def action_correct(self) -> None:
        """Ask where the reader really stands, and keep that."""
        item = self._rows.current

        def corrected(score: float | None) -> None:
            if item and score is not None:
                self._say(item, "correct", score)

        if item and isinstance(item.inferred, Interest):
            self._hint(
                "A genre is confirmed, removed or forbidden; it has no poles to choose from."
            )
        elif item:
            self.app.push_screen(CorrectScreen(item), corrected)

    def action_say(self, action: VerificationAction) -> None:
        """Say `action` of the highlighted item, unless it was the last word already."""
        item = self._rows.current
        if item and not (item.said and item.said.action == action):
            self._say(item, action)

    def action_undo(self) -> None:
        """Take the last word on the highlighted item back."""
        if item := self._rows.current:
            try:
                self._store.withdraw(self._reader_id, item.name)
            except GravityError as error:
                self.tell(error)
            self.action_reload()

    def _say(self, item: Item, action: VerificationAction, score: float | None = None) -> None:
        shown = item.shown
        said = Verification(
            reader_id=self._reader_id,
            item=item.name,
            action=action,
            score=score,
            pole=shown.pole if isinstance(shown, Attribute) and action == "confirm" else None,
            by=self._reviewer,
            at=time.time(),
        )
        try:
            self._store.verify([said])
        except GravityError as error:
            self.tell(error)
        self.action_reload()

    def _hint(self, text: str) -> None:
        self.notify(text, severity="warning", markup=False)

    # --- asking -------------------------------------------------------------------------------

    @work(exclusive=True, group="ask")
    async def action_ask(self) -> None:
        """Ask the short questionnaire, what was answered before filled in."""

        def answered(answers: dict[str, int] | None) -> None:
            if answers is not None:
                self._keep(answers)

        kept = await self.fetch(partial(self._store.sheets, self._reader_id))
        if kept is not None:
            given = next((sheet.answers for sheet in kept if sheet.instrument == SHORT), {})
            self.app.push_screen(QuestionnaireScreen(self._reader_id, given), answered)

    @work(exclusive=True, group="ask")
    async def _keep(self, answers: dict[str, int]) -> None:
        """Keep `answers`, and have the profile made again from them."""
        sheet = AnswerSheet(reader_id=self._reader_id, instrument=SHORT, answers=answers)
        try:
            await asyncio.to_thread(self._store.keep_sheets, [sheet])
            self.notify(f"{len(answers)} answers are kept; the profile is being made again.")
            await asyncio.to_thread(self._renew, self._reader_id)
        except GravityError as error:
            self.tell(error)
        else:
            self.notify("The profile is made again.")
        self.action_reload()

    # --- describing ---------------------------------------------------------------------------

    def action_book(self) -> None:
        """Choose the book."""
        self._ask_for_book(then_describe=False)

    def action_describe(self) -> None:
        """Describe the book that was chosen, or ask for one first."""
        if self._member is None or self._member.profile is None:
            self._hint("The profile is not made yet.")
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
