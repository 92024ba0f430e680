"""What readers say of their profiles: the last word counts, whatever was inferred."""

import math
from datetime import date
from typing import Any

import pytest

from agents.frameworks.catalogue import dimension, dimensions, genre_clusters
from agents.portrait import portrait, reasons, tastes
from agents.records import (
    Attribute,
    Contribution,
    Evidence,
    Interest,
    Message,
    Pair,
    Pole,
    Profile,
    SensitiveTopic,
    Source,
)
from agents.verification import (
    Verification,
    VerificationAction,
    in_force,
    last_words,
    supports,
    verifiable_items,
)

TODAY = date(2026, 3, 1)


def attribute(name: str, score: float = 57.0, **changes: Any) -> Attribute:
    given: dict[str, Any] = {
        "facet": dimension(name).facet,
        "dimension": name,
        "score": score,
        "sd": 9.7,
        "source": "inferred_text",
        "sources": (Contribution(source="inferred_text", method="told", share=1.0),),
        "evidence": (Evidence(review_id="a", start=0, end=4, pole="high"),),
    }
    return Attribute.model_validate(given | changes)


def profile(*attributes: Attribute) -> Profile:
    interests = (
        Interest(cluster="romance", label="Romance", share=0.3, source="inferred_behaviour"),
        Interest(cluster="mystery", label="Mystery", share=0.2, source="inferred_behaviour"),
    )
    return Profile(reader_id="ana", interests=interests, attributes=attributes)


def said(
    item: str,
    action: VerificationAction,
    score: float | None = None,
    at: float = 1.0,
    pole: Pole | None = None,
) -> Verification:
    return Verification(
        reader_id="ana", item=item, action=action, score=score, pole=pole, by="Ana", at=at
    )


def pair(of: Profile, pole: Pole = "high") -> Pair:
    """A pair on openness as it is made for `of`."""
    told = Message(role="system", content=f"What is known:\n{portrait(of, 'openness')}\n")
    return Pair(
        id="p",
        run_id="r",
        reader_id="ana",
        scenario_id="s",
        facet="personality",
        dimension="openness",
        pole=pole,
        prompt=(told, Message(role="user", content=dimension("trust").high)),
        chosen="a",
        rejected="b",
    )


def held(of: Profile, *words: Verification, today: date = TODAY) -> Attribute | None:
    return in_force(of, words, today).attribute("openness")


def test_without_a_word_a_profile_stands_as_it_is():
    before = profile(attribute("openness"), attribute("agreeableness", 44))
    assert in_force(before, (), TODAY) == before
    assert in_force(before, [said("extraversion", "remove")], TODAY) == before


def test_a_confirmed_inference_becomes_a_stated_fact():
    confirmed = held(profile(attribute("openness", 64)), said("openness", "confirm"))
    assert confirmed is not None
    assert (confirmed.score, confirmed.source, confirmed.verified) == (64, "stated", True)
    assert confirmed.sd == pytest.approx(10 * math.sqrt(1 - 1.2 / 1.9), abs=0.005)
    assert [(c.source, c.share) for c in confirmed.sources] == [("stated", 1.0)]
    assert confirmed.sources[0].method == "confirmed by Ana"
    assert confirmed.evidence, "what was inferred stays to be seen"


@pytest.mark.parametrize(
    ("score", "expected"), [(52, 60), (48, 40), (30, 30), (59.9, 60), (61, 61)]
)
def test_a_confirmed_pole_stands_off_the_middle(score: float, expected: float):
    confirmed = held(profile(attribute("openness", score)), said("openness", "confirm"))
    assert confirmed is not None and confirmed.score == expected


@pytest.mark.parametrize("source", ["default", "national_prior"])
def test_what_nobody_knows_of_the_reader_is_not_confirmed_into_use(source: Source):
    unknown = profile(attribute("openness", 54, source=source, sources=(), evidence=()))
    assert in_force(unknown, [said("openness", "confirm")], TODAY) == unknown
    corrected = [said("openness", "correct", 35), said("openness", "confirm", at=2)]
    told = held(unknown, *corrected)
    assert told is not None and (told.score, told.usable) == (35, True)


@pytest.mark.parametrize(
    ("pole", "score", "verified"),
    [("high", 64, True), ("low", 36, True), (None, 36, True), ("high", 36, False)],
)
def test_the_pole_that_was_shown_is_confirmed_and_not_its_opposite(
    pole: Pole | None, score: float, verified: bool
):
    """The profile may have been made anew since."""
    word = said("openness", "confirm", pole=pole)
    before = profile(attribute("openness", score, sensitive="politics"))
    found = held(before, word)
    assert found is not None and (found.verified, found.usable) == (verified, verified)
    assert (last_words(before, [word]) == {"openness": word}) is verified


def test_a_correction_counts_where_the_profile_has_no_such_dimension():
    told = held(profile(), said("openness", "correct", 35))
    assert told is not None and told.usable and told.facet == "personality"
    assert (told.score, told.source, told.verified) == (35, "stated", True)
    for word in (said("openness", "confirm"), said("openness", "forbid")):
        assert held(profile(), word) is None
    consent = next(d.name for d in dimensions().values() if d.sensitive)
    assert in_force(profile(), [said(consent, "correct", 35)], TODAY) == profile()


def test_a_correction_puts_the_stated_score_and_drops_the_evidence():
    corrected = held(profile(attribute("openness", 64)), said("openness", "correct", 35))
    assert corrected is not None
    assert (corrected.score, corrected.source, corrected.pole) == (35, "stated", "low")
    assert (corrected.verified, corrected.evidence) == (True, ())
    assert corrected.sources[0].method == "corrected by Ana"


