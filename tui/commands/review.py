"""`gravity review`: a person decides on pairs in any terminal, one key and Enter at a time."""

from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import RunArgument, invocation

if TYPE_CHECKING:
    from agents.records import Pair
    from graph.store import Store

KEYS = "[a]pprove [e]dit [r]eject [s]kip [u]ndo the last [q]uit"


def review(
    context: typer.Context,
    run: RunArgument = "last",
    reviewer: Annotated[str | None, typer.Option(help="Your name, kept with decisions.")] = None,
) -> None:
    """Decide on the pairs that wait for a person; each decision is kept at once."""
    from tui.commands.pairs import told

    services = invocation(context).services(interface__reviewer=reviewer)
    store, name = services.store, services.settings.interface.reviewer
    run_id = store.run(run).id
    waiting = store.pairs(run_id, status="review")
    decided: list[str] = []
    skipped: set[str] = set()
    while left := [p for p in store.pairs(run_id, status="review") if p.id not in skipped]:
        pair = left[0]
        typer.echo(f"\n{told(pair)}\n\n{len(left)} waiting. {KEYS}")
        try:
            match input("> ").strip().lower()[:1]:
                case "a":
                    store.decide(pair.id, "approve", name)
                    decided.append(pair.id)
                case "r":
                    store.decide(pair.id, "reject", name, input("reason: ").strip())
                    decided.append(pair.id)
                case "e":
                    _edit(store, pair, name)
                    decided.append(pair.id)
                case "s":
                    skipped.add(pair.id)
                case "u" if decided:
                    store.undo(decided.pop())
                case "u":
                    typer.echo("Nothing to undo yet.")
                case "q":
                    break
                case _:
                    typer.echo(f"Please answer with one of: {KEYS}")
        except EOFError:  # quits, also in the middle of an answer: what is half said is not kept
            break
    if not waiting:
        typer.echo(f"Nothing of {run_id} waits for a person.")
        return
    typer.echo(f"{len(decided)} decided. {store.accounting(run_id)}")
    if decided:
        typer.echo(f"`gravity synth --run {run_id}` goes on with readers that waited.")


def _edit(store: "Store", pair: "Pair", name: str) -> None:
    typer.echo("New texts; Enter keeps the old one.")
    chosen, rejected = input("chosen: "), input("rejected: ")
    store.decide(pair.id, "edit", name, "", chosen.strip() or None, rejected.strip() or None)
