"""How long one waits for the traces of a run of 100,000 spans, and in how much memory.

Run as `python -m benchmarks.traces`. Spans are made, with prompts and replies of a usual length;
the commands are the real ones, each in a process of its own, and so is the screen, which is moved
through by keys. Starting Python and reading the command line is part of every command's time.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from agents.records import Reader
from graph.store import Store
from graph.tracing.traces import PROMPT, REPLY, Kind, Span, insert_span
from tui.app import GravityApp
from tui.screens.trace import TraceScreen

SPANS = 100_000
RUN, OTHER = "traced", "other"
CALLS = 45
"""Of each reader, beside 4 nodes."""
TEXT = "You stand before a door that you did not expect, and somebody asks what you do now. " * 15
COMMANDS = {
    "help": ("--help",),
    "list": ("trace", "list", RUN),
    "show": ("trace", "show", RUN),
    "show one reader": ("trace", "show", RUN, "--reader", "reader-7"),
    "filter by cost": ("trace", "filter", RUN, "--sort", "cost"),
    "filter errors": ("trace", "filter", RUN, "--status", "error"),
    "filter text": ("trace", "filter", RUN, "--text", "number-77777"),
    "diff": ("trace", "diff", RUN, OTHER),
    "export": ("trace", "export", RUN, "--texts", "full", "--out", "spans.jsonl"),
}
KEYS = ("end", "home", "down", "f", "f", "e", "e", "s", "s", "pagedown")
SIZE = (120, 40)


def fill(store: Store, spans: int) -> None:
    """Two runs, of which one has so many spans."""
    readers = [Reader(id=f"reader-{number}") for number in range(spans // (CALLS + 4) + 1)]
    for run in (RUN, OTHER):
        store.begin_run(run, "stub", {}, readers, 12, [])
    with store.connected() as connection:
        for span in _spans(spans):
            insert_span(connection, span)


def _spans(count: int) -> Iterator[Span]:
    of_reader = CALLS + 4
    for number in range(count):
        place, reader = number % of_reader, f"reader-{number // of_reader}"
        kind: Kind = "reader" if place == 0 else "node" if place < 4 else "call"
        parent = number - place + (3 if kind == "call" else 0)
        turn = {"role": "user", "parts": [{"type": "text", "content": f"number-{number} {TEXT}"}]}
        yield Span(
            id=f"{number:016x}",
            parent_id=None if kind == "reader" else f"{parent:016x}",
            run_id=RUN,
            reader_id=reader,
            kind=kind,
            name={"reader": reader, "node": ("profile", "plan", "write")[place % 3]}.get(
                kind, ("scenario_writer", "pair_critic")[place % 2]
            ),
            node=None if kind == "reader" else "write",
            started_at=1.79e9 + number / 50,
            duration_s=0.3 + place / 100,
            tokens_in=400 * (kind == "call"),
            tokens_out=100 * (kind == "call"),
            cost_usd=0.0001 * place * (kind == "call"),
            error="the endpoint answers 429: busy" if number % 97 == 0 else None,
            attributes={PROMPT: [turn], REPLY: [turn]} if kind == "call" else None,
        )


def measure(home: Path, spans: int = SPANS) -> dict[str, float]:
    """Seconds and megabytes of every command, and of the screen."""
    store = Store(home / "gravity.db")
    fill(store, spans)
    store.close()
    figures: dict[str, float] = {"spans": spans}
    for name, words in COMMANDS.items():
        command = [sys.executable, "-m", "tui.cli", "--home", str(home), *words]
        figures |= _timed(name, command, home)
    screen = [sys.executable, "-m", "benchmarks.traces", "--screen", str(home)]
    told = json.loads(subprocess.run(screen, capture_output=True, check=True, text=True).stdout)
    return figures | told


def _timed(name: str, command: list[str], folder: Path) -> dict[str, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return {f"{name}, s": time.perf_counter() - begun, f"{name}, MB": usage.ru_maxrss / 1024}


async def on_screen(home: Path) -> dict[str, float]:
    """Open the trace screen and press keys."""
    store = Store(home / "gravity.db")
    app = GravityApp(store, tuple, lambda: None, lambda _reader: None, reviewer="eve")  # pyright: ignore[reportArgumentType]
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        begun = time.perf_counter()
        app.push_screen(TraceScreen(store, RUN))
        await pilot.pause()
        figures = {"screen opens, s": time.perf_counter() - begun}
        took: list[float] = []
        for key in KEYS:
            begun = time.perf_counter()
            await pilot.press(key)
            took.append(time.perf_counter() - begun)
    told = Path("/proc/self/status").read_text("utf-8")
    most_kb = next(line.split()[1] for line in told.splitlines() if line.startswith("VmHWM"))
    return figures | {"slowest key, s": max(took), "screen, MB": int(most_kb) / 1024}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traces", description=__doc__)
    parser.add_argument("--spans", type=int, default=SPANS)
    parser.add_argument("--screen", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.screen:
        print(json.dumps(asyncio.run(on_screen(asked.screen))))
        return
    with TemporaryDirectory() as home:
        figures = measure(Path(home), asked.spans)
    print("\n".join(f"{name:<24}{figure:>10,.2f}" for name, figure in figures.items()))


if __name__ == "__main__":
    main()
