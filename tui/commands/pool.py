"""`gravity pool`: looks at the candidate pool, adds to it, takes it in and out, checks it."""

import asyncio
import contextlib
import sys
from itertools import islice
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import NEEDS_MENDING, JsonFlag, escaped, invocation, print_json
from tui.widgets.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from agents.pool import Pool
    from agents.records import Scenario
    from tui.progress import Notices
    from tui.wiring import Services

app = typer.Typer(
    help="The candidate pool: look, search, add, import, export, check.", no_args_is_help=True
)
DimensionOption = Annotated[
    str | None, typer.Option(help="Of this dimension only, as `frameworks show` names it.")
]


@app.command()
def stats(
    context: typer.Context,
    by: Annotated[str, typer.Option(help="Columns of the heat map: domain or setting.")] = "domain",
    as_json: JsonFlag = False,
) -> None:
    """Count the scenes of every dimension, as a heat map over parts of life or settings."""
    from tui.widgets.pool_text import covered, told_stats

    if by not in ("domain", "setting"):
        raise typer.BadParameter("domain or setting.", param_hint="--by")
    with _opened(invocation(context).services()) as pool:
        coverage = covered(pool.scenarios())
    if as_json:
        print_json(coverage.counts())
        return
    typer.echo(told_stats(coverage, by))


@app.command()
def show(
    context: typer.Context,
    scenario_id: Annotated[str, typer.Argument(metavar="ID", help="As `pool search` prints it.")],
    as_json: JsonFlag = False,
) -> None:
    """Print one scene with both answers."""
    from tui.widgets.pool_text import told_scenario

    with _opened(invocation(context).services()) as pool:
        found = pool.get([scenario_id])
    if not found:
        from agents.errors import NotFoundError

        raise NotFoundError(
            f"The pool has no scenario {plain_line(scenario_id)!r}.", "`gravity pool search WORDS`."
        )
    print_json(found[0]) if as_json else typer.echo(told_scenario(found[0]))


@app.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Words, or a whole situation.")],
    dimension: DimensionOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 10,
    as_json: JsonFlag = False,
) -> None:
    """Print the scenes whose situations are nearest to a text, nearest first."""
    from tui.widgets.pool_text import told_neighbours

    only = _known(dimension)
    if not text.strip():
        raise typer.BadParameter("some words are needed.", param_hint="TEXT")
    with _opened(invocation(context).services()) as pool:
        found = pool.search(text, limit, only)
    if as_json:
        print_json([{"similarity": n.similarity, "scenario": n.scenario} for n in found])
        return
    typer.echo(told_neighbours(found, get_terminal_size().columns))


