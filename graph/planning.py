"""Which dimensions a reader's pairs are gathered on, and why a quota cannot be met; pure."""

from collections.abc import Mapping, Sequence

from agents.frameworks.catalogue import dimension
from agents.portrait import notable
from agents.records import FACETS, Attribute, Facet, Pair, Profile
from agents.verification import supports
from graph.settings import SynthesisSettings
from graph.state import Cell


def plan_round(
    profile: Profile, pairs: Sequence[Pair], settings: SynthesisSettings, round_number: int
) -> tuple[list[Cell], dict[str, str]]:
    """The cells of the next round, and the facets that are starved with their reasons.

    Args:
        profile: whose attributes say which dimensions tell this reader apart.
        pairs: all pairs proposed for this reader so far, whatever became of them.
        settings: quotas, the least departure, and the most rounds.
        round_number: from 1; later rounds begin at later dimensions.
    """
    cells: list[Cell] = []
    starved: dict[str, str] = {}
    for facet in FACETS:
        lack = settings.quotas.get(facet, 0) - _held(profile, pairs, facet)
        if lack <= 0:
            continue
        known = known_dimensions(profile, facet, settings.min_departure)
        if not known:
            starved[facet] = f"nothing is known of this reader on any {facet} dimension"
        elif round_number > settings.rounds:
            starved[facet] = _why_refused(pairs, facet, settings.rounds)
        else:
            cells += _share_out(known, lack, (round_number - 1) * lack)
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
        failures: `dimension: what went wrong` for every failed writer call.
        settings: the quotas.
    """
    failing: set[Facet] = {dimension(failure.partition(":")[0]).facet for failure in failures}
    refused = {p.facet for p in pairs if p.status == "rejected"}
    facets: list[Facet] = [f for f in FACETS if f in starved and f in failing - refused]
    return sum(settings.quotas.get(f, 0) - _held(profile, pairs, f) for f in facets)


def known_dimensions(profile: Profile, facet: Facet, min_departure: float) -> list[Attribute]:
    """The broad attributes of a facet that may be used and stand off the middle, surest first."""
    return [a for a in notable(profile, min_departure) if a.facet == facet]


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


def _held(profile: Profile, pairs: Sequence[Pair], facet: Facet) -> int:
    """How many pairs were taken, or wait for a person, and are still true of the reader."""
    of_facet = [p for p in pairs if p.facet == facet and p.status in ("accepted", "review")]
    return sum(supports(profile, pair) for pair in of_facet)


def _why_refused(pairs: Sequence[Pair], facet: Facet, rounds: int) -> str:
    refused = [p for p in pairs if p.facet == facet and p.status == "rejected"]
    last = f"; the last because {refused[-1].reason}" if refused else ""
    return f"after {rounds} rounds {len(refused)} pairs had been refused{last}"
