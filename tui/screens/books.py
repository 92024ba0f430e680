"""Lets a person find one book among thousands; it reads no catalogue."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from agents.records import Book
from tui.widgets.plain import plain_line
from tui.widgets.rows import Column, Rows

COLUMNS = (
    Column("Title", 26, share=3),
    Column("Author", 16, share=2),
    Column("Genres", 14, share=2),
)


class BooksScreen(ModalScreen[Book | None]):
    """Which book? Nothing where the person leaves."""

    CSS_PATH = "modal.tcss"
    BINDINGS = [
        Binding("escape", "leave", "Leave"),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
    ]

    def __init__(self, books: Sequence[Book]) -> None:
        super().__init__()
        self._books = books
        self._words = [
            " ".join((book.title, book.author, *book.genres)).casefold() for book in books
        ]
        self._rows: Rows[Book] = Rows(COLUMNS, _cells, id="found")
        self._rows.can_focus = False

    def compose(self) -> ComposeResult:
        """A line to type on, and what was found."""
        with Vertical(classes="box") as box:
            box.border_title = "Choose a book"
            box.border_subtitle = "type to find · ↑↓ moves · enter takes · esc leaves"
            yield Input(placeholder="title, author or genre", id="wanted")
            yield self._rows

    def on_mount(self) -> None:
        """Show all of them."""
        self._rows.show(self._books)

    @on(Input.Changed)
    def _find(self, changed: Input.Changed) -> None:
        wanted = changed.value.casefold().split()
        pairs = zip(self._books, self._words, strict=True)
        self._rows.show([book for book, words in pairs if all(word in words for word in wanted)])

    @on(Input.Submitted)
    @on(Rows.Picked)
    def _take(self) -> None:
        if self._rows.current:
            self.dismiss(self._rows.current)

    def action_move(self, by: int) -> None:
        """Move among what was found while the focus stays on the line."""
        self._rows.action_move(by)

    def action_page(self, by: int) -> None:
        """The same by pages."""
        self._rows.action_page(by)

    def action_leave(self) -> None:
        """Choose none."""
        self.dismiss(None)


def _cells(book: Book) -> Sequence[Content | str]:
    return (
        plain_line(book.title),
        Content.styled(plain_line(book.author), "$text-muted"),
        Content.styled(plain_line(", ".join(book.genres)), "$text-muted"),
    )
