"""`gravity train`: tunes a model on the accepted pairs of a run with DPO."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, PairsArgument, invocation, pairs_file, print_json

if TYPE_CHECKING:
    from training.adapters import AdapterCard
    from training.events import TrainingEvent
    from tui.wiring import Services


def train(
    context: typer.Context,
    pairs: PairsArgument = "last",
    name: Annotated[str | None, typer.Option(help="The adapter's name; else the run's.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps.")] = None,
    despite_audit: Annotated[
        bool, typer.Option("--despite-audit", help="Also on pairs that fail `pairs audit`.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Audit preference pairs and tune the base model on them; the same training is reused."""
    from training.adapters import fingerprint

    services = invocation(context).services(training__max_steps=max_steps)
    file, stem = pairs_file(services, pairs)
    registry, settings = services.adapters, services.settings.training
    card = registry.find(fingerprint(file, settings))
    if card and name in (None, card.name):
        typer.echo(f"{card.name} was trained from the same pairs and settings: reused.", err=True)
    else:
        out = registry.path(name or registry.free_name(stem))
        card = _train(services, file, out, despite_audit)
    if as_json:
        print_json(card)
    else:
        typer.echo(_told(card, registry.path(card.name)))


def _train(services: "Services", pairs: Path, out: Path, despite_audit: bool) -> "AdapterCard":
    typer.echo("preparing the base model (the first time takes half a minute) …", err=True)
    base = services.base_weights()
    typer.echo("loading the trainer, and auditing the pairs …", err=True)
    from training.dpo import train as train_dpo

    settings, embedder = services.settings.training, services.embedder
    report = train_dpo(pairs, settings, base, out, _show, embedder, despite_audit=despite_audit)
    return report.card


def _show(event: "TrainingEvent") -> None:
    from training.events import Evaluated, PairsChecked, StepDone, TrainingStarted
    from tui.widgets.findings_text import told_findings

    match event:
        case PairsChecked():
            found = [finding for finding in event.findings if finding.level != "ok"]
            lines = (*event.lines, *told_findings(found).splitlines())
        case TrainingStarted():
            lines = (
                f"training on {event.pairs} pairs ({event.twin_share:.0%} with their twin),"
                f" {event.held_out} held out, {event.steps} steps on {event.device}",
            )
            if event.flip_rate is not None:
                lines += (
                    f"label-flip rate ε = {event.flip_rate:.3f}: 1 − the mean probability of the"
                    f" training pairs; {event.unjudged} that nobody judged count as certain",
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
