"""Applies what readers said of their own profiles; it stores nothing and asks nobody."""

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from agents.frameworks.catalogue import GenreCluster, dimensions, genre_clusters
from agents.portrait import still_true
from agents.posterior import MEAN, SD, scale_reliability
from agents.records import (
    Attribute,
    Contribution,
    Dimension,
    Interest,
    Pair,
    Pole,
    Profile,
    Record,
)

VerificationAction = Literal["confirm", "correct", "remove", "forbid"]
STATED_ITEMS = 4
"""A reader's own word on a whole dimension counts like the answers to so many items: a working
assumption, like the next."""
STATED_SD = round(SD * math.sqrt(1 - scale_reliability(STATED_ITEMS) ** 2), 2)
CONFIRMED_DEPARTURE = SD
"""A confirmed inference stands at least one standard deviation off the middle."""
LEVELS = {"low": 35.0, "rather low": 43.0, "middle": 50.0, "rather high": 57.0, "high": 65.0}
"""T points for the words a person may use instead: 1.5 and 0.7 standard deviations off the mean."""


class Verification(Record):
    """What the reader, or an operator for them, said of one item of their profile."""

    reader_id: str
    item: str
    """A dimension, or a genre cluster."""
    action: VerificationAction
    score: float | None = Field(default=None, ge=20, le=80)
    """T points, with `correct` only."""
    pole: Pole | None = None
    """The pole that was shown when it was confirmed; with `confirm` of a dimension only."""
    by: str
    at: float
    """Unix time in seconds."""

    @model_validator(mode="after")
    def _each_with_its_action(self) -> Self:
        if (self.action == "correct") != (self.score is not None):
            raise ValueError("a score stands with correct, and with nothing else")
        if self.pole and self.action != "confirm":
            raise ValueError("a pole stands with confirm, and with nothing else")
        return self


def verifiable_items() -> set[str]:
    """Everything that can be confirmed or corrected: dimensions and genre clusters."""
    return dimensions().keys() | {cluster.id for cluster in genre_clusters()}


def in_force(profile: Profile, said: Iterable[Verification], today: date) -> Profile:
    """`profile` as it may be seen and used today, and as its reader wants it.

    `confirm` makes an inference a stated fact, `correct` puts the stated score in its place,
    `forbid` keeps it in sight and out of use, and `remove` takes it out. Of several words on one
    item the last that counts is taken (see `last_words`). What has expired is gone, unless the
    reader made it their own; a genre that was confirmed and a dimension that was corrected stay
    even where the profile has none any more, unless the dimension is sensitive: consent to it is
    kept with the inference alone. Dimensions that an older version knew and this one does not are
    left out.
    """
    last = last_words(profile, said)
    known = [a for a in profile.attributes if a.dimension in dimensions()]
    held = {a.dimension for a in known}
    told = [_unknown(d) for n, d in dimensions().items() if n not in held and _is_told(d, last)]
    attributes = (_attribute(a, last.get(a.dimension), today) for a in (*known, *told))
    inferred = {i.cluster for i in profile.interests}
    lapsed = [_lapsed(c) for c in genre_clusters() if c.id not in inferred and c.id in last]
    interests = (_interest(i, last.get(i.cluster)) for i in (*profile.interests, *lapsed))
    return profile.model_copy(
        update={
            "attributes": tuple(a for a in attributes if a),
            "interests": tuple(i for i in interests if i),
        }
    )


def last_words(profile: Profile, said: Iterable[Verification]) -> dict[str, Verification]:
    """The last word that counts on each item.

    A confirmation does not where nothing was inferred of the person, nor where the profile was
    made anew since and stands at the other pole.
    """
    of = {a.dimension: a for a in profile.attributes}
    in_order = sorted(said, key=lambda v: v.at)
    return {v.item: v for v in in_order if _counts(v, of.get(v.item))}


def supports(profile: Profile, pair: Pair) -> bool:
    """Whether the profile in force bears a pair: its ground, and everything that its prompt tells.

    The ground is an attribute at the pair's pole, or a genre that the reader has not ruled out; a
    pair that was invented from the whole profile has its prompt alone.
    """
    attribute = profile.attribute(pair.dimension)
    genre = next((i for i in profile.interests if i.cluster == pair.dimension), None)
    if attribute:
        borne = attribute.usable and attribute.pole == pair.pole
    elif genre:
        borne = not genre.forbidden
    else:
        borne = not pair.dimension
    told = (turn.content for turn in pair.prompt if turn.role == "system")
    return borne and all(still_true(profile, text) for text in told)


def _counts(said: Verification, of: Attribute | None) -> bool:
    if said.action != "confirm" or of is None:
        return True
    return of.known and said.pole in (None, of.pole)


def _is_told(axis: Dimension, last: Mapping[str, Verification]) -> bool:
    said = last.get(axis.name)
    return said is not None and said.action == "correct" and axis.sensitive is None


def _unknown(axis: Dimension) -> Attribute:
    """A dimension that nothing speaks for but what was said of it."""
    return Attribute(facet=axis.facet, dimension=axis.name, score=MEAN, sd=SD, source="default")


def _attribute(attribute: Attribute, said: Verification | None, today: date) -> Attribute | None:
    expired = attribute.expires_on is not None and attribute.expires_on <= today
    if said is None or said.action == "forbid":
        forbidden = {"forbidden": said is not None}
        return None if expired else attribute.model_copy(update=forbidden)
    if said.action == "remove":
        return None
    departure = attribute.score - MEAN
    score, sd = attribute.score, min(attribute.sd, STATED_SD)
    if said.score is not None:
        score, sd = said.score, STATED_SD
    elif attribute.source.startswith("inferred") and abs(departure) < CONFIRMED_DEPARTURE:
        score = MEAN + (CONFIRMED_DEPARTURE if departure >= 0 else -CONFIRMED_DEPARTURE)
    corrected = said.action == "correct"
    method = f"{'corrected' if corrected else 'confirmed'} by {said.by}"
    return attribute.model_copy(
        update={
            "score": score,
            "sd": sd,
            "source": "stated",
            "sources": (Contribution(source="stated", method=method, share=1.0),),
            "evidence": () if corrected else attribute.evidence,
            "verified": True,
            "expires_on": None,
        }
    )


def _lapsed(cluster: GenreCluster) -> Interest:
    """A genre that nothing speaks for but what was said of it."""
    return Interest(cluster=cluster.id, label=cluster.label, share=0.0, source="default")


def _interest(interest: Interest, said: Verification | None) -> Interest | None:
    if said is None:
        return interest
    if said.action == "remove":
        return None
    if said.action == "forbid":
        return interest.model_copy(update={"forbidden": True})
    return interest.model_copy(update={"verified": True, "source": "stated"})
