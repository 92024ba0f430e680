"""LangGraph's checkpoints, one thread for each reader of a run: opening, and erasing threads."""

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.sqlite import SqliteSaver

from graph.database import BUSY_TIMEOUT_S, telling
from graph.marks import Marks

CHECKPOINTS = "checkpoints.db"
_COLUMNS = {"checkpoints": ("checkpoint", "metadata"), "writes": ("channel", "value")}


def thread_id(run_id: str, reader_id: str) -> str:
    """The name of one reader's thread; a run's id holds no slash."""
    return f"{run_id}/{reader_id}"


def owner(thread: str) -> str:
    """The reader whose thread it is."""
    return thread.partition("/")[2]


class CheckpointSaver(SqliteSaver):
    """LangGraph's own saver, called in the event loop.

    A write takes a fraction of a millisecond; handing it to a thread and back, as LangGraph's
    asynchronous saver does several times for each, takes longer, and a write that is cancelled
    half-way leaves a lock there.
    """

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """A checkpoint, the newest where none is named."""
        return self.get_tuple(config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep a checkpoint."""
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Keep what a step has written."""
        self.put_writes(config, writes, task_id, task_path)


@contextmanager
def open_checkpoints(path: Path) -> Generator[CheckpointSaver]:
    """The saver on a connection that waits for locks, which LangGraph's own does not."""
    with closing(sqlite3.connect(path, BUSY_TIMEOUT_S, check_same_thread=False)) as connection:
        connection.execute("PRAGMA synchronous=NORMAL")
        yield CheckpointSaver(connection)


def erase_threads(path: Path, marks: Marks) -> int:
    """Delete a reader's threads, and every other that quotes them; how many there were.

    A thread that is gone begins anew when its run is taken up, over the pairs there are.

    Raises:
        StorageError: the file cannot be written, or is no database.
    """
    if not path.exists():
        return 0
    doomed: set[str] = set()
    with telling(path), closing(sqlite3.connect(path, BUSY_TIMEOUT_S)) as connection:
        tables = _tables(connection)
        for table in tables:
            columns = ", ".join(_COLUMNS[table])
            for thread, *values in connection.execute(f"SELECT thread_id, {columns} FROM {table}"):
                if thread not in doomed and (
                    owner(thread) == marks.reader_id or any(map(marks.holds, map(_text, values)))
                ):
                    doomed.add(thread)
        connection.execute("PRAGMA secure_delete=ON")
        with connection:
            _delete(connection, tables, [(thread,) for thread in doomed])
    return len(doomed)


def drop_threads(path: Path, run_id: str, reader_ids: Iterable[str]) -> None:
    """Let these readers' threads begin anew when the run is taken up, over the pairs there are.

    Raises:
        StorageError: the file cannot be written, or is no database.
    """
    if not path.exists():
        return
    threads = [(thread_id(run_id, reader_id),) for reader_id in reader_ids]
    with telling(path), closing(sqlite3.connect(path, BUSY_TIMEOUT_S)) as connection, connection:
        _delete(connection, _tables(connection), threads)


def _tables(connection: sqlite3.Connection) -> set[str]:
    there = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return _COLUMNS.keys() & {name for (name,) in there}


def _delete(
    connection: sqlite3.Connection, tables: Iterable[str], threads: Sequence[tuple[str]]
) -> None:
    for table in tables:
        connection.executemany(f"DELETE FROM {table} WHERE thread_id = ?", threads)


def _text(value: bytes | str | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
