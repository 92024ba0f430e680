"""How well profiles recover what is known of readers, and their cost: `make bench-profiles`.

Run as `python -m benchmarks.profiles`. Without options it measures the embedded text backend; with
`--chat URL MODEL` or `--systemone URL` those too, on as many readers as `--few` says.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from scipy.stats import spearmanr

from agents import weights
from agents.embeddings import Embedder, SentenceEmbedder
from agents.endpoint import EndpointChat
from agents.frameworks.catalogue import dimensions, frameworks, genre_clusters
from agents.interests import LIKED_FROM, cluster_shares, clusters_of
from agents.posterior import TEXT_RELIABILITY
from agents.profiler import Profiler
from agents.records import Attribute, Book, Dimension, Profile, Reader, Review
from agents.settings import ChatSettings, ProfilerSettings, SystemOneSettings
from agents.stances.by_chat import ChatStances
from agents.stances.by_decision import DecisionStances
from agents.stances.by_embedding import EmbeddedStances
from agents.stances.stance import Reading, StanceReader
from agents.systemone import SystemOne
from benchmarks.synthetic_readers import FACETS, Kind, KnownReader, Population
from graph.books import read_books
from graph.readers import read_readers
from graph.settings import ReadersSettings

HELD_OUT: tuple[Kind, ...] = ("plain", "oblique")
SOURCES: dict[str, tuple[Kind, ...]] = {
    "seen": ("seen",),
    "held out": HELD_OUT,
    "held out, plain": ("plain",),
    "held out, oblique": ("oblique",),
}
"""What the reviews of a group of readers are written from."""
REVIEWS = 50
SETTINGS = ProfilerSettings()
HELD_OUT_SHARE = 0.3
"""Of a real reader's ratings."""
LEAST_RATINGS = 12
SPEED_GROUP = 100


@dataclass(frozen=True)
class Recovery:
    """How near profiles come to the truth, over readers and dimensions."""

    backend: str
    texts: str
    readers: int
    values: float
    """Mean correlation with the truth over the ten values and face."""
    traits: float
    """The same over the Big Five."""
    refined_values: float
    facets: float
    coverage: float
    """Of the 80 % bands over values and traits."""
    coverage_parts: float
    top3: float
    """Mean share of a reader's three favourite clusters among the first three interests."""


def recovery(backend: StanceReader, texts: str, count: int, embedder: Embedder) -> Recovery:
    """Profiles of `count` synthetic readers beside what their reviews were written from."""
    population = Population(SOURCES[texts])
    known = [population.draw(n, REVIEWS) for n in range(count)]
    profiler = Profiler(embedder, population.books, backend, SETTINGS)
    profiles = asyncio.run(_profiled(profiler, [k.reader for k in known]))

    def over(wanted: Callable[[str], bool]) -> list[tuple[float, float]]:
        names = [n for n, a in dimensions().items() if a.facet in FACETS and wanted(n)]
        pairs = (_agreement(n, known, profiles) for n in names)
        return [pair for pair in pairs if pair is not None]

    def part(name: str) -> bool:
        return dimensions()[name].parent is not None

    def facet(name: str) -> str:
        return dimensions()[name].facet

    broad, parts = over(lambda n: not part(n)), over(part)
    clusters = [
        len({i.cluster for i in p.interests[:3]} & k.favourites) / 3
        for k, p in zip(known, profiles, strict=True)
    ]
    return Recovery(
        backend=backend.method,
        texts=texts,
        readers=count,
        values=_mean(r for r, _ in over(lambda n: not part(n) and facet(n) == "value")),
        traits=_mean(r for r, _ in over(lambda n: not part(n) and facet(n) == "personality")),
        refined_values=_mean(r for r, _ in over(lambda n: part(n) and facet(n) == "value")),
        facets=_mean(r for r, _ in over(lambda n: part(n) and facet(n) == "personality")),
        coverage=_mean(c for _, c in broad),
        coverage_parts=_mean(c for _, c in parts),
        top3=_mean(clusters),
    )


