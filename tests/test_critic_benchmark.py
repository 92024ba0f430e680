"""The benchmark of the critic: its pairs are held out, and its figures mean what they say."""

from collections import Counter
from typing import get_args

import pytest

from agents.judges.examples import Flaw, shipped_examples
from agents.pair_critic import Outcome
from agents.records import FACETS, Verdict
from benchmarks.critic import Planted, caught, fairness, planted


def test_the_planted_pairs_are_of_all_kinds_and_of_nobody_who_was_fitted_to():
    pairs = planted()
    kinds = Counter(pair.kind for pair in pairs)
    assert len(pairs) >= 600
    assert set(kinds) == {"sound", *get_args(Flaw)}
    assert min(kinds.values()) >= 25 and 0.4 < kinds["sound"] / len(pairs) < 0.6
    assert {p.proposal.scenario.facet for p in pairs} == set(FACETS)
    fitted = shipped_examples()
    assert {p.author for p in pairs}.isdisjoint(e.author for e in fitted)
    known = {text for example in fitted for text in example.texts}
    told = {t for p in pairs for t in (p.proposal.scenario.situation, *p.proposal.answers)}
    assert known.isdisjoint(told)


def test_a_person_asked_is_a_false_rejection_and_no_acceptance():
    pairs = [p for p in planted() if p.kind in ("sound", "swapped")][:400]
    outcomes: list[Outcome] = [
        "accept" if p.kind == "sound" and n % 4 else "doubtful" if n % 2 else "reject"
        for n, p in enumerate(pairs)
    ]
    found = caught("some", pairs, outcomes)
    assert found.recall.share == 1.0
    wrong = sum(o != "accept" for p, o in zip(pairs, outcomes, strict=True) if p.kind == "sound")
    assert found.false_rejection.share == wrong / sum(p.kind == "sound" for p in pairs)
    assert found.refused.share <= found.false_rejection.share
    assert found.kinds.keys() == {"swapped"}


def test_a_judge_that_likes_the_longer_answer_is_found_out():
    pairs = [p for p in planted() if p.kind == "sound"][:60]

    def verdict(p: Planted) -> Verdict:
        longer = len(p.proposal.pair.chosen) > len(p.proposal.pair.rejected)
        return Verdict(judge="long", probability=0.5, criteria={"prefers": 0.9 if longer else 0.1})

    found = fairness("long", pairs, [verdict(p) for p in pairs])
    assert found.longer.share > 0.9, "but for those of one length"
    assert found.right.share == pytest.approx(0.5, abs=0.05), "half of a twin's pairs"
    assert found.flips == 0
