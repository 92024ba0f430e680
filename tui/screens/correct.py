"""Asks where a reader really stands on one dimension; it keeps nothing itself."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from agents.records import Attribute
from agents.verification import LEVELS
from tui.widgets.choices import Choices
from tui.widgets.profile_items import Item

SCORES = tuple(LEVELS.values())
"""T points of the five choices."""


class CorrectScreen(ModalScreen[float | None]):
    """Where does the reader stand, in T points? Nothing where the person leaves."""

    CSS_PATH = "modal.tcss"
    BINDINGS = [
        *(Binding(f"{n}", f"choose({n - 1})", show=False) for n in range(1, len(SCORES) + 1)),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, item: Item) -> None:
        super().__init__()
        self._item = item

    def compose(self) -> ComposeResult:
        """The five choices with their poles' words."""
        with Vertical(classes="box") as box:
            box.border_title = Content(f"{self._item.label}: what is true?")
            box.border_subtitle = "1 to 5 chooses · ↑↓ enter too · esc leaves"
            yield Choices()

    def on_mount(self) -> None:
        """Mark the choice nearest to what holds, where anything is known."""
        low, high = self._item.phrase("low"), self._item.phrase("high")
        shown = self._item.shown
        nearest = None
        if isinstance(shown, Attribute) and self._item.known:
            nearest = min(range(len(SCORES)), key=lambda n: abs(SCORES[n] - shown.score))
        choices = (
            ("clearly low", low),
            ("rather low", low),
            ("in the middle", "neither more than the other"),
            ("rather high", high),
            ("clearly high", high),
        )
        self.query_one(Choices).ask(choices, nearest)

    @on(Choices.Chosen)
    def _take(self, chosen: Choices.Chosen) -> None:
        self.dismiss(SCORES[chosen.index])

    def action_choose(self, index: int) -> None:
        """Choose by number."""
        self.query_one(Choices).choose(index)

    def action_leave(self) -> None:
        """Correct nothing."""
        self.dismiss(None)
