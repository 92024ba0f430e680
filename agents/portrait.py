"""The words that stand for a profile in a prompt: poles and interests, never names or nations."""

from agents.frameworks.catalogue import dimension
from agents.records import Attribute, Facet, Profile

UNUSED_IN_DESCRIPTIONS = frozenset({"neuroticism", "economic_values"})
"""Vulnerabilities are never levers, and what borders on politics is left alone."""
MOST_ATTRIBUTES = 6
MOST_BESIDE_FOCUS = 2
"""In a pair's prompt the attribute the pair hinges on is told first, and few others with it."""
NOTABLE_DEPARTURE = 0.15
"""An attribute is told of from this many of its own standard deviations off the middle."""


def portrait(profile: Profile, focus: str | None = None) -> str:
    """Describe the reader behind `profile` in a few lines; `focus` is always among them.

    Country, age and gender are left out on purpose: they shape which scenes are drawn, and are
    never a ground to assert something of a person.
    """
    lines = [f"- {line}" for line in (*_pole_lines(profile, focus), *_interest_line(profile))]
    return "\n".join(lines) or "- nothing is known of this reader yet"


def notable(profile: Profile, facets: tuple[Facet, ...] | None = None) -> list[Attribute]:
    """The attributes that set this reader apart, clearest first."""
    return sorted(
        (
            a
            for a in profile.attributes
            if a.departure >= NOTABLE_DEPARTURE and (facets is None or a.facet in facets)
        ),
        key=lambda a: (-a.departure, a.dimension),
    )


def reasons(profile: Profile) -> tuple[str, ...]:
    """Why a description is what it is: the lines of the portrait with where they come from."""
    told = [
        f"{dimension(a.dimension).pole(a.pole)} ({a.dimension} {a.score:.0f}±{a.sd:.0f},"
        f" {a.source}, evidence: {len(a.evidence)})"
        for a in notable(profile)
        if a.dimension not in UNUSED_IN_DESCRIPTIONS
    ]
    liked = [f"likes {i.label} ({i.share:.0%}, {i.source})" for i in profile.interests[:3]]
    return (*liked, *told[:MOST_ATTRIBUTES])


def _interest_line(profile: Profile) -> list[str]:
    labels = [interest.label.lower() for interest in profile.interests[:3]]
    return [f"reads most gladly: {', '.join(labels)}"] if labels else []


def _pole_lines(profile: Profile, focus: str | None) -> list[str]:
    chosen = {a.dimension: a for a in notable(profile) if a.dimension not in UNUSED_IN_DESCRIPTIONS}
    names = list(chosen)[:MOST_ATTRIBUTES]
    focused = profile.attribute(focus) if focus else None
    if focused:
        chosen[focused.dimension] = focused
        others = [name for name in names if name != focused.dimension]
        names = [focused.dimension, *others[:MOST_BESIDE_FOCUS]]
    return [dimension(name).pole(chosen[name].pole) for name in names]
