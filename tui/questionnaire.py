"""The short questionnaire as an app of its own; whoever runs it keeps the answers."""

from collections.abc import Mapping

from tui.screens.questionnaire import QuestionnaireScreen
from tui.shell import Shell
from tui.themes import ThemeName


class QuestionnaireApp(Shell[dict[str, int]]):
    """Asks one reader and returns the answers by statement id, or nothing.

    Args:
        reader_id: Who answers.
        given: What was answered before; a kept sheet is replaced whole by what comes back.
        theme: The look to begin with.
    """

    TITLE = "Gravity"

    def __init__(self, reader_id: str, given: Mapping[str, int], theme: ThemeName = "dark") -> None:
        super().__init__(theme)
        self._reader_id = reader_id
        self._given = given

    def on_mount(self) -> None:
        """Ask at once."""
        self.push_screen(QuestionnaireScreen(self._reader_id, self._given), self.exit)
