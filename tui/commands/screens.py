"""`gravity tui`: the terminal UI."""

from typing import TYPE_CHECKING

import typer

from tui.commands.options import invocation

if TYPE_CHECKING:
    from agents.records import Book
    from tui.wiring import Services


def screens(context: typer.Context) -> None:
    """Browse runs, decide on pairs, read profiles and preview descriptions, by keyboard."""
    from tui.app import GravityApp
    from tui.profiling import renew

    services = invocation(context).services()
    interface = services.settings.interface
    GravityApp(
        store=services.store,
        books=lambda: known_books(services),
        describer=lambda: services.describer(services.newest_adapter()),
        renew=lambda reader_id: renew(
            services, {reader_id}, lambda _calls: None, lambda _told: None
        ),
        reviewer=interface.reviewer,
        theme=interface.theme,
    ).run()


def known_books(services: "Services") -> "list[Book]":
    """The books of every run's catalogue and the bundled ones, each once."""
    from graph.books import SAMPLE, read_books
    from tui.profiling import known_source

    runs = services.store.runs()
    kept = [services.store.run_settings(run.id).get("source", {}) for run in runs]
    named = [known_source(source.get("books")) for source in kept]
    sources = dict.fromkeys([*(source for source in named if source), SAMPLE])
    books: dict[str, Book] = {}
    for source in sources:
        books |= read_books(source, lambda _notice: None)
    return list(books.values())
