"""How long a person waits for `gravity tui` and `gravity review` with 20,000 pairs in review.

Run as `python -m benchmarks.review`. The pairs are made of shipped scenes; the store, the app and
the command are the real ones. A figure ends when the next pair stands on the screen. The goals are
0.3 s to the first pair and 50 ms for each decision.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.events import Key
from textual.screen import Screen

from agents.frameworks.catalogue import dimension, shipped_scenarios
from agents.records import Attribute, Pair, Profile, Reader, Verdict
from graph.pairing import scenario_pair
from graph.state import Cell
from graph.store import Store
from tui.app import GravityApp
from tui.screens.pairs import PairsScreen

PAIRS = 20_000
DECISIONS = 60
READERS = 400
RUN = "review"
SIZE = (120, 40)
"""Columns and lines of the terminal."""
LONGEST_S = 60.0


def measure(home: Path, pairs: int = PAIRS, decisions: int = DECISIONS) -> dict[str, float]:
    """Seconds to the first pair, and milliseconds to a decision, on the screen and in a terminal.

    Args:
        home: an empty folder; the run database is made there.
        pairs: how many wait for a person.
        decisions: how many are decided on in each of the two ways.
    """
    store = Store(home / "gravity.db")
    fill(store, pairs)
    figures = asyncio.run(_on_screen(store, decisions))
    store.close()
    return {"pairs": pairs} | figures | _in_terminal(home, decisions)


def fill(store: Store, pairs: int) -> None:
    """A run whose readers wait, with so many pairs in review."""
    readers = [Reader(id=f"reader-{number:03}") for number in range(READERS)]
    store.begin_run(RUN, "scripted", {}, readers, max(1, pairs // READERS), [])
    store.put_pairs([_pair(number) for number in range(pairs)])
    for reader in readers:
        store.end_reader(RUN, reader.id, "waiting")


def _pair(number: int) -> Pair:
    scenes = shipped_scenarios()
    scene = scenes[number // READERS % len(scenes)]
    ground = scene.facet, scene.dimension
    known = Attribute(facet=ground[0], dimension=ground[1], score=60, sd=8, source="inferred_text")
    profile = Profile(reader_id=f"reader-{number % READERS:03}", attributes=(known,))
    cell = Cell(facet=ground[0], dimension=ground[1], pole="high", wanted=1)
    doubt = Verdict(judge="critic", probability=0.55, reason=f"fits {dimension(ground[1]).high}")
    made = scenario_pair(RUN, profile, scene, cell)
    return made.model_copy(update={"status": "review", "reason": "doubtful", "verdicts": (doubt,)})


class _Onlooker:
    """Looks at what an app would write to its terminal."""

    def __init__(self, app: GravityApp) -> None:
        self._app = app
        self._wanted = ""
        self._seen = asyncio.Event()
        app._display = self._look  # an app that is run by a pilot has no terminal to look at

    async def sees(self, pair_id: str) -> float:
        """Seconds until the pair with this id stands on the screen."""
        begun, self._wanted = time.perf_counter(), pair_id
        self._seen.clear()
        await asyncio.wait_for(self._seen.wait(), LONGEST_S)
        return time.perf_counter() - begun

    def _look(self, _screen: Screen[Any], drawn: RenderableType | None) -> None:
        if isinstance(drawn, CompositorUpdate):
            written = drawn.render_segments(self._app.console)
            if self._wanted and self._wanted in written:
                self._seen.set()


async def _on_screen(store: Store, decisions: int) -> dict[str, float]:
    """Open the pairs of the run, approve some, and take the last one back."""
    waiting = store.waiting(RUN, "eve")
    app = GravityApp(store, tuple, lambda: None, lambda _reader: None, reviewer="eve")  # pyright: ignore[reportArgumentType]
    onlooker = _Onlooker(app)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.push_screen(PairsScreen(store, RUN, "eve"))
        first = await onlooker.sees(waiting[0])
        await pilot.pause()
        took: list[float] = []
        for following in waiting[1 : decisions + 1]:
            app.post_message(Key("a", "a"))
            took.append(await onlooker.sees(following))
        app.post_message(Key("u", "u"))
        undone = await onlooker.sees(waiting[decisions - 1])
    return {"screen_first_s": first, **_figures("screen", took), "screen_undo_ms": 1e3 * undone}


def _in_terminal(home: Path, decisions: int) -> dict[str, float]:
    """The command in a process of its own, its input and output piped."""
    command = [sys.executable, "-m", "tui.cli", "--home", str(home), "review", "--reviewer", "eve"]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        _read_on(process.stdout)
        first = time.perf_counter() - begun
        took: list[float] = []
        for _ in range(decisions):
            begun = time.perf_counter()
            process.stdin.write(b"a\n")
            process.stdin.flush()
            _read_on(process.stdout)
            took.append(time.perf_counter() - begun)
        process.stdin.close()
        process.wait()
    return {"terminal_first_s": first, **_figures("terminal", took)}


def _read_on(out: IO[bytes]) -> None:
    """Up to the next prompt."""
    told = b""
    while not told.endswith(b"\n> "):
        if not (byte := out.read(1)):
            raise SystemExit("`gravity review` has ended too early.")
        told += byte


def _figures(where: str, took: Sequence[float]) -> dict[str, float]:
    return {
        f"{where}_decision_ms": 1e3 * statistics.median(took),
        f"{where}_decision_most_ms": 1e3 * max(took),
    }


def told(figures: dict[str, float]) -> str:
    """A table of what was measured."""
    return "\n".join(f"{name:<28}{figure:>10,.2f}" for name, figure in figures.items())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--decisions", type=int, default=DECISIONS)
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    asked = parser.parse_args()
    with TemporaryDirectory() as home:
        figures = measure(Path(home), asked.pairs, asked.decisions)
    print(told(figures))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
