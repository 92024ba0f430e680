"""A profile as plain lines, as a person would like to read it; it infers nothing."""

from collections.abc import Iterable, Iterator

from agents.frameworks.catalogue import dimension
from agents.instruments import NEO, neo_standings
from agents.records import Attribute, Evidence, Facet, Interest, Profile, Reader
from tui.widgets.marks import band_bar
from tui.widgets.plain import plain, plain_line
from tui.widgets.profile_text import SOURCES

TITLES: dict[Facet, str] = {
    "personality": "Personality",
    "value": "Values",
    "belief": "Beliefs",
    "interest": "Ways of reading",
}
BAR_WIDTH = 33
MOST_INTERESTS = 9
DEPARTURES = ((0.15, "no clear lean"), (0.5, "perhaps"), (1.0, "probably"))
"""Departures from the middle, in standard deviations of the attribute, and their words below."""


def profile_lines(reader: Reader, profile: Profile, every: bool = False) -> str:
    """`profile` with bars, words, sources and quotes.

    Args:
        reader: whose texts are quoted.
        profile: as it is in force.
        every: the parts of broad dimensions too, such as the facets of a trait.
    """
    lines = [*_head(reader, profile), "", "Interests", *_interests(profile.interests)]
    known = [a for a in profile.attributes if a.known]
    for facet, title in TITLES.items():
        shown = [a for a in known if a.facet == facet and (every or _broad(a))]
        if shown:
            lines += ["", f"{title:<28}{'low          middle          high':^33}"]
            for attribute in sorted(shown, key=lambda a: (-a.departure, a.dimension)):
                lines += _attribute(attribute, reader)
    lines += _standings(reader, profile, every)
    lines += _unknown(profile)
    lines += [f"Note: {notice}." for notice in profile.notices]
    return plain("\n".join(lines))


def departure_word(attribute: Attribute) -> str:
    """How sure the lean to one pole is, in a word."""
    return next((w for most, w in DEPARTURES if attribute.departure < most), "clearly")


def _head(reader: Reader, profile: Profile) -> Iterator[str]:
    explicit = [profile.age and f"{profile.age} years", profile.gender, profile.country]
    facts = ", ".join(str(fact) for fact in (*explicit, profile.locale) if fact)
    counts = f"{len(reader.reviews)} reviews, {reader.answer_count} questionnaire answers"
    yield f"{profile.reader_id}: {facts or 'no demographics'}; {counts}"
    if profile.made_on:
        yield f"made on {profile.made_on}; bands hold the truth with a probability of 80 %"


def _interests(interests: Iterable[Interest]) -> list[str]:
    listed = list(interests)[:MOST_INTERESTS]
    most = max((i.share for i in listed), default=1.0) or 1.0
    return [
        f"  {i.share:>4.0%} {'█' * round(i.share / most * 20):<20} {i.label}"
        f" ({SOURCES[i.source]}{', confirmed' if i.verified else ''}"
        f"{', use forbidden' if i.forbidden else ''})"
        for i in listed
    ] or ["  none known"]


def _attribute(attribute: Attribute, reader: Reader) -> Iterator[str]:
    known = dimension(attribute.dimension)
    bar = band_bar(attribute.score, (attribute.band[1] - attribute.score), BAR_WIDTH).plain
    indent = "  " if known.parent is None else "    "
    low, high = attribute.band
    scores = f"{attribute.score:3.0f} ({low:.0f} to {high:.0f})"
    yield f"{indent + known.label:<27.27} {bar} {scores:<15} {_state(attribute)}".rstrip()
    yield f"{'':28}{departure_word(attribute)}: {known.pole(attribute.pole)}"
    yield f"{'':28}from {told_sources(attribute)}"
    for evidence in attribute.evidence:
        yield f"{'':28}{plain_line(told_evidence(evidence, reader), 100)}"


def _state(attribute: Attribute) -> str:
    words: list[str] = []
    if attribute.verified:
        words.append("confirmed")
    if attribute.forbidden:
        words.append("use forbidden")
    if attribute.sensitive:
        unused = "" if attribute.verified else ", unused until confirmed"
        words.append(f"sensitive ({attribute.sensitive}){unused}")
    if attribute.expires_on:
        words.append(f"until {attribute.expires_on}")
    return ", ".join(words)


def told_sources(attribute: Attribute) -> str:
    """Every source with its share and method, weightiest first."""
    return ", ".join(
        f"{SOURCES[c.source]} {c.share:.0%} ({plain_line(c.method, 60)})" for c in attribute.sources
    )


def told_evidence(evidence: Evidence, reader: Reader) -> str:
    """The quoted words, or the rating where the evidence is a rating alone."""
    if evidence.end > evidence.start:
        return f"“{evidence.quote(reader)}”"
    review = reader.review(evidence.review_id)
    return f"rated {review.rating:g}: {review.title or review.book_id}" if review else ""


def _standings(reader: Reader, profile: Profile, every: bool) -> Iterator[str]:
    """The IPIP-NEO-120 in the terms of its norms, as far as the profile holds what it measures."""
    answers = reader.instruments.get(NEO)
    if answers is None:
        return
    yield ""
    sex = reader.gender if reader.gender in ("male", "female") else "either sex"
    age = f"the age of {reader.age}" if reader.age is not None else "21 to 40 years"
    yield f"IPIP-NEO-120 beside Johnson's norms for {sex} and {age}"
    for name, standing in neo_standings(answers, reader.gender, reader.age).items():
        axis = dimension(name)
        if profile.attribute(name) and (every or axis.parent is None):
            label = ("  " if axis.parent is None else "    ") + axis.label
            yield f"{label:<34.33}T {standing.t:3.0f}   percentile {standing.percentile:>2}"


def _unknown(profile: Profile) -> Iterator[str]:
    national = [a for a in profile.attributes if a.source == "national_prior"]
    if national:
        told = ", ".join(f"{a.dimension} {a.score:.0f}±{a.sd:.0f}" for a in national)
        yield ""
        yield f"Known of the country only, never used of a person: {told}"
    unknown = [a.dimension for a in profile.attributes if a.source == "default" and _broad(a)]
    if unknown:
        yield ""
        yield f"Nothing is known of: {', '.join(unknown)}"


def _broad(attribute: Attribute) -> bool:
    return dimension(attribute.dimension).parent is None
