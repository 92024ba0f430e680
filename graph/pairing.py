"""Makes pairs of scenarios, and of what a model invented; it judges and keeps none."""

import hashlib

from agents.naive import NaiveDraft
from agents.portrait import portrait
from agents.prompting import render
from agents.records import Facet, Pair, Profile, Scenario
from graph.state import Cell


def scenario_pair(run_id: str, profile: Profile, scenario: Scenario, cell: Cell) -> Pair:
    """The pair that a scenario makes for a reader, on the ground and at the pole of `cell`."""
    pole = cell["pole"]
    return Pair(
        id=digest(run_id, profile.reader_id, scenario.id),
        run_id=run_id,
        reader_id=profile.reader_id,
        scenario_id=scenario.id,
        facet=cell["facet"],
        dimension=cell["dimension"],
        pole=pole,
        prompt=render(
            "answer",
            portrait=portrait(profile, cell["dimension"]),
            situation=scenario.situation,
        ),
        chosen=scenario.answer(pole),
        rejected=scenario.answer("low" if pole == "high" else "high"),
    )


def invented_pair(run_id: str, profile: Profile, facet: Facet, draft: NaiveDraft) -> Pair:
    """The pair that the naive baseline makes of what a model invented."""
    scenario_id = f"n-{digest(draft.prompt, draft.preferred, draft.other)}"
    return Pair(
        id=digest(run_id, profile.reader_id, scenario_id),
        run_id=run_id,
        reader_id=profile.reader_id,
        scenario_id=scenario_id,
        facet=facet,
        dimension="",
        pole="high",
        prompt=render("answer", portrait=portrait(profile, ""), situation=draft.prompt),
        chosen=draft.preferred,
        rejected=draft.other,
        reason="invented, and judged by nobody",
    )


def digest(*parts: str) -> str:
    """16 hexadecimal digits, the same of the same parts: a repeated step doubles nothing."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
