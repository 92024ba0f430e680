"""Where a pair comes from: scenario, profile, evidence, judges, people, run; it changes nothing."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from sqlalchemy import select

from agents import naive, scenario_writer, witness
from agents.errors import NotFoundError
from agents.frameworks.catalogue import shipped_scenarios
from agents.judges import by_chat
from agents.records import Attribute, Interest, Pair, Pole, Profile, Reader, Scenario
from graph.accounts import RunSummary
from graph.pair_rows import pair_row
from graph.reviewing.decisions import Decision
from graph.store import Store
from graph.tables import PairRow
from graph.tracing.traces import LAST, Span, Wanted

Origin = Literal["shipped", "pool", "written", "gone", "unknown", "books", "invented"]
"""Of the scenario: it ships; was imported; was written for a run; is in the pool no more; cannot be
looked up. Of pairs without one: two rated books; a model that invented the pair whole."""
FindScenarios = Callable[[Sequence[str]], Sequence[Scenario] | None]
JUDGES = (by_chat.AGENT, witness.AGENT)
MOST_CALLS = 5
LEAST_WORDS = 20
"""Characters of a text by which a call is found."""


@dataclass(frozen=True)
class Quote:
    """A piece of evidence in the reader's own words, or the rating where it has none."""

    review_id: str
    book_id: str
    rating: float | None
    pole: Pole
    text: str


@dataclass(frozen=True)
class Lineage:
    """Everything that a pair rests on, and what rests on it."""

    pair: Pair
    """With the verdicts of its judges."""
    run: RunSummary
    origin: Origin
    scenario: Scenario | None
    parents: tuple[Scenario, ...]
    """The scenes that were shown to the writer as examples."""
    written_in: tuple[Span, ...]
    """The model calls whose replies hold it, where the texts of traces were kept."""
    judged_in: tuple[Span, ...]
    attribute: Attribute | Interest | None
    """What of the profile it rests on; none of a pair that rests on the whole profile."""
    in_force: bool
    """Whether the profile still holds it."""
    quotes: tuple[Quote, ...]
    decisions: tuple[Decision, ...]
    adapters: tuple[str, ...]
    """The names of those that were trained on it."""


def pair_called(store: Store, prefix: str) -> Pair:
    """The pair of this id, or the only one whose id begins so.

    Raises:
        NotFoundError: there is none, or there are several.
    """
    query = select(PairRow.id).where(PairRow.id >= prefix, PairRow.id < f"{prefix}{LAST}")
    with store.reading() as session:
        found = list(session.scalars(query.order_by(PairRow.id).limit(3)))
        if len(found) > 1 and found[0] != prefix:
            named = ", ".join(found[:2]) + (", …" if len(found) > 2 else "")
            raise NotFoundError(f"Several pairs begin with {prefix!r}: {named}.", "Say more of it.")
        row = pair_row(session, found[0] if found else prefix)
        return Pair.model_validate(row.record)


def lineage_of(
    store: Store, pair: Pair, find: FindScenarios, adapters: Mapping[str, Iterable[str]]
) -> Lineage:
    """Follow a pair back to the reader's words, and on to what was trained on it.

    Args:
        store: the run database.
        pair: of this store.
        find: looks scenarios up in the pool; tells nothing where it cannot.
        adapters: the ids of the pairs that each adapter was trained on, by its name.
    """
    member = store.reader(pair.run_id, pair.reader_id)
    decisions = tuple(store.trail(pair.run_id, pair.id))
    scenario, parents, origin = _origin(pair, find)
    held = member.profile and _ground(member.profile, pair.dimension)
    ground = held or (member.inferred and _ground(member.inferred, pair.dimension))
    answer = decisions[0].before.chosen if decisions else pair.chosen
    writer = naive.AGENT if origin == "invented" else scenario_writer.AGENT
    is_written = origin in ("written", "gone", "unknown", "invented")
    return Lineage(
        pair=pair,
        run=store.run(pair.run_id),
        origin=origin,
        scenario=scenario,
        parents=parents,
        written_in=_calls(store, writer, answer) if is_written else (),
        judged_in=tuple(s for agent in JUDGES for s in _calls(store, agent, answer, pair)),
        attribute=ground,
        in_force=held is not None,
        quotes=_quotes(ground, member.reader),
        decisions=decisions,
        adapters=tuple(name for name, pairs in adapters.items() if pair.id in pairs),
    )


def _origin(
    pair: Pair, find: FindScenarios
) -> tuple[Scenario | None, tuple[Scenario, ...], Origin]:
    """Its scenario with those that it was written after; the pool is asked for what is no other."""
    if pair.group:
        return None, (), "books"
    if not pair.dimension:
        return None, (), "invented"
    shipped = {s.id: s for s in shipped_scenarios()}
    if pair.scenario_id in shipped:
        return shipped[pair.scenario_id], (), "shipped"
    there = find([pair.scenario_id])
    if not there:
        return None, (), "unknown" if there is None else "gone"
    found = there[0]
    elsewhere = [i for i in found.parents if i not in shipped]
    known = shipped | {s.id: s for s in (find(elsewhere) if elsewhere else None) or ()}
    parents = tuple(known[i] for i in found.parents if i in known)
    return found, parents, found.provenance


def _ground(profile: Profile, dimension: str) -> Attribute | Interest | None:
    genre = next((i for i in profile.interests if i.cluster == dimension), None)
    return profile.attribute(dimension) or genre


def _quotes(ground: Attribute | Interest | None, reader: Reader) -> tuple[Quote, ...]:
    evidence = ground.evidence if isinstance(ground, Attribute) else ()
    quotes: list[Quote] = []
    for piece in evidence:
        review = reader.review(piece.review_id)
        book_id, rating = (review.book_id, review.rating) if review else ("", None)
        words = " ".join(piece.quote(reader).split())
        quotes.append(Quote(piece.review_id, book_id, rating, piece.pole, words))
    return tuple(quotes)


def _calls(store: Store, agent: str, text: str, pair: Pair | None = None) -> tuple[Span, ...]:
    """The first calls of an agent that hold a text: in their reply, or, for a pair, anywhere.

    Looked for is the longest piece of the text that JSON spells the same however often it is
    quoted; where that is short, nothing is said.
    """
    words = max(re.split(r'["\\\n]', text), key=len).strip()
    if len(words) < LEAST_WORDS:
        return ()
    of_pair = (pair.run_id, pair.reader_id) if pair else (None, None)
    wanted = Wanted(*of_pair, agent=agent, words=(words,))
    spans = store.each_span(wanted, whole=True)
    return tuple(islice((s for s in spans if pair or words in s.reply), MOST_CALLS))
