"""A profile in words and bars: facts, interests, attributes and their evidence; it shows only."""

from collections.abc import Sequence

from iso3166 import countries_by_alpha2
from textual.content import Content

from agents.errors import NotFoundError
from agents.frameworks.catalogue import dimension
from agents.records import Attribute, Dimension, Evidence, Profile, Reader, Source
from tui.widgets.marks import band_bar, share_bar
from tui.widgets.plain import plain_line
from tui.widgets.rows import Column

ATTRIBUTE_COLUMNS = (
    Column("Attribute", 18, share=1),
    Column("Facet", 11),
    Column("20        50         80", 23),
    Column("T±sd", 6, align="right"),
    Column("Known from", 14),
)
BAR_WIDTH = 23
SOURCES: dict[Source, str] = {
    "stated": "stated",
    "questionnaire": "questionnaire",
    "inferred_text": "review text",
    "inferred_behaviour": "behaviour",
    "national_prior": "national prior",
    "default": "default",
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
        f"{len(reader.questionnaire)} answers",
    )
    return Content.styled(" · ", MUTED).join([Content(fact) for fact in facts])


def interests_text(profile: Profile) -> Content:
    """The interests as ranked bars."""
    if not profile.interests:
        return Content.styled("none known", MUTED)
    most = max(interest.share for interest in profile.interests) or 1.0
    lines = []
    for interest in profile.interests:
        label = Content(plain_line(interest.label)).truncate(20, ellipsis=True)
        bar = share_bar(interest.share / most, 7)
        share = f" {interest.share:>4.0%}"
        lines.append(Content.assemble(label.pad_right(21 - label.cell_length), bar, share))
    return Content("\n").join(lines)


def attribute_cells(attribute: Attribute) -> Sequence[Content | str]:
    """One attribute as a line of the table."""
    known = _dimension(attribute.dimension)
    return (
        plain_line(known.label if known else attribute.dimension),
        Content.styled(attribute.facet, MUTED),
        band_bar(attribute.score, attribute.sd, BAR_WIDTH),
        f"{attribute.score:.0f}±{attribute.sd:.0f}",
        Content.styled(SOURCES[attribute.source], MUTED),
    )


def evidence_text(attribute: Attribute, reader: Reader) -> Content:
    """What the attribute says of the reader, and the words of the reviews it rests on."""
    known = _dimension(attribute.dimension)
    lines: list[Content] = []
    if known:
        lines.append(
            Content.assemble(
                (f"{known.label}, {attribute.pole}: ", "bold"), known.pole(attribute.pole)
            )
        )
    statements = {s.id: s.text for s in known.statements} if known else {}
    for evidence in attribute.evidence:
        lines.append(
            Content.assemble(
                (f"{evidence.pole:<4} ", "$text-primary"),
                _words(evidence, reader),
                (f"  review {plain_line(evidence.review_id, 40)}", MUTED),
            )
        )
        if statement := statements.get(evidence.statement_id):
            lines.append(Content.styled(f"     like: {statement}", MUTED))
    if not attribute.evidence:
        lines.append(Content.styled(f"no quote; known from: {SOURCES[attribute.source]}", MUTED))
    return Content("\n").join(lines)


def _words(evidence: Evidence, reader: Reader) -> str:
    """The quoted words; the stars where the evidence is the rating alone."""
    review = next((r for r in reader.reviews if r.id == evidence.review_id), None)
    if review is None:
        return "(the review is gone)"
    if evidence.start == evidence.end:
        return f"rated {review.rating:g} of 5"
    return f"“{plain_line(evidence.quote(reader))}”"


def _dimension(name: str) -> Dimension | None:
    try:
        return dimension(name)
    except NotFoundError:
        return None