def _agreement(
    name: str, known: Sequence[KnownReader], profiles: Sequence[Profile]
) -> tuple[float, float] | None:
    """Correlation of score and truth, and the share of bands that hold the truth.

    None for a dimension that no profile speaks of, such as a sensitive one without consent.
    """
    found = [p.attribute(name) for p in profiles]
    if any(a is None for a in found):
        return None
    attributes: list[Attribute] = [a for a in found if a]
    truth = [50 + 10 * k.standing[name] for k in known]
    scores = [a.score for a in attributes]
    held = [a.band[0] <= t <= a.band[1] for a, t in zip(attributes, truth, strict=True)]
    r = float(np.corrcoef(scores, truth)[0, 1]) if np.std(scores) else 0.0
    return r, float(np.mean(held))


@dataclass(frozen=True)
class Foretelling:
    """How well a ranking of clusters foretells what a reader was not asked about."""

    predictor: str
    likes: float
    """Mean Spearman correlation with where held-out likes fall, over clusters."""
    stars: float
    """Mean Spearman correlation with the stars of held-out books."""
    readers: int


def foretelling(readers: Sequence[Reader], books: Mapping[str, Book]) -> list[Foretelling]:
    """Inferred interests against popularity and random, on held-out ratings of real readers."""
    rated = {r.id: [v for v in r.reviews if v.book_id in books] for r in readers}
    rated = {i: reviews for i, reviews in rated.items() if len(reviews) >= LEAST_RATINGS}
    clusters = [c.id for c in genre_clusters()]
    parts: dict[str, tuple[list[Review], list[Review]]] = {}
    for reader_id, reviews in rated.items():
        shuffled = random.Random(reader_id).sample(reviews, len(reviews))
        cut = round(len(shuffled) * HELD_OUT_SHARE)
        parts[reader_id] = shuffled[cut:], shuffled[:cut]
    popular = _likes((v for kept, _ in parts.values() for v in kept), books)
    dice = np.random.default_rng(0)
    predictors: dict[str, Callable[[list[Review]], Mapping[str, float]]] = {
        "inferred": lambda kept: cluster_shares(kept, books, SETTINGS.half_life_days),
        "popularity": lambda _kept: popular,
        "random": lambda _kept: dict(zip(clusters, dice.random(len(clusters)), strict=True)),
    }
    told: list[Foretelling] = []
    for name, predict in predictors.items():
        likes: list[float] = []
        stars: list[float] = []
        for kept, held in parts.values():
            scores = predict(kept)
            fallen = _likes(held, books)
            likes += _rank([scores[c] for c in clusters], [fallen[c] for c in clusters])
            known = [(v, clusters_of(books[v.book_id].genres)) for v in held]
            known = [(v, found) for v, found in known if found]
            guess = [_mean(scores[c] for c in found) for _, found in known]
            stars += _rank(guess, [v.rating for v, _ in known])
        told.append(Foretelling(name, _mean(likes), _mean(stars), len(parts)))
    return told


def _likes(reviews: Iterable[Review], books: Mapping[str, Book]) -> dict[str, float]:
    fallen = dict.fromkeys((c.id for c in genre_clusters()), 0.0)
    for review in reviews:
        clusters = clusters_of(books[review.book_id].genres)
        for cluster in clusters if review.rating >= LIKED_FROM else []:
            fallen[cluster] += 1 / len(clusters)
    return fallen


def _rank(guess: Sequence[float], truth: Sequence[float]) -> list[float]:
    """Spearman's correlation, or nothing where one side is all alike."""
    if len(set(guess)) < 2 or len(set(truth)) < 2:
        return []
    return [float(spearmanr(guess, truth)[0])]


