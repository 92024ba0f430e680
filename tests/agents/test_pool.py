"""The candidate pool over a real ChromaDB: nothing twice, one process, nothing lost."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.errors import LockedError, StorageError
from agents.frameworks.catalogue import shipped_scenarios
from agents.pool import Pool
from agents.records import Scenario
from agents.scripted import ScriptedEmbedder

SITUATIONS = [
    "Your neighbour offers two spare tickets just before supper. What do you answer?",
    "A wallet lies under the bench by the lake. Where do you begin?",
    "The bus driver wants advice on a broken gate. What would you say?",
    "Seedlings fall from a tray at the market. What do you do first?",
]


def scene(number: int, culture: str | None = None, dimension: str = "openness") -> Scenario:
    return Scenario(
        id=f"s{number}",
        facet="personality",
        dimension=dimension,
        situation=SITUATIONS[number % len(SITUATIONS)],
        high="Go there.",
        low="Stay here.",
        culture=culture,
        provenance="written",
    )


@pytest.fixture
def pool(tmp_path: Path, scripted: ScriptedEmbedder) -> Iterator[Pool]:
    pool = Pool(tmp_path / "pool", scripted)
    yield pool
    pool.close()


def test_loading_twice_adds_nothing(pool: Pool):
    shipped = shipped_scenarios()
    assert pool.load(shipped) == len(shipped)
    assert pool.load(shipped) == 0
    assert len(pool) == len(shipped)
    assert pool.load([]) == 0


def test_get_keeps_order_and_leaves_out_what_is_gone(pool: Pool):
    pool.load([scene(0), scene(1, "BR")])
    assert pool.get(["s1", "nowhere", "s0"]) == [scene(1, "BR"), scene(0)]
    assert pool.get([]) == []
    pool.retire(["s1"])
    pool.retire([])
    assert pool.get(["s1", "s0"]) == [scene(0)]


def test_draw_never_returns_what_was_taken(pool: Pool):
    pool.load(scene(n) for n in range(4))
    first = pool.draw("openness", None, (), 2)
    rest = pool.draw("openness", None, {s.id for s in first}, 5)
    assert len(first) == len(rest) == 2
    assert {s.id for s in (*first, *rest)} == {"s0", "s1", "s2", "s3"}
    assert pool.draw("openness", None, {"s0", "s1", "s2", "s3"}, 5) == []
    assert pool.draw("pace", None, (), 5) == []


def test_draw_gives_neutral_scenes_and_those_of_the_readers_country(pool: Pool):
    pool.load([scene(0), scene(1, "BR"), scene(2, "IN"), scene(3, dimension="power")])

    def drawn(country: str | None) -> set[str]:
        return {s.id for s in pool.draw("openness", country, (), 9)}

    assert drawn("BR") == {"s0", "s1"}
    assert drawn("IN") == {"s0", "s2"}
    assert drawn("JP") == drawn(None) == {"s0"}


def test_draw_spreads_and_is_the_same_for_equal_readers(pool: Pool):
    twin = scene(0).model_copy(update={"id": "s0-again"})
    pool.load([scene(0), twin, scene(1), scene(2)])
    drawn = pool.draw("openness", None, (), 3)
    assert drawn == pool.draw("openness", None, (), 3)
    assert drawn[0].id == "s0"
    assert "s0-again" not in {s.id for s in drawn}, "the same words are the last to be drawn"


def test_near_duplicates_are_refused_with_what_they_collide_with(pool: Pool):
    assert pool.add_unless_near([scene(0)], 0.85) == [None]
    near = scene(0).model_copy(
        update={"id": "near", "situation": SITUATIONS[0].replace("spare", "free")}
    )
    fresh = scene(1)
    collision, none = pool.add_unless_near([near, fresh], 0.85)
    assert none is None
    assert collision and collision.scenario == scene(0)
    assert 0.85 <= collision.similarity < 1
    assert len(pool) == 2
    elsewhere = near.model_copy(update={"dimension": "extraversion"})
    assert pool.add_unless_near([elsewhere], 0.85) == [None], "cells do not collide"


def test_duplicates_within_one_batch_are_refused_too(pool: Pool):
    twin = scene(0).model_copy(update={"id": "twin"})
    first, second = pool.add_unless_near([scene(0), twin], 0.85)
    assert first is None
    assert second and second.scenario.id == "s0"
    assert second.similarity == pytest.approx(1, abs=1e-5)


def test_a_repeated_step_adds_nothing_and_collides_with_nothing(pool: Pool):
    assert pool.add_unless_near([scene(0)], 0.85) == [None]
    assert pool.add_unless_near([scene(0)], 0.85) == [None]
    assert len(pool) == 1


def test_of_32_threads_with_the_same_text_one_gets_in(pool: Pool):
    twins = [scene(0).model_copy(update={"id": f"t{n}"}) for n in range(32)]
    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(lambda twin: pool.add_unless_near([twin], 0.85)[0], twins))
    assert found.count(None) == 1
    assert len(pool) == 1
    winner = twins[found.index(None)]
    assert {n.scenario.id for n in found if n} == {winner.id}
    assert pool.get([winner.id]) == [winner]


def test_a_collision_is_with_the_nearest_of_the_same_cell(pool: Pool):
    near = scene(0).model_copy(
        update={"id": "near", "situation": SITUATIONS[0].replace("spare", "free")}
    )
    pool.load([scene(0), scene(1), near, scene(0, dimension="power").model_copy(
        update={"id": "other"}
    )])  # fmt: skip
    [found] = pool.add_unless_near([scene(0)], duplicate_at=-1)
    assert found is not None and found.scenario.id == "near"
    assert found.similarity < 1, "the same words in another cell are nearer, and no matter"


def test_one_pool_at_a_time_and_the_next_finds_everything(
    tmp_path: Path, scripted: ScriptedEmbedder
):
    folder = tmp_path / "pool"
    first = Pool(folder, scripted)
    first.load([scene(0, "BR")])
    with pytest.raises(LockedError, match="Another gravity process has the pool"):
        Pool(folder, scripted)
    first.close()
    second = Pool(folder, scripted)
    assert second.get(["s0"]) == [scene(0, "BR")]
    assert second.load([scene(0, "BR")]) == 0
    second.close()


def test_another_process_waits_its_turn_and_sees_what_was_kept(
    tmp_path: Path, scripted: ScriptedEmbedder
):
    code = (
        "import sys, pathlib; from agents.pool import Pool; from agents.errors import LockedError\n"
        "from agents.scripted import ScriptedEmbedder\n"
        "try: print(len(Pool(pathlib.Path(sys.argv[1]), ScriptedEmbedder())))\n"
        "except LockedError: print('locked')\n"
    )

    def from_another_process() -> str:
        command = [sys.executable, "-c", code, str(tmp_path / "pool")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    pool = Pool(tmp_path / "pool", scripted)
    pool.load(shipped_scenarios())
    assert from_another_process() == "locked"
    pool.close()
    assert from_another_process() == str(len(shipped_scenarios()))


def test_vectors_of_different_models_never_meet(tmp_path: Path, scripted: ScriptedEmbedder):
    class Other(ScriptedEmbedder):
        name = "some/other model"

    pool = Pool(tmp_path, scripted)
    pool.load([scene(0)])
    pool.close()
    other = Pool(tmp_path, Other())
    assert len(other) == 0
    other.close()


def test_what_is_no_store_is_told_in_one_line(tmp_path: Path, scripted: ScriptedEmbedder):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        Pool(tmp_path / "file", scripted)
    (tmp_path / "chroma.sqlite3").write_bytes(b"no database" * 100)
    for _ in range(2):  # and the lock is let go
        with pytest.raises(StorageError, match="cannot be opened"):
            Pool(tmp_path, scripted)
