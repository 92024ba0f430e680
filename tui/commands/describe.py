"""`gravity describe`: a book for readers, by the base and the tuned model side by side."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import (
    BaseUrlOption,
    BooksOption,
    JsonFlag,
    ModelOption,
    ReadersOption,
    default_books,
    invocation,
    print_json,
)
from tui.profiling import find_profiles, known_source

if TYPE_CHECKING:
    from agents.describer import Describer
    from agents.records import Book, Description, Profile
    from tui.wiring import Services


def describe(
    context: typer.Context,
    book: Annotated[str, typer.Option(help="A book's id or title.")],
    reader: Annotated[list[str], typer.Option(help="A reader's id; may be given again.")],
    run: Annotated[str, typer.Option(help="The run that profiled them.")] = "last",
    readers: ReadersOption = None,
    books: BooksOption = None,
    adapter: Annotated[
        str | None, typer.Option(help="The tuned model; else the one trained last.")
    ] = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Describe a book for each reader; without a tuned model, by the base model alone."""
    from graph.books import find_book, read_books

    services = invocation(context).services(chat__model=model, chat__base_url=base_url)
    if readers is None:
        source = services.store.run_settings(services.store.run(run).id)["source"]
        books = books or known_source(source["books"])
    books = default_books(readers, books)
    if books is None:
        raise typer.BadParameter("name the catalogue that holds the book.", param_hint="--books")
    wanted = find_book(read_books(books, lambda _notice: None), book)
    profiles = [
        made for _, made in find_profiles(services, reader, readers, books, run, lambda _: None)
    ]
    local = services.settings.chat.model == "embedded"
    tuned = adapter or (services.newest_adapter() if local else None)
    made = asyncio.run(_describe_all(services, tuned, profiles, wanted))
    if as_json:
        print_json(made)
    else:
        _print(wanted, profiles, made)


async def _describe_all(
    services: "Services", tuned: str | None, profiles: "Sequence[Profile]", book: "Book"
) -> "list[Description]":
    """By every model for every reader."""
    describer = services.describer(tuned)
    try:
        return [
            await _describe_once(services, describer, profile, book, model)
            for profile in profiles
            for model in describer.writer.models
        ]
    finally:
        await describer.writer.close()


async def _describe_once(
    services: "Services", describer: "Describer", profile: "Profile", book: "Book", model: str
) -> "Description":
    """By one model for one reader; what was made in the same way before is reused."""
    from tui.widgets.plain import plain_line

    base, url = services.settings.training.base_model, services.settings.chat.base_url
    sampling = services.settings.serving.model_dump_json()
    made_by = " ".join([model, base, url or "", sampling])
    fingerprint = describer.fingerprint(profile, book, made_by)
    description = services.store.description(fingerprint)
    if description is None:
        typer.echo(f"describing for {plain_line(profile.reader_id)} by {model} …", err=True)
        description = await describer.describe(profile, book, model)
        services.store.keep_description(fingerprint, description)
    return description


def _print(book: "Book", profiles: "Sequence[Profile]", made: "Sequence[Description]") -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from tui.widgets.plain import plain, plain_line

    console = Console(highlight=False)
    console.print(Text(plain_line(f"{book.title} by {book.author}"), style="bold"))
    for profile in profiles:
        own = [d for d in made if d.reader_id == profile.reader_id]
        grid = Table.grid(expand=True, padding=(0, 1))
        for _ in own:
            grid.add_column(ratio=1)
        panels = []
        for d in own:
            doubt = "" if d.faithful else " · doubtful"
            panels.append(Panel(Text(plain(d.text)), title=Text(f"{d.method}{doubt}")))
        grid.add_row(*panels)
        console.print(Text(f"\nfor {plain_line(profile.reader_id)}", style="bold cyan"))
        console.print(grid)
        for why in dict.fromkeys(line for d in own for line in d.why):
            console.print(Text(f"  because: {plain_line(why)}", style="dim"))
