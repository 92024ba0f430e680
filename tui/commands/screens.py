"""`gravity tui`: the terminal UI."""

import typer

from tui.commands.options import invocation


def screens(context: typer.Context) -> None:
    """Browse runs, decide on pairs, read profiles and preview descriptions, by keyboard."""
    from graph.books import SAMPLE, read_books
    from tui.app import GravityApp

    services = invocation(context).services()
    interface = services.settings.interface

    def books():  # type: ignore[no-untyped-def]
        sources = [SAMPLE]
        for run in services.store.runs():
            source = services.store.run_settings(run.id).get("source", {}).get("books")
            if source and source not in sources:
                sources.append(source)
        return [book for s in sources for book in read_books(s, lambda _notice: None).values()]

    GravityApp(
        store=services.store,
        books=books,
        describer=lambda: services.describer(services.newest_adapter()),
        reviewer=interface.reviewer,
        theme=interface.theme,
    ).run()
