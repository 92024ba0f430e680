"""`gravity trace`: the tree of what a run did, down to every model call."""

from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.options import JsonFlag, RunArgument, invocation, print_json

if TYPE_CHECKING:
    from rich.tree import Tree

    from graph.store import Span


def trace(
    context: typer.Context,
    run: RunArgument = "last",
    reader: Annotated[str | None, typer.Option(help="Of this reader only.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Prompts and replies too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Readers, nodes and model calls with tokens, time, cost and errors."""
    store = invocation(context).services().store
    run_id = store.run(run).id
    spans = store.spans(run_id, reader)
    if as_json:
        print_json(spans)
        return
    from rich.console import Console

    Console(highlight=False).print(_tree(run_id, spans, full))


def _tree(run_id: str, spans: "list[Span]", full: bool) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    from tui.widgets.plain import plain, plain_line

    root = Tree(Text(f"{plain_line(run_id)} · {sum(s.kind == 'call' for s in spans)} model calls"))
    branches: dict[str | None, Tree] = {}
    for span in sorted(spans, key=lambda s: (s.started_at, s.kind == "call")):
        parent = _branch(branches, root, span)
        note = f"  error: {plain_line(span.error)}" if span.error else ""
        tokens = f" · {span.tokens_in}→{span.tokens_out} tokens" if span.kind == "call" else ""
        cost = f" · ${span.cost_usd:.4f}" if span.cost_usd else ""
        label = f"{plain_line(span.name)} · {span.duration_s:.2f} s{tokens}{cost}{note}"
        style = "red" if span.error else {"reader": "bold", "call": "cyan"}.get(span.kind, "")
        branches[span.id] = parent.add(Text(label, style=style))
        if full and span.call:
            for turn in (*span.call["prompt"], {"role": "reply", "content": span.call["reply"]}):
                branches[span.id].add(Text(plain(f"{turn['role']}: {turn['content']}")))
    return root


def _branch(branches: "dict[str | None, Tree]", root: "Tree", span: "Span") -> "Tree":
    """The parent's branch; a killed process leaves children whose parent was never written."""
    from rich.text import Text

    from tui.widgets.plain import plain_line

    if span.parent_id is None:
        return root
    if span.parent_id not in branches:
        label = f"{plain_line(span.reader_id or '')} · unfinished"
        branches[span.parent_id] = root.add(Text(label, style="yellow"))
    return branches[span.parent_id]
