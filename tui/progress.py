"""Shows a run's events: a live line on a terminal, plain lines elsewhere. It decides nothing."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from graph.events import Event, NodeDone, PairDecided, PairsWaiting, ReaderEnded, RunBegan, RunEnded
from graph.store import Store
from tui.widgets.plain import plain_line

SECONDS_BETWEEN_LINES = 5.0
MOST_NOTICES = 20
"""Notices that are printed."""
MOST_KEPT = 1000
"""Notices that are kept of a file of any size, which may be wrong in every row."""


class Notices:
    """What a loader set aside, told on stderr in order, the first twenty at least.

    Args:
        most: how many are kept, the others counted; none keeps them all.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self.taken: list[str] = []
        self.count = 0

    def take(self, notice: str) -> None:
        """Keep one, or count it."""
        self.count += 1
        if self._most is None or self.count <= self._most:
            self.taken.append(plain_line(notice))

    def print(self) -> None:
        """Print the first and count the rest."""
        console = Console(stderr=True, highlight=False)
        for notice in self.taken[:MOST_NOTICES]:
            console.print(escape(notice), style="yellow", soft_wrap=True)
        more = self.count - MOST_NOTICES
        if more > 0:
            console.print(f"… and {more:,} more notices")


@contextmanager
def counting(what: str) -> Generator[Callable[[int, str], None]]:
    """Takes a growing count with a note; shows it live on stderr, or in plain lines."""
    console = Console(stderr=True, highlight=False)
    started, last_line = time.monotonic(), 0.0

    with console.status(what) as status:

        def tell(count: int, note: str) -> None:
            nonlocal last_line
            seconds = time.monotonic() - started
            line = f"{what}: {count:,} · {count / max(seconds, 1e-6):.0f}/s · {note}"
            status.update(escape(line))
            if not console.is_terminal and seconds - last_line >= SECONDS_BETWEEN_LINES:
                last_line = seconds
                console.print(f"  {escape(line)}", soft_wrap=True)

        yield tell


class RunProgress:
    """A context in which a run's events become a progress bar on stderr, or plain lines."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("readers", total=None, note="")
        self._started = time.monotonic()
        self._last_line = 0.0
        self._done = self._unfinished = self._accepted = 0

    def __enter__(self) -> "RunProgress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """One line."""
        self._bar.console.print(escape(text), soft_wrap=True)

    def take(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunBegan():
                self._unfinished = event.unfinished
                self._bar.update(self._task, total=event.unfinished)
                verb = "resuming" if event.resumed else "beginning"
                self.say(
                    f"{verb} {event.run_id}: {event.unfinished} of {event.readers} readers,"
                    f" {event.requested} pairs requested"
                )
            case NodeDone():
                self._note(f"{event.node} · {event.reader_id}")
            case PairDecided():
                self._accepted += event.status == "accepted"
            case ReaderEnded():
                self._done += 1
                self._bar.update(self._task, advance=1)
                self._note(
                    f"{event.reader_id} {event.status}", always=self._done == self._unfinished
                )
            case PairsWaiting() | RunEnded():
                pass

    def _note(self, what: str, always: bool = False) -> None:
        seconds = time.monotonic() - self._started
        left = (self._unfinished - self._done) * seconds / self._done if self._done else None
        rate = self._accepted / seconds * 60
        eta = f"{left:.0f} s left" if left is not None else "time left unknown"
        note = f"{self._accepted} pairs accepted · {rate:.0f}/min · {eta} · {plain_line(what, 60)}"
        self._bar.update(self._task, note=escape(note))
        due = seconds - self._last_line >= SECONDS_BETWEEN_LINES
        if not self._console.is_terminal and (due or always):
            self._last_line = seconds
            spent = self._store.spend(self._run_id)
            self.say(f"  {self._done}/{self._unfinished} readers · {note} · {spent}")
