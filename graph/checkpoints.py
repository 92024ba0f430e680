"""LangGraph's checkpoints, one thread for each reader of a run: opening, and erasing threads."""

import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graph.database import BUSY_TIMEOUT_S, storage_error
from graph.marks import Marks

CHECKPOINTS = "checkpoints.db"
_COLUMNS = {"checkpoints": ("checkpoint", "metadata"), "writes": ("channel", "value")}


def thread_id(run_id: str, reader_id: str) -> str:
    """The name of one reader's thread; a run's id holds no slash."""
    return f"{run_id}/{reader_id}"


def owner(thread: str) -> str:
    """The reader whose thread it is."""
    return thread.partition("/")[2]


@contextlib.asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncGenerator[AsyncSqliteSaver]:
    """LangGraph's saver on a connection that waits for locks, which its own does not.

    A write that was cancelled half-way is rolled back: its cursor may outlive the connection, and
    SQLite would hold the lock as long. No write begins between that and the end.
    """
    async with aiosqlite.connect(path, timeout=BUSY_TIMEOUT_S) as connection:
        saver = AsyncSqliteSaver(connection)
        try:
            yield saver
        finally:
            async with saver.lock:
                await connection.rollback()
                await connection.close()


def erase_threads(path: Path, marks: Marks) -> int:
    """Delete a reader's threads, and every other that quotes them; how many there were.

    A thread that is gone begins anew when its run is taken up, over the pairs there are.

    Raises:
        StorageError: the file cannot be written, or is no database.
    """
    if not path.exists():
        return 0
    doomed: set[str] = set()
    try:
        with contextlib.closing(sqlite3.connect(path, BUSY_TIMEOUT_S)) as connection:
            there = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = _COLUMNS.keys() & {name for (name,) in there}
            for table in tables:
                columns = ", ".join(_COLUMNS[table])
                for thread, *values in connection.execute(
                    f"SELECT thread_id, {columns} FROM {table}"
                ):
                    if thread not in doomed and (
                        owner(thread) == marks.reader_id
                        or any(map(marks.holds, map(_text, values)))
                    ):
                        doomed.add(thread)
            connection.execute("PRAGMA secure_delete=ON")
            with connection:
                for table in tables:
                    connection.executemany(
                        f"DELETE FROM {table} WHERE thread_id = ?", [(t,) for t in doomed]
                    )
    except sqlite3.Error as error:
        raise storage_error(path, str(error)) from error
    return len(doomed)


def _text(value: bytes | str | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
