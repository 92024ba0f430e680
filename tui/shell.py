"""What every app of Gravity has: the two looks, and the list of keys; it opens no screen."""

from typing import TypeVar

from textual.app import App
from textual.binding import Binding

from tui.screens.help import HelpScreen, Key
from tui.themes import THEMES, ThemeName

Result = TypeVar("Result")
UNLISTED = {"screen.copy_text", "app.focus_previous"}
MOVING = (Key("↑ ↓  j k", "Move"), Key("pgup pgdn", "Page"), Key("home end  g G", "First, last"))


class Shell(App[Result]):
    """An app that begins in `theme`."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("question_mark", "keys", "Keys", key_display="?"),
        Binding("t", "toggle_theme", "Light or dark", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, theme: ThemeName) -> None:
        super().__init__()
        for look in THEMES.values():
            self.register_theme(look)
        self.theme = THEMES[theme].name

    def action_toggle_theme(self) -> None:
        """Turn from dark to light and back."""
        other: ThemeName = "light" if self.theme == THEMES["dark"].name else "dark"
        self.theme = THEMES[other].name

    def action_keys(self) -> None:
        """List all keys of the screen in front."""
        keys = {
            bound.binding.description: Key(
                self.get_key_display(bound.binding),
                bound.binding.tooltip or bound.binding.description,
            )
            for bound in self.screen.active_bindings.values()
            if bound.node in (self, self.screen)
            and bound.enabled
            and bound.binding.description
            and bound.binding.action not in UNLISTED
        }
        self.push_screen(HelpScreen([*MOVING, *keys.values()]))
