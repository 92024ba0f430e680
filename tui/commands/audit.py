"""`gravity pairs audit`: measures whether pairs are fit to train on; it trains nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import (
    NEEDS_MENDING,
    JsonFlag,
    PairsArgument,
    invocation,
    pairs_file,
    print_json,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from tui.wiring import Services


def audit(
    context: typer.Context,
    pairs: PairsArgument = "last",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a report with plots.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Measure whether pairs are fit to train on; exit code 1 where something is to be mended."""
    from rich.console import Console

    from training.audit import audit as audited
    from training.dataset import read_pairs
    from training.pair_set import PairSet
    from training.silence import quiet_libraries
    from tui.audit_report import write_report
    from tui.widgets.findings_text import told_findings
    from tui.widgets.plain import plain_line

    services = invocation(context).services()
    file, _ = pairs_file(services, pairs)
    status = Console(stderr=True).status("auditing; the first time the base model is prepared …")
    with quiet_libraries(), status:
        dataset = read_pairs(file)
        tokenizer, settings = _tokenizer(services), services.settings.training
        pair_set = PairSet(dataset, tokenizer, settings, services.embedder)
        findings = audited(pair_set)
        if html:
            write_report(html, file.name, pair_set, findings)
    if as_json:
        print_json(findings)
    else:
        typer.echo(f"{len(dataset):,} pairs of {plain_line(str(file))}")
        typer.echo(told_findings(findings))
    if html:
        typer.echo(f"report: {html}", err=True)
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(NEEDS_MENDING)


def _tokenizer(services: "Services") -> "PreTrainedTokenizerBase | None":
    """The base model's, where it is at hand; an audit goes without it, and says so."""
    from agents.errors import WeightsError
    from training.rendering import load_tokenizer

    try:
        return load_tokenizer(services.base_weights())
    except WeightsError as error:
        typer.echo(f"tokens and template are not measured: {error}", err=True)
        return None
