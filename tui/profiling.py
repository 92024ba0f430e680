"""Profiles on demand: kept by a run, made from a file, or made again; it prints only notices."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from agents.errors import GravityError, NotFoundError

if TYPE_CHECKING:
    from agents.records import Book, ModelCall, Profile, Reader
    from tui.wiring import Services

Tell = Callable[[str], object]
OnCalls = Callable[[Sequence["ModelCall"]], object]
"""Takes the model calls that profiles have cost."""


def find_profiles(
    services: "Services",
    reader_ids: Sequence[str],
    readers: str | None,
    books: str | None,
    run: str,
    on_calls: OnCalls,
) -> "list[tuple[Reader, Profile]]":
    """The readers and profiles in force: of a run, or made now from a file, in the order asked.

    Raises:
        NotFoundError: there is no such reader, or the run has not profiled them yet.
    """
    if readers is None:
        return [_kept(services, reader_id, run) for reader_id in reader_ids]
    return _from_file(services, reader_ids, readers, books, on_calls)


def renew(services: "Services", reader_ids: Collection[str], on_calls: OnCalls, tell: Tell) -> int:
    """Make the kept profiles of these readers again, in every run and under its settings.

    A run in which that fails is told of, and the others go on.

    Returns:
        How many profiles were made.
    """
    count = 0
    for run in services.store.runs():
        members = [m for m in services.store.readers(run.id) if m.profile]
        wanted = [m.reader for m in members if m.reader.id in reader_ids]
        if not wanted:
            continue
        try:
            everyone = [m.reader for m in members]
            for profile in _as_then(services, run.id, wanted, everyone, on_calls):
                services.store.keep_profile(run.id, profile)
                count += 1
        except GravityError as error:
            tell(f"{run.id}: its profiles were not made again: {error}")
    return count


def _as_then(
    services: "Services",
    run_id: str,
    wanted: "Sequence[Reader]",
    everyone: "Sequence[Reader]",
    on_calls: OnCalls,
) -> "list[Profile]":
    """Profiles under the settings of a run, beside the catalogue of all its readers."""
    from graph.books import rated_books, read_books
    from tui.settings import compose
    from tui.wiring import Services

    kept = services.store.run_settings(run_id)
    source = known_source(kept["source"]["books"])
    books = read_books(source, lambda _notice: None, rated_books(everyone)) if source else {}
    as_then = Services(compose(kept["settings"], {"home": services.home}))
    return _made(as_then, wanted, books, on_calls)


def known_source(source: str | None) -> str | None:
    """The file that a run was made from, unless its name was forgotten with a reader."""
    from graph.marks import FORGOTTEN

    return None if source == FORGOTTEN else source


def _kept(services: "Services", reader_id: str, run: str) -> "tuple[Reader, Profile]":
    run_id = services.store.run(run).id
    kept = services.store.reader(run_id, reader_id)
    if kept.profile is None:
        raise NotFoundError(f"{run_id} has not profiled {reader_id} yet.", "Let it go on.")
    return kept.reader, kept.profile


def _from_file(
    services: "Services",
    reader_ids: Sequence[str],
    readers: str,
    books: str | None,
    on_calls: OnCalls,
) -> "list[tuple[Reader, Profile]]":
    from graph.books import rated_books, read_books
    from graph.readers import read_readers
    from tui.progress import Notices

    notices, store = Notices(), services.store
    try:
        listed = read_readers(readers, services.settings.readers, notices.take)
        by_id = {reader.id: reader for reader in listed}
        for reader_id in reader_ids:
            if reader_id not in by_id:
                raise NotFoundError(f"{readers} has no reader {reader_id!r} among {len(listed)}.")
        catalogue = read_books(books, notices.take, rated_books(listed)) if books else {}
    finally:
        notices.print()
    found = [store.with_answers(by_id[reader_id]) for reader_id in reader_ids]
    profiles = _made(services, found, catalogue, on_calls)
    return [(r, store.in_force(p)) for r, p in zip(found, profiles, strict=True)]


def _made(
    services: "Services",
    readers: "Sequence[Reader]",
    books: "Mapping[str, Book]",
    on_calls: OnCalls,
) -> "list[Profile]":
    calls: list[ModelCall] = []
    profiles = asyncio.run(services.profiles(readers, books, calls.append))
    on_calls(calls)
    return profiles
