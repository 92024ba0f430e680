"""What a model is told of a reader: poles that may be used, interests, and never the person."""

from typing import Any

import pytest

from agents.frameworks.catalogue import dimension, dimensions
from agents.portrait import (
    MOST_BESIDE_FOCUS,
    MOST_TOLD,
    NOTABLE_DEPARTURE,
    UNUSED_IN_DESCRIPTIONS,
    notable,
    portrait,
    reasons,
    tastes,
)
from agents.records import Attribute, Interest, Profile

UNUSABLE: list[dict[str, Any]] = [
    {"source": "national_prior"},
    {"source": "default"},
    {"forbidden": True},
    {"sensitive": "health"},
    {"forbidden": True, "verified": True},
]


def attribute(name: str, score: float = 65, **changes: Any) -> Attribute:
    given = {"facet": dimension(name).facet, "dimension": name, "score": score, "sd": 9.0}
    return Attribute.model_validate(given | {"source": "inferred_text"} | changes)


def profile(*attributes: Attribute, **changes: Any) -> Profile:
    return Profile(reader_id="ana", attributes=attributes, **changes)


def everything(of: Profile, focus: str = "openness") -> str:
    return "\n".join((portrait(of, focus), tastes(of), *reasons(of)))


@pytest.mark.parametrize("changes", UNUSABLE)
def test_what_may_not_be_used_is_told_nowhere(changes: dict[str, Any]):
    someone = profile(attribute("openness", 80, **changes))
    assert notable(someone) == []
    assert portrait(someone, "openness") == "- nothing is known of this reader yet"
    assert tastes(someone) == "likes a good book"
    assert reasons(someone) == ()


def test_what_is_sensitive_is_told_once_verified():
    assert dimension("openness").high in tastes(
        profile(attribute("openness", 80, sensitive="politics", verified=True))
    )


def test_parts_speak_through_their_broad_dimension_alone():
    part = next(a for a in dimensions().values() if a.parent == "openness")
    someone = profile(attribute(part.name, 80))
    assert notable(someone) == []
    assert tastes(someone) == "likes a good book"


def test_what_is_hardly_off_the_middle_is_left_out():
    line = 50 + NOTABLE_DEPARTURE * 9
    assert notable(profile(attribute("openness", line - 0.01))) == []
    assert len(notable(profile(attribute("openness", line + 0.01)))) == 1


def test_the_clearest_is_told_first_whichever_its_pole():
    someone = profile(
        attribute("openness", 58), attribute("power", 35), attribute("pace", 57, sd=4.0)
    )
    assert [a.dimension for a in notable(someone)] == ["pace", "power", "openness"]
    assert tastes(someone).split("; ") == [
        dimension("pace").high,
        dimension("power").low,
        dimension("openness").high,
    ]


def test_no_more_is_told_than_a_prompt_can_bear():
    broad = [a.name for a in dimensions().values() if not a.parent]
    someone = profile(*(attribute(n, 60 + i) for i, n in enumerate(broad)))
    assert len(tastes(someone).split("; ")) == MOST_TOLD
    assert len(reasons(someone)) == MOST_TOLD
    lines = portrait(someone, "openness").splitlines()
    assert len(lines) == 1 + MOST_BESIDE_FOCUS
    assert lines[0] == f"- {dimension('openness').high}" and lines.count(lines[0]) == 1


@pytest.mark.parametrize("name", sorted(UNUSED_IN_DESCRIPTIONS))
def test_vulnerabilities_stand_in_a_portrait_only_as_its_focus(name: str):
    someone = profile(attribute(name, 80))
    assert dimension(name).high not in everything(someone)
    assert portrait(someone, name) == f"- {dimension(name).high}"


def test_the_three_favourite_clusters_are_told_without_the_forbidden():
    labels = ("Romance", "Mystery", "Arts", "Science", "History")
    interests = tuple(
        Interest(
            cluster=label.lower(),
            label=label,
            share=0.2,
            source="stated",
            forbidden=label == "Mystery",
        )
        for label in labels
    )
    someone = profile(interests=interests)
    assert tastes(someone) == "reads most gladly romance, arts, science"
    assert [line.split(" (")[0] for line in reasons(someone)] == [
        "likes Romance",
        "likes Arts",
        "likes Science",
    ]


def test_the_person_is_told_nowhere():
    facts: dict[str, Any] = {"age": 67, "gender": "nonbinary", "country": "BR", "locale": "pt-BR"}
    plain = profile(attribute("openness", 70), attribute("power", 30))
    assert everything(plain.model_copy(update=facts)) == everything(plain)