@app.command()
def add(
    context: typer.Context,
    dimension: Annotated[
        str,
        typer.Option(
            prompt=True, help="As `frameworks show` names it.", callback=lambda d: _known(d)[0]
        ),
    ],
    situation: Annotated[str, typer.Option(prompt=True, help="20 to 60 words and a question.")],
    high: Annotated[str, typer.Option(prompt=True, help="The answer of the high pole.")],
    low: Annotated[str, typer.Option(prompt=True, help="The answer of the low pole.")],
    domain: Annotated[str, typer.Option(help="The part of life it is taken from.")] = "community",
    country: Annotated[str | None, typer.Option(help="ISO code; none is neutral.")] = None,
    ages: Annotated[str, typer.Option(help="Who may live it: youngest-oldest.")] = "18-99",
    as_json: JsonFlag = False,
) -> None:
    """Add one scene, unless it has a flaw or the pool has its like."""
    from pydantic import ValidationError

    from agents.errors import InputError, first_fault
    from agents.pool_quality import flaws
    from graph.scenarios import scenario_of

    texts = {"situation": situation, "high": high, "low": low}
    told = {"dimension": dimension, "domain": domain, "ages": ages.split("-"), "culture": country}
    try:
        scenario = scenario_of(told | texts)
    except ValidationError as error:
        fault = ": ".join(first_fault(error))
        raise InputError(f"{fault}.", "`gravity pool add --help`.") from error
    found = flaws(scenario)
    if found:
        raise InputError(f"{'; '.join(found)}.", "Mend it and add it again.")
    services = invocation(context).services()
    with _opened(services) as pool:
        alike = pool.get([scenario.id])
        if not alike:
            said = asyncio.run(services.deduplicator(pool, None).admit([scenario]))
            alike = [neighbour.scenario for _, neighbour in said.collisions]
    if alike:
        like = alike[0]
        raise InputError(
            f"The pool has its like, {like.id}: {_quoted(like)}.", "Put another choice at stake."
        )
    print_json(scenario) if as_json else typer.echo(f"added {scenario.id}")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL, CSV or Parquet.")],
    unexamined: Annotated[
        bool, typer.Option("--unexamined", help="Do not look for duplicates.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take scenes in from a file of any size; flawed rows and duplicates are told of.

    What is in stays in when it is stopped; the same again goes on.
    """
    from tui.progress import MOST_KEPT, Notices

    services, notices = invocation(context).services(), Notices(MOST_KEPT)
    try:
        counts = _take_in(services, file, unexamined, notices)
    except KeyboardInterrupt:
        typer.echo("Stopped. What is in stays in; the same command goes on.", err=True)
        raise
    finally:
        notices.print()
    if as_json:
        print_json(counts | {"told of": notices.count, "notices": notices.taken})
        return
    typer.echo(", ".join(f"{count:,} {what}" for what, count in counts.items()))


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Else to stdout.")] = None,
    dimension: DimensionOption = None,
) -> None:
    """Write scenes as JSONL, in the form that `pool import` reads."""
    from agents.replacing import replacing

    names = _known(dimension)
    with _opened(invocation(context).services()) as pool:
        scenarios = pool.scenarios(names[0] if names else None)
        if file is None:
            for scenario in scenarios:
                sys.stdout.write(escaped(scenario.model_dump_json()) + "\n")
            return
        if not file.is_dir() and file.suffix != ".jsonl":
            raise typer.BadParameter("a name that ends in .jsonl.", param_hint="FILE")
        with replacing(file) as draft, draft.open("w", encoding="utf-8") as out:
            count = sum(1 for s in scenarios if out.write(escaped(s.model_dump_json()) + "\n"))
    typer.echo(f"{count:,} scenes in {file}")


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file instead of the pool.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Measure whether scenes are fit to draw from; exit code 1 where something is to be mended."""
    from agents.pool_quality import audit
    from tui.progress import Notices
    from tui.widgets.findings_text import told_findings

    services, notices = invocation(context).services(), Notices()
    if file:
        from graph.scenarios import read_scenarios

        findings = audit([s for _, s in read_scenarios(file, notices.take)], services.embedder)
        notices.print()
    else:
        with _opened(services) as pool:
            findings = audit(list(pool.scenarios()), services.embedder)
    print_json(findings) if as_json else typer.echo(told_findings(findings))
    if notices.count or any(finding.level == "fail" for finding in findings):
        raise typer.Exit(NEEDS_MENDING)


@contextlib.contextmanager
def _opened(services: "Services") -> "Generator[Pool]":
    """The pool; the first look at a home embeds all that ships, which a terminal is told."""
    from rich.console import Console

    told = Console(stderr=True).status("opening the pool; the first time its scenes are embedded …")
    with told, services.pool() as pool:
        told.stop()
        yield pool


def _take_in(
    services: "Services", file: Path, unexamined: bool, notices: "Notices"
) -> dict[str, int]:
    """Batch by batch, so that a file of any size is never held in memory."""
    from agents.pool import BATCH
    from graph.scenarios import read_scenarios
    from tui.progress import counting

    added = read = refused = known = flawed = 0

    def set_aside(notice: str) -> None:
        nonlocal flawed
        flawed += 1
        notices.take(notice)

    rows = iter(read_scenarios(file, set_aside))
    batch = list(islice(rows, BATCH))  # before the pool is opened: there may be no such file
    with _opened(services) as pool, counting("scenes") as tell:
        before, deduplicator = len(pool), services.deduplicator(pool, None)
        while batch:
            kept = {s.id: s for s in pool.get([s.id for _, s in batch])}
            fresh: dict[str, tuple[str, Scenario]] = {}
            for place, scenario in batch:
                first = kept.get(scenario.id) or fresh.setdefault(scenario.id, (place, scenario))[1]
                if _texts(first) != _texts(scenario):
                    notices.take(f"{place}: there is another scene of the id {scenario.id}")
            scenarios = [scenario for _, scenario in fresh.values()]
            if unexamined:
                pool.load(scenarios)
            else:
                collisions = asyncio.run(deduplicator.admit(scenarios)).collisions
                refused += len(collisions)
                for scenario, like in collisions:
                    told = f"the pool has its like, {like.scenario.id}: {_quoted(like.scenario)}"
                    notices.take(f"{fresh[scenario.id][0]}: {told}")
            known += len(batch) - len(fresh)
            read += len(batch)
            added = len(pool) - before
            tell(read, f"{added:,} added, {refused:,} duplicates")
            batch = list(islice(rows, BATCH))
    return {"added": added, "duplicates": refused, "known already": known, "set aside": flawed}


def _quoted(scenario: "Scenario") -> str:
    return f"«{plain_line(scenario.situation)}»"


def _texts(scenario: "Scenario") -> tuple[str, str, str]:
    return scenario.situation, scenario.high, scenario.low


def _known(dimension: str | None) -> list[str]:
    """The name, where there is such a dimension."""
    if dimension is None:
        return []
    from agents.frameworks.catalogue import dimension as named

    return [named(dimension).name]
