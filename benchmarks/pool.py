"""What the candidate pool is good for: diversity, cost, likeness, scale: `make bench-pool`.

Run as `python -m benchmarks.pool`. Scenes drawn for readers stand beside what the naive baseline
invents with the same model; nothing is tuned here, and nothing asserted. All of it takes hours on
two cores: the embedded model writes a thousand pairs, and an index takes in a million vectors.
"""

import argparse
import asyncio
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from agents import weights
from agents.deduplicator import Admission, Deduplicator
from agents.drawing import theme
from agents.embeddings import Embedder, SentenceEmbedder, Vectors
from agents.frameworks.catalogue import dimension, dimensions, shipped_scenarios
from agents.gates import words
from agents.judges.by_embedding import EmbeddedJudge
from agents.likeness import LabelledPair, Likeness, shipped_pairs
from agents.naive import NaiveWriter
from agents.pair_critic import PairCritic
from agents.pool import Pool
from agents.profiler import Profiler
from agents.prompting import render
from agents.records import Pair, Scenario
from agents.scenario_writer import ScenarioWriter
from agents.settings import ChatSettings, CriticSettings, DeduplicatorSettings, ProfilerSettings
from benchmarks.answered_readers import answered_readers
from benchmarks.diversity import Diversity, diversity
from benchmarks.pool_scale import SIZES
from benchmarks.pool_scale import measure as measure_scale
from benchmarks.pool_scale import told as told_scale
from graph.book_pairs import BookPairs
from graph.books import read_books
from graph.crew import Crew
from graph.export import twin_share
from graph.services import open_chat
from graph.settings import SynthesisSettings
from graph.store import Store
from graph.synthesis import work_through
from graph.tracing.recorder import Recorder

LABELLED = Path(__file__).parent / "data" / "likeness.jsonl"
"""Labelled pairs that the deduplicator was not fitted to, written by another hand."""
PAIRS_OF_READER = sum(SynthesisSettings().quotas.values())
MORE_READERS = 1.3
"""Readers for each that would do if no pair failed, and none were made of books."""
RUN = "bench"


@dataclass(frozen=True)
class Cost:
    """What a run over so many readers took."""

    model: str
    readers: int
    pool: str
    """`warm`: with the shipped scenes; `cold`: empty."""
    requested: int
    accepted: int
    proposed: int
    calls: int
    """To the model that writes; the judge is embedded and calls none."""
    tokens: int
    duplicates: int
    """Drafts that the deduplicator kept out."""
    scenes: int
    """Different scenes among the accepted pairs."""
    twins: float
    """Share of accepted pairs whose scene serves the other pole, too."""
    seconds: float

    @property
    def calls_a_pair(self) -> float:
        """Generation calls for every accepted pair."""
        return self.calls / max(self.accepted, 1)

    @property
    def tokens_a_pair(self) -> float:
        """Tokens in and out for every accepted pair."""
        return self.tokens / max(self.accepted, 1)


@dataclass(frozen=True)
class Compared:
    """Drawn scenes beside what the naive baseline invents, with one model."""

    model: str
    sets: dict[str, Diversity]
    """As readers are given them, scenes that they share as often as they do; and each once, as many
    of the larger set, by lot, as there are in the smaller."""
    naive_calls: int
    naive_tokens: int


@dataclass(frozen=True)
class Told:
    """How well likeness tells duplicates from legitimate neighbours."""

    labelled: str
    pairs: int
    precision: float
    recall: float
    auc: float
    grey: float
    """Share of pairs that a referee would be asked about."""
    cosine_auc: float
    """Of the cosine of the situations alone, for comparison."""


class CountingDeduplicator(Deduplicator):
    """Counts what it keeps out."""

    duplicates = 0

    async def admit(self, scenarios: Sequence[Scenario]) -> Admission:
        """The same, counted."""
        admission = await super().admit(scenarios)
        self.duplicates += len(admission.collisions)
        return admission


