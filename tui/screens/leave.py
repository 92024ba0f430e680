"""Asks whether answers are kept when a questionnaire is left early; it keeps none itself."""

from typing import Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

Leaving = Literal["keep", "drop", "stay"]


class LeaveScreen(ModalScreen[Leaving]):
    """Keep what was answered so far?"""

    CSS_PATH = "modal.tcss"
    BINDINGS = [
        Binding("y,enter", "leave('keep')", "Keep"),
        Binding("n", "leave('drop')", "Throw away"),
        Binding("escape", "leave('stay')", "Go on answering"),
    ]

    def __init__(self, answered: int, asked: int) -> None:
        super().__init__()
        self._answered = answered
        self._asked = asked

    def compose(self) -> ComposeResult:
        """The question in one box."""
        with Vertical(classes="box") as box:
            box.border_title = "Leave the questionnaire?"
            box.border_subtitle = "y keeps · n throws away · esc goes on answering"
            yield Label(f"Keep what was answered so far, {self._answered} of {self._asked}?")

    def action_leave(self, leaving: Leaving) -> None:
        """Answer."""
        self.dismiss(leaving)
