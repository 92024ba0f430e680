"""One item of a profile in full: what it says, how it is known, what was said of it."""

from collections.abc import Iterator

from textual.content import Content

from agents.posterior import MEAN
from agents.records import ABOUT, Attribute, Evidence, Interest, Reader, SensitiveTopic
from tui.widgets.plain import plain_line
from tui.widgets.profile_items import Item, State
from tui.widgets.profile_lines import departure_word, told_evidence, told_sources
from tui.widgets.profile_text import MUTED, SOURCES

_SAID: dict[State, tuple[str, str, str]] = {
    "confirmed": ("$text-success", "✓ confirmed by", "it counts as stated"),
    "corrected": ("$text-success", "✓ corrected by", "it counts as stated"),
    "removed": ("$text-error", "✗ removed by", "neither shown elsewhere nor used"),
    "forbidden": ("$text-warning", "⊘ use forbidden by", "shown here, and used for nothing"),
}
_TOPICS: dict[SensitiveTopic, str] = {"union": "union membership"}
NOT_KNOWN = "Nothing is known of this reader here. x tells where they stand."
COUNTRY_ONLY = (
    "Known of the country alone, and never used of a person. x tells where the reader stands."
)


def item_text(item: Item, reader: Reader) -> Content:
    """The words for `item`, with the texts of `reader` that it rests on."""
    return Content("\n").join(_lines(item, reader))


def _lines(item: Item, reader: Reader) -> Iterator[Content]:
    shown = item.shown
    if isinstance(shown, Interest):
        yield Content(f"{shown.share:.0%} of what this reader likes, over all genres")
        yield from _standing(item)
        yield Content.styled(f"known from: {SOURCES[shown.source]}", MUTED)
        return
    if not item.known:
        yield Content(NOT_KNOWN if shown.source == "default" else COUNTRY_ONLY)
        yield from _standing(item)
        yield Content.assemble(("high  ", "$text-primary"), item.phrase("high"))
        yield Content.assemble(("low   ", "$text-primary"), item.phrase("low"))
        return
    yield Content.assemble((f"{departure_word(shown)}: ", MUTED), (item.phrase(shown.pole), "bold"))
    yield from _standing(item)
    low, high = shown.band
    yield Content(
        f"{shown.score:.0f}, with a probability of 80 % from {low:.0f} to {high:.0f};"
        f" the middle is {MEAN:.0f}"
    )
    yield from _sources(shown)
    for evidence in shown.evidence:
        yield from _quoted(evidence, item, reader)


def _standing(item: Item) -> Iterator[Content]:
    shown = item.shown
    topic = shown.sensitive if isinstance(shown, Attribute) else None
    if item.said and item.state:
        colour, done, effect = _SAID[item.state]
        told = f"{done} {plain_line(item.said.by, 60)}: {effect}"
        yield Content.assemble((told, colour), ("  u takes it back", MUTED))
    elif topic and item.state == "sensitive":
        told = f"? sensitive, it touches on {_TOPICS.get(topic, topic)}: not used until confirmed"
        yield Content.styled(told, "$text-warning")
    if isinstance(shown, Attribute) and shown.expires_on and item.now:
        yield Content.styled(f"kept until {shown.expires_on}, unless it is confirmed", MUTED)


def _sources(attribute: Attribute) -> Iterator[Content]:
    told = told_sources(attribute) or SOURCES[attribute.source]
    yield Content.styled(f"known from: {told}", MUTED)


def _quoted(evidence: Evidence, item: Item, reader: Reader) -> Iterator[Content]:
    told = plain_line(told_evidence(evidence, reader), 1000) or "(the text is gone)"
    where = "about themselves" if evidence.review_id == ABOUT else _review(evidence, reader)
    yield Content.assemble((f"{evidence.pole:<4}  ", "$text-primary"), told, (f"  {where}", MUTED))
    statements = {s.id: s.text for s in item.axis.statements} if item.axis else {}
    if statement := statements.get(evidence.statement_id):
        yield Content.styled(f"      like: {statement}", MUTED)


def _review(evidence: Evidence, reader: Reader) -> str:
    review = reader.review(evidence.review_id)
    title = f" of {plain_line(review.title, 60)}" if review and review.title else ""
    return f"review {plain_line(evidence.review_id, 40)}{title}"
