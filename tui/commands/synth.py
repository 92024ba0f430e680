"""`gravity synth`: gathers preference pairs for readers, or takes an unfinished run up again."""

import asyncio
import re
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.commands.options import (
    BaseUrlOption,
    BooksOption,
    Invocation,
    JsonFlag,
    ModelOption,
    ReadersOption,
    default_books,
    given,
    invocation,
    print_json,
)
from tui.commands.taking_up import ChangedOption, require_method, settled

if TYPE_CHECKING:
    from agents.records import Book, Reader
    from graph.accounts import RunSummary
    from tui.progress import Notices
    from tui.wiring import Services

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="What the run may cost in all.")
    ] = None,
    changed: ChangedOption = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin a run even where one like it is unfinished.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what it would cost; ask and begin nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Gather preference pairs: profile, plan, draw or write, deduplicate, criticise, publish.

    The same command again resumes a run that was stopped, killed, or waits for a person.
    """
    from agents.errors import NotFoundError

    flags = {"chat__model": model, "chat__base_url": base_url, "synthesis__review": review}
    flags |= {"synthesis__method": method, "synthesis__max_cost_usd": max_cost}
    asked = invocation(context)
    services = asked.services(**flags)
    store = services.store
    if run == "last":
        run = store.run(run).id
    if run is not None and not re.fullmatch(r"\w[\w.-]{0,63}", run):  # it names a folder, too
        raise typer.BadParameter("letters, digits, -, _ and . (64 at most).", param_hint="--run")
    source = {"readers": readers, "books": default_books(readers, books), "limit": limit}
    known = run if run is not None and store.has_run(run) else None
    if known is None and readers is None:
        if run:
            raise NotFoundError(
                f"There is no run {run!r}.",
                "`gravity runs list` names them; name --readers to begin it.",
            )
        raise typer.BadParameter("name a file of readers, or `sample`.", param_hint="--readers")
    if not (known or new or run):
        known = store.unfinished_run(source, services.settings.kept())
        if known:
            again = f"{known} is the same and unfinished: resuming it (--new begins another)."
            typer.echo(again, err=True)
    if known:
        require_method(store, known, method)
    run_id = known or run or store.next_run_id()
    if dry_run:
        if known:
            services = settled(asked, given(flags), known, "kept", keep=False)
        _foresee(services, run_id, source, as_json)
        return
    summary = (
        _go_on(asked, given(flags), run_id, changed) if known else _begin(services, run_id, source)
    )
    finish(summary, as_json)


def _foresee(services: "Services", run_id: str, source: dict[str, Any], as_json: bool) -> None:
    """Tell what a run would cost, or what is left of one that has begun."""
    from tui.commands.dry_run import tell_cost

    store = services.store
    if store.has_run(run_id):
        left = set(store.readers_with_work(run_id))
        readers = [m.reader for m in store.readers(run_id) if m.reader.id in left]
        books = _books_of(services, run_id)
    else:
        readers, books, _ = _taken_in(services, source)
    tell_cost(services, readers, books, run_id, source, as_json)


def _go_on(
    asked: Invocation, flags: Mapping[str, Any], run_id: str, changed: str | None
) -> "RunSummary":
    """Where there is anything left to do, under settings that are settled first."""
    store = asked.services().store
    summary = store.run(run_id)
    ended = summary.status in ("finished", "waiting")
    if ended and not store.readers_with_work(run_id):
        return summary
    return take_up(settled(asked, flags, run_id, changed), run_id)


def take_up(services: "Services", run_id: str) -> "RunSummary":
    """Go on with a run under these services' settings."""
    return _work(services, run_id, _books_of(services, run_id))


def _books_of(services: "Services", run_id: str) -> "Mapping[str, Book]":
    """The catalogue that a run was begun with."""
    from tui.progress import Notices

    readers = services.store.reader_records(run_id)
    source = services.store.run_settings(run_id)["source"].get("books")
    return _books(source, readers, Notices())


def _begin(services: "Services", run_id: str, source: dict[str, Any]) -> "RunSummary":
    readers, books, notices = _taken_in(services, source)
    services.begin_run(run_id, readers, source, notices.taken)
    return _work(services, run_id, books)


def _taken_in(
    services: "Services", source: dict[str, Any]
) -> "tuple[list[Reader], Mapping[str, Book], Notices]":
    from graph.readers import read_readers
    from tui.progress import Notices

    notices = Notices()
    try:
        readers = read_readers(
            source["readers"], services.settings.readers, notices.take, source["limit"]
        )
        books = _books(source["books"], readers, notices)
        if not books and any(reader.reviews for reader in readers):
            notices.take("no --books were given: ratings tell nothing of what readers like")
    finally:
        notices.print()
    return readers, books, notices


def _work(services: "Services", run_id: str, books: "Mapping[str, Book]") -> "RunSummary":
    """Work on the run until it ends, or something ends it; the account is told always."""
    try:
        stopped_by = asyncio.run(_working(services, run_id, books))
    except BaseException:
        typer.echo(f"{services.store.accounting(run_id)}", err=True)
        raise
    summary = services.store.run(run_id)
    if stopped_by and summary.status == "stopped":
        typer.echo(f"{services.store.accounting(run_id)}", err=True)
        typer.echo(f"Stopped. `gravity synth --run {run_id}` goes on.", err=True)
        raise typer.Exit(128 + stopped_by)
    return summary


async def _working(
    services: "Services", run_id: str, books: "Mapping[str, Book]"
) -> signal.Signals | None:
    """The signal that stopped the work, if any; a second one cancels calls in flight."""
    from graph.synthesis import synthesise
    from tui.progress import RunProgress

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    caught: list[signal.Signals] = []
    this = asyncio.current_task()
    assert this is not None

    with RunProgress(services.store, run_id) as progress:

        def halt(number: signal.Signals) -> None:
            caught.append(number)
            if len(caught) > 1:
                this.cancel()
                return
            progress.say("stopping: calls in flight end first (once more cancels them) …")
            stop.set()

        for number in SIGNALS:
            loop.add_signal_handler(number, halt, number)
        progress.say("loading models …")
        try:
            async for event in synthesise(services.settings, (), books, run_id, stop=stop):
                progress.take(event)
        except asyncio.CancelledError:
            if not caught:
                raise
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)
    return caught[0] if caught else None


def _books(
    source: str | None, readers: "Sequence[Reader]", notices: "Notices"
) -> "Mapping[str, Book]":
    from graph.books import rated_books, read_books
    from tui.profiling import known_source

    source = known_source(source)
    return read_books(source, notices.take, rated_books(readers)) if source else {}


def finish(summary: "RunSummary", as_json: bool) -> None:
    """Print how a run stands now."""
    if as_json:
        print_json(summary)
        return
    refused = summary.proposals - summary.accounting.accepted - summary.in_review
    naive = "" if summary.method == "gravity" else f" ({summary.method})"
    typer.echo(f"{summary.id}{naive}: {summary.status}. {summary.accounting}")
    typer.echo(
        f"  {summary.proposals} pairs proposed, {refused} refused or undecided; {summary.spend};"
        f" {len(summary.skipped)} notices on the input"
    )
    if summary.in_review:
        typer.echo(f"  {summary.in_review} pairs wait for a person: gravity review {summary.id}")
    if summary.accounting.rejected or summary.accounting.failed:
        typer.echo(f"  why quotas were not met: gravity runs show {summary.id}")
