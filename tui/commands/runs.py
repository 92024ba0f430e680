"""`gravity runs`: what runs there are, and what became of one."""

import time
from typing import TYPE_CHECKING

import typer

from tui.commands.options import JsonFlag, RunArgument, invocation, print_json

if TYPE_CHECKING:
    from graph.accounts import RunSummary

app = typer.Typer(help="List runs and show what became of them.", no_args_is_help=True)


@app.command("list")
def list_runs(context: typer.Context, as_json: JsonFlag = False) -> None:
    """All runs, newest first."""
    runs = invocation(context).services().store.runs()
    if as_json:
        print_json(runs)
        return
    if not runs:
        typer.echo("No runs yet. Begin one: gravity synth --readers sample")
    for run in runs:
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created_at))
        typer.echo(f"{run.id:<16} {began}  {run.status:<9} {run.written_by:<15} {run.accounting}")


@app.command()
def show(context: typer.Context, run: RunArgument = "last", as_json: JsonFlag = False) -> None:
    """One run: its accounting, its readers, and why quotas were not met."""
    from tui.widgets.plain import plain_line

    store = invocation(context).services().store
    summary = store.run(run)
    readers = store.readers(summary.id)
    if as_json:
        rows = [
            {"id": r.reader.id, "status": r.status, "starved": r.starved, "error": r.error}
            for r in readers
        ]
        print_json({"run": summary, "readers": rows})
        return
    typer.echo(_told(summary))
    accepted = store.accepted_counts(summary.id)
    for reader in readers:
        line = f"  {plain_line(reader.reader.id):<24} {reader.status:<9}"
        typer.echo(f"{line} {accepted[reader.reader.id]}/{reader.requested} accepted")
        for facet, reason in reader.starved.items():
            typer.echo(f"      {facet}: {plain_line(reason)}")
    for notice in summary.skipped:
        typer.echo(f"  notice: {notice}")


def _told(run: "RunSummary") -> str:
    return (
        f"{run.id}: {run.status}, model {run.written_by}, {run.readers} readers\n"
        f"  {run.accounting}\n"
        f"  {run.proposals} pairs proposed, {run.in_review} wait for a person, {run.calls} model"
        f" calls, {run.tokens:,} tokens, ${run.cost_usd:.4f}"
    )
