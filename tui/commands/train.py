"""`gravity train`: tunes a model on the accepted pairs of a run with DPO."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, invocation, print_json

if TYPE_CHECKING:
    from training.adapters import AdapterCard
    from training.events import TrainingEvent


def train(
    context: typer.Context,
    pairs: Annotated[
        str, typer.Argument(metavar="RUN|FILE", help="A run, or exported JSONL or Parquet.")
    ] = "last",
    name: Annotated[str | None, typer.Option(help="The adapter's name; else the run's.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tune the base model on preference pairs; the same training twice is reused."""
    from graph.export import export_pairs
    from training.adapters import fingerprint

    services = invocation(context).services(training__max_steps=max_steps)
    file = Path(pairs)
    if not file.is_file():
        run_id = services.store.run(pairs).id
        export_pairs(services.store, run_id, services.home / "exports" / run_id)
        file, stem = services.home / "exports" / run_id / "pairs.jsonl", run_id
    else:
        stem = file.stem
    registry, settings = services.adapters, services.settings.training
    card = registry.find(fingerprint(file, settings))
    if card and name in (None, card.name):
        typer.echo(f"{card.name} was trained from the same pairs and settings: reused.", err=True)
    else:
        typer.echo("preparing the base model (the first time takes half a minute) …", err=True)
        out = registry.path(name or registry.free_name(stem))
        card = _train(services.base_weights(), file, out, settings)
    if as_json:
        print_json(card)
    else:
        typer.echo(_told(card, registry.path(card.name)))


def _train(base: Path | str, pairs: Path, out: Path, settings: object) -> "AdapterCard":
    typer.echo("loading the trainer …", err=True)
    from training.dpo import train as train_dpo

    return train_dpo(pairs, settings, base, out, _show).card  # pyright: ignore[reportArgumentType]


def _show(event: "TrainingEvent") -> None:
    from training.events import Evaluated, PairsChecked, StepDone, TrainingStarted

    match event:
        case PairsChecked():
            lines = event.lines
        case TrainingStarted():
            lines = (
                f"training on {event.pairs} pairs ({event.twin_share:.0%} with their twin),"
                f" {event.held_out} held out, {event.steps} steps on {event.device}",
            )
        case StepDone():
            lines = (
                f"  step {event.step}/{event.total}  loss {event.loss:.3f}  accuracy"
                f" {event.reward_accuracy:.2f}  margin {event.margin:+.3f}"
                f"  {event.seconds_left:.0f} s left",
            )
        case Evaluated():
            figures = event.figures
            lines = (
                f"held out, {event.when}: accuracy {figures.accuracy:.2f}, margin"
                f" {figures.margin:+.3f} over {figures.pairs} pairs",
            )
        case _:
            lines = ()
    for line in lines:
        typer.echo(line, err=True)


def _told(card: "AdapterCard", folder: Path) -> str:
    return (
        f"{card.name}: {card.method.upper()} on {len(card.pair_ids)} pairs of"
        f" {len(card.reader_ids)} readers, {card.twin_share:.0%} with their twin\n"
        f"  held-out reward accuracy {card.before.accuracy:.2f} → {card.after.accuracy:.2f}"
        f" (ties count half), margin {card.before.margin:+.3f} → {card.after.margin:+.3f},"
        f" {card.after.pairs} pairs\n  {folder}"
    )
