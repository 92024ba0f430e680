"""The lineage of a pair as a tree of text for a plain terminal; it looks nothing up."""

import time

from rich.text import Text
from rich.tree import Tree

from agents.frameworks.catalogue import dimensions
from agents.records import Attribute, Contribution, Interest, Scenario
from graph.reviewing.decisions import Decision
from graph.tracing.lineage import Lineage, Origin, Quote
from graph.tracing.traces import Span
from tui.widgets.marks import ground, odds
from tui.widgets.plain import plain_line
from tui.widgets.profile_text import SOURCES
from tui.widgets.trace_text import dollars

ORIGINS: dict[Origin, str] = {
    "shipped": "ships with Gravity",
    "pool": "imported into the pool",
    "written": "written for a run",
    "gone": "not in the pool any more",
    "unknown": "the pool could not be asked",
    "books": "two books that the reader rated",
    "invented": "invented by a model from the whole profile",
}
MOST_CHARS = 600


def lineage_tree(found: Lineage) -> Tree:
    """From the pair back to the reader's words, then to who decided and what was trained."""
    pair = found.pair
    what = " ".join((pair.facet, *ground(pair))).strip()
    root = Tree(_line(f"{pair.id} · {pair.status} · {pair.reader_id} · {what}", "bold"))
    answers = root.add(_line(pair.prompt[-1].content))
    answers.add(_line(f"chosen: {pair.chosen}", "green"))
    answers.add(_line(f"rejected: {pair.rejected}", "red"))
    _scenario(root, found)
    _profile(root, found)
    _judges(root, found)
    _people(root, found.decisions)
    run = found.run
    root.add(_line(f"run {run.id} · {run.status} · {run.written_by} · begun {_at(run.created_at)}"))
    trained = ", ".join(found.adapters) or "none yet"
    root.add(_line(f"adapters trained on it: {trained}"))
    return root


def _scenario(root: Tree, found: Lineage) -> None:
    branch = root.add(_line(f"scenario {found.pair.scenario_id} · {ORIGINS[found.origin]}"))
    scenario = found.scenario
    if scenario:
        lived = scenario.culture or "neutral"
        branch.add(_line(f"{scenario.dimension} · {scenario.domain} · {lived}"))
    for parent in found.parents:
        branch.add(_line(f"after {_told(parent)}"))
    for span in found.written_in:
        branch.add(_line(f"written by {_call(span)}", "cyan"))
    if found.origin in ("written", "gone", "invented") and not found.written_in:
        branch.add(_line("no trace holds the call that wrote it", "yellow"))


def _profile(root: Tree, found: Lineage) -> None:
    held = found.attribute
    if held is None:
        root.add(_line("profile: the whole of it" if found.origin == "invented" else "profile: –"))
        return
    branch = root.add(_line(f"profile: {_held(held)}"))
    if not found.in_force:
        branch.add(_line("the reader has taken it back, or it has expired since", "yellow"))
    if isinstance(held, Attribute):
        branch.add(_line(f"from {', '.join(map(_share, held.sources)) or SOURCES[held.source]}"))
        for quote in found.quotes:
            branch.add(_line(_quoted(quote, held.dimension)))


def _held(held: Attribute | Interest) -> str:
    if isinstance(held, Interest):
        return f"likes {held.label} · {held.share:.0%} · {SOURCES[held.source]}"
    low, high = held.band
    said = " · the reader's own word" if held.verified else ""
    return f"{held.dimension} {held.score:.0f} (80 %: {low:.0f} to {high:.0f}){said}"


def _quoted(quote: Quote, name: str) -> str:
    place = f"review {quote.review_id}" + (f" of {quote.book_id}" if quote.book_id else "")
    stars = f" ({quote.rating:g} of 5)" if quote.rating is not None else ""
    words = f"“{quote.text}”" if quote.text else "the rating"
    axis = dimensions().get(name)
    return f"{place}{stars}: {words} → {axis.pole(quote.pole) if axis else quote.pole}"


def _judges(root: Tree, found: Lineage) -> None:
    branch = root.add(_line(f"judged: {found.pair.reason or found.pair.status}"))
    for verdict in found.pair.verdicts:
        flipped = " · flipped when swapped" if verdict.flipped else ""
        branch.add(_line(f"{verdict.judge} {odds(verdict)}{flipped}  {verdict.reason}"))
    for span in found.judged_in:
        branch.add(_line(f"asked by {_call(span)}", "cyan"))


def _people(root: Tree, decisions: tuple[Decision, ...]) -> None:
    branch = root.add(_line("decided by people:" if decisions else "decided by no person"))
    for one in decisions:
        undone = f" · undone by {one.undone_by}" if one.undone_at else ""
        told = f"{_at(one.at)} {one.reviewer} {one.action} ({one.via}){undone}  {one.reason}"
        branch.add(_line(told))


def _call(span: Span) -> str:
    model = (span.attributes or {}).get("gen_ai.request.model", "")
    price = "reply kept from before" if span.cached else dollars(span.cost_usd)
    when = f"{_at(span.started_at)} in {span.run_id}"
    return f"{span.name} · {model} · {when} · {price} · span {span.id[:16]}"


def _share(source: Contribution) -> str:
    return f"{SOURCES[source.source]} {source.share:.0%} ({source.method})"


def _told(scenario: Scenario) -> str:
    return f"{scenario.id}: {scenario.situation}"


def _at(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _line(text: str, style: str = "") -> Text:
    return Text(plain_line(text, MOST_CHARS), style=style)
