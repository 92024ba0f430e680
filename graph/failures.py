"""Calls that came to nothing in the end, with what the model replied: kept, and written out."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from agents.errors import StorageError
from graph.database import Database
from graph.pairing import digest
from graph.tables import FailureRow

FILE = "failures.jsonl"


@dataclass(frozen=True)
class Failure:
    """One call of an agent that came to nothing, after all repairs and tries."""

    run_id: str
    reader_id: str
    agent: str
    dimension: str
    """Where it would have helped; a facet where there is no dimension."""
    kind: str
    """`refused`, `malformed`, or `error` where the reader's whole part failed."""
    problem: str
    raw: str = ""
    """What the model replied, where it replied."""


class Failures(Database):
    """The part of the run database that holds failures."""

    def note_failure(self, failure: Failure) -> None:
        """Keep a failure; the same twice is one."""
        row = asdict(failure)
        entry = insert(FailureRow).values(id=digest(*row.values()), at=time.time(), **row)
        with self.writing() as session:
            session.execute(entry.on_conflict_do_nothing())

    def failures(self, run_id: str) -> list[Failure]:
        """The failures of a run in their order."""
        columns = [getattr(FailureRow, name) for name in Failure.__dataclass_fields__]
        query = select(*columns).where(FailureRow.run_id == run_id)
        with self.reading() as session:
            rows = session.execute(query.order_by(FailureRow.at, FailureRow.id))
            return [Failure(*row) for row in rows]


def write_failures(store: Failures, run_id: str, home: Path) -> Path | None:
    """Write the failures of a run to `runs/RUN/failures.jsonl` under `home`; none, no file.

    Raises:
        StorageError: the file cannot be written.
    """
    path = home / "runs" / run_id / FILE
    failures = store.failures(run_id)
    try:
        if not failures:
            path.unlink(missing_ok=True)
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(asdict(failure), ensure_ascii=False) + "\n" for failure in failures)
        path.write_text("".join(lines), "utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error
    return path
