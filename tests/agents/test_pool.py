"""The candidate pool over a real ChromaDB: nothing twice, one process, nothing lost."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agents.errors import LockedError, StorageError
from agents.frameworks.catalogue import shipped_scenarios
from agents.pool import BATCH, LOOKED_AT, Neighbour, Pool
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


def too_near(at: float) -> Callable[[Scenario, Sequence[Neighbour]], Neighbour | None]:
    """An objection: the nearest neighbour, where its cosine is `at` or more."""
    return lambda _, near: near[0] if near and near[0].similarity >= at else None


def test_scenes_of_several_dimensions_make_one_cell_that_follows_the_pool(pool: Pool):
    pool.load([scene(0), scene(1, dimension="imagination"), scene(2, dimension="power")])

    def ids() -> set[str]:
        return {p.scenario_id for p in pool.scenes(("openness", "imagination")).order}

    assert ids() == {"s0", "s1"}
    pool.load([scene(3)])
    assert ids() == {"s0", "s1", "s3"}, "what was added since is there"
    pool.retire(["s1"])
    assert ids() == {"s0", "s3"}, "and what was retired is not"
    assert pool.scenes(("pace",)).order == ()


def test_a_scene_keeps_who_may_live_it(pool: Pool):
    pool.load([scene(0, "BR").model_copy(update={"ages": (20, 30)})])
    (place,) = pool.scenes(("openness",)).order
    assert (place.scenario_id, place.culture, place.ages) == ("s0", "BR", (20, 30))


def test_candidates_are_shown_their_nearest_neighbours_from_the_whole_pool(pool: Pool):
    near = {"id": "near", "situation": SITUATIONS[0].replace("spare", "free")}
    pool.load([scene(0), scene(1), scene(2, dimension="power")])
    shown: list[Neighbour] = []
    copy = scene(0, dimension="power").model_copy(update=near)
    pool.add_unless([copy], lambda _, found: shown.extend(found))
    assert shown[0].scenario.id == "s0", "another cell's scene is looked at too"
    assert {n.scenario.id for n in shown} == {"s0", "s1", "s2"}
    assert [n.similarity for n in shown] == sorted((n.similarity for n in shown), reverse=True)
    assert 0.85 <= shown[0].similarity < 1


def test_the_nearest_of_its_dimension_are_exact_whatever_came_and_went(
    pool: Pool, scripted: ScriptedEmbedder
):
    shipped = shipped_scenarios()
    pool.load(shipped[::2])
    candidate = shipped[1].model_copy(update={"id": "new"})
    shown: dict[str, float] = {}

    def look() -> list[str]:
        shown.clear()
        pool.add_unless(
            [candidate],
            lambda _, near: shown.update({n.scenario.id: n.similarity for n in near}) or True,
        )
        return [i for i in shown if pool.get([i])[0].dimension == candidate.dimension]

    def expected() -> dict[str, float]:
        of_cell = [s for s in pool.scenarios(candidate.dimension)]
        cosines = (
            scripted.embed([s.situation for s in of_cell])
            @ scripted.embed([candidate.situation])[0]
        )
        return {of_cell[i].id: float(cosines[i]) for i in np.argsort(-cosines)[:LOOKED_AT]}

    for change in (
        lambda: None,
        lambda: pool.load(shipped[1::2]),
        lambda: pool.retire([shipped[1].id]),
    ):
        change()
        assert set(look()) == set(expected())
        assert [shown[i] for i in expected()] == pytest.approx(list(expected().values()), abs=1e-3)


def test_what_is_objected_to_stays_out_and_the_rest_comes_in(pool: Pool):
    assert pool.add_unless([scene(0)], too_near(0.85)) == [None]
    near = scene(0).model_copy(update={"id": "near"})
    collision, none = pool.add_unless([near, scene(1)], too_near(0.85))
    assert none is None and collision and collision.scenario == scene(0)
    assert collision.similarity == pytest.approx(1, abs=1e-5)
    assert len(pool) == 2
    assert pool.add_unless([], too_near(0.85)) == []


def test_earlier_candidates_of_a_batch_are_neighbours_of_later_ones(pool: Pool):
    twin = scene(0).model_copy(update={"id": "twin"})
    first, second = pool.add_unless([scene(0), twin], too_near(0.85))
    assert first is None
    assert second and second.scenario.id == "s0"
    third = scene(0).model_copy(update={"id": "third"})
    again, same = pool.add_unless([third, third], too_near(2))
    assert again is same is None, "what was refused before is no neighbour"


def test_a_repeated_step_adds_nothing_and_collides_with_nothing(pool: Pool):
    assert pool.add_unless([scene(0)], too_near(0.85)) == [None]
    assert pool.add_unless([scene(0)], too_near(0.85)) == [None]
    assert len(pool) == 1


def test_of_32_threads_with_the_same_text_one_gets_in(pool: Pool):
    twins = [scene(0).model_copy(update={"id": f"t{n}"}) for n in range(32)]
    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(lambda t: pool.add_unless([t], too_near(0.85))[0], twins))
    assert found.count(None) == 1
    assert len(pool) == 1
    winner = twins[found.index(None)]
    assert {n.scenario.id for n in found if n} == {winner.id}
    assert pool.get([winner.id]) == [winner]


def test_search_finds_the_nearest_of_all_or_of_some_dimensions(pool: Pool):
    pool.load([scene(0), scene(1), scene(2, dimension="power")])
    assert [n.scenario.id for n in pool.search(SITUATIONS[1], 1)] == ["s1"]
    assert [n.scenario.id for n in pool.search(SITUATIONS[1], 9, ["power"])] == ["s2"]
    assert pool.search(SITUATIONS[1], 9, ["pace"]) == []


def test_all_scenarios_come_page_by_page(pool: Pool):
    many = [scene(n).model_copy(update={"id": f"m{n:04}"}) for n in range(2 * BATCH)]
    assert pool.load(iter(many)) == len(many)
    assert list(pool.scenarios()) == many
    pool.load([scene(0, dimension="power")])
    assert [s.id for s in pool.scenarios("power")] == ["s0"]
    assert list(pool.scenarios("pace")) == []


def test_the_rarest_parts_of_life_of_a_dimension(pool: Pool):
    at_home = {"domain": "home"}
    pool.load([scene(0).model_copy(update=at_home), scene(1), scene(2, dimension="power")])
    rarest = pool.rarest_domains("openness", 12)
    assert set(rarest[-2:]) == {"home", "community"}
    assert len(set(rarest)) == 12
    assert pool.rarest_domains("openness", 2) == rarest[:2]


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
