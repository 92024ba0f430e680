"""Likeness: fitted on labelled pairs, it tells the same choice from shared words."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.embeddings import RememberingEmbedder
from agents.errors import StorageError
from agents.likeness import LabelledPair, Likeness, Twin, shipped_pairs
from agents.scripted import ScriptedEmbedder
from agents.weights import CACHE_ENV

PLACES = ("library", "harbour", "market", "orchard", "theatre", "workshop", "station", "kitchen")
CHOICES = (
    ("stay late to finish the shelves", "Stay until it is done.", "Go home and rest."),
    ("tell the treasurer about a missing coin", "Say it openly.", "Keep the peace."),
    ("buy the strange lamp from the stall", "Take the odd lamp.", "Keep what we have."),
    ("lead the walk across the hills", "Walk ahead of all.", "Follow behind them."),
)


def a_twin(place: str, choice: int, words: str = "You are at the") -> Twin:
    what, high, low = CHOICES[choice]
    return Twin(
        dimension="openness",
        situation=f"{words} {place} and somebody asks you to {what}. What do you do?",
        high=high,
        low=low,
    )


def labelled() -> list[LabelledPair]:
    """The same choice told anew, and other choices in the same place."""
    pairs: list[LabelledPair] = []
    for n, place in enumerate(PLACES):
        one = a_twin(place, n % 4)
        same = a_twin(place, n % 4, "On a Monday you come to the")
        other = a_twin(place, (n + 1) % 4)
        pairs.append(LabelledPair(kind="told anew", same=True, a=one, b=same))
        pairs.append(LabelledPair(kind="same place", same=False, a=one, b=other))
    return pairs


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path))
    return tmp_path / "likeness"


@pytest.fixture
def likeness(scripted: ScriptedEmbedder) -> Likeness:
    return Likeness(scripted, labelled())


def against(likeness: Likeness, one: Twin, others: Sequence[Twin]) -> NDArray[np.float64]:
    return likeness.probabilities([(one, other) for other in others])


def test_the_choice_counts_and_not_the_place(likeness: Likeness):
    one = a_twin("bakery", 0)
    told_anew, other_choice, nothing_shared = against(
        likeness,
        one,
        [
            a_twin("bakery", 0, "Early on a Friday you visit the"),
            a_twin("bakery", 1),
            a_twin("lighthouse", 2, "Before supper you reach the"),
        ],
    )
    assert told_anew > 0.7
    assert other_choice < 0.3
    assert nothing_shared < 0.3


def test_each_is_a_probability_and_the_order_of_the_two_does_not_matter(likeness: Likeness):
    twins = [a_twin(place, n % 4) for n, place in enumerate(PLACES)]
    for one in twins[:3]:
        found = against(likeness, one, twins)
        assert found.shape == (len(twins),)
        assert ((found >= 0) & (found <= 1)).all()
        back = [against(likeness, other, [one])[0] for other in twins]
        assert found == pytest.approx(back)


def test_pairs_are_judged_as_their_scenarios_are(likeness: Likeness):
    pairs = labelled()
    singly = [against(likeness, p.a, [p.b])[0] for p in pairs]
    assert likeness.probabilities([(p.a, p.b) for p in pairs]) == pytest.approx(singly)
    assert [p > 0.5 for p in singly] == [p.same for p in pairs]


def test_what_is_fitted_depends_on_the_labels(scripted: ScriptedEmbedder):
    """Whoever holds the place to be the choice gets another judge."""
    turned = [p.model_copy(update={"same": not p.same}) for p in labelled()]
    contrary = Likeness(scripted, turned)
    one = a_twin("bakery", 0)
    assert against(contrary, one, [a_twin("bakery", 1)])[0] > 0.5


def test_it_is_fitted_once_and_the_same_every_time(scripted: ScriptedEmbedder):
    class Counting(ScriptedEmbedder):
        seen = 0

        def embed(self, texts):  # pyright: ignore
            Counting.seen += len(texts)
            return super().embed(texts)

    counting = Likeness(Counting(), labelled())
    assert Counting.seen == 0, "nothing is embedded before the first comparison"
    one, others = a_twin("bakery", 0), [a_twin("bakery", 1), a_twin("market", 0)]
    first = against(counting, one, others)
    fitted = Counting.seen
    assert np.array_equal(against(counting, one, others), first)
    assert Counting.seen - fitted == len(
        {t for o in (one, *others) for t in (o.situation, o.high, o.low)}
    )
    assert np.array_equal(against(Likeness(scripted, labelled()), one, others), first)


@pytest.mark.parametrize(
    "damage", ["", "[1, 2]", "[1,", '{"a": 1}', '["x", 0, 0, 0, 0, 0, 0, 0]', "7"]
)
def test_what_was_fitted_is_kept_and_fitted_anew_where_the_file_is_damaged(
    scripted: ScriptedEmbedder, cache: Path, damage: str
):
    one, others = a_twin("bakery", 0), [a_twin("bakery", 1), a_twin("market", 0)]
    first = against(Likeness(scripted, labelled()), one, others)
    (file,) = cache.iterdir()
    weights = json.loads(file.read_text())
    file.write_text(json.dumps([-weight for weight in weights]))
    assert against(Likeness(scripted, labelled()), one, others) == pytest.approx(1 - first)
    file.write_text(damage)
    assert np.array_equal(against(Likeness(scripted, labelled()), one, others), first)
    assert json.loads(file.read_text()) == weights


def test_a_cache_that_cannot_be_written_is_told_of(scripted: ScriptedEmbedder, cache: Path):
    cache.write_text("in the way")
    with pytest.raises(StorageError, match="likeness cannot be written"):
        against(Likeness(scripted, labelled()), a_twin("bakery", 0), [a_twin("bakery", 1)])


def test_of_many_threads_each_gets_its_own_answer(scripted: ScriptedEmbedder):
    """Vectors are forgotten while others are compared."""
    forgetful = RememberingEmbedder(scripted, most=30)
    alone, shared = Likeness(scripted, labelled()), Likeness(forgetful, labelled())
    many = [(a_twin(f"place{n}", n % 4), a_twin(f"place{n}", (n + 1) % 4)) for n in range(64)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda pair: shared.probabilities([pair])[0], many * 8))
    assert found == pytest.approx([alone.probabilities([pair])[0] for pair in many] * 8)


def test_what_ships_can_be_fitted_on(scripted: ScriptedEmbedder):
    shipped = shipped_pairs()
    assert {pair.same for pair in shipped} == {True, False}
    assert all(pair.kind for pair in shipped)
    found = Likeness(scripted).probabilities([(p.a, p.b) for p in shipped[:20]])
    assert found.shape == (20,)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("change", [{"same": "perhaps"}, {"kind": None}, {"more": 1}, {"a": "x"}])
def test_a_broken_label_is_refused(change: dict[str, object]):
    with pytest.raises(ValueError):
        LabelledPair.model_validate(labelled()[0].model_dump() | change)
