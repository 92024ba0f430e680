"""The connection to the run database: opening, transactions, and plain words for its failures."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from agents.errors import LockedError, StorageError
from graph.migrations.schema import bring_up_to_date

BUSY_TIMEOUT_S = 15.0


class Database:
    """A SQLite file in WAL mode, made where it does not exist, upgraded where it is older.

    Raises:
        LockedError: another process holds the database for longer than 15 seconds.
        StorageError: the disk is full, the folder read-only, the file no database, or written by
            a newer gravity.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{path.parent} cannot be made: {error.strerror}.") from error
        self._engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _prepare)
        with self._translated():
            bring_up_to_date(self._engine, path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except OperationalError as error:
            raise storage_error(self.path, str(error.orig)) from error
        except DatabaseError as error:
            raise StorageError(
                f"{self.path} cannot be read: {error.orig}.", "Move the file away or restore it."
            ) from error

    @contextmanager
    def reading(self) -> Generator[Session]:
        """A session whose changes are not kept."""
        with self._translated(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Generator[Session]:
        """A session that commits at its end, or leaves no trace where it fails."""
        with self._translated(), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def connected(self) -> Generator[Connection]:
        """Reads or writes without the objects of a session, at a fourth of their cost.

        For statements that were made once, with `bindparam`, and are executed for every step of a
        run; what is written is committed at the end.
        """
        with self._translated(), self._engine.begin() as connection:
            yield connection


@contextmanager
def telling(path: Path) -> Generator[None]:
    """Puts SQLite's complaints about a file into plain words, where no SQLAlchemy stands between.

    Raises:
        LockedError: another process holds it for longer than 15 seconds.
        StorageError: it cannot be written, or is no database.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(path, str(error)) from error


def storage_error(path: Path, cause: str) -> StorageError:
    """SQLite's complaint about a file in plain words."""
    if "locked" in cause or "busy" in cause:
        return LockedError(
            f"{path} is locked by another process.",
            "Wait for it to end, then run the same command again: it resumes.",
        )
    return StorageError(
        f"{path} cannot be written: {'the disk is full' if 'full' in cause else cause}.",
        "Mend that, then run the same command again: it resumes.",
    )


def compact(path: Path) -> None:
    """Rewrite a SQLite file so that nothing deleted is left in it or in its log.

    Raises:
        LockedError: another process reads or writes it for longer than 15 seconds.
        StorageError: the disk is full, or the file no database.
    """
    opened = closing(sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None))
    with telling(path), opened as connection:
        connection.execute("VACUUM")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise storage_error(path, "locked")


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Concurrent readers beside one writer, no loss at a killed process, deleted is overwritten."""
    _log_ahead(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Turn a new file to WAL; where two do so at once, SQLite refuses one without waiting."""
    until = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
