"""`gravity critic`: calibrates judges on people's decisions, and tells how far judges agree."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, RunArgument, invocation, print_json
from tui.widgets.plain import plain_line

if TYPE_CHECKING:
    from agents.judges.agreement import Agreement
    from agents.judges.calibration import Assessment, Calibration, Judged
    from graph.reviewing.decisions import Decided

app = typer.Typer(help="Calibrate judges, and compare them.", no_args_is_help=True)
HOLDS_FOR = """\
People are asked about doubtful pairs, or with `--review all` about all that
were not refused: what follows holds for such pairs, not for all that are judged."""
MEASURES = """\
Right is 0.5 or more of what a judge itself gave. alpha (Krippendorff) and AC1
(Gwet): 1 at best, 0 for chance; AC1 stays steady where nearly all are judged alike."""


@app.command()
def calibrate(
    context: typer.Context,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Else the decisions of all runs.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, and keep nothing.")] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Write the reliability diagram to this file.")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take every calibration back, and do no more.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Fit what judges say to what people decided, and show how far it holds."""
    from agents.judges.calibration import assess, keep_calibrations, read_calibrations, shortage
    from graph.reviewing.decisions import decided_pairs, judged_by

    services = invocation(context).services()
    path = services.calibrations
    if forget:
        if runs or dry_run or svg:
            raise typer.BadParameter("stands alone.", param_hint="--forget")
        _forget(path, as_json)
        return
    kept = read_calibrations(path)
    run_ids = [services.store.run(run).id for run in runs or ()]
    decided = decided_pairs(services.store, run_ids)
    judged = judged_by(decided)
    short = {judge: why for judge, said in judged.items() if (why := shortage(said))}
    _require_enough(decided, judged, short)
    now = time.time()
    found = [assess(name, judged[name], now) for name in sorted(judged.keys() - short.keys())]
    if svg:
        _draw(svg, found)
    fitted: dict[str, Calibration] = {}
    if not dry_run:
        telling = [one.calibration for one in found if one.calibration.slope > 0]
        fitted = {calibration.judge: calibration for calibration in telling}
    if fitted:
        keep_calibrations(path, (kept | fitted).values())
    if as_json:
        print_json(
            {
                "decisions": Counter(one.action for one in decided),
                "judges": found,
                "too_few": short,
                "kept_in": path if fitted else None,
                "caution": " ".join(HOLDS_FOR.split()),
            }
        )
        return
    from tui.widgets.reliability import KEY, told

    typer.echo(f"{_counted(decided)}\n{HOLDS_FOR}\n")
    typer.echo("\n\n".join([*map(told, found), KEY]))
    for judge, why in sorted(short.items()):
        typer.echo(f"\n{plain_line(judge, 60)}\n  not calibrated: {why}.")
    if not fitted:
        typer.echo("\nNothing was kept.")
    else:
        typer.echo(f"\nKept in {path}; the next run applies it.")
        typer.echo("`gravity critic calibrate --forget` takes it back.")


@app.command()
def agreement(context: typer.Context, run: RunArgument = "last", as_json: JsonFlag = False) -> None:
    """Tell how far the judges of a run agree with each other, and with people."""
    from agents.judges.agreement import between_judges, ratings_of, with_people
    from graph.reviewing.decisions import decided_pairs, judged_by

    store = invocation(context).services().store
    run_id = store.run(run).id
    pairs = store.pairs(run_id)
    judges = sorted({judge for pair in pairs for judge in ratings_of(pair)})
    between = between_judges(pairs)
    judged = judged_by(decided_pairs(store, [run_id]))
    people = {judge: with_people(judged[judge]) for judge in sorted(judged)}
    if as_json:
        print_json({"run": run_id, "judges": judges, "between": between, "people": people})
        return
    if not judges:
        typer.echo(f"No judge has judged a pair of {run_id}.")
        return
    names = ", ".join(plain_line(judge, 60) for judge in judges)
    if len(judges) < 2:
        typer.echo(f"One judge alone, {names}, judged the pairs of {run_id}: agreement needs two.")
    else:
        typer.echo(f"{run_id}: {len(judges)} judges, {names}")
        _print_table("between judges", between)
    if people:
        typer.echo("")
        _print_table("people and", people)
    else:
        typer.echo("No person has approved or rejected any of them: `gravity review`.")
    if people or len(judges) > 1:
        typer.echo(f"\n{MEASURES}")


def _forget(path: Path, as_json: bool) -> None:
    from agents.errors import StorageError

    known = path.exists()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path} cannot be removed: {error.strerror}.") from error
    if as_json:
        print_json({"forgotten": known})
    elif known:
        typer.echo(f"{path} is gone: the next run takes what judges say as they give it.")
    else:
        typer.echo("Nothing is kept: runs take what judges say as they give it.")


def _require_enough(
    decided: "list[Decided]", judged: "Mapping[str, list[Judged]]", short: Mapping[str, str]
) -> None:
    from agents.errors import NotFoundError

    if not decided:
        raise NotFoundError(
            "No person has decided on a pair.",
            "`gravity synth --review all` keeps pairs for a person, `gravity review` asks them.",
        )
    if not judged:
        raise NotFoundError(
            f"There is nothing to calibrate on. {_counted(decided)}",
            "Decide on pairs that a judge rated: `gravity review`.",
        )
    if len(short) == len(judged):
        told = "; ".join(f"{judge} has {why}" for judge, why in sorted(short.items()))
        raise NotFoundError(f"Too few decisions: {told}.", "Decide on more: `gravity review`.")


def _draw(path: Path, found: "list[Assessment]") -> None:
    from agents.errors import StorageError
    from tui.widgets.reliability import drawn

    picture = drawn(found)
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


def _counted(decided: "list[Decided]") -> str:
    from agents.judges.agreement import ratings_of

    actions = Counter(one.action for one in decided)
    parts = [f"{actions['approve']} approved", f"{actions['reject']} rejected"]
    if edits := actions["edit"]:
        parts.append(f"{edits} edited and left out (no judge saw the new text)")
    if unrated := sum(not ratings_of(one.before) for one in decided):
        parts.append(f"{unrated} that no judge rated")
    return f"{len(decided)} decided pair{'s' * (len(decided) > 1)}: {', '.join(parts)}."


def _print_table(head: str, rows: "Mapping[str, Agreement]") -> None:
    typer.echo(f"  {head:<30} {'pairs':>6} {'equal':>6} {'alpha':>6} {'AC1':>6}")
    for name, row in rows.items():
        share = "–" if row.share is None else f"{row.share:.0%}"
        alpha, ac1 = ("–" if v is None else f"{v:.2f}" for v in (row.alpha, row.ac1))
        typer.echo(f"  {plain_line(name, 30):<30} {row.units:>6} {share:>6} {alpha:>6} {ac1:>6}")
