"""`gravity forget`: removes a reader, or what has expired, for good, and proves it by a search."""

import sys
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, invocation, print_json

if TYPE_CHECKING:
    from graph.erasure import Erasure
    from training.adapters import AdapterCard
    from tui.wiring import Services

STOPPED = 130


def forget(
    context: typer.Context,
    reader: Annotated[
        str | None, typer.Argument(metavar="READER", help="A reader's id.", show_default=False)
    ] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Only attributes of any reader whose day has come.")
    ] = False,
    with_adapters: Annotated[
        bool, typer.Option("--with-adapters", help="Delete the adapters trained on the reader too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Forget a reader: profile, pairs, traces, answers and all; it cannot be undone."""
    services = invocation(context).services()
    if expired == (reader is not None):
        raise typer.BadParameter("name a reader, or give --expired.", param_hint="READER")
    if reader is None:
        _purge(services, as_json)
    else:
        _forget(services, reader, with_adapters, yes, as_json)


def _forget(
    services: "Services", reader: str, with_adapters: bool, yes: bool, as_json: bool
) -> None:
    from agents.errors import StorageError
    from graph import erasure

    erasure.require_known(services.store, services.home, reader)
    if not yes and not _confirmed(services, reader):
        typer.echo("Nothing was removed.", err=True)
        raise typer.Exit(STOPPED)
    cards: list[AdapterCard] = []

    def adapters() -> Mapping[str, int]:
        cards.extend(services.adapters.of(reader))
        for card in cards if with_adapters else ():
            services.adapters.delete(card.name)
        services.adapters.strike(reader)
        return {"adapters" if with_adapters else "names on adapters' cards": len(cards)}

    done = erasure.forget(services.store, services.home, reader, adapters)
    if as_json:
        print_json(_as_json(services, done, cards, with_adapters))
    else:
        _print(services, done, cards, with_adapters)
    if done.search.left:
        raise StorageError(
            f"{done.search.left[0]} is still there.",
            "Remove that file or mend it, then run the same command again.",
        )


def _confirmed(services: "Services", reader: str) -> bool:
    from tui.widgets.plain import plain_line

    if not sys.stdin.isatty():
        raise typer.BadParameter("needed where nobody can be asked.", param_hint="--yes")
    asked = f"Remove everything of {plain_line(reader)} from {services.home} for good?"
    return typer.confirm(asked, err=True)


def _purge(services: "Services", as_json: bool) -> None:
    from graph.erasure import purge_expired

    count = purge_expired(services.store, services.home, date.today())
    if as_json:
        print_json({"expired": count})
    else:
        typer.echo(f"{count} expired attributes removed from kept profiles.")


def _unfinished(services: "Services") -> list[str]:
    """Trainings that were stopped; whose pairs they have learnt is noted only at their end."""
    return sorted(path.parent.name for path in services.adapters.root.glob("*/checkpoints"))


def _as_json(
    services: "Services", done: "Erasure", cards: "list[AdapterCard]", with_adapters: bool
) -> dict[str, object]:
    return {
        "reader": done.reader_id,
        "removed": done.removed,
        "adapters": [{"name": c.name, "created": c.created} for c in cards],
        "adapters_deleted": with_adapters,
        "unfinished_trainings": _unfinished(services),
        "searched": {
            "files": done.search.files,
            "bytes": done.search.bytes,
            "id": done.marks.naming,
            "phrases": len(done.marks.phrases),
        },
        "left": done.search.left,
    }


def _print(
    services: "Services", done: "Erasure", cards: "list[AdapterCard]", with_adapters: bool
) -> None:
    from tui.widgets.plain import plain_line

    name, found = plain_line(done.reader_id), done.search
    typer.echo(f"{name}: removed from {services.home}")
    for kind, count in done.removed.items():
        typer.echo(f"  {count:>6,} {kind}")
    for card in cards:
        what = "deleted" if with_adapters else "still knows what it has learnt"
        typer.echo(f"  adapter {card.name} of {card.created}: {what}")
    if cards and not with_adapters:
        runs = " ".join(dict.fromkeys(run for card in cards for run in card.run_ids))
        folder = services.adapters.root
        typer.echo(f"    remove their folders in {folder}, or train again without {name}:")
        typer.echo(f"    gravity train {runs or 'RUN'}")
    for training in _unfinished(services):
        typer.echo(f"  training {training} was stopped, and may have learnt from {name}:")
        typer.echo(f"    remove {services.adapters.path(training)} to be sure")
    typer.echo(
        f"searched {found.files:,} files, {found.bytes:,} bytes, for the id ({done.marks.naming})"
        f" and {len(done.marks.phrases):,} runs of the reader's words: {len(found.left)} left"
    )
    for left in found.left:
        typer.echo(f"  {plain_line(left, 1000)}")
    typer.echo(
        f"Files outside {services.home} were not touched: readers' files that name {name} would"
        " bring them back with the next run, and exports elsewhere still hold their pairs."
    )
