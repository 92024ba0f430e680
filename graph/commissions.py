"""What the writer is asked for, for one cell of a reader's plan; pure, and it asks for nothing."""

import random
from collections.abc import Sequence

from agents.frameworks.catalogue import dimension
from agents.portrait import MOST_GENRES
from agents.records import Domain, Profile
from agents.scenario_writer import Commission
from graph.pairing import digest
from graph.settings import SynthesisSettings
from graph.state import Cell, State


def commissioned(
    state: State,
    cell: Cell,
    profile: Profile,
    domains: Sequence[Domain],
    settings: SynthesisSettings,
) -> Commission:
    """The commission for what a cell lacks.

    So many of a hundred as the settings say are set in the reader's country and touch on an
    interest of theirs; the dice are the same whenever the step is repeated.

    Args:
        state: of the reader's thread.
        cell: with as many scenes as it lacks.
        profile: the reader's.
        domains: parts of life that the pool has too few scenes of.
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
        domains=tuple(domains),
        avoid=tuple(state.get("avoid", {}).get(axis.name, [])),
        criticism=state.get("criticism", {}).get(axis.name, ""),
        repeat=int(digest(profile.reader_id, str(state.get("asked", 0))), 16) % 2**31,
    )
