"""`gravity profile`: what is known of a reader, how surely, and from which words."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import (
    BooksOption,
    JsonFlag,
    ModelOption,
    ReadersOption,
    default_books,
    invocation,
    print_json,
)

if TYPE_CHECKING:
    from agents.records import Evidence, Profile, Reader
    from tui.wiring import Services


def profile(
    context: typer.Context,
    reader: Annotated[str, typer.Argument(metavar="READER", help="A reader's id.")],
    readers: ReadersOption = None,
    books: BooksOption = None,
    run: Annotated[str, typer.Option(help="The run to look in, without --readers.")] = "last",
    model: ModelOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Print a reader's profile: from a file of readers, or as a run has made it."""
    services = invocation(context).services(chat__model=model)
    books = default_books(readers, books)
    ((found, made),) = find_profiles(services, [reader], readers, books, run)
    if as_json:
        print_json(made)
    else:
        typer.echo(_told(found, made))


def find_profiles(
    services: "Services",
    reader_ids: Sequence[str],
    readers: str | None,
    books: str | None,
    run: str,
) -> "list[tuple[Reader, Profile]]":
    """The readers and profiles of a run, or made now from a file, in the order asked for.

    Raises:
        NotFoundError: there is no such reader, or the run has not profiled them yet.
    """
    if readers is None:
        return [_kept(services, reader_id, run) for reader_id in reader_ids]
    return _made(services, reader_ids, readers, books)


def _kept(services: "Services", reader_id: str, run: str) -> "tuple[Reader, Profile]":
    from agents.errors import NotFoundError

    run_id = services.store.run(run).id
    kept = services.store.reader(run_id, reader_id)
    if kept.profile is None:
        raise NotFoundError(f"{run_id} has not profiled {reader_id} yet.", "Let it go on.")
    return kept.reader, kept.profile


def _made(
    services: "Services", reader_ids: Sequence[str], readers: str, books: str | None
) -> "list[tuple[Reader, Profile]]":
    from agents.errors import NotFoundError
    from agents.profiler import Profiler
    from graph.books import rated_books, read_books
    from graph.readers import read_readers
    from tui.progress import Notices

    notices = Notices()
    listed = read_readers(readers, services.settings.readers, notices.take)
    by_id = {reader.id: reader for reader in listed}
    for reader_id in reader_ids:
        if reader_id not in by_id:
            notices.print()
            raise NotFoundError(f"{readers} has no reader {reader_id!r} among {len(listed)}.")
    catalogue = read_books(books, notices.take, rated_books(listed)) if books else {}
    profiler = Profiler(services.embedder, catalogue)
    found = [by_id[reader_id] for reader_id in reader_ids]
    return [(reader, asyncio.run(profiler.profile(reader))) for reader in found]


def _told(reader: "Reader", made: "Profile") -> str:
    from agents.frameworks.catalogue import dimension
    from tui.widgets.plain import plain, plain_line

    explicit = [made.age and f"{made.age} years", made.gender, made.country, made.locale]
    facts = ", ".join(str(fact) for fact in explicit if fact)
    lines = [f"{made.reader_id}: {facts or 'no demographics'}, {len(reader.reviews)} reviews", ""]
    lines += ["Interests"]
    lines += [
        f"  {i.share:>5.0%} {'█' * round(i.share * 40):<20} {i.label} ({i.source})"
        for i in made.interests
    ] or ["  none known"]
    facet = None
    for a in sorted(made.attributes, key=lambda a: (a.facet, -a.departure)):
        if a.source == "default":
            continue
        if a.facet != facet:
            facet = a.facet
            lines += ["", f"{facet.capitalize()} (T scores: 50 is the middle, ± one sd)"]
        pole = dimension(a.dimension).pole(a.pole)
        lines.append(f"  {a.dimension:<24} {a.score:4.0f} ±{a.sd:.0f}  {pole} ({a.source})")
        lines += [f"      {plain_line(_told_evidence(e, reader), 110)}" for e in a.evidence]
    unknown = [a.dimension for a in made.attributes if a.source == "default"]
    if unknown:
        lines += ["", f"Nothing is known of: {', '.join(unknown)}"]
    return plain("\n".join(lines))


def _told_evidence(evidence: "Evidence", reader: "Reader") -> str:
    if evidence.end > evidence.start:
        return f"“{evidence.quote(reader)}”"
    review = next((r for r in reader.reviews if r.id == evidence.review_id), None)
    return f"rated {review.rating:g}: {review.title or review.book_id}" if review else ""
