"""The naive baseline is told the profile and nothing else, and takes what comes."""

import pytest
from pydantic import ValidationError

from agents.errors import ReplyError
from agents.naive import NaiveDraft, NaiveWriter

DRAFT = {
    "prompt": "Which of two films shall I watch tonight?",
    "preferred": "The one with the long silent shots, because you like to look at things.",
    "other": "The one with the car chase, because it is over soon and loud enough.",
}


async def test_it_is_told_the_profile_the_facet_and_how_many(dictated):
    chat = dictated({"pairs": [DRAFT]})
    [draft] = await NaiveWriter(chat).invent("- loves tea", "value", 3)
    assert draft == NaiveDraft.model_validate(DRAFT)
    [(agent, (system, user))] = chat.asked
    assert agent == "naive_writer"
    assert "- loves tea" in system.content
    assert "Write 3 different pairs about the value side" in user.content


async def test_more_than_asked_for_and_equal_answers_are_not_taken(dictated):
    equal = DRAFT | {"other": DRAFT["preferred"]}
    chat = dictated({"pairs": [equal, DRAFT, DRAFT]})
    assert len(await NaiveWriter(chat).invent("", "value", 2)) == 1


async def test_a_failure_of_the_model_is_passed_on(dictated):
    with pytest.raises(ReplyError, match="no good"):
        await NaiveWriter(dictated(ReplyError("no good"))).invent("", "value", 1)


@pytest.mark.parametrize("field", ["prompt", "preferred", "other"])
def test_a_draft_out_of_shape_is_refused(field: str):
    with pytest.raises(ValidationError):
        NaiveDraft.model_validate(DRAFT | {field: "Short?"})
    with pytest.raises(ValidationError):
        NaiveDraft.model_validate(DRAFT | {field: " " * 100})