def countries(embedder: Embedder, backend: StanceReader) -> dict[str, float]:
    """What a change of country does to profiles, in T points or in bands."""
    listed = sorted(
        {row.country for f in frameworks().values() if f.national for row in f.national.countries}
    )
    axes = [axis for f in frameworks().values() if f.national for axis in f.dimensions]
    profiler = Profiler(embedder, {}, backend, SETTINGS)

    def scores(reader: Reader) -> list[dict[str, Attribute]]:
        moved = [reader.model_copy(update={"country": c}) for c in listed]
        return [
            {a.dimension: a for a in p.attributes} for p in asyncio.run(_profiled(profiler, moved))
        ]

    answered = scores(
        Reader(id="answered", questionnaire={a.statements[0].id: 5 for a in axes if not a.parent})
    )
    empty = scores(Reader(id="empty"))
    rich = scores(Population(HELD_OUT).draw(0, REVIEWS).reader)
    names = [a.name for a in axes if a.name in empty[0]]

    def swing(found: list[dict[str, Attribute]], name: str) -> float:
        values = [attributes[name].score for attributes in found]
        return max(values) - min(values)

    return {
        "one answer: largest change of a score by country, T points": max(
            swing(answered, n) for n in names if dimensions()[n].parent is None
        ),
        "rich profile: largest change by country, in widths of the attribute's 80 % band": max(
            swing(rich, n) / (rich[0][n].band[1] - rich[0][n].band[0]) for n in rich[0]
        ),
        "empty history: largest change by country, T points": max(swing(empty, n) for n in names),
        "empty history: narrowest sd, T points": min(
            a.sd for attributes in empty for a in attributes.values()
        ),
    }


@dataclass(frozen=True)
class Speed:
    """What profiles cost in time and memory."""

    readers: int
    reviews: int
    seconds: float
    first_hundred_s: float
    last_hundred_s: float
    peak_mb: float


def speed(backend: StanceReader, count: int, embedder: Embedder) -> Speed:
    """Time and memory of `count` readers with fifty reviews each, one after the other."""
    population = Population(HELD_OUT, seed=1)
    profiler = Profiler(embedder, population.books, backend, SETTINGS)
    process, peak, marks = psutil.Process(), 0, [0.0]

    async def work() -> None:
        nonlocal peak
        for number in range(count):
            reader = population.draw(number, REVIEWS).reader
            begun = time.perf_counter()
            await profiler.profile(reader)
            marks.append(marks[-1] + time.perf_counter() - begun)
            peak = max(peak, process.memory_info().rss)
            if number % SPEED_GROUP == SPEED_GROUP - 1:
                rate = (number + 1) / marks[-1]
                left = (count - number - 1) / rate
                _tell(f"  {number + 1}/{count} readers, {rate:.2f}/s, {left:.0f} s left")

    asyncio.run(work())
    group = min(SPEED_GROUP, count)
    return Speed(
        readers=count,
        reviews=REVIEWS,
        seconds=marks[-1],
        first_hundred_s=marks[group],
        last_hundred_s=marks[-1] - marks[-1 - group],
        peak_mb=peak / 2**20,
    )


