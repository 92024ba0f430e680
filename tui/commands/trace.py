"""`gravity trace`: what a run did, down to every model call: looked at, compared, and sent on."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args

import typer

from tui.commands.options import JsonFlag, RunArgument, invocation, print_json
from tui.widgets.plain import plain_line

if TYPE_CHECKING:
    from rich.tree import Tree

    from graph.tracing.traces import Span

T = TypeVar("T")

app = typer.Typer(
    help="What a run did: readers, nodes and model calls, with time, tokens, cost and errors.",
    no_args_is_help=True,
)
MOST_READERS = 20
MOST_SPANS = 300
"""Lines of one tree; larger ones are looked at piece by piece."""
ReaderOption = Annotated[str | None, typer.Option("--reader", help="Of this reader only.")]
FullFlag = Annotated[bool, typer.Option("--full", help="Prompts and replies too.")]


@app.command("list")
def list_readers(
    context: typer.Context, run: RunArgument = "last", as_json: JsonFlag = False
) -> None:
    """The readers of a run, a line each: how they ended, time, calls, tokens, cost, errors."""
    from graph.tracing.figures import reader_traces
    from tui.widgets.trace_text import reader_line

    store = invocation(context).services().store
    readers = reader_traces(store, store.run(run).id)
    if as_json:
        print_json(readers)
        return
    for reader in readers:
        typer.echo(reader_line(reader))


@app.command()
def show(
    context: typer.Context,
    run: RunArgument = "last",
    reader: ReaderOption = None,
    span: Annotated[
        str | None, typer.Option("--span", help="This span in full, by the beginning of its id.")
    ] = None,
    full: FullFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """The tree of readers, nodes and model calls; of a large run the readers first."""
    from graph.tracing.figures import reader_traces
    from graph.tracing.traces import Wanted
    from tui.widgets.trace_text import reader_line, span_told, span_tree

    store = invocation(context).services().store
    if span is not None:
        found = store.span(span)
        print_json(found) if as_json else typer.echo(span_told(found))
        return
    summary = store.run(run)
    if reader is not None:
        store.reader(summary.id, reader)
    wanted = Wanted(summary.id, reader)
    if as_json:
        _print_each(store.each_span(wanted, whole=full))
        return
    name = plain_line(summary.id)
    title = f"{name} · {summary.status} · {summary.spend}"
    count = store.count_spans(wanted)
    if count > MOST_SPANS and reader is None:
        readers = reader_traces(store, summary.id)
        typer.echo(f"{title} · {len(readers):,} readers, {count:,} spans")
        for one in readers[:MOST_READERS]:
            typer.echo(f"  {reader_line(one)}")
        if len(readers) > MOST_READERS:
            typer.echo(f"  … {len(readers) - MOST_READERS:,} more: gravity trace list {name}")
        typer.echo(f"One reader's nodes and calls: gravity trace show {name} --reader READER")
        return
    _print_tree(span_tree(title, store.find_spans(wanted, MOST_SPANS, whole=full)))
    if count > MOST_SPANS:
        told = f"gravity trace filter {name} --reader {plain_line(reader or '')} --limit {count}"
        typer.echo(f"… {count - MOST_SPANS:,} more spans: {told}")


@app.command("filter")
def filter_spans(
    context: typer.Context,
    run: RunArgument = "last",
    agent: Annotated[str | None, typer.Option(help="Calls that this agent made.")] = None,
    node: Annotated[str | None, typer.Option(help="This node, and calls made in it.")] = None,
    reader: ReaderOption = None,
    kind: Annotated[str | None, typer.Option(help="run, reader, node or call.")] = None,
    status: Annotated[str | None, typer.Option(help="ok or error.")] = None,
    min_cost: Annotated[float | None, typer.Option(help="That cost so many USD.")] = None,
    min_duration: Annotated[float | None, typer.Option(help="That took so many seconds.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Whose prompt, reply or error holds all these words.")
    ] = None,
    sort: Annotated[str, typer.Option(help="started; or cost, duration: most first.")] = "started",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    full: FullFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """The spans that meet all conditions, a line each."""
    from graph.tracing.traces import KINDS, ORDERS, Wanted
    from tui.widgets.trace_text import conversation, span_line

    failed = None if status is None else _one_of(status, ("ok", "error"), "--status") == "error"
    store = invocation(context).services().store
    wanted = Wanted(
        run_id=store.run(run).id,
        reader_id=reader,
        kind=_one_of(kind, KINDS, "--kind") if kind else None,
        agent=agent,
        node=node,
        failed=failed,
        least_cost_usd=min_cost,
        least_duration_s=min_duration,
        words=tuple((text or "").split()),
        order=_one_of(sort, ORDERS, "--sort"),
    )
    spans = store.find_spans(wanted, limit, whole=full)
    if as_json:
        print_json(spans)
        return
    for span in spans:
        typer.echo(span_line(span) + indent(conversation(span), "    "))
    count = store.count_spans(wanted)
    if count > limit:
        typer.echo(f"… {count - limit:,} more: --limit {count} shows them all.", err=True)


@app.command()
def diff(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="RUN1")],
    second: Annotated[str, typer.Argument(metavar="RUN2")],
    as_json: JsonFlag = False,
) -> None:
    """Two runs side by side, node by node and agent by agent: counts, errors, cost and time."""
    from graph.tracing.figures import step_figures
    from tui.widgets.trace_text import difference

    store = invocation(context).services().store
    names = store.run(first).id, store.run(second).id
    figures = step_figures(store, names[0]), step_figures(store, names[1])
    if as_json:
        steps = dict.fromkeys((*figures[0], *figures[1]))
        rows = [
            {
                "node": s[0],
                "agent": s[1] or None,
                "first": figures[0].get(s),
                "second": figures[1].get(s),
            }
            for s in steps
        ]
        print_json({"first": names[0], "second": names[1], "steps": rows})
        return
    typer.echo(difference(names, figures))


@app.command()
def export(
    context: typer.Context,
    run: RunArgument = "last",
    out: Annotated[Path | None, typer.Option(help="The file to write; else stdout.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="URL", help="A collector to send to instead, by OTLP.")
    ] = None,
    format: Annotated[
        str, typer.Option(help="otlp, which collectors read; or jsonl, a span a line.")
    ] = "otlp",
    texts: Annotated[
        str | None,
        typer.Option(help="full, redacted or none; else as tracing.otlp_texts has it."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the spans of a run as OTLP or JSON lines, or send them to a collector."""
    from graph.settings import Texts
    from graph.tracing.collector import Collector, headers_in
    from graph.tracing.export import FORMS, Form, TraceExport
    from graph.tracing.redaction import redactor_of

    form: Form = _one_of(format, FORMS, "--format")
    services = invocation(context).services()
    tracing = services.settings.tracing
    amount = _one_of(texts, get_args(Texts), "--texts") if texts else tracing.otlp_texts
    headers = headers_in(tracing.otlp_headers_env) if to else {}
    run_id = services.store.run(run).id
    redactor = redactor_of(services.settings, headers)
    spans = TraceExport(services.store, run_id, redactor, amount)
    if to:
        with closing(Collector(to, headers)) as collector:
            count, where = spans.send(collector), collector.url
    elif out:
        count, where = spans.save(out, form), str(out)
    else:
        spans.write(sys.stdout, form)
        return
    if as_json:
        print_json({"run": run_id, "spans": count, "to": where})
    else:
        typer.echo(f"{count:,} spans of {plain_line(run_id)} in {plain_line(where)}")


def _one_of(given: str, known: tuple[T, ...], option: str) -> T:
    for one in known:
        if one == given:
            return one
    raise typer.BadParameter(f"one of {', '.join(map(str, known))}.", param_hint=option)


def _print_each(spans: "Iterator[Span]") -> None:
    """A JSON list, span by span: all at once would fill the memory."""
    before = "["
    for span in spans:
        sys.stdout.write(f"{before}\n{json.dumps(span.__dict__)}")
        before = ","
    sys.stdout.write("\n]\n" if before == "," else "[]\n")


def _print_tree(tree: "Tree") -> None:
    from rich.console import Console

    Console(highlight=False).print(tree)
