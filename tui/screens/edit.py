"""Lets a person rewrite both answers of a pair; it keeps nothing itself."""

from collections.abc import Callable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, TextArea

from tui.widgets.plain import plain


@dataclass(frozen=True)
class Answers:
    """The two answers of a pair."""

    chosen: str
    rejected: str


class EditScreen(ModalScreen[Answers | None]):
    """How should the answers read? Nothing where the person leaves."""

    CSS_PATH = "modal.tcss"
    BINDINGS = [
        Binding("ctrl+s", "save", "Save", priority=True),
        Binding("escape", "leave", "Leave", priority=True),
    ]

    def __init__(self, answers: Answers, complaint: Callable[[Answers], str]) -> None:
        super().__init__()
        self._answers = answers
        self._complaint = complaint
        """What is wrong with answers; nothing where they may be kept."""

    def compose(self) -> ComposeResult:
        """Two texts to write in."""
        with Vertical(classes="box") as box:
            box.border_title = "Edit and accept"
            box.border_subtitle = "ctrl+s saves · tab changes field · esc leaves"
            yield Label("Chosen: what this reader would rather have")
            yield TextArea(plain(self._answers.chosen), id="chosen")
            yield Label("Rejected")
            yield TextArea(plain(self._answers.rejected), id="rejected")
            yield Label("", id="complaint")

    def action_save(self) -> None:
        """Answer with both texts, unless something is wrong with them."""
        chosen, rejected = (self.query_one(f"#{name}", TextArea) for name in ("chosen", "rejected"))
        answers = Answers(chosen.text.strip(), rejected.text.strip())
        if complaint := self._complaint(answers):
            self.query_one("#complaint", Label).update(Content(plain(complaint)))
        else:
            self.dismiss(answers)

    def action_leave(self) -> None:
        """Leave the pair as it is."""
        self.dismiss(None)
