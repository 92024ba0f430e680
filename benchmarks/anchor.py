"""What NVIDIA's data-designer does on the stub endpoint, to compare with; none of ours is measured.

Run as `python -m benchmarks.anchor`. The first run installs data-designer into an environment of
its own in the user's cache (0.8 GB, about a minute), from whatever package registry pip is set up
for. `benchmarks.data_designer_run` is what runs there.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from dataclasses import dataclass
from pathlib import Path

from agents.frameworks.catalogue import dimensions
from agents.records import Pole
from agents.weights import cache_root
from benchmarks.stub_endpoint import Terms, running

HERE = Path(__file__).parent
SCRIPT = HERE / "data_designer_run.py"
PINNED = HERE / "data" / "data_designer.txt"
IN_FLIGHT = (16, 64, 256)
TOLD = 3
"""Traits in a portrait."""
POLES: tuple[Pole, Pole] = ("high", "low")


@dataclass(frozen=True)
class Run:
    """One run of data-designer on a fresh stub."""

    in_flight: int
    records: int
    accepted: int
    """Records whose judge says that they are right."""
    calls: int
    seconds: float
    """From the start of `DataDesigner.create` until the last batch was written."""
    seconds_in_all: float
    """Of the process: with imports, set-up and the profile of what was made."""
    utilisation: float
    """Share of what the endpoint could do, from its first call to its last."""
    cpu_ms_a_call: float
    """Of the process, during `seconds`."""
    peak_mb: float
    """Most resident memory of the process."""
    load: float
    """Load average of the machine over the minute before the run's end."""

    @property
    def accepted_a_second(self) -> float:
        """Accepted records by `seconds`."""
        return self.accepted / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.in_flight:>4} in flight: {self.records / self.seconds:.1f} judged records/s,"
            f" {self.accepted_a_second:.1f} accepted/s, {self.utilisation:.0%} of the endpoint,"
            f" {self.cpu_ms_a_call:.1f} ms of CPU a call, {self.peak_mb:.0f} MB;"
            f" {self.calls} calls for {self.records} records in {self.seconds:.1f} s"
            f" ({self.seconds_in_all:.1f} s in all, load {self.load:.1f})"
        )


def measure(in_flight: int, records: int, latency_s: float = Terms.latency_s) -> Run:
    """Have data-designer make and judge so many records at so many calls in flight.

    Raises:
        SystemExit: it could not be installed, or its run failed; says why.
    """
    python = install()
    arguments = ("--in-flight", str(in_flight), "--latency", str(latency_s))
    with running(*arguments) as url, tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "portraits.json"
        told.write_text(json.dumps(portraits(records)), "utf-8")
        command = [str(python), "-I", str(SCRIPT), f"{url}/v1", str(told), str(in_flight)]
        figures = json.loads(_output(command, "data-designer's run failed"))
        with urllib.request.urlopen(f"{url}/stats") as reply:
            stats = json.load(reply)
    return Run(
        in_flight=in_flight,
        records=figures["records"],
        accepted=figures["accepted"],
        calls=stats["calls"],
        seconds=figures["seconds"],
        seconds_in_all=figures["seconds_in_all"],
        utilisation=stats["utilisation"],
        cpu_ms_a_call=1e3 * figures["cpu_s"] / stats["calls"],
        peak_mb=figures["peak_mb"],
        load=os.getloadavg()[0],
    )


def install() -> Path:
    """The Python of data-designer's environment, which is made where it is not there whole.

    Raises:
        SystemExit: pip could not install it; says why.
    """
    pinned = PINNED.read_text("utf-8")
    [version] = [line for line in pinned.splitlines() if line.startswith("data-designer==")]
    folder = cache_root() / "anchor" / version.replace("==", "-")
    python, whole = folder / "bin" / "python", folder / "installed.txt"
    if not whole.is_file() or whole.read_text("utf-8") != pinned:
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
        _output([*pip, "--no-deps", "-r", str(PINNED)], f"pip could not install {version}")
        whole.write_text(pinned, "utf-8")
    return python


def portraits(count: int) -> list[str]:
    """So many readers as a prompt tells of them: a line for each of a few traits."""
    dice, axes = random.Random(count), list(dimensions().values())
    return [
        "\n".join(f"- {axis.pole(dice.choice(POLES))}" for axis in dice.sample(axes, TOLD))
        for _ in range(count)
    ]


def _output(command: list[str], failure: str) -> str:
    """What a command prints, with data-designer's telemetry off and its settings in our cache."""
    home = {"DATA_DESIGNER_HOME": str(cache_root() / "anchor" / "home")}
    settings = {**os.environ, **home, "NEMO_TELEMETRY_ENABLED": "false"}
    ended = subprocess.run(command, env=settings, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{failure}:\n{ended.stderr[-2000:]}")
    return ended.stdout


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anchor", description=__doc__)
    parser.add_argument("--in-flight", type=int, nargs="+", default=IN_FLIGHT, metavar="CALLS")
    parser.add_argument("--records", type=int, default=1200)
    told = parser.parse_args()
    for in_flight in told.in_flight:
        print(measure(in_flight, told.records), flush=True)


if __name__ == "__main__":
    main()
