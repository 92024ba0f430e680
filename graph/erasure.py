"""Forgets a reader for real: every row, thread, export and scene, then a search that proves it.

A note of what is to be gone lies in the home until the search finds nothing, so that an erasure
that was stopped, or found something left, goes on when it is asked for again.
"""

import difflib
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import select

from agents.errors import NotFoundError, StorageError
from agents.pool import erase_scenarios, lock_pool
from agents.records import Profile
from agents.verification import in_force
from graph.checkpoints import CHECKPOINTS, erase_threads
from graph.database import compact
from graph.dossier import verifications_of
from graph.export import export_pairs
from graph.failures import FILE, write_failures
from graph.marks import Marks
from graph.reader_rows import erase_rows, marks_of, readers_known
from graph.remains import Search, search
from graph.store import Store
from graph.tables import ReaderRow


@dataclass(frozen=True)
class Erasure:
    """What was removed of a reader, and what a search for the rest has found."""

    reader_id: str
    marks: Marks
    removed: Mapping[str, int]
    """Kind to count."""
    search: Search


@dataclass
class _Note:
    """What is to be gone, and how far that has come; a file in the home."""

    path: Path
    marks: Marks
    removed: Counter[str]

    def save(self) -> None:
        """Whole or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        kept = {"phrases": sorted(self.marks.phrases), "removed": self.removed}
        draft = self.path.with_suffix(".tmp")  # always the same: one that was left is gone then
        try:
            draft.write_text(json.dumps(kept), "utf-8")
            draft.replace(self.path)
        except OSError as error:
            raise _stuck(self.path, "written", error) from error

    def remove(self) -> None:
        """All is gone.

        Raises:
            StorageError: the note cannot be removed.
        """
        try:
            self.path.unlink()
        except OSError as error:
            raise _stuck(self.path, "removed", error) from error

    def count(self, removed: Mapping[str, int]) -> None:
        """Add what was removed by one step."""
        self.removed.update(removed)
        self.save()


def require_known(store: Store, home: Path, reader_id: str) -> None:
    """Nothing, where anything is kept of the reader or an erasure of them was begun.

    Raises:
        NotFoundError: nothing is; names the nearest reader.
    """
    known = readers_known(store)
    if reader_id in known or _note_path(home, reader_id).exists():
        return
    near = difflib.get_close_matches(reader_id, known, n=1, cutoff=0.6)
    cure = f"Did you mean {near[0]!r}?" if near else f"{len(known)} readers are known."
    raise NotFoundError(f"Nothing is kept of a reader {reader_id!r} in {home}.", cure)


def forget(
    store: Store,
    home: Path,
    reader_id: str,
    elsewhere: Callable[[], Mapping[str, int]] = dict,
) -> Erasure:
    """Remove everything that is kept of one reader under `home`, and search for what is left.

    Args:
        store: the run database of this home.
        home: the folder of everything that is kept; files outside it are not touched.
        reader_id: whose.
        elsewhere: removes what other rooms keep, such as adapters' cards; counts it by kind.

    Raises:
        NotFoundError: nothing is kept of such a reader.
        LockedError: another process works on this home; nothing was removed, or not yet all.
        StorageError: a file cannot be rewritten; the same again goes on.
    """
    require_known(store, home, reader_id)
    with _alone(home):
        note = _note(store, home, reader_id)
        note.count(erase_rows(store, note.marks))
        note.count({"checkpoint threads": erase_threads(home / CHECKPOINTS, note.marks)})
        note.count({"scenarios": len(erase_scenarios(home / "pool", note.marks.holds))})
        _rewrite_failures(store, home)
        note.count({"exports": _erase_exports(store, home / "exports", note.marks)})
        note.count(elsewhere())
        _compact(store, home)
        found = search(home, note.marks, without=note.path)
        if not found.left:
            note.remove()
    removed = {kind: count for kind, count in note.removed.items() if count}
    return Erasure(reader_id, note.marks, removed, found)


def purge_expired(store: Store, home: Path, today: date) -> int:
    """Remove attributes whose day has come from all kept profiles; how many these were.

    What readers confirmed or corrected has become their own and does not expire.

    Raises:
        LockedError: another process works on this home; nothing was removed.
    """
    count = 0
    with _alone(home):
        with store.writing() as session:
            said = verifications_of(session, select(ReaderRow.reader_id))
            for row in session.scalars(select(ReaderRow).where(ReaderRow.profile.is_not(None))):
                profile = Profile.model_validate(row.profile)
                seen = in_force(profile, said[row.reader_id], today).attributes
                own = {a.dimension for a in seen if a.verified}
                kept = tuple(
                    a
                    for a in profile.attributes
                    if a.dimension in own or a.expires_on is None or a.expires_on > today
                )
                if len(kept) < len(profile.attributes):
                    count += len(profile.attributes) - len(kept)
                    left = profile.model_copy(update={"attributes": kept})
                    row.profile = left.model_dump(mode="json")
        if count:
            compact(store.path)
    return count


@contextmanager
def _alone(home: Path) -> Generator[None]:
    """No run is at work on the home meanwhile: each holds the pool's lock."""
    lock = lock_pool(home / "pool")
    try:
        yield
    finally:
        lock.release()


def _note_path(home: Path, reader_id: str) -> Path:
    return home / f"erasing-{hashlib.sha256(reader_id.encode()).hexdigest()[:16]}.json"


def _note(store: Store, home: Path, reader_id: str) -> _Note:
    """A note of what betrays the reader now, and of what an erasure that was begun knew."""
    note = _Note(_note_path(home, reader_id), marks_of(store, reader_id), Counter())
    try:
        if note.path.exists():
            begun = json.loads(note.path.read_bytes())
            phrases = note.marks.phrases.union(begun["phrases"])
            note.marks = replace(note.marks, phrases=phrases)
            note.removed.update(begun["removed"])
    except OSError as error:
        raise _stuck(note.path, "read", error) from error
    note.save()
    return note


def _stuck(path: Path, undone: str, error: OSError) -> StorageError:
    return StorageError(
        f"{error.filename or path} cannot be {undone}: {error.strerror}.",
        "Make room or mend its permissions, then run the same command again.",
    )


def _erase_exports(store: Store, folder: Path, marks: Marks) -> int:
    """Export what is left of every exported run that holds the reader; how many of these."""
    count = 0
    for export in sorted(folder.glob("*/")):
        if store.has_run(export.name) and _may_hold(export, marks):
            count += 1
            try:
                export_pairs(store, export.name, export)
            except NotFoundError:
                _remove(export)
    return count


def _rewrite_failures(store: Store, home: Path) -> None:
    """Write the files of failures again, from the rows that are left."""
    for file in (home / "runs").glob(f"*/{FILE}"):
        write_failures(store, file.parent.name, home)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise _stuck(folder, "removed", error) from error


def _may_hold(folder: Path, marks: Marks) -> bool:
    try:
        return bool(search(folder, marks).left)
    except StorageError:  # half-written when an erasure was stopped
        return True


def _compact(store: Store, home: Path) -> None:
    compact(store.path)
    if (home / CHECKPOINTS).exists():
        compact(home / CHECKPOINTS)