async def run(
    model: str, readers: int, embedder: Embedder, warm: bool, method: str = "gravity"
) -> tuple[Cost, list[Pair]]:
    """A whole run in a home of its own; its cost and all its pairs."""
    books = read_books("sample", lambda _notice: None)
    people = answered_readers(readers, books)
    settings = SynthesisSettings.model_validate({"method": method, "readers_at_once": 4})
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store, pool = Store(home / "gravity.db"), Pool(home / "pool", embedder)
        pool.load(shipped_scenarios() if warm else ())
        recorder = Recorder(store)
        keeper = CountingDeduplicator(pool, Likeness(embedder), DeduplicatorSettings())
        started = time.perf_counter()
        async with open_chat(ChatSettings(model=model), recorder.on_call) as chat:
            crew = Crew(
                profiler=Profiler(embedder, books, None, ProfilerSettings(text="none")),
                books=BookPairs(books, people, ProfilerSettings().half_life_days),
                writer=ScenarioWriter(chat, pool),
                naive=NaiveWriter(chat),
                deduplicator=keeper,
                critic=PairCritic([EmbeddedJudge(embedder)], CriticSettings()),
                pool=pool,
                store=store,
                recorder=recorder,
                settings=settings,
            )
            store.begin_run(RUN, model, {}, people, PAIRS_OF_READER, [])
            async for _event in work_through(crew, RUN, home):
                pass
        pairs, spent = store.pairs(RUN), store.spend(RUN)
        accepted = [p for p in pairs if p.status == "accepted"]
        cost = Cost(
            model=model,
            readers=readers,
            pool="warm" if warm else "cold",
            requested=readers * PAIRS_OF_READER,
            accepted=len(accepted),
            proposed=len(pairs),
            calls=spent.calls,
            tokens=spent.tokens,
            duplicates=keeper.duplicates,
            scenes=len({p.scenario_id for p in accepted}),
            twins=twin_share(accepted),
            seconds=time.perf_counter() - started,
        )
        pool.close()
        store.close()
        return cost, pairs


async def compare(model: str, embedder: Embedder, themes: Vectors, count: int) -> Compared:
    """`count` drawn scenes beside `count` invented prompts, or as many as there are of both."""
    readers = math.ceil(MORE_READERS * count / PAIRS_OF_READER)
    _, pairs = await run(model, readers, embedder, warm=True)
    drawn = [p.prompt[-1].content for p in pairs if not p.scenario_id.startswith("books-")]
    cost, pairs = await run(model, readers, embedder, warm=False, method="naive")
    naive = [p.prompt[-1].content for p in pairs]
    sets = [texts[: min(count, len(drawn), len(naive))] for texts in (drawn, naive)]
    once = [list(dict.fromkeys(texts)) for texts in sets]
    once = [random.Random(0).sample(texts, min(map(len, once))) for texts in once]
    measured: dict[str, Diversity] = {}
    for how, both in (("", sets), (", each once", once)):
        budget = min(sum(len(text.split()) for text in texts) for texts in both)
        for name, texts in zip(("drawn", "naive"), both, strict=True):
            vectors = embedder.embed(texts)
            measured[name + how] = diversity(texts, vectors, themes, budget)
    return Compared(model, measured, cost.calls, cost.tokens)


def likeness(embedder: Embedder, labelled: Sequence[LabelledPair], name: str) -> Told:
    """Precision and recall of "the same", as the deduplicator decides without a referee."""
    from sklearn.metrics import roc_auc_score

    settings = DeduplicatorSettings()
    odds = Likeness(embedder).probabilities([(pair.a, pair.b) for pair in labelled])
    same = np.array([pair.same for pair in labelled])
    firsts, seconds = (
        embedder.embed([getattr(pair, side).situation for pair in labelled]) for side in "ab"
    )
    cosines = (firsts * seconds).sum(axis=1)
    across = np.array([pair.a.dimension != pair.b.dimension for pair in labelled])
    decided = np.where(across, 0.0, odds)
    decided = np.where(cosines >= settings.same_scene_at, 1.0, decided)
    refused = decided >= 0.5
    grey = (decided >= settings.distinct_below) & (decided < settings.duplicate_from)
    return Told(
        labelled=name,
        pairs=len(labelled),
        precision=float((refused & same).sum() / max(refused.sum(), 1)),
        recall=float((refused & same).sum() / max(same.sum(), 1)),
        auc=float(roc_auc_score(same, odds)),
        grey=float(grey.mean()),
        cosine_auc=float(roc_auc_score(same, cosines)),
    )


def themes(embedder: Embedder) -> Vectors:
    """A unit vector for what each dimension is about."""
    return np.stack([theme(embedder, axis) for axis in dimensions().values()])


def judging_tokens(pairs: Sequence[Pair]) -> float:
    """Words in what a chat judge would be asked about one pair, in both orders."""
    shown = [p for p in pairs if p.verdicts][:200]
    asked = [
        render(
            "pair_critic",
            portrait=p.prompt[0].content,
            situation=p.prompt[-1].content,
            a=p.chosen,
            b=p.rejected,
            high=dimension(p.dimension).high,
            low=dimension(p.dimension).low,
        )
        for p in shown
    ]
    return 2 * sum(len(words(m.content)) for turns in asked for m in turns) / max(len(shown), 1)


