"""Words for a reader's facts and for where knowledge comes from; it draws no attribute."""

from iso3166 import countries_by_alpha2
from textual.content import Content

from agents.records import Reader, Source
from tui.widgets.plain import plain_line

SOURCES: dict[Source, str] = {
    "stated": "stated",
    "questionnaire": "questionnaire",
    "inferred_text": "review text",
    "inferred_behaviour": "behaviour",
    "national_prior": "country",
    "default": "nothing known",
}
MUTED = "$text-muted"


def facts_line(reader: Reader) -> Content:
    """What the reader's record says outright, on one line."""
    country = countries_by_alpha2[reader.country].name if reader.country else "country unknown"
    facts = (
        f"{reader.age} years" if reader.age is not None else "age unknown",
        plain_line(reader.gender or "gender unknown", 40),
        country,
        plain_line(reader.locale or "locale unknown", 40),
        f"{len(reader.reviews)} reviews",
        f"{reader.answer_count} answers",
    )
    return Content.styled(" · ", MUTED).join([Content(fact) for fact in facts])
