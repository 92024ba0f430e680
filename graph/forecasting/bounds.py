"""The most that one reader's part of a run may ask of the writer and the critic; it asks nobody."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.frameworks.catalogue import dimensions_of
from agents.records import Facet, Profile
from graph.planning import known_dimensions, plan_round
from graph.settings import SynthesisSettings
from graph.supply import serving

if TYPE_CHECKING:
    from agents.pool import Pool  # with ChromaDB, which takes seconds


@dataclass(frozen=True)
class Most:
    """What can be asked at most."""

    orders: int
    """To the writer."""
    proposals: int
    """Pairs that are put to the critic."""


def most_asked(
    pool: "Pool",
    profile: Profile,
    wanted: Mapping[Facet, int],
    gone: Collection[str],
    settings: SynthesisSettings,
    is_read: bool,
) -> Most:
    """What is asked where the critic refuses as many pairs as it can.

    In each round a cell is supplied once, and once more for each revision; where scenes run out,
    the writer is called each time, and once more for each rewrite.

    Args:
        pool: as it is now.
        profile: of the reader.
        wanted: pairs by facet.
        gone: scenes that may not be drawn: the reader had them, or they may be retired meanwhile.
        settings: rounds, rewrites and revisions.
        is_read: whether the profile is the one that the run will make; where it is not, it may know
            any dimension.
    """
    orders = proposals = 0
    supplies = 1 + settings.revisions
    for facet, count in wanted.items():
        names = _names(profile, facet, settings) if is_read else _all_names(facet)
        if count <= 0 or not names:
            continue
        of_one = math.ceil(count / len(names)) if is_read else count
        stocks = [_stock(pool, profile, name, gone, settings) for name in names]
        proposals += settings.rounds * supplies * count
        for number in range(1, settings.rounds + 1):
            short = sum(stock < number * supplies * of_one for stock in stocks)
            orders += min(short, count) * (supplies + settings.rewrites)
    return Most(orders, proposals)


def _names(profile: Profile, facet: Facet, settings: SynthesisSettings) -> Sequence[str]:
    """All dimensions of a facet that plans may be made on: a slot for each has a place for all."""
    known = known_dimensions(profile, facet, settings.min_departure)
    whole = settings.model_copy(update={"quotas": {facet: len(known)}})
    return [cell["dimension"] for cell in plan_round(profile, (), whole, 1)[0]]


def _all_names(facet: Facet) -> Sequence[str]:
    return [axis.name for axis in dimensions_of(facet) if axis.sensitive is None]


def _stock(
    pool: "Pool", profile: Profile, name: str, gone: Collection[str], settings: SynthesisSettings
) -> int:
    """How many scenes of the pool this reader can be given for a cell."""
    return sum(
        place.suits(profile.country, profile.age) and place.scenario_id not in gone
        for place in serving(pool, profile, name, settings).order
    )
