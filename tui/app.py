"""The terminal app: it opens screens and hands them what they need; it holds no logic."""

import threading
from collections.abc import Callable, Sequence

from textual import on

from agents.describer import Describer
from agents.records import Book
from graph.store import Store
from tui.screens.pairs import PairsScreen
from tui.screens.preview import PreviewScreen
from tui.screens.profile import ProfileScreen
from tui.screens.readers import ReadersScreen
from tui.screens.runs import RunsScreen
from tui.screens.trace import TraceScreen
from tui.shell import Shell
from tui.themes import ThemeName


class GravityApp(Shell[None]):
    """Runs, their pairs and readers, and what a description becomes for a reader.

    Args:
        store: The run database.
        books: Reads the catalogue; called whenever a book is to be chosen.
        describer: Loads the models; called at most once, in a thread, when first needed.
        renew: Makes the kept profiles of a reader again, given the id; called in a thread.
        reviewer: Who takes the decisions.
        theme: The look to begin with.
    """

    TITLE = "Gravity"
    CSS_PATH = ["screens/page.tcss", "screens/runs.tcss"]
    """Textual reads the sheets of pushed screens only, not of the first."""

    def __init__(
        self,
        store: Store,
        books: Callable[[], Sequence[Book]],
        describer: Callable[[], Describer],
        renew: Callable[[str], object],
        reviewer: str,
        theme: ThemeName = "dark",
    ) -> None:
        super().__init__(theme)
        self._store = store
        self._books = books
        self._describer = _Once(describer)
        self._renew = renew
        self._reviewer = reviewer

    def get_default_screen(self) -> RunsScreen:
        """Begin with the runs."""
        return RunsScreen(self._store)

    @on(RunsScreen.PairsAsked)
    def _open_pairs(self, asked: RunsScreen.PairsAsked) -> None:
        self.push_screen(PairsScreen(self._store, asked.run_id, self._reviewer))

    @on(RunsScreen.ReadersAsked)
    def _open_readers(self, asked: RunsScreen.ReadersAsked) -> None:
        self.push_screen(ReadersScreen(self._store, asked.run_id))

    @on(RunsScreen.TraceAsked)
    def _open_trace(self, asked: RunsScreen.TraceAsked) -> None:
        self.push_screen(TraceScreen(self._store, asked.run_id))

    @on(ReadersScreen.ProfileAsked)
    def _open_profile(self, asked: ReadersScreen.ProfileAsked) -> None:
        self.push_screen(
            ProfileScreen(
                self._store,
                asked.run_id,
                asked.reader_id,
                self._books,
                self._renew,
                self._reviewer,
            )
        )

    @on(ProfileScreen.PreviewAsked)
    def _open_preview(self, asked: ProfileScreen.PreviewAsked) -> None:
        self.push_screen(
            PreviewScreen(asked.run_id, asked.profile, asked.book, self._books, self._describer)
        )

    async def on_unmount(self) -> None:
        """Let go of the models, where any were loaded."""
        if self._describer.made:
            await self._describer.made.writer.close()


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
