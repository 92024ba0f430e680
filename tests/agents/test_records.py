"""The nouns: what they refuse, and what they know of themselves."""

from statistics import NormalDist
from typing import Any

import pytest
from pydantic import ValidationError

from agents.records import ABOUT, Attribute, Evidence, Profile, Reader, Review, Scenario, Verdict
from agents.verification import Verification


@pytest.mark.parametrize("code", ["Brazil", "br", "UK", "XX", ""])
def test_a_country_that_is_none_is_refused_with_a_hint(code: str):
    with pytest.raises(ValidationError, match="is not an ISO 3166 two-letter country code such as"):
        Reader(id="r", country=code)


def test_a_scenario_keeps_to_the_same_countries():
    with pytest.raises(ValidationError, match="ISO 3166"):
        Scenario(
            id="s", facet="value", dimension="power", situation="?", high="", low="", culture="ENG"
        )


def test_records_are_closed_and_frozen():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Reader.model_validate({"id": "r", "nation": "BR"})
    with pytest.raises(ValidationError, match="frozen"):
        Reader(id="r").age = 3


@pytest.mark.parametrize("answer", [0, 6])
def test_questionnaire_answers_lie_on_the_five_point_scale(answer: int):
    with pytest.raises(ValidationError):
        Reader(id="r", questionnaire={"openness-h1": answer})


def test_evidence_quotes_its_span_and_nothing_where_the_review_is_gone():
    review = Review(id="r1", book_id="b", rating=5, text="I cried. Twice, on a tram.")
    span = Evidence(review_id="r1", start=9, end=26, pole="high")
    assert span.quote(Reader(id="r", reviews=(review,))) == "Twice, on a tram."
    assert span.quote(Reader(id="r")) == ""
    rating_alone = Evidence(review_id="r1", start=0, end=0, pole="high")
    assert rating_alone.quote(Reader(id="r", reviews=(review,))) == ""


@pytest.mark.parametrize(
    ("score", "sd", "pole", "departure"),
    [(62.0, 8.0, "high", 1.5), (41.0, 9.0, "low", 1.0), (50.0, 10.0, "high", 0.0)],
)
def test_an_attribute_knows_its_side_and_its_distance(score, sd, pole, departure):
    attribute = Attribute(
        facet="value", dimension="power", score=score, sd=sd, source="questionnaire"
    )
    assert attribute.pole == pole
    assert attribute.departure == pytest.approx(departure)


def test_the_band_holds_the_central_eighty_percent():
    middle = Attribute(facet="value", dimension="power", score=50, sd=10, source="default")
    low, high = middle.band
    assert NormalDist(50, 10).cdf(high) - NormalDist(50, 10).cdf(low) == pytest.approx(
        0.8, abs=1e-4
    )


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({"source": "stated"}, True),
        ({"source": "questionnaire"}, True),
        ({"source": "inferred_text"}, True),
        ({"source": "inferred_behaviour"}, True),
        ({"source": "national_prior"}, False),
        ({"source": "default"}, False),
        ({"source": "national_prior", "verified": True}, False),
        ({"source": "inferred_text", "forbidden": True}, False),
        ({"source": "stated", "verified": True, "forbidden": True}, False),
        ({"source": "inferred_text", "sensitive": "religion"}, False),
        ({"source": "questionnaire", "sensitive": "religion"}, False),
        ({"source": "stated", "sensitive": "religion", "verified": True}, True),
    ],
)
def test_pairs_rest_on_what_is_known_allowed_and_not_guarded(changes: dict[str, Any], usable: bool):
    given = {"facet": "value", "dimension": "power", "score": 60, "sd": 9}
    assert Attribute.model_validate(given | changes).usable is usable


def test_a_reader_finds_their_words_by_review_and_under_about():
    reader = Reader(
        id="r", about="I fish.", reviews=(Review(id="a", book_id="b", rating=1, text="Wet."),)
    )
    assert (reader.text(ABOUT), reader.text("a"), reader.text("gone")) == ("I fish.", "Wet.", None)
    assert Evidence(review_id=ABOUT, start=2, end=6, pole="high").quote(reader) == "fish"


def test_a_profile_knows_its_attributes_by_dimension():
    power = Attribute(facet="value", dimension="power", score=50, sd=10, source="default")
    assert Profile(reader_id="r", attributes=(power,)).attribute("power") == power
    assert Profile(reader_id="r").attribute("power") is None


@pytest.mark.parametrize("rating", [0, 0.9, 5.1, float("nan"), float("inf")])
def test_ratings_lie_between_one_and_five_stars(rating: float):
    with pytest.raises(ValidationError):
        Review(id="a", book_id="b", rating=rating)


@pytest.mark.parametrize("topic", ["", "money", "Religion"])
def test_consent_names_a_topic_that_the_law_guards(topic: str):
    with pytest.raises(ValidationError):
        Reader.model_validate({"id": "r", "consent": [topic]})


@pytest.mark.parametrize("score", [19.9, 80.1, float("nan")])
def test_a_correction_keeps_to_the_scale(score: float):
    with pytest.raises(ValidationError):
        Verification(reader_id="r", item="power", action="correct", score=score, by="Ana", at=1)


def test_a_pole_stands_with_confirm_alone():
    word = {"reader_id": "r", "item": "power", "pole": "low", "by": "Ana", "at": 1}
    assert Verification.model_validate(word | {"action": "confirm"}).pole == "low"
    with pytest.raises(ValidationError, match="a pole stands with confirm"):
        Verification.model_validate(word | {"action": "forbid"})


@pytest.mark.parametrize(("action", "score"), [("correct", None), ("confirm", 60), ("forbid", 60)])
def test_a_score_comes_with_a_correction_and_with_nothing_else(action: str, score: float | None):
    given = {"reader_id": "r", "item": "power", "action": action, "score": score}
    with pytest.raises(ValidationError):
        Verification.model_validate(given | {"by": "Ana", "at": 1})


def test_a_scenario_answers_for_either_pole():
    twin = Scenario(
        id="s", facet="value", dimension="power", situation="What now?", high="Lead.", low="Share."
    )
    assert (twin.answer("high"), twin.answer("low")) == ("Lead.", "Share.")


def test_a_field_docstring_is_what_a_model_is_told():
    assert (
        "Averaged over both orders"
        in Verdict.model_json_schema()["properties"]["probability"]["description"]
    )
