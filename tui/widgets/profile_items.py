"""The items of a profile as rows: what was inferred, what was said of it, what holds now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from textual.content import Content

from agents.errors import NotFoundError
from agents.frameworks.catalogue import dimension
from agents.records import Attribute, Dimension, Interest, Pole, Profile
from agents.verification import Verification, in_force, last_words
from tui.widgets.marks import band_bar, share_bar, status_mark
from tui.widgets.plain import plain_line
from tui.widgets.profile_text import MUTED, SOURCES
from tui.widgets.rows import Column

BAR_WIDTH = 19
ITEM_COLUMNS = (
    Column("Item", 20, share=1),
    Column("Facet", 11),
    Column("20      50       80", BAR_WIDTH),
    Column("", 4, align="right"),
    Column("Known from", 13),
)
State = Literal["confirmed", "corrected", "removed", "forbidden", "sensitive"]
_STATES: dict[str, State] = {
    "confirm": "confirmed",
    "correct": "corrected",
    "remove": "removed",
    "forbid": "forbidden",
}


@dataclass(frozen=True)
class Item:
    """One attribute or interest, as it was inferred and as it holds now."""

    inferred: Attribute | Interest
    now: Attribute | Interest | None
    """None where it was removed."""
    said: Verification | None
    """The last word on it that counts."""

    @property
    def shown(self) -> Attribute | Interest:
        """What holds, else what was inferred."""
        return self.now or self.inferred

    @property
    def name(self) -> str:
        """The dimension or the genre cluster."""
        return (
            self.inferred.dimension
            if isinstance(self.inferred, Attribute)
            else self.inferred.cluster
        )

    @property
    def axis(self) -> Dimension | None:
        """The dimension, where a framework still has it."""
        try:
            return dimension(self.name) if isinstance(self.inferred, Attribute) else None
        except NotFoundError:
            return None

    @property
    def parent(self) -> str | None:
        """The broader dimension it is a part of."""
        return self.axis.parent if self.axis else None

    @property
    def label(self) -> str:
        """Its name for people."""
        if isinstance(self.inferred, Interest):
            return plain_line(self.inferred.label)
        return self.axis.label if self.axis else plain_line(self.name).replace("_", " ")

    @property
    def facet(self) -> str:
        """The facet, or that it is a genre."""
        return self.inferred.facet if isinstance(self.inferred, Attribute) else "genre"

    @property
    def known(self) -> bool:
        """Whether anything is known of this reader, beyond their country and everyone."""
        return isinstance(self.shown, Interest) or self.shown.known

    @property
    def state(self) -> State | None:
        """What was said of it, or that it waits for a word; none where it needs none."""
        if self.said:
            return _STATES[self.said.action]
        sensitive = isinstance(self.inferred, Attribute) and self.inferred.sensitive
        return "sensitive" if sensitive and self.known else None

    def phrase(self, pole: Pole) -> str:
        """How a person at `pole` is."""
        return self.axis.pole(pole) if self.axis else f"{pole} in {self.label}"


def profile_items(
    inferred: Profile, said: Iterable[Verification], today: date, parts: bool
) -> list[Item]:
    """Interests as they are ranked, then attributes, clearest inference first.

    The order is that of the inference, so that no row moves when something is said of it. What
    the reader has told of dimensions that the profile has none of comes last.

    Args:
        inferred: as the profiler made it.
        said: everything that was said of it, in order.
        today: what expires by then is left out, unless the reader made it their own.
        parts: the parts of broad dimensions too, each below its own.
    """
    said = list(said)
    last = last_words(inferred, said)
    holds, unsaid = in_force(inferred, said, today), in_force(inferred, (), today)
    liked = {i.cluster: i for i in holds.interests}
    found = {a.dimension: a for a in holds.attributes}
    alive = found.keys() | {a.dimension for a in unsaid.attributes}
    told = [a for a in holds.attributes if inferred.attribute(a.dimension) is None]
    interests = (Item(i, liked.get(i.cluster), last.get(i.cluster)) for i in inferred.interests)
    attributes = [
        Item(a, found.get(a.dimension), last.get(a.dimension))
        for a in (*sorted(inferred.attributes, key=_clearest), *told)
        if a.dimension in alive
    ]
    return [*interests, *_nested(attributes, parts)]


def _clearest(attribute: Attribute) -> tuple[bool, float, str]:
    return not attribute.known, -attribute.departure, attribute.dimension


def _nested(attributes: Sequence[Item], parts: bool) -> Iterator[Item]:
    names = {item.name for item in attributes}
    for item in attributes:
        if item.parent not in names:
            yield item
            if parts:
                yield from (part for part in attributes if part.parent == item.name)


def item_cells(item: Item) -> Sequence[Content | str]:
    """One item as a line of the table; what was removed is struck and shows no score."""
    label = f"  {item.label}" if item.parent else item.label
    state = item.state
    mark = status_mark(state) if state else Content.styled(SOURCES[item.shown.source], MUTED)
    if item.now is None:
        return (
            Content.styled(label, f"strike {MUTED}"),
            Content.styled(item.facet, MUTED),
            "",
            "",
            mark,
        )
    return (
        Content.styled(label, "" if item.known else MUTED),
        Content.styled(item.facet, MUTED),
        *_measure(item.now),
        mark,
    )


def _measure(now: Attribute | Interest) -> tuple[Content, str]:
    if isinstance(now, Interest):
        return share_bar(now.share, BAR_WIDTH), f"{now.share:.0%}"
    if now.source == "default":
        return Content(""), ""
    return band_bar(now.score, now.band[1] - now.score, BAR_WIDTH), f"{now.score:.0f}"
