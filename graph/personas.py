"""Rows of Nemotron-Personas in our schema: made-up people with a text on themselves, no reviews.

Columns as in nvidia/Nemotron-Personas-USA and its sisters of other countries. Of the texts only
those on tastes and ways are read: nothing on origin, family, money, health or where they live.
"""

from typing import Any

_TEXTS = (
    "persona",
    "hobbies_and_interests",
    "arts_persona",
    "travel_persona",
    "culinary_persona",
    "sports_persona",
    "professional_persona",
    "career_goals_and_ambitions",
)


def is_persona(values: dict[str, Any]) -> bool:
    """Whether a row of readers is such a persona."""
    return "uuid" in values and any(text in values for text in _TEXTS)


def reader(values: dict[str, Any]) -> dict[str, Any]:
    """A row of ours that is a whole reader."""
    sex = values.get("sex")
    texts = (str(values.get(name) or "").strip() for name in _TEXTS)
    return {
        "id": values["uuid"],
        "age": values.get("age"),
        "gender": str(sex).strip().lower() if sex else None,
        "country": values.get("country"),
        "about": "\n\n".join(text for text in texts if text),
        "reviews": [],
    }
