"""The nouns: what they refuse, and what they know of themselves."""

import pytest
from pydantic import ValidationError

from agents.records import Attribute, Evidence, Reader, Review, Scenario, Verdict


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


def test_a_scenario_answers_for_either_pole():
    twin = Scenario(
        id="s", facet="value", dimension="power", situation="What now?", high="Lead.", low="Share."
    )
    assert (twin.answer("high"), twin.answer("low")) == ("Lead.", "Share.")


def test_a_field_docstring_is_what_a_model_is_told():
    assert (
        "averaged over both orders"
        in Verdict.model_json_schema()["properties"]["probability"]["description"]
    )
