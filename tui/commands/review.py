"""`gravity review`: people decide on pairs, here or in files; who said what, and how they agree."""

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tui.commands.asking import ask
from tui.commands.options import JsonFlag, RunArgument, invocation, print_json
from tui.widgets.plain import plain_line

if TYPE_CHECKING:
    from graph.reviewing.decisions import Decision
    from graph.store import Store

SHOWN = 5
"""Places that are named of rows that were applied before."""


class _PairsByDefault(TyperGroup):
    """`gravity review RUN` is short for `gravity review pairs RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the command where none is named."""
        named = args[:1] and args[0] in {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if named else ["pairs", *args])


app = typer.Typer(
    cls=_PairsByDefault,
    help="Decide on pairs; `gravity review RUN` is short for `gravity review pairs RUN`.",
)


@app.command()
def pairs(
    context: typer.Context,
    run: RunArgument = "last",
    reviewer: Annotated[str | None, typer.Option(help="Your name, kept with decisions.")] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="Apply the decisions of this file, each once.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write what waits for you to this .jsonl, to be filled in.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Decide on the pairs that wait for a person; each decision is kept at once."""
    if decisions and export:
        raise typer.BadParameter("stands without --export.", param_hint="--decisions")
    if as_json and not (decisions or export):
        raise typer.BadParameter("stands with --decisions or --export.", param_hint="--json")
    services = invocation(context).services(interface__reviewer=reviewer)
    store, name = services.store, services.settings.interface.reviewer
    run_id = store.run(run).id
    if decisions:
        _apply(store, run_id, decisions, name, as_json)
    elif export:
        _export(store, run_id, export, name, as_json)
    else:
        _ask(store, run_id, name)


@app.command()
def log(
    context: typer.Context,
    run: RunArgument = "last",
    pair: Annotated[str | None, typer.Option(help="Of this pair only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Every decision on a run's pairs: when, who, what, why, what came of it, and what was undone.

    What was said of a pair on which more people must decide is not told yet.
    """
    store = invocation(context).services().store
    run_id = store.run(run).id if pair is None or run != "last" else store.pair(pair).run_id
    trail = [_sealed(line) for line in store.trail(run_id, pair)]
    if as_json:
        print_json(trail)
    elif not trail:
        typer.echo(f"Nobody has decided on {f'pair {pair}' if pair else f'a pair of {run_id}'}.")
    else:
        typer.echo("\n".join(map(_line, trail)))


@app.command()
def agreement(context: typer.Context, run: RunArgument = "last", as_json: JsonFlag = False) -> None:
    """Tell how far the people who decided on the same pairs agree, by facet too."""
    from agents.judges import agreement as measured
    from graph.reviewing.decisions import people_ratings
    from tui.widgets.agreement_text import MEASURES, agreement_table

    store = invocation(context).services().store
    run_id = store.run(run).id
    rated = people_ratings(store, run_id)
    counts = Counter(name for _, said in rated for name in said)
    facets = sorted({facet for facet, _ in rated})
    rows = {f: [list(said.values()) for facet, said in rated if facet == f] for f in facets}
    rows[measured.ALL] = [list(said.values()) for _, said in rated]
    between = {name: measured.agreement(ratings) for name, ratings in rows.items()}
    if as_json:
        print_json({"run": run_id, "reviewers": counts, "between": between})
        return
    if not between[measured.ALL].units:
        typer.echo(f"No two people have decided on the same pair of {run_id} on their own.")
        typer.echo("`gravity --set synthesis.reviewers=2 synth …` asks two about each.")
        return
    people = ", ".join(f"{plain_line(name, 60)} ({n:,})" for name, n in counts.most_common())
    typer.echo(f"{run_id}: {len(counts)} reviewers, {people}")
    typer.echo(f"{agreement_table('between reviewers', between)}\n\n{MEASURES}")


def _ask(store: "Store", run_id: str, reviewer: str) -> None:
    needed = store.reviewers(run_id)
    if needed > 1:
        typer.echo(f"{needed} different people must decide; you are {plain_line(reviewer, 60)}.")
    decided = ask(store, run_id, reviewer)
    if decided is None:
        typer.echo(f"Nothing of {run_id} waits for {'a person' if needed == 1 else 'you'}.")
        return
    typer.echo(f"{decided} decided. {store.accounting(run_id)}")
    if decided:
        typer.echo(f"`gravity synth --run {run_id}` goes on with readers that waited.")


def _export(store: "Store", run_id: str, path: Path, reviewer: str, as_json: bool) -> None:
    from graph.reviewing.files import write_waiting

    count = write_waiting(store, run_id, reviewer, path)
    if as_json:
        print_json({"run": run_id, "file": path, "pairs": count})
    else:
        typer.echo(f"{count:,} pairs of {run_id} in {path}: say approve, edit, reject or skip of")
        typer.echo(f"each, then `gravity review {run_id} --decisions {path}`.")


def _apply(store: "Store", run_id: str, path: Path, reviewer: str, as_json: bool) -> None:
    from agents.errors import DecisionError
    from graph.reviewing.files import apply_decisions
    from tui.progress import Notices

    applied, notices = apply_decisions(store, run_id, path, reviewer), Notices()
    for fault in applied.faults:
        notices.take(fault)
    notices.print()
    accounting = store.accounting(run_id)
    if as_json:
        print_json({"run": run_id, **applied.__dict__, "accounting": accounting})
    else:
        typer.echo(
            f"{run_id}: {applied.taken:,} applied, {len(applied.repeated):,} applied before,"
            f" {applied.left:,} left for later, {len(applied.faults):,} refused. {accounting}"
        )
        if applied.repeated:
            more = " …" if len(applied.repeated) > SHOWN else ""
            typer.echo(f"  applied before: {', '.join(applied.repeated[:SHOWN])}{more}")
    if applied.faults:
        raise typer.Exit(DecisionError.exit_code)


def _sealed(line: "Decision") -> "Decision":
    """The line without what others are not to know yet."""
    return (
        replace(line, action="sealed", reason="", chosen=None, rejected=None)
        if line.sealed
        else line
    )


def _line(line: "Decision") -> str:
    texts = {"chosen": line.chosen, "rejected": line.rejected}
    own = {"chosen": line.before.chosen, "rejected": line.before.rejected}
    edits = [f"{field}: {text}" for field, text in texts.items() if text not in (None, own[field])]
    undone = f"undone {_at(line.undone_at)} by {line.undone_by}" if line.undone_at else ""
    taken_up = f"taken up {_at(line.taken_up_at)}" if line.taken_up_at else ""
    notes = " · ".join(filter(None, [line.reason, *edits, undone, taken_up]))
    return plain_line(
        f"{_at(line.at)}  {line.pair_id}  {line.reviewer} {line.action} ({line.via})  {notes}", 1000
    )


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
