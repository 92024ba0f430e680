"""The short questionnaire, one statement after another; it scores and keeps nothing."""

from collections.abc import Mapping, Sequence

from textual import on
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ProgressBar, Static

from agents.questionnaire import ANSWERS, short_form
from tui.screens.leave import LeaveScreen, Leaving
from tui.screens.page import Page
from tui.widgets.choices import Choices

NOTE = "There are no right answers. What you skip is not counted."


class QuestionnaireScreen(Page[dict[str, int] | None], inherit_bindings=False):
    """How far does the reader agree? All answers by statement id; nothing where none is kept.

    Args:
        reader_id: Who answers.
        given: What was answered before; it can be changed, and it comes back with the rest.
    """

    CSS_PATH = ["page.tcss", "questionnaire.tcss"]
    BINDINGS = [
        Binding("1", "choose(0)", "Answer", key_display="1-5"),
        *(Binding(f"{n}", f"choose({n - 1})", show=False) for n in range(2, len(ANSWERS) + 1)),
        Binding("s", "skip", "Skip", tooltip="Go on without an answer"),
        Binding("left,backspace", "previous", "Back", key_display="←", tooltip="Back by one"),
        Binding("right", "next", "On", key_display="→", tooltip="On by one"),
        Binding("escape,q", "leave", "Leave", key_display="esc"),
        Binding("enter", "finish", "Keep the answers"),
    ]

    def __init__(self, reader_id: str, given: Mapping[str, int]) -> None:
        super().__init__()
        self._reader_id = reader_id
        self._given = dict(given)
        self._answers = dict(given)
        self._at = 0

    def crumbs(self) -> Sequence[str]:
        """Who is asked."""
        return "questionnaire", self._reader_id

    def body(self) -> Sequence[Widget]:
        """How far it has come, the statement and the five answers."""
        card = Vertical(
            Static(id="asked"),
            Static(id="statement"),
            Choices(id="answers"),
            Static(NOTE, id="note"),
            id="card",
        )
        bar = ProgressBar(len(short_form()), show_percentage=False, show_eta=False, id="progress")
        return bar, VerticalScroll(card, id="sheet", can_focus=False)

    def on_mount(self) -> None:
        """Begin with the first statement that was not answered before."""
        self._go(next((n for n, s in enumerate(short_form()) if s.id not in self._answers), 0))

    @property
    def _at_end(self) -> bool:
        return self._at == len(short_form())

    @property
    def _answered(self) -> int:
        return sum(statement.id in self._answers for statement in short_form())

    def _go(self, to: int) -> None:
        """Show statement number `to`, or after the last the word at the end."""
        self._at = max(0, min(to, len(short_form())))
        self.query_one(ProgressBar).update(progress=self._at)
        self.query_one("#sheet").scroll_home(animate=False)
        self.set_class(self._at_end, "-end")
        self.refresh_bindings()
        asked, statement = self.query_one("#asked", Static), self.query_one("#statement", Static)
        if self._at_end:
            self.count(f"{self._answered} answered")
            asked.update("That was all.")
            told = f"You answered {self._answered} of {len(short_form())}."
            statement.update(Content(f"{told}\n\nenter keeps the answers · ← goes back"))
            return
        self.count(f"{self._at + 1} of {len(short_form())}")
        asked.update("How far do you agree?")
        current = short_form()[self._at]
        statement.update(Content(current.text))
        given = self._answers.get(current.id)
        answers = self.query_one(Choices)
        answers.ask([(answer, "") for answer in ANSWERS], given - 1 if given else None)
        answers.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """At the end there is nothing to answer, and only there is something to finish."""
        if action in ("choose", "skip", "next"):
            return not self._at_end
        return self._at_end if action == "finish" else True

    @on(Choices.Chosen)
    def _take(self, chosen: Choices.Chosen) -> None:
        self.action_choose(chosen.index)

    def action_choose(self, index: int) -> None:
        """Answer with the choice at `index` and go on."""
        self._answers[short_form()[self._at].id] = index + 1
        self._go(self._at + 1)

    def action_skip(self) -> None:
        """Leave this statement without an answer and go on."""
        self._answers.pop(short_form()[self._at].id, None)
        self._go(self._at + 1)

    def action_previous(self) -> None:
        """Go back by one statement."""
        self._go(self._at - 1)

    def action_next(self) -> None:
        """Go on by one statement and leave its answer as it is."""
        self._go(self._at + 1)

    def action_finish(self) -> None:
        """Keep the answers."""
        self.dismiss(self._answers)

    def action_leave(self) -> None:
        """Leave; where something was answered, ask first whether it is kept."""

        def left(leaving: Leaving | None) -> None:
            if leaving == "keep":
                self.dismiss(self._answers)
            elif leaving == "drop":
                self.dismiss(None)

        if self._answers == self._given:
            self.dismiss(None)
        else:
            self.app.push_screen(LeaveScreen(self._answered, len(short_form())), left)
