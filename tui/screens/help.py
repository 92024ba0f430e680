"""The keys of the screen behind; it knows only what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


@dataclass(frozen=True)
class Key:
    """A key and what it does."""

    key: str
    does: str


class HelpScreen(ModalScreen[None]):
    """Which key does what?"""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding("escape,question_mark,q,enter", "dismiss", "Close")]

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The list, in one box."""
        widest = max((len(key.key) for key in self._keys), default=0)
        lines = [
            Content.assemble((key.key.rjust(widest), "bold $text-primary"), f"  {key.does}")
            for key in self._keys
        ]
        with VerticalScroll(id="box") as box:
            box.border_title, box.border_subtitle = "Keys", "esc closes"
            yield Static(Content("\n").join(lines))
