"""The short questionnaire: short, balanced, free of guarded topics, and never twice the same."""

from collections import Counter
from itertools import pairwise

import pytest

from agents.frameworks.catalogue import dimensions
from agents.questionnaire import ANSWERS, flaws, short_form, statements

DIMENSION_OF = {s.id: axis for axis in dimensions().values() for s in axis.statements}


def test_it_has_twenty_to_forty_different_items():
    ids = [s.id for s in short_form()]
    assert 20 <= len(ids) <= 40
    assert len(set(ids)) == len(ids)


def test_every_item_is_a_seed_statement_as_it_stands_in_its_framework():
    for statement in short_form():
        assert statement == statements()[statement.id]
        assert statement in DIMENSION_OF[statement.id].statements


def test_nothing_the_law_guards_is_asked():
    asked = {s.sensitive for s in short_form()} | {
        DIMENSION_OF[s.id].sensitive for s in short_form()
    }
    assert asked == {None}


def test_both_poles_are_asked_about_equally():
    poles = Counter(s.pole for s in short_form())
    assert abs(poles["high"] - poles["low"]) <= 2


def test_traits_and_appeals_are_asked_at_both_poles_so_that_yea_saying_cancels():
    poles: dict[str, list[str]] = {}
    for s in short_form():
        axis = DIMENSION_OF[s.id]
        if axis.facet in ("personality", "interest"):
            poles.setdefault(axis.name, []).append(s.pole)
    assert {tuple(sorted(told)) for told in poles.values()} == {("high", "low")}


def test_neighbours_belong_to_different_dimensions():
    names = [DIMENSION_OF[s.id].name for s in short_form()]
    assert all(one != other for one, other in pairwise(names))


def test_it_covers_every_trait_every_value_and_every_appeal():
    asked = {DIMENSION_OF[s.id].name for s in short_form()}
    for framework in ("ocean", "schwartz", "reading"):
        broad = {a.name for a in dimensions().values() if a.framework == framework and not a.parent}
        assert broad - {"face"} <= asked, framework


def test_statements_are_known_by_their_ids():
    assert statements().keys() == DIMENSION_OF.keys()
    assert len(statements()) == sum(len(a.statements) for a in dimensions().values())


def test_usable_answers_have_no_flaw():
    assert flaws({short_form()[0].id: 1, short_form()[1].id: len(ANSWERS)}) == {}
    assert flaws({}) == {}


@pytest.mark.parametrize(
    ("item", "answer", "flaw"),
    [
        ("openness-h99", 3, "no such statement"),
        ("", 3, "no such statement"),
        ("openness-h1", 0, "0 is not from 1 to 5"),
        ("openness-h1", 6, "6 is not from 1 to 5"),
    ],
)
def test_a_flawed_answer_is_told_of_by_item(item: str, answer: int, flaw: str):
    assert flaws({item: answer, "openness-h2": 3}) == {item: flaw}
