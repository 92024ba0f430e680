"""A run database with pairs that two judges judged and a person decided on."""

import random
from pathlib import Path

from agents.records import Facet, Message, Pair, Reader, Verdict
from graph.store import Store

FACETS: tuple[Facet, ...] = ("value", "personality")


def open_run(home: Path, run_id: str = "run-1") -> Store:
    """The run database in `home` with a run over one reader."""
    store = Store(home / "gravity.db")
    store.begin_run(run_id, "scripted", {}, [Reader(id="ana")], 4, [])
    return store


def a_judged_pair(number: int, run_id: str = "run-1", **said: float) -> Pair:
    """A pair that waits for a person, of one of ten scenarios, with what each judge said of it."""
    return Pair(
        id=f"{run_id}-{number}",
        run_id=run_id,
        reader_id="ana",
        scenario_id=f"s{number % 10}",
        facet=FACETS[number % 2],
        dimension="benevolence",
        pole="high",
        prompt=(Message(role="user", content="What do you do?"),),
        chosen=f"Help {number}.",
        rejected=f"Wait {number}.",
        verdicts=tuple(Verdict(judge=judge, probability=p) for judge, p in said.items()),
        status="review",
    )


def decide_on(store: Store, run_id: str = "run-1", count: int = 60, **names: str) -> None:
    """Judges `sure` and `wild` (or as `names` calls them), and a person of another mind.

    A person approves with half the log-odds that `sure` states; what `wild` says is chance.
    """
    dice = random.Random(7)
    sure, wild = names.get("sure", "sure"), names.get("wild", "wild")
    for number in range(count):
        stated = 0.02 + 0.96 * (number + 0.5) / count
        odds = (stated / (1 - stated)) ** 0.5
        pair = a_judged_pair(number, run_id, **{sure: stated, wild: dice.random()})
        store.put_pairs([pair])
        approved = dice.random() < odds / (1 + odds)
        store.decide(pair.id, "approve" if approved else "reject", "eve")
