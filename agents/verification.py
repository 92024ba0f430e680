"""Applies what readers said of their own profiles; it stores nothing and asks nobody."""

import math
from collections.abc import Iterable
from datetime import date

from agents.frameworks.catalogue import GenreCluster, dimensions, genre_clusters
from agents.posterior import MEAN, SD, scale_reliability
from agents.records import Attribute, Contribution, Interest, Profile, Verification

STATED_ITEMS = 4
"""A reader's own word on a whole dimension counts like the answers to so many items."""
STATED_SD = round(SD * math.sqrt(1 - scale_reliability(STATED_ITEMS) ** 2), 2)
CONFIRMED_DEPARTURE = SD
"""A confirmed inference stands at least one standard deviation off the middle."""


def verifiable_items() -> set[str]:
    """Everything that can be confirmed or corrected: dimensions and genre clusters."""
    return dimensions().keys() | {cluster.id for cluster in genre_clusters()}


def in_force(profile: Profile, said: Iterable[Verification], today: date) -> Profile:
    """`profile` as it may be seen and used today, and as its reader wants it.

    `confirm` makes an inference a stated fact, `correct` puts the stated score in its place,
    `forbid` keeps it in sight and out of use, and `remove` takes it out. Of several words on one
    item the last counts. What has expired is gone, unless the reader made it their own; a genre
    that was confirmed stays even where nothing speaks for it any more. Dimensions that an older
    version knew and this one does not are left out.
    """
    last = {v.item: v for v in sorted(said, key=lambda v: v.at)}
    known = [a for a in profile.attributes if a.dimension in dimensions()]
    attributes = (_attribute(a, last.get(a.dimension), today) for a in known)
    inferred = {i.cluster for i in profile.interests}
    lapsed = [_lapsed(c) for c in genre_clusters() if c.id not in inferred and c.id in last]
    interests = (_interest(i, last.get(i.cluster)) for i in (*profile.interests, *lapsed))
    return profile.model_copy(
        update={
            "attributes": tuple(a for a in attributes if a),
            "interests": tuple(i for i in interests if i),
        }
    )


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
