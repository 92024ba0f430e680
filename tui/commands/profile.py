"""`gravity profile`: what is known of readers, and what they themselves say of it."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import (
    BaseUrlOption,
    BooksOption,
    JsonFlag,
    ModelOption,
    ReadersOption,
    default_books,
    invocation,
    print_json,
)
from tui.profiling import find_profiles, renew

if TYPE_CHECKING:
    from agents.records import ModelCall
    from tui.wiring import Services

app = typer.Typer(help="Profiles of readers: show, ask, correct.", no_args_is_help=True)
ReaderArgument = Annotated[str, typer.Argument(metavar="READER", help="A reader's id.")]
RunOption = Annotated[str, typer.Option(help="The run to look in, without --readers.")]


@app.command()
def show(
    context: typer.Context,
    reader: ReaderArgument,
    readers: ReadersOption = None,
    books: BooksOption = None,
    run: RunOption = "last",
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="The parts of broad dimensions too, such as facets.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print a reader's profile: made now from a file of readers, or as a run has made it."""
    services = invocation(context).services(chat__model=model, chat__base_url=base_url)
    books = default_books(readers, books)
    ((found, made),) = find_profiles(services, [reader], readers, books, run, _tell_cost)
    if as_json:
        print_json(made)
        return
    from tui.widgets.profile_lines import profile_lines

    typer.echo(profile_lines(found, made, every))


@app.command()
def questions(reader: ReaderArgument) -> None:
    """Print the short questionnaire as CSV to be filled in: `gravity profile answer` reads it."""
    import csv
    import sys

    from agents.questionnaire import short_form

    rows = csv.writer(sys.stdout)
    rows.writerow(["reader_id", "instrument", "item", "answer", "statement"])
    rows.writerows([reader, "short", s.id, "", s.text] for s in short_form())


@app.command()
def answer(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet of answers by item.")],
    instrument: Annotated[
        str | None,
        typer.Option(
            help="short, ipip-neo-120, mini-ipip, pvq-21, pvq-40, pvq-rr or twivi, where the file"
            " does not say."
        ),
    ] = None,
) -> None:
    """Take in answers to questionnaires; kept profiles of these readers are made again."""
    from graph.answers import read_answers
    from tui.progress import Notices

    services, notices = invocation(context).services(), Notices()
    try:
        sheets = read_answers(file, instrument, notices.take)
    finally:
        notices.print()
    services.store.keep_sheets(sheets)
    renewed = _renew(services, {sheet.reader_id for sheet in sheets})
    typer.echo(f"{len(sheets)} answer sheets kept, {renewed} profiles made again.")


@app.command()
def sheet(
    context: typer.Context,
    reader: ReaderArgument,
    readers: ReadersOption = None,
    books: BooksOption = None,
    run: RunOption = "last",
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Print what was inferred as JSONL to be decided on: `gravity profile verify` reads it."""
    from agents.frameworks.catalogue import dimension

    services = invocation(context).services(chat__model=model, chat__base_url=base_url)
    books = default_books(readers, books)
    ((found, made),) = find_profiles(services, [reader], readers, books, run, _tell_cost)
    for interest in made.interests:
        _print_row(found.id, interest.cluster, f"likes {interest.label}", [])
    for a in made.attributes:
        if a.source.startswith("inferred"):
            axis = dimension(a.dimension)
            quotes = [e.quote(found) for e in a.evidence]
            _print_row(found.id, a.dimension, axis.pole(a.pole), quotes, a.pole)


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet of decisions.")],
    by: Annotated[str | None, typer.Option(help="Your name, kept with decisions.")] = None,
) -> None:
    """Confirm, correct, remove or forbid what was inferred; it counts from the next output on."""
    from graph.verifications import read_verifications
    from tui.progress import Notices

    services, notices = invocation(context).services(interface__reviewer=by), Notices()
    try:
        said = read_verifications(file, services.settings.interface.reviewer, notices.take)
        for unknown in services.store.in_no_run(v.reader_id for v in said):
            notices.take(f"{unknown}: no run knows this reader yet; the decisions are kept for it")
    finally:
        notices.print()
    services.store.verify(said)
    readers = {v.reader_id for v in said}
    typer.echo(f"{len(said)} decisions on {len(readers)} readers kept.")


@app.command()
def ask(context: typer.Context, reader: ReaderArgument) -> None:
    """Ask the short questionnaire on the screen; what was answered is kept at the end."""
    from agents.questionnaire import SHORT
    from graph.answers import AnswerSheet
    from tui.questionnaire import QuestionnaireApp

    services = invocation(context).services()
    sheets = services.store.sheets(reader)
    given = next((sheet.answers for sheet in sheets if sheet.instrument == SHORT), {})
    answers = QuestionnaireApp(reader, given, services.settings.interface.theme).run()
    if not answers:
        typer.echo("Nothing was answered, nothing is kept.")
        return
    sheet = AnswerSheet(reader_id=reader, instrument=SHORT, answers=answers)
    services.store.keep_sheets([sheet])
    renewed = _renew(services, {reader})
    typer.echo(f"{len(answers)} answers kept, {renewed} profiles made again.")


def _renew(services: "Services", reader_ids: Collection[str]) -> int:
    """Make kept profiles again and tell of what went wrong; how many were made."""
    from tui.progress import Notices

    notices = Notices()
    renewed = renew(services, reader_ids, _tell_cost, notices.take)
    notices.print()
    return renewed


def _tell_cost(calls: "Sequence[ModelCall]") -> None:
    if calls:
        tokens = sum(c.tokens_in + c.tokens_out for c in calls)
        cost = sum(c.cost_usd for c in calls)
        typer.echo(f"{len(calls)} model calls, {tokens:,} tokens, ${cost:.4f}", err=True)


def _print_row(
    reader_id: str, item: str, inferred: str, evidence: Sequence[str], pole: str | None = None
) -> None:
    row = {"reader_id": reader_id, "item": item, "inferred": inferred, "evidence": list(evidence)}
    typer.echo(json.dumps(row | {"pole": pole, "action": "", "score": None}, ensure_ascii=True))
