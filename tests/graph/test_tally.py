"""What people's words on a pair come to, and which words are sound."""

import pytest

from agents.errors import DecisionError
from agents.records import Pair
from graph.reviewing.tally import (
    MOST_CHARS,
    MOST_NAME_CHARS,
    MOST_REASON_CHARS,
    Word,
    settled,
    sound,
)
from tests.graph.deciding import a_judged_pair

PAIR = a_judged_pair(1).model_copy(update={"reason": "doubtful"})
WORDS = {
    "eve+": Word("eve", "approve"),
    "eve-": Word("eve", "reject", "dull"),
    "eve*": Word("eve", "edit", "", "Eve's.", PAIR.rejected),
    "bob+": Word("bob", "approve"),
    "bob-": Word("bob", "reject"),
    "bob*": Word("bob", "edit", "", "Bob's.", "Not Bob's."),
    "cat+": Word("cat", "approve"),
    "cat-": Word("cat", "reject"),
    "dan-": Word("dan", "reject"),
}


def after(told: str, reviewers: int) -> Pair:
    return settled(PAIR, PAIR, [WORDS[word] for word in told.split()], reviewers)


@pytest.mark.parametrize(
    ("told", "reviewers", "status"),
    [
        ("", 1, "review"),
        ("eve+", 1, "accepted"),
        ("eve+ bob-", 1, "rejected"),
        ("eve- eve+", 1, "accepted"),
        ("eve+", 2, "review"),
        ("eve+ eve-", 2, "review"),
        ("eve+ bob+", 2, "accepted"),
        ("eve- bob-", 2, "rejected"),
        ("eve+ bob-", 2, "review"),
        ("eve+ bob- eve-", 2, "rejected"),
        ("eve+ bob- cat-", 2, "rejected"),
        ("eve* bob- cat+", 2, "accepted"),
        ("eve+ bob-", 3, "review"),
        ("eve+ bob- cat+", 3, "accepted"),
        ("eve+ bob- cat+ dan-", 4, "review"),
    ],
)
def test_whose_word_counts(told: str, reviewers: int, status: str) -> None:
    assert after(told, reviewers).status == status


def test_one_person_sees_what_was_said_before_and_decides_on_that() -> None:
    assert after("eve* bob+", 1).chosen == "Eve's."
    assert after("eve* bob*", 1).chosen == "Bob's."
    assert after("eve*", 1).rejected == PAIR.rejected


@pytest.mark.parametrize(
    ("told", "chosen"),
    [
        ("eve* bob+", "Eve's."),
        ("eve* bob*", "Bob's."),
        ("bob* eve*", "Eve's."),
        ("eve* eve+ bob+", PAIR.chosen),
        ("eve* bob- cat-", PAIR.chosen),
        ("eve* bob-", PAIR.chosen),
    ],
)
def test_of_several_people_the_texts_count_only_where_they_accept(told: str, chosen: str) -> None:
    assert after(told, 2).chosen == chosen


def test_reasons_are_those_of_the_majority() -> None:
    assert after("eve-", 1).reason == "dull"
    assert after("bob-", 1).reason == "reject by bob"
    assert after("eve- cat+ bob-", 2).reason == "dull; reject by bob"
    assert after("eve- cat+", 2).reason == "doubtful"


def test_no_word_restores_what_was() -> None:
    changed = after("eve*", 1)
    assert settled(changed, PAIR, [], 1) == PAIR


# --- sound words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "field", "problem"),
    [
        (Word("eve", "edit", chosen=""), "chosen", "The chosen answer is empty."),
        (Word("eve", "edit", chosen=" \n\t"), "chosen", "The chosen answer is empty."),
        (Word("eve", "edit", rejected=" "), "rejected", "The rejected answer is empty."),
        (Word("eve", "edit", chosen=f" {PAIR.rejected} "), "chosen", "say the same"),
        (Word("eve", "edit", rejected=PAIR.chosen), "rejected", "say the same"),
        (Word("eve", "edit", chosen="a" * (MOST_CHARS + 1)), "chosen", "2,001 characters, 2,000"),
        (Word("eve", "edit"), "chosen", "Neither answer"),
        (Word("eve", "edit", chosen="Help  1.\n"), "chosen", "Neither answer"),
        (Word("eve", "approve", chosen="New."), "chosen", "Say edit to change it"),
        (Word("eve", "reject", rejected="New."), "rejected", "leave it out of this reject"),
        (Word(" ", "approve"), "reviewer", "Nobody is named"),
        (Word("e" * (MOST_NAME_CHARS + 1), "approve"), "reviewer", "101 characters, 100"),
        (Word("eve", "reject", "r" * (MOST_REASON_CHARS + 1)), "reason", "501 characters, 500"),
        (Word("eve", "aprove"), "action", "'aprove' is none of approve, edit, reject"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_is_unsound_is_told_with_its_field(word: Word, field: str, problem: str) -> None:
    with pytest.raises(DecisionError) as refused:
        sound(word, PAIR)
    assert refused.value.field == field
    assert problem in str(refused.value)


def test_a_sound_word_is_trimmed_and_an_edit_has_both_texts() -> None:
    assert sound(Word(" eve ", "reject", " dull\n"), PAIR) == Word("eve", "reject", "dull")
    edited = sound(Word("eve", "edit", rejected=" Never. "), PAIR)
    assert (edited.chosen, edited.rejected) == (PAIR.chosen, "Never.")


def test_the_pairs_own_texts_may_come_with_any_word() -> None:
    own = Word("eve", "approve", "", f"{PAIR.chosen}\n", PAIR.rejected)
    assert sound(own, PAIR) == Word("eve", "approve")


def test_answers_may_be_exchanged() -> None:
    swapped = sound(Word("eve", "edit", "", PAIR.rejected, PAIR.chosen), PAIR)
    assert (swapped.chosen, swapped.rejected) == (PAIR.rejected, PAIR.chosen)


def test_forms_of_the_same_letter_are_no_change() -> None:
    composed = PAIR.model_copy(update={"chosen": "Caf\u00e9."})
    assert sound(Word("eve", "approve", chosen="Cafe\u0301."), composed).chosen is None
