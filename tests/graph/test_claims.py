"""One process at a time: the second is refused by name, and a dead one holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agents.errors import LockedError, StorageError
from graph.claims import claim

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from graph.claims import claim
with claim(Path(sys.argv[1]), "one"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_and_told_who_the_first_is(tmp_path: Path, holder):
    with pytest.raises(LockedError) as caught, claim(tmp_path, "one"):
        pass
    assert f"one is being worked on by process {holder.pid} since 20" in str(caught.value)
    assert str(os.getpid()) not in str(caught.value)


def test_another_run_is_free(tmp_path: Path, holder):
    with claim(tmp_path, "two"):
        assert holder.poll() is None


def test_a_killed_process_holds_nothing(tmp_path: Path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with claim(tmp_path, "one"):
        pass


def test_what_was_held_can_be_held_again(tmp_path: Path):
    for _ in range(2):
        with claim(tmp_path, "one"):
            pass
    assert not (tmp_path / "runs" / "one" / "holder.json").exists()


def test_a_holder_nobody_can_read_of_is_another_process(tmp_path: Path, holder):
    (tmp_path / "runs" / "one" / "holder.json").write_text("[")
    with pytest.raises(LockedError, match="by another process"), claim(tmp_path, "one"):
        pass


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"), claim(tmp_path, "one"):
        pass
