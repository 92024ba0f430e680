"""What runs bear, and how fast they are, each figure beside its anchor: `make bench-runs`.

Run as `python -m benchmarks.runs [throughput] [flatness] [faults] [kills] [review] [traces]`;
without names it measures all. Every run is a process of its own (`benchmarks.one_run`), every
endpoint a stub of 0.3 s beside it (`benchmarks.stub_endpoint`). Readers are invented and have
answered the short questionnaire; the embedder is the scripted one, so that no model runs here.
"""

import argparse
import json
import math
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import anchor, review
from benchmarks.one_run import RUN
from benchmarks.stub_endpoint import running
from graph.store import Store

IN_FLIGHT = (16, 64, 256)
PAIRS, RECORDS = 2400, 1200
SIZES = (1_000, 10_000, 50_000)
FAULTS = "429=0.2,500=0.05,timeout=0.05,malformed=0.05,truncated=0.02,refusal=0.01"
OUTAGE = (5, 60)
"""Seconds from the first call, and how long it lasts."""
FAULTY_PAIRS, TIME_OUT_S = 1000, 3
KILLS, KILLED_PAIRS = 20, 2400
WAYS = {
    "gravity, embedded judge, pool as shipped": ("--judges", "embedded"),
    "gravity, embedded judge, empty pool": ("--judges", "embedded", "--cold"),
    "gravity, chat judge, pool as shipped": ("--judges", "chat"),
    "gravity, chat judge, empty pool": ("--judges", "chat", "--cold"),
    "the same, stage by stage": ("--judges", "chat", "--cold", "--staged"),
}

Figures = dict[str, Any]


