"""`gravity why PAIR` tells a pair's lineage in plain words, and says what it does not know."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.frameworks.catalogue import shipped_scenarios
from agents.pool import Pool, lock_pool
from agents.records import Attribute, Pair
from agents.scripted import ScriptedEmbedder
from graph.store import Store
from tests.commands.conftest import Gravity
from training.adapters import AdapterCard, AdapterRegistry
from training.events import HeldOut
from training.settings import TrainingSettings


@pytest.fixture
def pair(store: Store) -> Pair:
    """An accepted pair of the run `done` that rests on a shipped scene and a reader's words."""
    return next(
        pair
        for pair in store.pairs("done", status="accepted")
        for held in [_held(store, pair)]
        if held and any(evidence.start < evidence.end for evidence in held.evidence)
    )


def _held(store: Store, pair: Pair) -> Attribute | None:
    profile = store.reader(pair.run_id, pair.reader_id).profile
    return profile.attribute(pair.dimension) if profile else None


@pytest.fixture
def held_elsewhere(gathered: Path) -> Iterator[None]:
    lock = lock_pool(gathered / "pool")
    yield
    lock.release()


def words(text: str) -> str:
    """A tree without its branches and line ends."""
    return " ".join(text.replace("│", " ").replace("├──", " ").replace("└──", " ").split())


def test_why_goes_from_the_pair_to_the_readers_words(
    gravity: Gravity, store: Store, pair: Pair, held_elsewhere: None
) -> None:
    told = words(gravity("why", pair.id[:10]).out)
    member, held = store.reader("done", pair.reader_id), _held(store, pair)
    assert held is not None
    quote = next(e.quote(member.reader) for e in held.evidence if e.start < e.end)
    for part in (
        f"{pair.id} · accepted · {pair.reader_id} · {pair.facet} {pair.dimension} {pair.pole}",
        f"chosen: {pair.chosen}",
        f"scenario {pair.scenario_id} · ships with Gravity",
        f"profile: {pair.dimension} {held.score:.0f} (80 %: ",
        f"“{' '.join(quote.split())}” → ",
        f"embedded {pair.verdicts[0].probability:.2f} {pair.verdicts[0].reason}".strip(),
        "decided by no person",
        "run done · finished · scripted · begun ",
        "adapters trained on it: none yet",
    ):
        assert part in told


def test_why_as_json(gravity: Gravity, store: Store, pair: Pair) -> None:
    told = gravity("why", pair.id, "--json").json
    assert told["pair"] == pair.model_dump(mode="json")
    assert told["scenario"]["id"] == pair.scenario_id
    assert told["attribute"]["dimension"] == pair.dimension
    assert told["run"]["id"] == "done"
    assert told["decisions"] == told["written_in"] == told["adapters"] == []


def test_people_and_adapters_are_named(gravity: Gravity, store: Store, gathered: Path) -> None:
    pair = store.pairs("asks", status="review")[0]
    store.decide(pair.id, "approve", "eve", "well put")
    adapters = AdapterRegistry(gathered / "adapters")
    for name, trained_on in (("mine", (pair.id,)), ("other", ("x",))):
        adapters.path(name).mkdir(parents=True)
        a_card(name, trained_on).save(adapters.path(name))
    told = words(gravity("why", pair.id).out)
    assert "eve approve (script) well put" in told
    assert told.endswith("adapters trained on it: mine")


def a_card(name: str, pair_ids: tuple[str, ...]) -> AdapterCard:
    measured = HeldOut(pairs=4, accuracy=0.5, margin=0.0, likelier=0.5)
    return AdapterCard(
        name=name,
        created="2026-11-20T00:00:00+00:00",
        base_model="embedded",
        base_path="/weights",
        method="dpo",
        fingerprint="0",
        run_ids=("asks",),
        pairs_file="pairs.jsonl",
        pairs_sha256="0",
        pair_ids=pair_ids,
        reader_ids=("us-maya",),
        settings=TrainingSettings(),
        before=measured,
        after=measured,
        twin_share=0.4,
    )


def test_a_pool_in_use_is_told_and_the_rest_is_shown(
    gravity: Gravity, store: Store, pair: Pair, held_elsewhere: None
) -> None:
    store.put_pairs([pair.model_copy(update={"id": "zz-9", "scenario_id": "w-benevolence-1"})])
    told = gravity("why", "zz-9")
    assert "The scenario cannot be looked up: Another gravity process has the pool" in told.err
    assert "scenario w-benevolence-1 · the pool could not be asked" in words(told.out)
    assert f"profile: {pair.dimension}" in words(told.out)


def test_the_pool_is_asked_as_the_run_filled_it(
    gravity: Gravity, store: Store, pair: Pair, gathered: Path
) -> None:
    """A run by another embedder than the configuration's has a collection of its own there."""
    scene = next(s for s in shipped_scenarios() if s.dimension == pair.dimension)
    ours = scene.model_copy(update={"id": "w-benevolence-1", "provenance": "written"})
    pool = Pool(gathered / "pool", ScriptedEmbedder())
    pool.load([ours])
    pool.close()
    store.put_pairs([pair.model_copy(update={"id": "zz-9", "scenario_id": ours.id})])
    assert "w-benevolence-1 · written for a run" in words(gravity("why", "zz-9").out)


def test_unknown_and_ambiguous_are_told_in_one_line(gravity: Gravity, store: Store) -> None:
    assert "There is no pair 'nope'." in gravity("why", "nope", code=2).err
    told = gravity("why", "", code=2).err
    assert told.count("\n") == 1
    assert "Several pairs begin with ''" in told
