"""Which dimensions a reader's pairs are gathered on, and why a quota cannot be met; pure."""

import math
import random
from collections.abc import Mapping, Sequence

from agents.frameworks import schwartz
from agents.frameworks.catalogue import dimension, frameworks
from agents.records import FACETS, Attribute, Dimension, Facet, Pair, Profile
from agents.verification import supports
from graph.pairing import digest
from graph.settings import SynthesisSettings
from graph.state import Cell


def plan_round(
    profile: Profile, pairs: Sequence[Pair], settings: SynthesisSettings, round_number: int
) -> tuple[list[Cell], dict[str, str]]:
    """The cells of the next round, and the facets that are starved with their reasons.

    Args:
        profile: whose attributes say which dimensions tell this reader apart.
        pairs: all pairs proposed for this reader so far, whatever became of them.
        settings: quotas, the least departure, exploration, and the most rounds.
        round_number: from 1; later rounds begin at later dimensions.
    """
    cells: list[Cell] = []
    starved: dict[str, str] = {}
    for facet in FACETS:
        wanted = lack(profile, pairs, facet, settings)
        if wanted <= 0:
            continue
        known = known_dimensions(profile, facet, settings.min_departure)
        if not known:
            starved[facet] = f"nothing is known of this reader on any {facet} dimension"
        elif round_number > settings.rounds:
            starved[facet] = _why_refused(pairs, facet, settings.rounds)
        else:
            dice = random.Random(digest(profile.reader_id, facet))
            chosen = compatible(explored(known, settings.exploration, dice))
            cells += _share_out(chosen, wanted, (round_number - 1) * wanted)
    return cells, starved


def lost_to_failures(
    profile: Profile,
    pairs: Sequence[Pair],
    starved: Mapping[str, str],
    failures: Sequence[str],
    settings: SynthesisSettings,
) -> int:
    """How many pairs are lacking only because writer calls failed, and not by any refusal.

    Args:
        profile: in force; pairs that it does not bear any more are lacking too.
        pairs: all pairs proposed for the reader.
        starved: the facets whose quota is not met.
        failures: `facet: what went wrong` for every failed writer call.
        settings: the quotas.
    """
    failing = {failure.partition(":")[0] for failure in failures}
    refused = {p.facet for p in pairs if p.status == "rejected"}
    facets: list[Facet] = [f for f in FACETS if f in starved and f in failing - refused]
    return sum(lack(profile, pairs, f, settings) for f in facets)


def known_dimensions(profile: Profile, facet: Facet, min_departure: float) -> list[Attribute]:
    """The attributes of a facet that may be used and stand off the middle, clearest first."""
    clear = [
        a
        for a in profile.attributes
        if a.facet == facet and a.usable and a.departure >= min_departure
    ]
    return sorted(clear, key=lambda a: (-a.departure, a.dimension))


def explored(
    known: Sequence[Attribute], temperature: float, dice: random.Random
) -> list[Attribute]:
    """The attributes in the order in which they are to be served: clear ones early, not always.

    A draw from the Plackett-Luce model with worths exp(departure / temperature), by adding Gumbel
    noise (Yellott 1977, J. Math. Psychol. 15, 109-144). Where all departures are small, as after
    inference from text, the order is nearly even.
    """
    if not temperature:
        return list(known)
    gumbel = [-math.log(-math.log(max(dice.random(), 1e-12))) for _ in known]
    worth = [a.departure + temperature * g for a, g in zip(known, gumbel, strict=True)]
    return [known[i] for i in sorted(range(len(known)), key=lambda i: -worth[i])]


def compatible(ranked: Sequence[Attribute]) -> list[Attribute]:
    """Those that agree with everything before them; values next to an earlier one come last.

    Passed over are a part of a dimension that was chosen and its whole (they say the same twice),
    and values that the circle holds to be at odds: opposite ones at the same pole, neighbours at
    opposite poles.
    """
    first: list[Attribute] = []
    beside: list[Attribute] = []
    for attribute in ranked:
        chosen = [*first, *beside]
        if any(_are_kin(attribute, other) or _clash(attribute, other) for other in chosen):
            continue
        near = any(_are_adjacent(attribute, other) for other in chosen)
        (beside if near else first).append(attribute)
    return [*first, *beside]


