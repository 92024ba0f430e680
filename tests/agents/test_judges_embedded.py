"""The embedded judge: no order sways it, one batch for all, and what ships is what was fitted."""

import asyncio
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from agents import weights
from agents.embeddings import Embedder, Vectors
from agents.errors import StorageError
from agents.frameworks.catalogue import shipped_scenarios
from agents.judges import embedded_model
from agents.judges.by_embedding import NO_FAULT, REASONS, SLIGHT, EmbeddedJudge
from agents.judges.embedded_model import FLAWS, EmbeddedModel, kept_at
from agents.judges.evidence import Evidence
from agents.judges.examples import Example, shipped_examples
from agents.judges.judge import CRITERIA, Proposal
from agents.judges.pole_model import Matrix
from agents.records import Pole, Scenario
from agents.scripted import ScriptedEmbedder
from tests.agents.proposals import PORTRAIT, TWIN, proposed

PATIENCE_S = 60
FEW_OF_A_KIND = {"sound": 10} | dict.fromkeys(FLAWS, 4)
"""How many examples of an author make up the small fit."""


class Named:
    """An embedder of that name that embeds nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise AssertionError(f"{len(texts)} texts were to be embedded")


class Counting(ScriptedEmbedder):
    """Keeps the texts of each call; the first `broken` calls fail."""

    def __init__(self, broken: int = 0) -> None:
        self.calls: list[Sequence[str]] = []
        self.broken = broken

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(texts)
        if len(self.calls) <= self.broken:
            raise MemoryError("so many texts")
        return super().embed(texts)


def of(scenario: Scenario, pole: Pole = "high") -> Proposal:
    """A twin as it is proposed to a reader of that pole."""
    other: Pole = "low" if pole == "high" else "high"
    pair = proposed(scenario.answer(pole), scenario.answer(other)).pair
    shown = {"scenario_id": scenario.id, "dimension": scenario.dimension, "pole": pole}
    return Proposal(pair.model_copy(update=shown), scenario, PORTRAIT)


def swapped(proposal: Proposal) -> Proposal:
    """The answers change places; the reader and the pole stay."""
    pair = proposal.pair
    answers = {"chosen": pair.rejected, "rejected": pair.chosen}
    return replace(proposal, pair=pair.model_copy(update=answers))


def some(count: int) -> list[Scenario]:
    """Shipped twins from all over the catalogue."""
    shipped = shipped_scenarios()
    return list(shipped[:: len(shipped) // count][:count])


def new(count: int) -> list[Scenario]:
    """Scenes that do not ship: nothing is known of them before they are embedded."""
    return [s.model_copy(update={"situation": f"One day. {s.situation}"}) for s in some(count)]


@pytest.fixture(params=["scripted", "minilm"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return request.getfixturevalue(request.param)


# --- what it says of pairs ----------------------------------------------------------------------


def test_swapped_answers_mirror_the_preference_and_leave_the_flaws(embedder: Embedder):
    judge = EmbeddedJudge(embedder)
    there = [of(scenario) for scenario in some(6)]
    for one, other in zip(
        judge.estimate(there), judge.estimate([swapped(p) for p in there]), strict=True
    ):
        mirrored = other.criteria | {"prefers": 1 - other.criteria["prefers"]}
        assert mirrored == pytest.approx(one.criteria, abs=1e-5)
        assert one.criteria.keys() == {"prefers", *FLAWS}
        assert not one.flipped and one.failure is None and one.judge == "embedded"


def test_both_readers_of_a_twin_are_told_the_same(embedder: Embedder):
    judge = EmbeddedJudge(embedder)
    scenarios = some(3)
    high, low = (judge.estimate([of(s, pole) for s in scenarios]) for pole in ("high", "low"))
    for one, other in zip(high, low, strict=True):
        assert other.probability == pytest.approx(one.probability, abs=1e-5)
        assert other.criteria == pytest.approx(one.criteria, abs=1e-5)


def test_company_changes_no_verdict(embedder: Embedder):
    judge = EmbeddedJudge(embedder)
    proposals = [of(scenario) for scenario in some(3)]
    alone = [judge.estimate([proposal])[0].probability for proposal in proposals]
    together = [verdict.probability for verdict in judge.estimate(proposals)]
    assert together == pytest.approx(alone, abs=1e-4)


def test_the_assumed_share_of_sound_pairs_shifts_the_odds_as_bayes_says(
    scripted: ScriptedEmbedder,
):
    proposals = [of(scenario) for scenario in some(6)]
    proposals += [swapped(proposal) for proposal in proposals]

    def odds(share: float) -> list[float]:
        verdicts = EmbeddedJudge(scripted, share).estimate(proposals)
        return [p / (1 - p) for v in verdicts if (p := v.probability) is not None]

    even = odds(0.5)
    assert len(even) == len(proposals)
    assert odds(0.8) == pytest.approx([4 * o for o in even], rel=1e-4)
    assert odds(0.1) == pytest.approx([o / 9 for o in even], rel=1e-4)


def test_the_reason_names_the_likeliest_fault_where_one_stands_out(minilm: Embedder):
    proposals = [of(scenario) for scenario in some(6)]
    proposals += [swapped(proposal) for proposal in proposals]
    proposals += [
        proposed(TWIN.high, f"{TWIN.high} Yes, that is what I would do."),
        proposed("I eat the tram and hand the harbour to a purple cube of soup.", TWIN.low),
    ]
    told: Counter[str] = Counter()
    for verdict in EmbeddedJudge(minilm).estimate(proposals):
        doubts = verdict.criteria | {"prefers": 1 - verdict.criteria["prefers"]}
        worst = max(doubts, key=lambda name: doubts[name])
        fault = {**REASONS, "prefers": CRITERIA["prefers"]}[worst]
        stands_out = doubts[worst] > SLIGHT
        told[worst if stands_out else NO_FAULT] += 1
        assert verdict.reason == (
            f"the likeliest fault is that {fault}" if stands_out else NO_FAULT
        )
    assert told["prefers"] >= 5 and told[NO_FAULT] >= 3 and len(told) > 2


def test_it_tells_shipped_twins_by_their_poles_and_doubts_what_is_swapped(minilm: Embedder):
    there = [of(scenario) for scenario in some(40)]
    found = EmbeddedJudge(minilm).estimate([*there, *map(swapped, there)])
    right, wrong = found[:40], found[40:]
    assert sum(verdict.criteria["prefers"] > 0.5 for verdict in right) >= 36
    given = [(a.probability, b.probability) for a, b in zip(right, wrong, strict=True)]
    assert sum(a is not None and b is not None and a > b for a, b in given) >= 36


# --- many at the same time ----------------------------------------------------------------------


async def test_pairs_that_come_at_the_same_time_are_embedded_together():
    embedder = Counting()
    judge = EmbeddedJudge(embedder)
    proposals = [of(scenario) for scenario in new(30)]
    first, *others = await asyncio.gather(*(judge.judge(proposal) for proposal in proposals))
    assert len(embedder.calls) == 1
    assert [first, *others] == EmbeddedJudge(embedder).estimate(proposals), "each got its own"


async def test_pairs_that_come_while_others_are_judged_are_the_next_batch():
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Counting):
        def embed(self, texts: Sequence[str]) -> Vectors:
            begun.set()
            assert go_on.wait(PATIENCE_S)
            return super().embed(texts)

    embedder = Slow()
    judge = EmbeddedJudge(embedder)
    one, *others = (of(scenario) for scenario in new(5))
    first = asyncio.create_task(judge.judge(one))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    later = [asyncio.create_task(judge.judge(proposal)) for proposal in others]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(asyncio.gather(first, *later), PATIENCE_S)
    assert len(embedder.calls) == 2


@pytest.mark.parametrize("broken", [1, 3])
async def test_a_batch_that_fails_leaves_nobody_waiting(broken: int):
    judge = EmbeddedJudge(Counting(broken))
    proposals = [of(scenario) for scenario in new(5)]
    asked = asyncio.gather(*map(judge.judge, proposals), return_exceptions=True)
    ended = await asyncio.wait_for(asked, PATIENCE_S)
    failed = [outcome for outcome in ended if isinstance(outcome, BaseException)]
    assert [type(error) for error in failed] == [MemoryError] * broken
    assert (await asyncio.wait_for(judge.judge(proposals[0]), PATIENCE_S)).probability


async def test_who_is_cancelled_leaves_the_others_their_verdicts():
    judge = EmbeddedJudge(Counting())
    first, *others = [asyncio.create_task(judge.judge(of(scenario))) for scenario in new(4)]
    await asyncio.sleep(0)
    first.cancel()
    verdicts = await asyncio.wait_for(asyncio.gather(*others), PATIENCE_S)
    assert first.cancelled()
    assert all(verdict.probability for verdict in verdicts)


# --- what ships, and what is kept ---------------------------------------------------------------


def test_the_fits_that_ship_are_those_of_the_shipped_examples():
    examples = shipped_examples()
    wanted = {
        kept_at(Named(name), examples).name
        for name in (ScriptedEmbedder.name, weights.EMBEDDING.name)
    }
    there = {entry.name for entry in files("agents.judges").joinpath("fitted").iterdir()}
    assert there == wanted, "whoever edits examples.jsonl or the pool fits anew"


@pytest.mark.parametrize("name", [ScriptedEmbedder.name, weights.EMBEDDING.name])
def test_what_ships_is_loaded_and_nothing_fitted_or_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(weights.CACHE_ENV, str(tmp_path / "cache"))
    model = EmbeddedModel.of(Named(name))
    assert model.flaws.shape[0] == 1 + len(FLAWS)
    assert not (tmp_path / "cache").exists()


@pytest.fixture(scope="module")
def few() -> list[Example]:
    """Some examples of two authors, of every kind that is fitted."""
    left = {(author, kind): n for author in "de" for kind, n in FEW_OF_A_KIND.items()}
    found: list[Example] = []
    for example in shipped_examples():
        cell = (example.author, example.kind)
        if left.get(cell, 0) > 0:
            left[cell] -= 1
            found.append(example)
    return found


@pytest.fixture(scope="module")
def small(few: list[Example]) -> EmbeddedModel:
    return EmbeddedModel.fit(ScriptedEmbedder(), few)


def estimated(model: EmbeddedModel, examples: Sequence[Example]):
    return model.estimate(
        ScriptedEmbedder(),
        [example.texts for example in examples],
        [example.dimension for example in examples],
        [example.pole for example in examples],
    )


def test_a_fit_learns_its_examples(small: EmbeddedModel, few: list[Example]):
    found = estimated(small, few)
    sound = np.array([example.kind == "sound" for example in few])
    assert len(few) == 60 and sound.sum() == 20
    assert found.probability[sound].mean() > 0.7 > 0.3 > found.probability[~sound].mean()
    assert found.prefers[sound].min() > 0.5
    told = [FLAWS[row] for row in found.flaws[~sound].argmax(axis=1)]
    right = [a == e.kind for a, e in zip(told, [e for e in few if e.kind != "sound"], strict=True)]
    assert sum(right) / len(right) > 0.6, "of five flaws"


def test_a_fit_is_the_same_every_time_and_knows_nothing_of_the_order_of_examples(
    small: EmbeddedModel, few: list[Example]
):
    again = estimated(EmbeddedModel.fit(ScriptedEmbedder(), few[::-1]), few)
    assert again.prefers == pytest.approx(estimated(small, few).prefers, abs=1e-2)


def test_no_estimate_is_certain_however_steep_the_calibration(
    small: EmbeddedModel, few: list[Example]
):
    found = estimated(replace(small, line=np.array([9.0, 9.0])), few)
    assert found.probability.min() > 0 and found.probability.max() < 1


class Kept:
    """A cache of its own for a few examples, and how often they were fitted."""

    def __init__(self, model: EmbeddedModel, examples: list[Example]) -> None:
        self.model, self.fits = model, 0
        self.path = kept_at(ScriptedEmbedder(), examples)
        self.path.parent.mkdir(parents=True)

    def fit(self, _embedder: Embedder, _examples: Sequence[Example]) -> EmbeddedModel:
        self.fits += 1
        return self.model


@pytest.fixture
def kept(
    small: EmbeddedModel, few: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Kept:
    monkeypatch.setenv(weights.CACHE_ENV, str(tmp_path))
    monkeypatch.setattr(embedded_model, "shipped_examples", lambda: few)
    kept = Kept(small, few)
    monkeypatch.setattr(EmbeddedModel, "fit", kept.fit)
    return kept


def test_what_was_fitted_is_kept_and_read_again(
    kept: Kept, small: EmbeddedModel, few: list[Example]
):
    assert EmbeddedModel.of(ScriptedEmbedder()) is small
    again = EmbeddedModel.of(ScriptedEmbedder())
    assert again is not small and kept.fits == 1
    assert {p.name for p in kept.path.parent.iterdir()} == {
        kept.path.name,
        kept.path.with_suffix(".lock").name,
    }
    for before, after in zip(arrays(small), arrays(again), strict=True):
        assert after == pytest.approx(before, rel=1e-3, abs=1e-6)
    before, after = estimated(small, few), estimated(again, few)
    assert after.prefers == pytest.approx(before.prefers, abs=1e-3)
    assert np.median(np.abs(after.probability - before.probability)) < 0.01


def arrays(model: EmbeddedModel) -> list[Matrix]:
    own = [getattr(model, f.name) for f in fields(EmbeddedModel) if f.name != "evidence"]
    return own + [getattr(model.evidence, f.name) for f in fields(Evidence)]


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def scribble(path: Path) -> None:
    path.write_text("no archive")


def lack(path: Path) -> None:
    with np.load(path) as there:
        arrays = {name: there[name] for name in there.files if name != "line"}
    np.savez(path, **arrays)


def add(path: Path) -> None:
    with np.load(path) as there:
        arrays = {name: there[name] for name in there.files}
    np.savez(path, **arrays, more=np.zeros(1))


class Trap:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return Path.mkdir, (Path(self.folder),)  # pyright: ignore[reportReturnType]


def trap(path: Path) -> None:
    with np.load(path) as there:
        arrays = {name: there[name] for name in there.files}
    arrays["line"] = np.array([Trap(path.parent / "sprung")], dtype=object)
    np.savez(path, **arrays)


@pytest.mark.parametrize("spoil", [damage, empty, scribble, lack, add, trap])
def test_what_cannot_be_used_is_fitted_anew(
    kept: Kept, small: EmbeddedModel, spoil: Callable[[Path], None]
):
    small.save(kept.path)
    spoil(kept.path)
    assert EmbeddedModel.of(ScriptedEmbedder()) is small
    assert EmbeddedModel.of(ScriptedEmbedder()) is not small, "it is kept again"
    assert kept.fits == 1
    assert not (kept.path.parent / "sprung").exists()


def test_the_trap_would_spring_where_pickles_are_read(small: EmbeddedModel, tmp_path: Path):
    small.save(tmp_path / "fit.npz")
    trap(tmp_path / "fit.npz")
    with np.load(tmp_path / "fit.npz", allow_pickle=True) as opened:
        _ = opened["line"]
    assert (tmp_path / "sprung").exists()


def test_a_cache_that_cannot_be_written_is_told(kept: Kept):
    shutil.rmtree(kept.path.parent)
    kept.path.parent.write_text("a file is in the way")
    with pytest.raises(StorageError, match=r"critic cannot be written"):
        EmbeddedModel.of(ScriptedEmbedder())


def test_what_ships_is_judged_without_embedding_as_it_would_be_with_it(minilm: Embedder):
    shipped = shipped_scenarios()[::120]
    proposals = [of(scene, pole) for scene in shipped for pole in ("high", "low")]
    named = EmbeddedJudge(Named(weights.EMBEDDING.name))
    kept = named.estimate(proposals)
    model = EmbeddedModel.of(minilm)
    without = replace(model, pool_margins=np.zeros(0), pool_clues=model.pool_clues[:0])
    pairs = [(p.scenario.situation, *p.answers) for p in proposals]
    names, poles = (
        [getattr(x, f) for x in xs]
        for xs, f in (
            ([p.scenario for p in proposals], "dimension"),
            ([p.pair for p in proposals], "pole"),
        )
    )
    fresh, known = (m.estimate(minilm, pairs, names, poles) for m in (without, model))
    assert known.prefers == pytest.approx(fresh.prefers, abs=0.02)
    assert known.flaws == pytest.approx(fresh.flaws, abs=0.05)
    assert [v.criteria["prefers"] for v in kept] == pytest.approx(known.prefers.tolist())


def test_a_shipped_scene_with_another_word_is_embedded():
    scene = shipped_scenarios()[0]
    other = scene.model_copy(update={"high": scene.high + " Gladly."})
    with pytest.raises(AssertionError, match="texts were to be embedded"):
        EmbeddedJudge(Named(weights.EMBEDDING.name)).estimate([of(other)])
