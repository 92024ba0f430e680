"""One run of Gravity in a process of its own, measured: `python -m benchmarks.one_run --help`.

Prints one line of JSON when the work begins and one at its end; with `--home` it takes up what a
process that was killed has left there. With `--staged` the same nodes do the same work stage by
stage: each waits until all readers have passed the one before, and nothing is checkpointed.
"""

import argparse
import asyncio
import json
import math
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.pool import Pool
from agents.records import Book
from agents.settings import ChatSettings, CriticSettings, EmbeddingSettings
from benchmarks.answered_readers import answered_readers
from graph.books import read_books
from graph.crew import Crew
from graph.nodes import Nodes
from graph.routing import Routing
from graph.services import RunServices
from graph.settings import RunSettings, SynthesisSettings
from graph.state import State, first_state
from graph.synthesis import work_through

RUN = "bench"
PAIRS_OF_READER = 12


@dataclass(frozen=True)
class Measured:
    """What a run took, from its first node to its last, without what was loaded before."""

    requested: int
    accepted: int
    rejected: int
    failed: int
    pending: int
    seconds: float
    cpu_s: float
    """Of the whole process, all threads."""
    calls: int
    failed_calls: int
    most_mb: float
    """The process's peak of resident memory."""
    torch: bool
    """Whether PyTorch was loaded."""
    bytes_written: int
    """By the process, to files and sockets alike."""


class ColdServices(RunServices):
    """With a pool that holds nothing at the start."""

    @contextmanager
    def pool(self) -> Generator[Pool]:
        """The pool of this home, as it is."""
        pool = Pool(self.home / "pool", self.embedder)
        try:
            yield pool
        finally:
            pool.close()


async def staged(crew: Crew, run_id: str) -> None:
    """The same nodes for all readers, one stage after the other."""
    nodes, route = Nodes(crew), Routing(crew.settings)
    then: Mapping[str, str | Callable[[State], str]] = {
        "profile": route.after_profile,
        "compare": "plan",
        "plan": route.after_plan,
        "draw": route.after_draw,
        "write": "deduplicate",
        "deduplicate": route.after_deduplicate,
        "pair": "criticise",
        "criticise": route.after_criticise,
        "publish": route.after_publish,
        "invent": route.after_invent,
        "finish": "",
    }
    at: dict[str, list[State]] = {"profile": []}
    for reader_id in crew.store.readers_with_work(run_id):
        at["profile"].append(first_state(run_id, reader_id))

    async def step(name: str, state: State) -> tuple[str, State]:
        with crew.recorder.reader(run_id, state["reader_id"]):
            update = await getattr(nodes, name)(state)
        added = {key: state[key] + update.get(key, []) for key in ("used", "failures")}
        state = State(**{**state, **update, **added})
        after = then[name]
        return (after if isinstance(after, str) else after(state)), state

    while at:
        name = max(at, key=lambda stage: len(at[stage]))
        states = at.pop(name)
        if name == "write":  # one writer at a time for a dimension: together they would wait
            outcomes = []
            for state in states:
                after, state = await step(name, state)
                outcomes.append(await step(after, state))
        else:
            outcomes = await asyncio.gather(*(step(name, state) for state in states))
        following: defaultdict[str, list[State]] = defaultdict(list, at)
        for after, state in outcomes:
            if after:
                following[after].append(state)
        at = dict(following)


async def measure(options: argparse.Namespace, home: Path) -> Measured:
    """The run of so many readers, begun or taken up."""
    settings = RunSettings(
        home=home,
        chat=ChatSettings(
            model=options.model,
            base_url=options.base_url,
            concurrency=options.in_flight,
            timeout_s=options.timeout,
        ),
        embedding=EmbeddingSettings(model="scripted"),
        critic=CriticSettings(judges=tuple(options.judges.split(","))),
        synthesis=SynthesisSettings(readers_at_once=options.readers_at_once),
    )
    books: Mapping[str, Book] = read_books("sample", lambda _notice: None)
    readers = answered_readers(math.ceil(options.pairs / PAIRS_OF_READER), dict(books))
    services = (ColdServices if options.cold else RunServices)(settings)
    store = services.store
    if not store.has_run(RUN):
        store.begin_run(RUN, options.model, {}, readers, PAIRS_OF_READER, ())
    async with services.crew(books, RUN) as crew:
        print(json.dumps({"began": time.time()}), flush=True)
        cpu, began, written = time.process_time(), time.perf_counter(), _written()
        if options.staged:
            await staged(crew, RUN)
        else:
            async for _event in work_through(crew, RUN, home):
                pass
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    summary = store.run(RUN)
    return Measured(
        **asdict(summary.accounting),
        seconds=seconds,
        cpu_s=cpu,
        calls=summary.spend.calls,
        failed_calls=summary.spend.failed,
        most_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        torch="torch" in sys.modules,
        bytes_written=_written() - written,
    )


def _written() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def main() -> None:
    """Run once and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--model", default="scripted")
    parser.add_argument("--base-url")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--readers-at-once", type=int, default=32)
    parser.add_argument("--judges", default="embedded")
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--cold", action="store_true", help="begin with an empty pool")
    parser.add_argument("--staged", action="store_true", help="stage by stage")
    parser.add_argument("--home", type=Path, help="where the run is kept, and taken up again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(measure(options, options.home or Path(folder)))
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