def scene_dimensions(profile: Profile, name: str, min_departure: float) -> tuple[str, ...]:
    """The dimensions whose scenes serve a cell: its own, and the parts that the reader fits.

    Left out are sensitive parts, those the reader wants out of use, and those on which they are
    known to stand at the other pole.
    """
    axis, whole = dimension(name), profile.attribute(name)
    own = [profile.attribute(part.name) for part in _parts(axis)]
    astray = {
        a.dimension
        for a in own
        if a
        and whole
        and (a.forbidden or (a.usable and a.pole != whole.pole and a.departure >= min_departure))
    }
    fitting = (p.name for p in _parts(axis) if p.sensitive is None and p.name not in astray)
    return (name, *fitting)


def breadth(facet: Facet, wanted: int, readers: int, settings: SynthesisSettings) -> int:
    """Over how many scenes of a cell the readers of a run are spread.

    As many as let `readers_per_scenario` of them share each, if they took to all broad dimensions
    of the facet alike.
    """
    broad = sum(len(f.parts(None)) for f in frameworks().values() if f.facet == facet)
    draws = readers * settings.quotas.get(facet, 0) / broad
    return max(wanted, math.ceil(draws / settings.readers_per_scenario))


def lack(profile: Profile, pairs: Sequence[Pair], facet: Facet, settings: SynthesisSettings) -> int:
    """How many pairs the quota of a facet wants beside those held.

    Held are those taken, or waiting for a person, that are still true of the reader.
    """
    of_facet = [p for p in pairs if p.facet == facet and p.status in ("accepted", "review")]
    return settings.quotas.get(facet, 0) - sum(supports(profile, pair) for pair in of_facet)


def _share_out(known: Sequence[Attribute], lack: int, offset: int) -> list[Cell]:
    wanted: dict[str, int] = {}
    by_name: Mapping[str, Attribute] = {a.dimension: a for a in known}
    for slot in range(lack):
        name = known[(offset + slot) % len(known)].dimension
        wanted[name] = wanted.get(name, 0) + 1
    return [
        Cell(facet=by_name[n].facet, dimension=n, pole=by_name[n].pole, wanted=count)
        for n, count in wanted.items()
    ]


def _parts(axis: Dimension) -> tuple[Dimension, ...]:
    return frameworks()[axis.framework].parts(axis.name)


def _are_kin(one: Attribute, other: Attribute) -> bool:
    parents = dimension(one.dimension).parent, dimension(other.dimension).parent
    return parents[0] == other.dimension or parents[1] == one.dimension


def _clash(one: Attribute, other: Attribute) -> bool:
    same_pole = one.pole == other.pole
    at_odds = any(
        other.dimension in circle.conflicting(one.dimension) for circle in _circles(one, other)
    )
    return at_odds if same_pole else _are_adjacent(one, other)


def _are_adjacent(one: Attribute, other: Attribute) -> bool:
    return any(other.dimension in circle.adjacent(one.dimension) for circle in _circles(one, other))


def _circles(one: Attribute, other: Attribute) -> list[schwartz.Circle]:
    """The circles of values that both are on."""
    both = {one.dimension, other.dimension}
    circles = (schwartz.framework().ten, schwartz.framework().nineteen)
    return [circle for circle in circles if both <= set(circle.values)]


def _why_refused(pairs: Sequence[Pair], facet: Facet, rounds: int) -> str:
    refused = [p for p in pairs if p.facet == facet and p.status == "rejected"]
    last = f"; the last because {refused[-1].reason}" if refused else ""
    return f"after {rounds} rounds {len(refused)} pairs had been refused{last}"