def tell_likeness(told: Sequence[Told]) -> None:
    """The table of precision and recall."""
    print(
        f"{'labelled pairs':<28} {'n':>5} {'precision':>10} {'recall':>7} {'AUC':>6}"
        f" {'grey':>6} {'cosine AUC':>11}"
    )
    for row in told:
        print(
            f"{row.labelled:<28} {row.pairs:>5} {row.precision:>10.2f} {row.recall:>7.2f}"
            f" {row.auc:>6.2f} {row.grey:>6.0%} {row.cosine_auc:>11.2f}"
        )


def tell_diversity(compared: Compared) -> None:
    """Drawn and naive side by side."""
    print(
        f"{compared.model + ' model':<18} {'texts':>6} {'distinct':>9} {'Vendi':>7}"
        f" {'compression':>12} {'self-rep.':>10} {'coverage':>9}"
    )
    for name, row in compared.sets.items():
        print(
            f"{name:<18} {row.texts:>6} {row.distinct:>9} {row.vendi:>7.1f}"
            f" {row.compression:>12.2f} {row.self_repetition:>10.2f} {row.coverage:>9.2f}"
        )
    print(f"the naive ones took {compared.naive_calls:,} calls, {compared.naive_tokens:,} tokens")


def tell_cost(costs: Sequence[tuple[Cost, float]]) -> None:
    """One line a run."""
    print(
        f"{'model':<9} {'pool':<5} {'readers':>7} {'accepted':>13} {'calls':>6} {'/pair':>6}"
        f" {'tokens/pair':>12} {'kept out':>9} {'saved/pair':>11} {'scenes':>7} {'twins':>6}"
        f" {'s':>6}"
    )
    for row, judging in costs:
        saved = row.duplicates * judging / max(row.accepted, 1)
        print(
            f"{row.model:<9} {row.pool:<5} {row.readers:>7} {row.accepted:>6}/{row.requested:<6}"
            f" {row.calls:>6} {row.calls_a_pair:>6.3f} {row.tokens_a_pair:>12.1f}"
            f" {row.duplicates:>9} {saved:>11.1f} {row.scenes:>7} {row.twins:>6.0%}"
            f" {row.seconds:>6.0f}"
        )


def main() -> None:
    """Measure what was asked for, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=["scripted", "embedded"])
    parser.add_argument("--count", type=int, default=1000, help="texts of each set")
    parser.add_argument("--readers", type=int, nargs="*", default=[10, 100, 400])
    parser.add_argument("--vectors", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    asked = parser.parse_args()
    path = weights.require(weights.EMBEDDING)
    embedder = SentenceEmbedder(path, weights.EMBEDDING.name)
    measured: dict[str, object] = {}

    print("\nLikeness: are two scenarios the same? (0.5 decides; grey would go to a referee)")
    held_out = [LabelledPair.model_validate_json(row) for row in LABELLED.open() if row.strip()]
    told = [
        likeness(embedder, shipped_pairs(), "fitted to"),
        likeness(embedder, held_out, "held out"),
    ]
    tell_likeness(told)
    measured["likeness"] = [asdict(row) for row in told]

    print("\nCost: calls to the writer, judged by the embedded judge; saved: words that a chat")
    print("judge would have read of the drafts that were kept out before")
    costs: list[tuple[Cost, float]] = []
    for readers in asked.readers:
        for warm in (True, False):
            cost, pairs = asyncio.run(run("scripted", readers, embedder, warm))
            costs.append((cost, judging_tokens(pairs)))
            print(f"  {cost.pool} {readers} done in {cost.seconds:.0f} s", file=sys.stderr)
    tell_cost(costs)
    measured["cost"] = [asdict(cost) | {"judging_tokens": j} for cost, j in costs]

    for model in asked.models:
        print(f"\nDiversity of {asked.count:,} scenes, at an equal number of words")
        compared = asyncio.run(compare(model, embedder, themes(embedder), asked.count))
        tell_diversity(compared)
        measured[f"diversity {model}"] = asdict(compared)

    if asked.vectors:
        print("\nScale")
        scale = measure_scale(asked.vectors)
        print(told_scale(scale))
        measured["scale"] = asdict(scale)
    if asked.json:
        asked.json.write_text(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
