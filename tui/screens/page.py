"""What all full screens share: the crumbs, the footer, the way back, and how an error is told."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from agents.errors import GravityError
from tui.widgets.plain import plain, plain_line

T = TypeVar("T")
Answer = TypeVar("Answer")


class Page(Screen[Answer]):
    """A full screen: one line of crumbs, a body, one line of keys."""

    CSS_PATH = "page.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS = [
        Binding("escape", "back", "Back"),
        Binding("f5", "reload", "Load again", show=False),
    ]
    CRUMBS: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        """The frame around `body`."""
        with Horizontal(id="crumbs"):
            yield Static(_crumbs(self.crumbs()), id="where")
            yield Static("", id="count")
        yield from self.body()
        yield Footer(show_command_palette=False, compact=True)

    def crumbs(self) -> Sequence[str]:
        """Where this screen is, outermost first."""
        return self.CRUMBS

    def body(self) -> Sequence[Widget]:
        """What stands between the crumbs and the keys."""
        return ()

    def count(self, text: str) -> None:
        """Say `text` at the right end of the crumbs."""
        self.query_one("#count", Static).update(Content(text))

    def tell(self, error: GravityError) -> None:
        """Show what happened and what to do; the screen lives on."""
        self.notify(plain(str(error)), title="Sorry", severity="error", markup=False)

    async def fetch(self, read: Callable[[], T]) -> T | None:
        """What `read` returns, read beside the screen; nothing where it failed, which is told."""
        try:
            return await asyncio.to_thread(read)
        except GravityError as error:
            self.tell(error)
            return None

    def action_back(self) -> None:
        """Return to the screen before."""
        self.dismiss()

    def action_reload(self) -> None:
        """Read again what is shown."""


def _crumbs(names: Sequence[str]) -> Content:
    parts: list[Content] = [Content.styled("gravity", "bold $text-primary")]
    for name in names:
        parts.append(Content.styled(" › ", "$text-muted"))
        parts.append(Content(plain_line(name, 40)))
    return Content.assemble(*parts)
