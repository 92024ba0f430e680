"""What a reader's cells are supplied with: scenes of the pool, or a first order to the writer."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from agents.records import Profile
from agents.scenario_writer import Commission
from graph.commissions import commissioned
from graph.nodes import MOST_DOMAINS
from graph.planning import breadth, scene_dimensions
from graph.settings import SynthesisSettings
from graph.state import Cell, State

if TYPE_CHECKING:
    from agents.drawing import Scenes
    from agents.pool import Pool  # with ChromaDB, which takes seconds


def serving(pool: "Pool", profile: Profile, name: str, settings: SynthesisSettings) -> "Scenes":
    """The scenes of the pool that serve a reader's cell of the dimension `name`."""
    return pool.scenes(scene_dimensions(profile, name, settings.min_departure))


def drawn(
    pool: "Pool",
    profile: Profile,
    cell: Cell,
    taken: Collection[str],
    readers: int,
    settings: SynthesisSettings,
) -> list[str]:
    """Ids of scenes for a cell: as many as it wants, or as the pool has for this reader.

    Args:
        pool: where they are drawn.
        profile: of the reader.
        cell: how many are wanted on which dimension.
        taken: scenes that the reader was given before.
        readers: of the run, over whom scenes are spread.
        settings: the least departure, the quotas, and how many readers share a scene.
    """
    wanted = cell["wanted"]
    return serving(pool, profile, cell["dimension"], settings).draw(
        profile.reader_id,
        profile.country,
        profile.age,
        taken,
        wanted,
        breadth(cell["facet"], wanted, readers, settings),
    )


def order(
    pool: "Pool", profile: Profile, cell: Cell, round_number: int, settings: SynthesisSettings
) -> Commission:
    """The first commission in a round for a cell that lacks scenes.

    Args:
        pool: tells which parts of life are rare in the cell.
        profile: of the reader.
        cell: how many scenes are lacking on which dimension.
        round_number: of the plan, from 1.
        settings: the share of tailored scenes, and how many are asked for at least.
    """
    state = State(run_id="", reader_id=profile.reader_id, round=round_number, used=[], failures=[])
    domains = pool.rarest_domains(cell["dimension"], MOST_DOMAINS)
    return commissioned(state, cell, profile, domains, settings)
