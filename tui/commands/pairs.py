"""`gravity pairs`: lists, shows, exports and audits preference pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.audit import audit
from tui.commands.options import JsonFlag, RunArgument, invocation, print_json

if TYPE_CHECKING:
    from agents.records import Pair

app = typer.Typer(help="List, show, export and audit preference pairs.", no_args_is_help=True)
app.command("audit")(audit)


@app.command("list")
def list_pairs(
    context: typer.Context,
    run: RunArgument = "last",
    status: Annotated[
        str | None, typer.Option(help="proposed, accepted, rejected or review.")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="Of this reader only.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """The pairs of a run, a line each."""
    from agents.records import PairStatus
    from tui.widgets.marks import ground
    from tui.widgets.plain import plain_line

    known = PairStatus.__args__  # pyright: ignore[reportAttributeAccessIssue]
    if status is not None and status not in known:
        raise typer.BadParameter(f"one of {', '.join(known)}.", param_hint="--status")
    store = invocation(context).services().store
    pairs = store.pairs(store.run(run).id, status, reader, limit)  # pyright: ignore[reportArgumentType]
    if as_json:
        print_json(pairs)
        return
    for pair in pairs:
        situation = plain_line(pair.prompt[-1].content, 60)
        probability = "   –" if pair.probability is None else f"{pair.probability:.2f}"
        typer.echo(
            f"{pair.id}  {pair.status:<8} {probability}  {plain_line(pair.reader_id, 16):<16}"
            f" {' '.join(ground(pair)):<26} {situation}"
        )


@app.command()
def show(context: typer.Context, pair: str, as_json: JsonFlag = False) -> None:
    """One pair whole: prompt, chosen, rejected, verdicts."""
    found = invocation(context).services().store.pair(pair)
    if as_json:
        print_json(found)
    else:
        typer.echo(told(found))


@app.command()
def export(
    context: typer.Context,
    run: RunArgument = "last",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write; else exports/RUN under the home.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the accepted pairs as JSONL and Parquet in TRL's format, with a dataset card."""
    from graph.export import export_pairs

    services = invocation(context).services()
    run_id = services.store.run(run).id
    folder = out or services.home / "exports" / run_id
    count = export_pairs(services.store, run_id, folder)
    accounting = services.store.accounting(run_id)
    if as_json:
        print_json({"folder": folder, "pairs": count, "accounting": accounting})
        return
    typer.echo(f"{count} accepted pairs of {run_id} in {folder}: pairs.jsonl, pairs.parquet")
    typer.echo(f"  {accounting}")


def told(pair: "Pair") -> str:
    """A pair as a person reads it."""
    from tui.widgets.marks import ground, odds
    from tui.widgets.plain import plain

    verdicts = "".join(
        f"  {v.judge}: {odds(v)}{' (flipped)' if v.flipped else ''} {v.reason}\n"
        for v in pair.verdicts
    )
    rests_on = " ".join(ground(pair)).strip()
    return plain(
        f"{pair.id}  {pair.status}  {pair.reader_id}  {pair.facet}: {rests_on}\n\n"
        f"{pair.prompt[0].content}\n\n{pair.prompt[-1].content}\n\n"
        f"chosen:   {pair.chosen}\n\nrejected: {pair.rejected}\n\n{verdicts}  {pair.reason}"
    )
