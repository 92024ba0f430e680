"""The words that stand for a profile in a prompt: poles and interests, never names or nations."""

from functools import cache

from agents.frameworks.catalogue import dimension, dimensions, genre_clusters
from agents.records import Attribute, Interest, Profile

UNUSED_IN_DESCRIPTIONS = frozenset({"neuroticism", "economic_values"})
"""Vulnerabilities and their parts are never levers; what borders on politics is left alone."""
MOST_TOLD = 4
"""Attributes that a description may be told of."""
MOST_BESIDE_FOCUS = 2
"""Attributes that a pair's prompt tells beside the one the pair hinges on."""
NOTABLE_DEPARTURE = 0.15
"""An attribute is told of from this many of its own standard deviations off the middle."""
MOST_GENRES = 3
"""Genres that are told of a reader."""

GLADLY = "reads most gladly "


def portrait(profile: Profile, focus: str) -> str:
    """The reader behind `profile` in a few lines, the dimension `focus` first, for a pair's prompt.

    Country, age and gender are left out on purpose: they shape which scenes are drawn, and are
    never a ground to assert something of a person.
    """
    focused = profile.attribute(focus)
    others = [a for a in _told(profile) if a.dimension != focus][:MOST_BESIDE_FOCUS]
    attributes = [focused, *others] if focused and focused.usable else others
    lines = [f"- {line}" for line in (*map(_pole, attributes), *_gladly_read(profile))]
    return "\n".join(lines) or "- nothing is known of this reader yet"


def tastes(profile: Profile) -> str:
    """What sets the reader apart, in one phrase that follows "a reader who", for a description."""
    told = [*_gladly_read(profile), *map(_pole, _told(profile)[:MOST_TOLD])]
    return "; ".join(told) or "likes a good book"


def still_true(profile: Profile, told: str) -> bool:
    """Whether `profile` still bears every line of `told`, which holds an earlier portrait.

    It does not where it has another pole since, or may not tell of a dimension or genre any more.
    """
    lines = {line.removeprefix("- ") for line in told.splitlines()}
    poles = _poles() - {_pole(attribute) for attribute in profile.attributes if attribute.usable}
    liked = {interest.cluster for interest in profile.interests if not interest.forbidden}
    genres = [c.label.lower() for c in genre_clusters() if c.id not in liked]
    read = [line for line in lines if line.startswith(GLADLY)]
    return poles.isdisjoint(lines) and not any(g in line for line in read for g in genres)


def notable(profile: Profile, least: float = NOTABLE_DEPARTURE) -> list[Attribute]:
    """The broad attributes that may be used and set this reader apart, clearest first.

    Args:
        profile: whose.
        least: departure from the middle, in an attribute's own standard deviations.
    """
    return sorted(
        (
            a
            for a in profile.attributes
            if a.usable and a.departure >= least and not dimension(a.dimension).parent
        ),
        key=lambda a: (-a.departure, a.dimension),
    )


def reasons(profile: Profile) -> tuple[str, ...]:
    """Why a description is what it is: what `tastes` tells, with where it comes from."""
    told = [
        f"{_pole(a)} ({a.dimension} {a.score:.0f}±{a.sd:.0f}, {a.source},"
        f" evidence: {len(a.evidence)})"
        for a in _told(profile)[:MOST_TOLD]
    ]
    liked = [f"likes {i.label} ({i.share:.0%}, {i.source})" for i in _favourites(profile)]
    return (*liked, *told)


def _told(profile: Profile) -> list[Attribute]:
    return [a for a in notable(profile) if a.dimension not in UNUSED_IN_DESCRIPTIONS]


@cache
def _poles() -> frozenset[str]:
    return frozenset(phrase for axis in dimensions().values() for phrase in (axis.high, axis.low))


def _pole(attribute: Attribute) -> str:
    return dimension(attribute.dimension).pole(attribute.pole)


def _favourites(profile: Profile) -> list[Interest]:
    return [interest for interest in profile.interests if not interest.forbidden][:MOST_GENRES]


def _gladly_read(profile: Profile) -> list[str]:
    labels = [interest.label.lower() for interest in _favourites(profile)]
    return [f"{GLADLY}{', '.join(labels)}"] if labels else []
