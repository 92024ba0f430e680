"""`gravity profile`: what is known of a reader, how surely, and from which words."""

import asyncio
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
    found, made = find_profile(services, reader, readers, default_books(readers or "", books), run)
    if as_json:
        print_json(made)
    else:
        typer.echo(_told(found, made))


def find_profile(
    services: "Services", reader_id: str, readers: str | None, books: str | None, run: str
) -> "tuple[Reader, Profile]":
    """The reader and profile of a run, or made now from a file.

    Raises:
        NotFoundError: there is no such reader, or the run has not profiled them yet.
    """
    from agents.errors import NotFoundError

    if readers is None:
        run_id = services.store.run(run).id
        kept = services.store.reader(run_id, reader_id)
        if kept.profile is None:
            raise NotFoundError(f"{run_id} has not profiled {reader_id} yet.", "Let it go on.")
        return kept.reader, kept.profile
    from agents.profiler import Profiler
    from graph.books import read_books
    from graph.readers import read_readers
    from tui.progress import Notices

    notices = Notices()
    listed = read_readers(readers, services.settings.readers, notices.take)
    found = next((r for r in listed if r.id == reader_id), None)
    if found is None:
        notices.print()
        raise NotFoundError(f"{readers} has no reader {reader_id!r} among {len(listed)}.")
    rated = {review.book_id for r in listed for review in r.reviews}
    catalogue = read_books(books, notices.take, rated) if books else {}
    return found, asyncio.run(Profiler(services.embedder, catalogue).profile(found))


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
