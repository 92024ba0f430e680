"""The terminal app: it opens screens and hands them what they need; it holds no logic."""

import threading
from collections.abc import Callable, Sequence

from textual import on
from textual.app import App
from textual.binding import Binding

from agents.describer import Describer
from agents.records import Book
from graph.store import Store
from tui.screens.help import HelpScreen, Key
from tui.screens.pairs import PairsScreen
from tui.screens.preview import PreviewScreen
from tui.screens.profile import ProfileScreen
from tui.screens.readers import ReadersScreen
from tui.screens.runs import RunsScreen
from tui.themes import THEMES, ThemeName

UNLISTED = {"screen.copy_text", "app.focus_previous"}
MOVING = (Key("↑ ↓  j k", "Move"), Key("pgup pgdn", "Page"), Key("home end  g G", "First, last"))


class GravityApp(App[None]):
    """Runs, their pairs and readers, and what a description becomes for a reader.

    Args:
        store: The run database.
        books: Reads the catalogue; called whenever a book is to be chosen.
        describer: Loads the models; called at most once, in a thread, when first needed.
        reviewer: Who takes the decisions.
        theme: The look to begin with.
    """

    TITLE = "Gravity"
    CSS_PATH = ["screens/page.tcss", "screens/runs.tcss"]
    """Textual reads the sheets of pushed screens only, not of the first."""
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("question_mark", "keys", "Keys", key_display="?"),
        Binding("t", "toggle_theme", "Light or dark", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        store: Store,
        books: Callable[[], Sequence[Book]],
        describer: Callable[[], Describer],
        reviewer: str,
        theme: ThemeName = "dark",
    ) -> None:
        super().__init__()
        self._store = store
        self._books = books
        self._describer = _Once(describer)
        self._reviewer = reviewer
        for look in THEMES.values():
            self.register_theme(look)
        self.theme = THEMES[theme].name

    def get_default_screen(self) -> RunsScreen:
        """Begin with the runs."""
        return RunsScreen(self._store)

    @on(RunsScreen.PairsAsked)
    def _open_pairs(self, asked: RunsScreen.PairsAsked) -> None:
        self.push_screen(PairsScreen(self._store, asked.run_id, self._reviewer))

    @on(RunsScreen.ReadersAsked)
    def _open_readers(self, asked: RunsScreen.ReadersAsked) -> None:
        self.push_screen(ReadersScreen(self._store, asked.run_id))

    @on(ReadersScreen.ProfileAsked)
    def _open_profile(self, asked: ReadersScreen.ProfileAsked) -> None:
        self.push_screen(ProfileScreen(self._store, asked.run_id, asked.reader_id, self._books))

    @on(ProfileScreen.PreviewAsked)
    def _open_preview(self, asked: ProfileScreen.PreviewAsked) -> None:
        self.push_screen(
            PreviewScreen(asked.run_id, asked.profile, asked.book, self._books, self._describer)
        )

    async def on_unmount(self) -> None:
        """Let go of the models, where any were loaded."""
        if self._describer.made:
            await self._describer.made.writer.close()

    def action_toggle_theme(self) -> None:
        """Turn from dark to light and back."""
        other: ThemeName = "light" if self.theme == THEMES["dark"].name else "dark"
        self.theme = THEMES[other].name

    def action_keys(self) -> None:
        """List all keys of the screen in front."""
        keys = {
            bound.binding.description: self.get_key_display(bound.binding)
            for bound in self.screen.active_bindings.values()
            if bound.node in (self, self.screen)
            and bound.enabled
            and bound.binding.description
            and bound.binding.action not in UNLISTED
        }
        self.push_screen(HelpScreen([*MOVING, *(Key(key, does) for does, key in keys.items())]))


class _Once:
    """Calls a slow factory at most once, from whichever thread comes first."""

    def __init__(self, make: Callable[[], Describer]) -> None:
        self._make = make
        self.made: Describer | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Describer:
        with self._lock:
            if self.made is None:
                self.made = self._make()
            return self.made