async def _profiled(profiler: Profiler, readers: Sequence[Reader]) -> list[Profile]:
    return [await profiler.profile(reader) for reader in readers]


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return float(np.mean(listed)) if listed else float("nan")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and print tables, or JSON."""
    options = _options()
    embedder = SentenceEmbedder(weights.require(weights.EMBEDDING), weights.EMBEDDING.name)
    embedded = EmbeddedStances(embedder, SETTINGS.max_sentences)
    told: dict[str, Any] = {"recovery": [], "held_out_ratings": {}}
    half = options.readers // 2
    for texts in SOURCES:
        _tell(f"recovery, embedded, reviews from texts {texts} …")
        told["recovery"].append(asdict(recovery(embedded, texts, half, embedder)))
    for backend, count in _other_backends(options, embedder):
        _tell(f"recovery, {backend.method}, reviews from texts held out …")
        told["recovery"].append(asdict(recovery(backend, "held out", count, embedder)))
    for readers, books in options.rated or []:
        _tell(f"held-out ratings of real readers: {readers} …")
        told["held_out_ratings"][Path(readers).stem] = [asdict(r) for r in _real(readers, books)]
    _tell("what a change of country does …")
    told["countries"] = countries(embedder, embedded)
    if options.speed_readers:
        _tell(f"speed: {options.speed_readers} readers with {REVIEWS} reviews …")
        told["speed"] = asdict(speed(embedded, options.speed_readers, embedder))
    print(json.dumps(told, indent=2) if options.json else _report(told))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description=__doc__)
    parser.add_argument("--readers", type=int, default=200, help="half seen, half held out")
    parser.add_argument("--speed-readers", type=int, default=1000, help="0 leaves speed out")
    parser.add_argument("--few", type=int, default=20, help="readers for other backends")
    parser.add_argument("--chat", nargs=2, metavar=("URL", "MODEL"))
    parser.add_argument("--systemone", metavar="URL")
    parser.add_argument(
        "--rated", nargs=2, action="append", metavar=("READERS", "BOOKS"), help="real ratings"
    )
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _other_backends(
    options: argparse.Namespace, embedder: Embedder
) -> list[tuple[StanceReader, int]]:
    """What the options name, beside the embedded one."""
    found: list[tuple[StanceReader, int]] = []
    if options.systemone:
        decider = SystemOne(options.systemone, "default", SystemOneSettings().timeout_s)
        found.append((DecisionStances(decider, embedder, SETTINGS.max_sentences), options.few))
    if options.chat:
        url, model = options.chat
        found.append((_ChatOnce(ChatSettings(model=model, base_url=url)), options.few))
    return found


class _ChatOnce:
    """A chat backend that opens its client inside the event loop that uses it."""

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        self.method = f"review text, {settings.model}"

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        """As `ChatStances` reads."""
        chat = EndpointChat(self._settings, lambda _call: None)
        try:
            return await ChatStances(chat, SETTINGS.max_sentences).read(reader, axes)
        finally:
            await chat.close()


def _real(readers: str, books: str) -> list[Foretelling]:
    def tell(_notice: str) -> None:
        """Nothing: what is set aside is no matter here."""

    return foretelling(read_readers(readers, ReadersSettings(), tell), read_books(books, tell))


def _report(told: Mapping[str, Any]) -> str:
    lines = ["Recovery of synthetic readers: mean correlation of score and truth (chance 0)"]
    lines += [
        f"{'backend':<34}{'texts':<18}{'n':>4}{'values':>8}{'traits':>8}{'refined':>8}{'facets':>8}"
        f"{'80 % bands hold':>17}{'of parts':>10}{'top-3 genres':>14}"
    ]
    lines += [
        f"{r['backend']:<34.33}{r['texts']:<18}{r['readers']:>4}{r['values']:>8.2f}"
        f"{r['traits']:>8.2f}{r['refined_values']:>8.2f}{r['facets']:>8.2f}{r['coverage']:>17.0%}"
        f"{r['coverage_parts']:>10.0%}{r['top3']:>14.2f}"
        for r in told["recovery"]
    ]
    lines += [
        "Chance: correlation 0, top-3 genres 0.33; bands should hold the truth in 80 % of cases.",
        f"Text is taken at a correlation with the truth of {TEXT_RELIABILITY} at most, whatever is"
        " measured here.",
    ]
    for name, rows in told["held_out_ratings"].items():
        lines += ["", f"Held-out ratings of {rows[0]['readers']} real readers ({name}), Spearman"]
        lines += [f"{'predictor':<16}{'likes by cluster':>18}{'stars by book':>16}"]
        lines += [f"{r['predictor']:<16}{r['likes']:>18.3f}{r['stars']:>16.3f}" for r in rows]
    if not told["held_out_ratings"]:
        lines += ["", "Held-out ratings of real readers: not measured; give files with --rated."]
    lines += ["", "Country"]
    lines += [f"{value:8.2f}  {what}" for what, value in told["countries"].items()]
    if "speed" in told:
        s = told["speed"]
        ratio = s["last_hundred_s"] / s["first_hundred_s"]
        lines += [
            "",
            f"Speed: {s['readers']} readers with {s['reviews']} reviews in {s['seconds'] / 60:.1f}"
            f" min, peak {s['peak_mb']:,.0f} MB; the last hundred took {ratio:.2f} × the first.",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
