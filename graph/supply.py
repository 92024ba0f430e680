"""What a reader's cells are supplied with: scenes of the pool, or an order to the writer."""

import random
from collections.abc import Collection
from typing import TYPE_CHECKING

from agents.frameworks.catalogue import dimension
from agents.portrait import MOST_GENRES
from agents.records import Profile
from agents.scenario_writer import Commission
from graph.pairing import digest
from graph.planning import breadth, scene_dimensions
from graph.settings import SynthesisSettings
from graph.state import Cell, State

if TYPE_CHECKING:
    from agents.drawing import Scenes
    from agents.pool import Pool  # with ChromaDB, which takes seconds

MOST_DOMAINS = 3
"""Parts of life, the rarest in a cell, that the writer is asked to take scenes from."""


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
    pool: "Pool", state: State, cell: Cell, profile: Profile, settings: SynthesisSettings
) -> Commission:
    """What the writer is asked for, for a cell that lacks scenes.

    So many of a hundred as the settings say are set in the reader's country and touch on an
    interest of theirs; the dice are the same whenever the step is repeated.

    Args:
        pool: tells which parts of life are rare in the cell.
        state: of the reader's thread.
        cell: how many scenes are lacking on which dimension.
        profile: the reader's.
        settings: how many scenes a call is asked for, at least, and how many are tailored.
    """
    axis = dimension(cell["dimension"])
    dice = random.Random(digest(profile.reader_id, axis.name, str(state.get("round"))))
    tailored = dice.random() < settings.tailored_share
    liked = [i.label for i in profile.interests if not i.forbidden] if tailored else []
    return Commission(
        dimension=axis,
        count=max(cell["wanted"], settings.scenarios_per_call),
        country=profile.country if tailored else None,
        interest=dice.choice(liked[:MOST_GENRES]).lower() if liked else "",
        domains=tuple(pool.rarest_domains(axis.name, MOST_DOMAINS)),
        avoid=tuple(state.get("avoid", {}).get(axis.name, [])),
        criticism=state.get("criticism", {}).get(axis.name, ""),
        repeat=int(digest(profile.reader_id, str(state.get("asked", 0))), 16) % 2**31,
    )