def test_what_is_removed_is_gone_and_nothing_else():
    left = in_force(
        profile(attribute("openness"), attribute("agreeableness")),
        [said("openness", "remove")],
        TODAY,
    )
    assert [a.dimension for a in left.attributes] == ["agreeableness"]
    assert len(left.interests) == 2


def test_what_is_forbidden_stays_in_sight_and_out_of_use():
    forbidden = held(profile(attribute("openness", 70)), said("openness", "forbid"))
    assert forbidden is not None
    assert (forbidden.forbidden, forbidden.usable, forbidden.score) == (True, False, 70)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([("correct", 30, 1), ("confirm", None, 2)], (64, False)),
        ([("confirm", None, 2), ("correct", 30, 1)], (64, False)),
        ([("forbid", None, 1), ("correct", 30, 2)], (30, False)),
        ([("remove", None, 1), ("forbid", None, 2)], (64, True)),
        ([("correct", 30, 1), ("correct", 70, 2)], (70, False)),
        ([("correct", 30, 1), ("correct", 70, 1)], (70, False)),
        ([("confirm", None, 1), ("remove", None, 2)], None),
    ],
)
def test_the_last_word_counts(
    words: list[tuple[VerificationAction, float | None, float]],
    expected: tuple[float, bool] | None,
):
    told = [said("openness", action, score, at) for action, score, at in words]
    found = held(profile(attribute("openness", 64)), *told)
    assert (found and (found.score, found.forbidden)) == expected


def test_what_has_expired_is_gone_on_the_day():
    fading = profile(attribute("openness", expires_on=TODAY))
    assert held(fading) is None
    assert held(fading, today=date(2026, 2, 28)) is not None
    assert held(fading, said("openness", "forbid")) is None


@pytest.mark.parametrize(("action", "score"), [("confirm", None), ("correct", 40)])
def test_what_a_reader_made_their_own_does_not_expire(
    action: VerificationAction, score: float | None
):
    fading = profile(attribute("openness", expires_on=TODAY))
    own = held(fading, said("openness", action, score), today=date(2036, 1, 1))
    assert own is not None and own.expires_on is None and own.usable


@pytest.mark.parametrize("topic", ["religion", "politics", "health"])
def test_what_is_sensitive_is_used_only_once_confirmed(topic: SensitiveTopic):
    guarded = profile(attribute("openness", 70, sensitive=topic))
    before, after = held(guarded), held(guarded, said("openness", "confirm"))
    assert before is not None and not before.usable
    assert after is not None and after.usable and after.sensitive == topic
    forbidden = held(guarded, said("openness", "confirm"), said("openness", "forbid", at=2))
    assert forbidden is not None and not forbidden.usable


def test_interests_obey_as_well():
    words = [said("romance", "forbid"), said("mystery", "confirm")]
    romance, mystery = in_force(profile(), words, TODAY).interests
    assert (romance.forbidden, romance.source) == (True, "inferred_behaviour")
    assert (mystery.verified, mystery.source, mystery.forbidden) == (True, "stated", False)
    [left] = in_force(profile(), [*words, said("romance", "remove", at=2)], TODAY).interests
    assert left.cluster == "mystery"


def test_a_correction_changes_texts():
    before = profile(attribute("openness", 64), attribute("agreeableness", 52))
    after = in_force(before, [said("openness", "correct", 30)], TODAY)
    axis = dimension("openness")
    assert axis.high in tastes(before) and axis.low not in tastes(before)
    assert axis.low in tastes(after) and axis.high not in tastes(after)
    assert any("openness 30±6, stated" in line for line in reasons(after))


@pytest.mark.parametrize("action", ["forbid", "remove"])
def test_what_was_taken_back_leaves_texts(action: VerificationAction):
    words = [said("openness", action), said("romance", action)]
    after = in_force(profile(attribute("openness", 70)), words, TODAY)
    told = "\n".join((tastes(after), *reasons(after), portrait(after, "openness")))
    assert dimension("openness").high not in told
    assert "romance" not in told.lower() and "mystery" in told.lower()


def test_dimensions_and_genres_can_be_verified():
    assert verifiable_items() == {*dimensions(), *(c.id for c in genre_clusters())}
    assert len(verifiable_items()) == len(dimensions()) + len(genre_clusters())


@pytest.mark.parametrize(
    "words",
    [
        [said("openness", "correct", 35)],
        [said("openness", "remove")],
        [said("openness", "forbid")],
        [said("agreeableness", "correct", 65)],
        [said("agreeableness", "forbid")],
        [said("agreeableness", "remove")],
        [said("mystery", "forbid")],
        [said("romance", "remove")],
    ],
    ids=lambda words: f"{words[0].action} {words[0].item}",
)
def test_a_pair_falls_with_what_it_rests_on_and_what_it_tells(words: list[Verification]):
    liked = [c for c in genre_clusters() if c.id in ("romance", "mystery")]
    before = profile(attribute("openness", 64), attribute("agreeableness", 35)).model_copy(
        update={
            "interests": tuple(
                Interest(cluster=c.id, label=c.label, share=0.5, source="stated") for c in liked
            )
        }
    )
    made = pair(before)
    assert supports(before, made)
    assert not supports(in_force(before, words, TODAY), made)


def test_a_pair_stands_whatever_is_said_of_the_rest():
    before = profile(attribute("openness", 64), attribute("trust", 52, sd=9.9))
    words = [said("openness", "confirm"), said("trust", "remove"), said("historical", "forbid")]
    assert supports(in_force(before, words, TODAY), pair(before))
    assert not supports(before, pair(before, "low"))
