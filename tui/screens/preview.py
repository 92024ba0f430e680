"""One book described for one reader, untuned and tuned side by side; it keeps nothing."""

import asyncio
from collections.abc import Callable, Sequence

from textual import work
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker

from agents.describer import Describer
from agents.errors import GravityError
from agents.portrait import reasons
from agents.records import Book, Profile
from tui.screens.books import BooksScreen
from tui.screens.page import Page
from tui.widgets.description import DescriptionPane
from tui.widgets.plain import plain_line


class PreviewScreen(Page[None]):
    """What does tuning change for this reader?"""

    CSS_PATH = ["page.tcss", "preview.tcss"]
    BINDINGS = [
        Binding("d", "describe", "Describe again"),
        Binding("b", "book", "Another book"),
        Binding("escape", "back", "Stop or back"),
    ]

    def __init__(
        self,
        run_id: str,
        profile: Profile,
        book: Book,
        books: Callable[[], Sequence[Book]],
        describer: Callable[[], Describer],
    ) -> None:
        super().__init__()
        self._run_id = run_id
        self._profile = profile
        self._book = book
        self._books = books
        self._describer = describer
        self._reasons: tuple[str, ...] = ()
        self._writing: Worker[None] | None = None

    def crumbs(self) -> Sequence[str]:
        """The run and the reader."""
        return "runs", self._run_id, self._profile.reader_id, "preview"

    def body(self) -> Sequence[Widget]:
        """The book above, the two texts, and the reasons that both were given."""
        entry = VerticalScroll(Static(id="entry"), id="book", can_focus=False)
        why = VerticalScroll(Static(id="why"), id="grounds", classes="pane")
        why.border_title = "Why: what both were told of the reader"
        texts = Horizontal(DescriptionPane(id="base"), DescriptionPane(id="tuned"), id="texts")
        return entry, texts, why

    def on_mount(self) -> None:
        """Begin at once."""
        try:
            self._reasons = reasons(self._profile)
        except GravityError as error:
            self.tell(error)
        lines = [Content(f"· {plain_line(reason)}") for reason in self._reasons]
        told = Content("\n").join(lines or [Content("nothing notable is known of this reader")])
        self.query_one("#why", Static).update(told)
        self.action_describe()

    def action_describe(self) -> None:
        """Write both descriptions, from the beginning."""
        book = self._book
        self.query_one("#entry", Static).update(
            Content.assemble(
                (plain_line(book.title), "bold"),
                (f"  {plain_line(book.author)}\n", "$text-muted"),
                (plain_line(book.description, 2000), "$text-muted"),
            )
        )
        self._writing = self.run_worker(self._write(), exclusive=True)

    async def _write(self) -> None:
        base, tuned = (
            self.query_one("#base", DescriptionPane),
            self.query_one("#tuned", DescriptionPane),
        )
        base.begin("base", "loading the model…")
        tuned.begin("tuned", "after the base")
        try:
            describer = await asyncio.to_thread(self._describer)
        except GravityError as error:
            base.fail(error)
            self.tell(error)
            return
        models = list(describer.writer.models)
        if len(models) == 1:
            tuned.hint(f"No tuned model yet.\n\n`gravity train {self._run_id}` makes one.")
        for pane, model in zip((base, tuned), dict.fromkeys((models[0], models[-1])), strict=False):
            pane.begin(model, "writing…")
            try:
                await self._stream(describer, pane, model)
            except GravityError as error:
                pane.fail(error)
                self.tell(error)

    async def _stream(self, describer: Describer, pane: DescriptionPane, model: str) -> None:
        text = ""
        async for piece in describer.stream(self._profile, self._book, model):
            text += piece
            pane.write(text)
        found = describer.checked(self._profile, self._book, model, text)
        doubts = [reason for reason in found.why if reason not in self._reasons]
        pane.finish(found.text, found.faithful, doubts)

    @work(exclusive=True, group="book")
    async def action_book(self) -> None:
        """Choose another book and describe it."""

        def chosen(book: Book | None) -> None:
            if book:
                self._book = book
                self.action_describe()

        books = await self.fetch(self._books)
        if books is not None:
            self.app.push_screen(BooksScreen(books), chosen)

    def action_back(self) -> None:
        """Stop a running description, or return to the profile."""
        if self._writing and not self._writing.is_finished:
            self._writing.cancel()
            for pane in self.query(DescriptionPane):
                pane.stop()
        else:
            self.dismiss()