def one_run(*arguments: object) -> Figures:
    """What `benchmarks.one_run` measured."""
    command = [sys.executable, "-m", "benchmarks.one_run", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"benchmarks.one_run failed:\n{ended.stderr[-2000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def on_stub(in_flight: int, *arguments: object, stub: Sequence[str] = ()) -> Figures:
    """The same on a fresh stub that takes up so many calls at a time, with what the stub saw."""
    with running("--in-flight", str(in_flight), *stub) as url:
        told = ("--model", "stub", "--base-url", f"{url}/v1", "--in-flight", in_flight)
        figures = one_run(*told, *arguments)
        with urllib.request.urlopen(f"{url}/stats") as reply:
            return figures | {"stub": json.load(reply)}


def throughput() -> list[Figures]:
    """Accepted pairs a second and CPU a call, against stage by stage and data-designer."""
    found: list[Figures] = []
    print(f"{PAIRS} pairs each (data-designer: {RECORDS} records); the stub answers after 0.3 s")
    print(f"{'':<42}{'accepted/s':>11}{'x':>6}{'calls':>7}{'of endpoint':>12}", end="")
    print(f"{'CPU ms/call':>12}{'ms/pair':>9}{'MB':>6}  torch")
    for in_flight in IN_FLIGHT:
        print(f"{in_flight} in flight")
        run = anchor.measure(in_flight, RECORDS)
        base = run.accepted_a_second
        cpu_s = run.cpu_ms_a_call * run.calls / 1e3
        row = ("data-designer", base, 1.0, run.calls, run.utilisation, cpu_s, run.accepted)
        found.append(_told(in_flight, *row, run.peak_mb, "no"))
        for way, arguments in WAYS.items():
            run = on_stub(in_flight, "--pairs", PAIRS, *arguments)
            rate = run["accepted"] / run["seconds"]
            used = run["stub"]["utilisation"]
            row = (way, rate, rate / base, run["calls"], used, run["cpu_s"], run["accepted"])
            found.append(_told(in_flight, *row, run["most_mb"], "yes" if run["torch"] else "no"))
    return found


def _told(
    in_flight: int,
    way: str,
    rate: float,
    times: float,
    calls: int,
    used: float,
    cpu_s: float,
    accepted: int,
    most_mb: float,
    torch: str,
) -> Figures:
    a_call = f"{1e3 * cpu_s / calls:.1f}" if calls else "-"
    print(f"  {way:<40}{rate:>11.1f}{times:>6.2f}{calls:>7}{used:>12.0%}", end="")
    print(f"{a_call:>12}{1e3 * cpu_s / accepted:>9.1f}{most_mb:>6.0f}  {torch}", flush=True)
    return {"in_flight": in_flight, "way": way, "rate": rate, "calls": calls, "used": used}


def flatness(sizes: Sequence[int] = SIZES) -> list[Figures]:
    """Time and bytes written for each pair as runs grow; 1 is a cost that does not grow."""
    found: list[Figures] = []
    print("pairs      s      ms/pair  bytes/pair  MB")
    for pairs in sizes:
        run = one_run("--pairs", pairs)
        done = run["requested"]
        found.append(run)
        a_pair = 1e3 * run["seconds"] / done
        written = run["bytes_written"] / done
        print(f"{done:<8}{run['seconds']:>7.1f}{a_pair:>10.2f}{written:>12,.0f}", end="")
        print(f"{run['most_mb']:>6.0f}", flush=True)
    for what in ("seconds", "bytes_written"):
        low, high = found[0], found[-1]
        grown = math.log(high[what] / low[what]) / math.log(high["requested"] / low["requested"])
        print(f"growth exponent of {what}: {grown:.3f} (goal: at most 1.05)", flush=True)
    return found


def faults() -> list[Figures]:
    """The same run on an endpoint without faults and with all of them, and an outage."""
    arguments = ("--pairs", FAULTY_PAIRS, "--judges", "chat", "--timeout", TIME_OUT_S)
    out = ("--faults", FAULTS, "--outage", f"{OUTAGE[0]},{OUTAGE[1]}")
    found = [on_stub(64, *arguments), on_stub(64, *arguments, stub=out)]
    for name, run in zip(("without faults", "with faults and outage"), found, strict=True):
        print(f"{name:<24}{run['seconds']:>7.1f} s  requested {run['requested']} =", end="")
        print(f" accepted {run['accepted']} + rejected {run['rejected']}", end="")
        print(
            f" + failed {run['failed']} + pending {run['pending']}; {run['calls']} calls,", end=""
        )
        print(f" of which {run['failed_calls']} failed", flush=True)
    calm, stormy = found
    bound = 2 * calm["seconds"] + OUTAGE[1]
    print(f"{FAULTS}, {OUTAGE[1]} s out; a time-out is {TIME_OUT_S} s")
    print(f"took {stormy['seconds']:.1f} s; the bound is twice and the outage: {bound:.1f} s")
    print(f"what the stub did: {stormy['stub']['outcomes']}", flush=True)
    return found


def kills() -> list[Figures]:
    """A run that is killed twenty times against one that is left alone, by all its pairs."""
    found: list[Figures] = []
    for readers_at_once in (1, 32):
        with TemporaryDirectory() as calm, TemporaryDirectory() as killed:
            whole = (("--pairs", KILLED_PAIRS), ("--readers-at-once", readers_at_once))
            arguments = [word for pair in whole for word in pair]
            run = one_run(*arguments, "--home", calm)
            pause_s = run["seconds"] / (KILLS + 4)
            ends = sum(_killed(arguments, Path(killed), pause_s, seed) for seed in range(KILLS))
            one_run(*arguments, "--home", killed)
            before, after = _pairs(Path(calm)), _pairs(Path(killed))
            same = before == after
            print(
                f"{readers_at_once} reader(s) at once: {ends} of {KILLS} kills hit the run;", end=""
            )
            print(f" {len(before)} pairs undisturbed, {len(after)} killed;", end="")
            print(f" the same set: {'yes' if same else 'no'};", end="")
            print(f" account {_account(Path(calm))}, killed {_account(Path(killed))}", flush=True)
            found.append({"at_once": readers_at_once, "same": same, "kills": ends})
    return found


def _killed(arguments: Sequence[object], home: Path, pause_s: float, seed: int) -> bool:
    """Work on the run for a random while of `pause_s` on average; whether it was still at work."""
    command = [sys.executable, "-m", "benchmarks.one_run", *map(str, arguments), "--home", home]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(random.Random(seed).uniform(0, 2 * pause_s))
        process.kill()
    return process.returncode == -signal.SIGKILL


def _pairs(home: Path) -> list[str]:
    """All pairs of the run as they are in the end, in an order of their own."""
    store = Store(home / "gravity.db")
    told = sorted(pair.model_dump_json() for pair in store.pairs(RUN))
    store.close()
    return told


def _account(home: Path) -> str:
    store = Store(home / "gravity.db")
    told = str(store.accounting(RUN))
    store.close()
    return told


def reviewing() -> list[Figures]:
    """How long a person waits with 20,000 pairs in review."""
    with TemporaryDirectory() as home:
        figures = review.measure(Path(home))
    print(review.told(figures))
    print("goals: 0.3 s to the first pair, 50 ms for each decision", flush=True)
    return [figures]


def viewing() -> list[Figures]:
    """How long one waits for the traces of 100,000 spans."""
    command = [sys.executable, "-m", "benchmarks.traces"]  # small, as what it forks counts it
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print("goals: instant, and under 350 MB", flush=True)
    return []


PARTS = {
    "throughput": throughput,
    "flatness": flatness,
    "faults": faults,
    "kills": kills,
    "review": reviewing,
    "traces": viewing,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    found: dict[str, list[Figures]] = {}
    for name in asked.parts or PARTS:
        print(f"── {name}: {(PARTS[name].__doc__ or '').splitlines()[0]}", flush=True)
        found[name] = PARTS[name]()
        print()
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
