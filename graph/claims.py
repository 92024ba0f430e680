"""One process at a time works on a run; a second is refused, with the name of the first."""

import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agents.errors import LockedError, StorageError


@contextmanager
def claim(home: Path, run_id: str) -> Generator[None]:
    """Hold a run; the operating system lets it go when the process ends, however it ends.

    Raises:
        LockedError: another process works on it.
        StorageError: the folder cannot be written.
    """
    folder = home / "runs" / run_id
    holder = folder / "holder.json"
    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"{run_id} is being worked on by {_named(holder)}.",
            "Wait for it to end, or stop it (Ctrl-C there); then run the same command again.",
        ) from None
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        holder.write_text(json.dumps({"process": os.getpid(), "since": time.time()}), "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _named(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text("utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(told["since"]))
        return f"process {told['process']} since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
