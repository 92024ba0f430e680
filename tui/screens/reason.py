"""Asks why a pair is rejected; it rejects nothing itself."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from graph.reviewing.tally import MOST_REASON_CHARS


class ReasonScreen(ModalScreen[str | None]):
    """Why? Nothing where the person leaves, an empty text where no reason is given."""

    CSS_PATH = "modal.tcss"
    BINDINGS = [Binding("escape", "leave", "Leave")]

    def compose(self) -> ComposeResult:
        """One line to write on."""
        with Vertical(classes="box") as box:
            box.border_title = "Why reject it?"
            box.border_subtitle = "enter rejects · esc leaves"
            yield Label("A few words, or none:")
            yield Input(id="reason", max_length=MOST_REASON_CHARS)

    @on(Input.Submitted)
    def _answer(self, submitted: Input.Submitted) -> None:
        self.dismiss(submitted.value.strip())

    def action_leave(self) -> None:
        """Do not reject."""
        self.dismiss(None)
