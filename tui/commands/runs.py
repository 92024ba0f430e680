"""`gravity runs`: what runs there are, what became of one and cost, and what failed once more."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, RunArgument, invocation, print_json
from tui.commands.taking_up import ChangedOption, settled

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


@app.command()
def cost(
    context: typer.Context,
    run: RunArgument = "last",
    by: Annotated[str, typer.Option(help="agent or reader.")] = "agent",
    as_json: JsonFlag = False,
) -> None:
    """What a run has cost so far, by agent or by reader, and what kept replies have saved."""
    from tui.widgets.plain import plain_line

    if by not in ("agent", "reader"):
        raise typer.BadParameter("agent or reader.", param_hint="--by")
    store = invocation(context).services().store
    run_id = store.run(run).id
    spent = store.spend_by(run_id, by)  # pyright: ignore[reportArgumentType]
    if as_json:
        print_json(spent)
        return
    for name, spend in spent.items():
        failed = f", {spend.failed} failed" if spend.failed else ""
        typer.echo(f"{plain_line(name) or 'no reader':<24} {spend}{failed}")
    typer.echo(f"{'in all':<24} {store.spend(run_id)}")


@app.command()
def retry(
    context: typer.Context,
    run: RunArgument = "last",
    failed: Annotated[
        bool, typer.Option("--failed", help="Readers that lost pairs to failed calls.")
    ] = False,
    changed: ChangedOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Work again on what a run has lost to failures; its other pairs stay as they are."""
    from graph.checkpoints import CHECKPOINTS, drop_threads
    from graph.claims import claim
    from tui.commands.synth import finish, take_up

    if not failed:
        raise typer.BadParameter("say what to retry.", param_hint="--failed")
    asked = invocation(context)
    store = asked.services().store
    run_id = store.run(run).id
    services = settled(asked, {}, run_id, changed)
    with claim(services.home, run_id):
        again = store.with_losses(run_id)
        drop_threads(services.home / CHECKPOINTS, run_id, again)
        store.put_back(run_id, again)
    if not again:
        typer.echo(f"Nothing of {run_id} failed.", err=True)
    finish(take_up(services, run_id) if again else store.run(run_id), as_json)


def _told(run: "RunSummary") -> str:
    return (
        f"{run.id}: {run.status}, model {run.written_by}, {run.readers} readers\n"
        f"  {run.accounting}\n"
        f"  {run.proposals} pairs proposed, {run.in_review} wait for a person; {run.spend}"
    )
