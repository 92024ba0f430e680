"""The stance classifier: probabilities, what it keeps, and what it knows of plain sentences."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from agents.embeddings import Embedder, Vectors
from agents.errors import StorageError
from agents.frameworks.catalogue import dimension, dimensions
from agents.profiler import Profiler
from agents.records import Pole, Reader
from agents.scripted import ScriptedEmbedder
from agents.settings import ProfilerSettings
from agents.stances.by_embedding import EmbeddedStances
from agents.stances.classifier import StanceClassifier
from agents.weights import CACHE_ENV


class Narrow:
    """Scripted vectors cut to 24 numbers, which a classifier is fitted on in a second."""

    def __init__(self, name: str = "Narrow: a/model") -> None:
        self.name = name
        self.embedded = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        cut = ScriptedEmbedder().embed(texts)[:, :24] + 1e-3
        return cut / np.linalg.norm(cut, axis=1, keepdims=True)


def same(one: StanceClassifier, other: StanceClassifier) -> bool:
    return (one.kinds, one.statement_ids) == (other.kinds, other.statement_ids) and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("coefficients", "intercepts", "statement_vectors")
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Every test but those with real weights keeps its classifiers in a folder of this module."""
    if "minilm" not in request.fixturenames:
        monkeypatch.setenv(CACHE_ENV, str(cache))


def kept_files(cache: Path) -> list[Path]:
    return sorted((cache / "stances").glob("*.npz"))


def test_every_example_is_of_a_statement_that_exists_or_of_none():
    text = files("agents.stances").joinpath("examples.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    known = {s.id for axis in dimensions().values() for s in axis.statements}
    assert {row["statement"] for row in rows} - known == {""}
    assert all(row.keys() == {"statement", "text"} and row["text"].strip() for row in rows)


def test_probabilities_sum_to_one_over_all_kinds():
    classifier = StanceClassifier.of(Narrow())
    told = classifier.probabilities(Narrow().embed(["I make a list.", "It rains.", ""]))
    assert told.shape == (3, len(classifier.kinds))
    assert told.min() >= 0
    assert told.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert classifier.probabilities(1000 * Narrow().embed(["far off"])).sum() == pytest.approx(1)


def test_the_kinds_are_all_poles_and_none_of_them():
    kinds = StanceClassifier.of(Narrow()).kinds
    assert kinds[0] is None and None not in kinds[1:]
    told = {(k.dimension, k.pole) for k in kinds if k}
    assert told == {(name, pole) for name in dimensions() for pole in ("high", "low")}


def test_sensitive_kinds_stand_apart():
    topics = {(k.dimension, k.topic) for k in StanceClassifier.of(Narrow()).kinds if k}
    for axis in dimensions().values():
        expected = {s.sensitive or axis.sensitive for s in axis.statements}
        assert {topic for name, topic in topics if name == axis.name} == expected


def test_what_was_fitted_is_kept_and_loaded_again(cache: Path):
    first = StanceClassifier.of(Narrow())
    [kept] = kept_files(cache)
    written = kept.stat().st_mtime_ns
    again = Narrow()
    assert same(StanceClassifier.of(again), first)
    assert again.embedded == 0, "nothing is embedded twice"
    assert (kept.stat().st_mtime_ns, kept_files(cache)) == (written, [kept])


def test_it_is_kept_without_pickle(cache: Path):
    StanceClassifier.of(Narrow())
    [kept] = kept_files(cache)
    with np.load(kept, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"no zip",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[: len(whole) // 2] + b"\0" * 64 + whole[len(whole) // 2 + 64 :],
    ],
    ids=["empty", "other", "cut short", "overwritten"],
)
def test_a_damaged_file_is_fitted_anew(cache: Path, damage):
    first = StanceClassifier.of(Narrow())
    [kept] = kept_files(cache)
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    mended = Narrow()
    try:
        assert same(StanceClassifier.of(mended), first)
        assert mended.embedded > 0
        assert StanceClassifier._load(kept) is not None
    finally:
        kept.write_bytes(whole)


def test_a_file_without_what_is_needed_is_fitted_anew(cache: Path):
    first = StanceClassifier.of(Narrow())
    [kept] = kept_files(cache)
    np.savez(kept, told=json.dumps({"kinds": [], "statement_ids": []}))
    assert same(StanceClassifier.of(Narrow()), first)


def test_each_embedder_has_its_own(cache: Path):
    StanceClassifier.of(Narrow())
    before = kept_files(cache)
    StanceClassifier.of(Narrow("another"))
    after = kept_files(cache)
    assert len(after) == len(before) + 1
    assert all("/" not in p.name and ":" not in p.name for p in after)
    (set(after) - set(before)).pop().unlink()


def test_a_statement_marked_sensitive_later_is_not_read_by_the_old_marks(
    cache: Path, monkeypatch: pytest.MonkeyPatch
):
    before = StanceClassifier.of(Narrow())
    pace = dimension("pace").model_copy(update={"sensitive": "health"})
    monkeypatch.setattr(
        "agents.stances.classifier.dimensions", lambda: dimensions() | {"pace": pace}
    )
    after = StanceClassifier.of(Narrow())
    topics = [{k.topic for k in c.kinds if k and k.dimension == "pace"} for c in (before, after)]
    assert topics == [{None}, {"health"}]


def test_a_cache_that_cannot_be_written_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    monkeypatch.setenv(CACHE_ENV, str(in_the_way))
    with pytest.raises(StorageError, match=CACHE_ENV):
        StanceClassifier.of(Narrow())


# --- with real vectors --------------------------------------------------------------------------

PLAIN: list[tuple[str, str, Pole]] = [
    ("I love trying new ideas, strange art and food that I never tasted.", "openness", "high"),
    ("I make a list, plan ahead and finish my chores before I rest.", "conscientiousness", "high"),
    ("I would rather stay at home alone than go to a party.", "extraversion", "low"),
    ("Nothing rattles me; I sleep soundly before every exam.", "neuroticism", "low"),
    ("I care about nature and want all people treated equally.", "universalism", "high"),
    ("I want to be rich and to have power over other people.", "power", "high"),
    ("I want to be the best at what I do and have everyone see it.", "achievement", "high"),
    ("I like to decide for myself what I do and how I do it.", "self_direction", "high"),
    ("Old customs mean little to me and I skip them without a thought.", "tradition", "low"),
]
PLOT = [
    "The detective finds a body in the library on page ten.",
    "The second part is set in Lisbon, ten years later.",
    "The book has four hundred pages and a map at the back.",
    "The queen sends her army north before the winter comes.",
    "Chapter three tells how the ship was built.",
    "The translation is by the same hand as the first volume.",
]


@pytest.mark.parametrize(("sentence", "name", "pole"), PLAIN, ids=[row[1] for row in PLAIN])
async def test_an_unmistakable_sentence_lands_on_its_pole(
    minilm: Embedder, sentence: str, name: str, pole: Pole
):
    backend = EmbeddedStances(minilm, 120)
    profile = await Profiler(minilm, {}, backend, ProfilerSettings()).profile(
        Reader(id="r", about=sentence)
    )
    broad = [a for a in profile.attributes if not dimension(a.dimension).parent]
    clearest = max(broad, key=lambda a: a.departure)
    assert (clearest.dimension, clearest.pole) == (name, pole)


async def test_plot_is_no_stance(minilm: Embedder):
    axes = list(dimensions().values())
    reading = await EmbeddedStances(minilm, 120).read(Reader(id="r", about=" ".join(PLOT)), axes)
    assert [s for s in reading.stances if abs(s.strength) > 0.3] == []
