"""How look-ups in the candidate pool, and `gravity pool import`, grow with size: `make bench-pool`.

Run as `python -m benchmarks.pool_scale`. Vectors and scenes are made (`benchmarks.made_scenes`),
since so many were never written; the first table shows how they compare with real ones.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from agents import weights
from agents.embeddings import SentenceEmbedder, Vectors
from agents.frameworks.catalogue import shipped_scenarios
from agents.pool import BATCH, LOOKED_AT, Neighbour, Pool
from agents.records import Scenario
from agents.scripted import DIMENSIONS
from benchmarks.made_scenes import Mixtures, made_scenes

SIZES = (10_000, 100_000, 1_000_000)
NEAREST = 8
"""How many neighbours a single look-up asks for."""
ROUNDS = 5
"""How often every batch is looked up."""
POLL_S = 0.1
MB = 2**20


@dataclass(frozen=True)
class Cosines:
    """How near vectors are to each other: medians over as many as ship."""

    of: str
    nearest: float
    eighth: float
    any_two: float


@dataclass(frozen=True)
class LookUp:
    """What a pool of so many vectors costs, and what it finds."""

    vectors: int
    add_ms: float
    """Mean time to add one scenario, in batches, over the last tenth of them."""
    add_all_s: float
    alone_ms: float
    """Median time of `Pool.search` for the nearest 8, as the next two."""
    alone_p95_ms: float
    in_cell_ms: float
    """The same within one dimension."""
    batch_ms: float
    """Median time of `Pool.add_unless` for one of a batch of 256 that are all refused."""
    recall: float
    """Share of the nearest 8 by exact search that `Pool.search` finds."""
    recall_near: float
    """Share of near-duplicates whose original `Pool.search` finds first."""
    recall_in_cell: float
    """Share of the nearest `LOOKED_AT` in the dimension that `Pool.add_unless` puts forward."""
    resident_mb: float
    """Growth of the process since before the pool was opened."""
    disk_mb: float


@dataclass(frozen=True)
class Import:
    """One run of `gravity pool import` in a process of its own, with the scripted embedder."""

    examined: bool
    rows: int
    seconds: float
    peak_mb: float
    said: str
    """What the command said at its end."""


@dataclass(frozen=True)
class Scale:
    """All that was measured."""

    cosines: tuple[Cosines, ...]
    look_ups: tuple[LookUp, ...]
    imports: tuple[Import, ...]


def measure(vectors: Sequence[int] = SIZES, queries: int = BATCH, imported: int = 100_000) -> Scale:
    """Look-ups in pools of these sizes, and imports of so many rows and of a tenth of them.

    Args:
        vectors: the sizes; each has a process of its own.
        queries: how many look-ups at each size, half of them near-duplicates.
        imported: rows of the larger file; 0 leaves imports out.
    """
    embedder = SentenceEmbedder(weights.require(weights.EMBEDDING), weights.EMBEDDING.name)
    shipped = embedder.embed([s.situation for s in shipped_scenarios()])
    like = Mixtures(shipped, len(shipped) * 2, 1).queries[1::2]
    look_ups: list[LookUp] = []
    for size in vectors:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            look_ups.append(process.submit(look_up, size, queries, shipped).result())
    imports: list[Import] = []
    for examined in (False, True) if imported else ():
        imports += [take_in(rows, examined) for rows in (imported // 10, imported)]
    cosines = (_cosines("shipped", shipped), _cosines("made", like))
    return Scale(cosines, tuple(look_ups), tuple(imports))


def look_up(size: int, queries: int, shipped: Vectors) -> LookUp:
    """Fill a pool and look up in it; the memory is right where the process does nothing else."""
    mixtures = Mixtures(shipped, queries, size)
    asked = [_numbered(s) for s in made_scenes(queries, seed=1, mark="?")]
    process = psutil.Process()
    before = process.memory_info().rss
    with TemporaryDirectory() as folder:
        pool = Pool(Path(folder), mixtures)
        cells, added = _fill(pool, mixtures, size)
        alone, found = _searched(pool, asked, in_cell=False)
        narrow, _ = _searched(pool, asked, in_cell=True)
        together, put = _refused(pool, asked)
        grown = process.memory_info().rss - before
        disk = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        pool.close()
    nearest = mixtures.nearest(NEAREST, [""] * queries, [""] * size)
    in_cell = mixtures.nearest(LOOKED_AT, [s.dimension for s in asked], cells)
    originals = [[str(number)] for number in mixtures.repeated[::2]]
    return LookUp(
        vectors=size,
        add_ms=1e3 * float(np.mean(added[-max(len(added) // 10, 1) :])),
        add_all_s=BATCH * sum(added),
        alone_ms=1e3 * float(np.median(alone)),
        alone_p95_ms=1e3 * float(np.percentile(alone, 95)),
        in_cell_ms=1e3 * float(np.median(narrow)),
        batch_ms=1e3 * float(np.median(together)),
        recall=_recall(nearest, found),
        recall_near=_recall(originals, [ids[:1] for ids in found[::2]]),
        recall_in_cell=_recall(in_cell, put),
        resident_mb=grown / MB,
        disk_mb=disk / MB,
    )


def take_in(rows: int, examined: bool) -> Import:
    """Import made scenes with the command itself, into a home of its own."""
    with TemporaryDirectory() as home:
        file = Path(home) / "scenes.jsonl"
        with file.open("w", encoding="utf-8") as out:
            out.writelines(s.model_dump_json() + "\n" for s in made_scenes(rows))
        # Patchworks of shipped scenes are much like those: no likelihood is held against them, so
        # that they come in, and the pool grows as it would with scenes that somebody wrote.
        command = [
            sys.executable,
            "-m",
            "tui.cli",
            "--home",
            home,
            *_set("embedding.model=scripted"),
        ]
        command += _set("deduplicator.duplicate_from=1", "deduplicator.distinct_below=1")
        command += ["pool", "import", str(file), *([] if examined else ["--unexamined"])]
        begun, peak = time.perf_counter(), 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                peak = max(peak, watched.memory_info().rss)
                time.sleep(POLL_S)
            said = process.communicate()[0].strip()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
        return Import(examined, rows, time.perf_counter() - begun, peak / MB, said)


def _set(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def _fill(pool: Pool, mixtures: Mixtures, size: int) -> tuple[list[str], list[float]]:
    """The dimensions of all that were added, and the seconds for each of every batch."""
    cells, added, source = list[str](), list[float](), map(_numbered, made_scenes(size))
    while batch := list(islice(source, BATCH)):
        mixtures.block(len(cells) // BATCH)
        begun = time.perf_counter()
        pool.load(batch)
        added.append((time.perf_counter() - begun) / len(batch))
        cells += [s.dimension for s in batch]
        if len(added) % 100 == 0:
            left = float(np.mean(added[-20:])) * (size - len(cells)) / 60
            _tell(f"  {len(cells):,}/{size:,} vectors, {left:.0f} min left")
    return cells, added


def _searched(
    pool: Pool, asked: Sequence[Scenario], in_cell: bool
) -> tuple[list[float], list[list[str]]]:
    """Seconds and found ids of each single look-up."""
    seconds, found = list[float](), list[list[str]]()
    for scenario in asked:
        begun = time.perf_counter()
        near = pool.search(scenario.situation, NEAREST, [scenario.dimension] if in_cell else ())
        seconds.append(time.perf_counter() - begun)
        found.append([n.scenario.id for n in near])
    return seconds, found


def _refused(pool: Pool, asked: Sequence[Scenario]) -> tuple[list[float], list[list[str]]]:
    """Seconds for each candidate of every batch, and the ids that were put before the objection."""
    put: dict[str, list[str]] = {}

    def object_to(scenario: Scenario, neighbours: Sequence[Neighbour]) -> bool:
        put[scenario.id] = [n.scenario.id for n in neighbours]
        return True

    seconds: list[float] = []
    for start in [*range(0, len(asked), BATCH)] * ROUNDS:
        batch = asked[start : start + BATCH]
        begun = time.perf_counter()
        pool.add_unless(batch, object_to)
        seconds.append((time.perf_counter() - begun) / len(batch))
    return seconds, [put[s.id] for s in asked]


def _recall(wanted: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    pairs = zip(wanted, found, strict=True)
    hits = sum(len(set(some) & set(others)) for some, others in pairs)
    return hits / sum(map(len, wanted))


def _cosines(of: str, vectors: Vectors) -> Cosines:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    ranked = np.sort(cosines, axis=1)[:, ::-1]
    medians = [float(np.median(part)) for part in (ranked[:, 0], ranked[:, 7], ranked[:, :-1])]
    return Cosines(of, *medians)


def _numbered(scenario: Scenario) -> Scenario:
    """With its id before its situation, by which its vector is found."""
    return scenario.model_copy(update={"situation": f"{scenario.id} {scenario.situation}"})


def told(scale: Scale) -> str:
    """Tables of all that was measured."""
    return "\n".join(
        [
            f"{'median cosine of vectors':<26}{'nearest':>9}{'8th':>7}{'any two':>9}",
            *(
                f"{c.of:<26}{c.nearest:>9.2f}{c.eighth:>7.2f}{c.any_two:>9.2f}"
                for c in scale.cosines
            ),
            *_told_look_ups(scale.look_ups),
            *_told_imports(scale.imports),
        ]
    )


def _told_look_ups(rows: Sequence[LookUp]) -> Iterable[str]:
    yield ""
    yield (
        f"{'ms each:':<10}{'add':>8}{'alone':>8}{'p95':>8}{'in cell':>9}{'batch':>8}"
        f"{'recall@8':>10}{'near':>7}{f'cell@{LOOKED_AT}':>9}{'memory MB':>11}{'disk MB':>9}"
    )
    for r in rows:
        yield (
            f"{r.vectors:<10,}{r.add_ms:>8.2f}{r.alone_ms:>8.2f}{r.alone_p95_ms:>8.2f}"
            f"{r.in_cell_ms:>9.2f}{r.batch_ms:>8.2f}{r.recall:>10.3f}{r.recall_near:>7.3f}"
            f"{r.recall_in_cell:>9.3f}{r.resident_mb:>11,.0f}{r.disk_mb:>9,.0f}"
        )
    if len(rows) > 1:
        alone, cell, batch = (
            _exponent(rows, of)
            for of in (lambda r: r.alone_ms, lambda r: r.in_cell_ms, lambda r: r.batch_ms)
        )
        yield (
            f"Time of a look-up grows with size to the power {alone:.2f} alone, {cell:.2f} in a"
            f" cell, {batch:.2f} in batches (0 is constant, 1 linear)."
        )


def _exponent(rows: Sequence[LookUp], time_ms: Callable[[LookUp], float]) -> float:
    """The slope of log time over log size."""
    sizes = np.log([row.vectors for row in rows])
    return float(np.polyfit(sizes, np.log([time_ms(row) for row in rows]), 1)[0])


def _told_imports(runs: Sequence[Import]) -> Iterable[str]:
    for small, large in zip(runs[::2], runs[1::2], strict=True):
        yield ""
        yield f"pool import{'' if small.examined else ' --unexamined'}"
        for run in (small, large):
            yield (
                f"{run.rows:>9,} rows in {run.seconds:,.0f} s, {run.rows / run.seconds:,.0f}/s,"
                f" peak {run.peak_mb:,.0f} MB: {run.said}"
            )
        ratio = large.peak_mb / small.peak_mb
        grown_kb = (large.peak_mb - small.peak_mb) * 1024 / (large.rows - small.rows)
        yield (
            f"{ratio:.2f} × the memory for ten times the rows: {grown_kb:.1f} KB for each further"
            f" one, whose vector in the index takes {DIMENSIONS * 4 / 1024:.1f} KB"
        )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pool_scale", description=__doc__)
    parser.add_argument("--vectors", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--queries", type=int, default=BATCH)
    parser.add_argument("--import", dest="imported", type=int, default=100_000, help="rows; 0: no")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    asked = parser.parse_args()
    scale = measure(asked.vectors, asked.queries, asked.imported)
    print(told(scale))
    if asked.json:
        asked.json.write_text(json.dumps(asdict(scale), indent=1))


if __name__ == "__main__":
    main()
