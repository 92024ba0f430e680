"""`gravity synth`: gathers preference pairs for readers, or takes an unfinished run up again."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.commands.options import (
    BaseUrlOption,
    BooksOption,
    JsonFlag,
    ModelOption,
    ReadersOption,
    default_books,
    given,
    invocation,
    print_json,
)

if TYPE_CHECKING:
    from agents.records import Book, Reader
    from graph.accounts import RunSummary
    from tui.progress import Notices
    from tui.wiring import Services


def synth(
    context: typer.Context,
    readers: ReadersOption = None,
    books: BooksOption = None,
    run: Annotated[
        str | None,
        typer.Option(help="The run's id: a new one is begun, a known one (or `last`) resumed."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take the first readers only.")] = None,
    review: Annotated[
        str | None, typer.Option(help="Which pairs a person decides on: all, doubtful or none.")
    ] = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    method: Annotated[
        str | None,
        typer.Option(help="gravity, or naive: the baseline that invents pairs from the profile."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin a run even where one like it is unfinished.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Gather preference pairs: profile, plan, draw or write, deduplicate, criticise, publish.

    The same command again resumes a run that was stopped, killed, or waits for a person.
    """
    flags = {"chat__model": model, "chat__base_url": base_url, "synthesis__review": review}
    flags["synthesis__method"] = method
    services = invocation(context).services(**flags)
    store = services.store
    if run == "last":
        run = store.run(run).id
    if run is not None and not re.fullmatch(r"\w[\w.-]{0,63}", run):  # it names a folder, too
        raise typer.BadParameter("letters, digits, -, _ and . (64 at most).", param_hint="--run")
    if run is not None and store.has_run(run):
        summary = _resume(context, services, run, flags)
    elif readers is None:
        raise typer.BadParameter("name a file of readers, or `sample`.", param_hint="--readers")
    else:
        source = {"readers": readers, "books": default_books(readers, books), "limit": limit}
        kept = {"source": source, "settings": _settings(services)}
        like = None if new or run else store.unfinished_run(kept)
        if like:
            again = f"{like} is the same and unfinished: resuming it (--new begins another)."
            typer.echo(again, err=True)
            summary = _resume(context, services, like, flags)
        else:
            summary = _begin(services, run or store.next_run_id(), kept)
    if as_json:
        print_json(summary)
    else:
        _print_end(summary)


def _begin(services: "Services", run_id: str, kept: dict[str, Any]) -> "RunSummary":
    from graph.readers import read_readers
    from tui.progress import Notices

    source, notices = kept["source"], Notices()
    try:
        readers = read_readers(
            source["readers"], services.settings.readers, notices.take, source["limit"]
        )
        books = _books(source["books"], readers, notices)
        if not books and any(reader.reviews for reader in readers):
            notices.take("no --books were given: ratings tell nothing of what readers like")
    finally:
        notices.print()
    services.store.begin_run(
        run_id,
        services.settings.chat.model,
        kept,
        readers,
        sum(services.settings.synthesis.quotas.values()),
        notices.taken,
    )
    return _work(services, run_id, books)


def _resume(
    context: typer.Context, services: "Services", run_id: str, flags: dict[str, Any]
) -> "RunSummary":
    """Under the settings the run was begun with; flags given now go before them."""
    from agents.errors import ConfigError
    from tui.progress import Notices
    from tui.settings import compose, known_keys
    from tui.wiring import Services

    summary = services.store.run(run_id)
    method = flags["synthesis__method"]
    if method not in (None, summary.method):
        raise ConfigError(
            f"{run_id} was begun with --method {summary.method}.", "Name another --run."
        )
    ended = summary.status in ("finished", "waiting")
    if ended and not services.store.readers_with_work(run_id):
        return summary
    kept = services.store.run_settings(run_id)
    known = known_keys()
    for section, fields in kept["settings"].items():
        if strange := [key for field in fields if (key := f"{section}.{field}") not in known]:
            raise ConfigError(
                f"{run_id} was begun by another version of gravity, which knew {strange[0]}.",
                "Resume it with that one, or begin another with --new.",
            )
    now = invocation(context).flags | given(flags) | {"home": services.home}
    services = Services(compose(kept["settings"], now))
    readers = [r.reader for r in services.store.readers(run_id)]
    return _work(services, run_id, _books(kept["source"]["books"], readers, Notices()))


def _work(services: "Services", run_id: str, books: "Mapping[str, Book]") -> "RunSummary":
    from graph.synthesis import synthesise
    from tui.progress import RunProgress

    async def work() -> None:
        with RunProgress(services.store, run_id) as progress:
            progress.say("loading models …")
            readers = [member.reader for member in services.store.readers(run_id)]
            async with services.crew(books, readers) as crew:
                async for event in synthesise(crew, run_id, services.home):
                    progress.take(event)

    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        typer.echo(f"Stopped. `gravity synth --run {run_id}` goes on.", err=True)
        raise
    return services.store.run(run_id)


def _settings(services: "Services") -> dict[str, Any]:
    return services.settings.model_dump(mode="json", exclude={"home", "interface", "serving"})


def _books(
    source: str | None, readers: "Sequence[Reader]", notices: "Notices"
) -> "Mapping[str, Book]":
    from graph.books import rated_books, read_books
    from tui.profiling import known_source

    source = known_source(source)
    return read_books(source, notices.take, rated_books(readers)) if source else {}


def _print_end(summary: "RunSummary") -> None:
    refused = summary.proposals - summary.accounting.accepted - summary.in_review
    naive = "" if summary.method == "gravity" else f" ({summary.method})"
    typer.echo(f"{summary.id}{naive}: {summary.status}. {summary.accounting}")
    typer.echo(
        f"  {summary.proposals} pairs proposed, {refused} refused or undecided; {summary.calls}"
        f" model calls, {summary.tokens:,} tokens, ${summary.cost_usd:.4f};"
        f" {len(summary.skipped)} notices on the input"
    )
    if summary.in_review:
        typer.echo(f"  {summary.in_review} pairs wait for a person: gravity review {summary.id}")
    if summary.accounting.rejected or summary.accounting.failed:
        typer.echo(f"  why quotas were not met: gravity runs show {summary.id}")
