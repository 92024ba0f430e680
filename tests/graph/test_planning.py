"""Plans serve unmet quotas on what is known, turn over the rounds, and say why they end."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date
from random import Random

import pytest

from agents.frameworks.catalogue import dimension
from agents.records import Attribute, Message, Pair, PairStatus, Pole, Profile, Source
from agents.verification import Verification, VerificationAction, in_force
from graph.planning import (
    breadth,
    compatible,
    explored,
    known_dimensions,
    lost_to_failures,
    plan_round,
    scene_dimensions,
)
from graph.settings import SynthesisSettings

ONLY_VALUES = SynthesisSettings(quotas={"value": 3}, rounds=2, min_departure=0.15, exploration=0)
"""The surest first."""


def known(name: str, score: float = 60, sd: float = 8, source: Source = "stated") -> Attribute:
    return Attribute(facet="value", dimension=name, score=score, sd=sd, source=source)


def profile(*attributes: Attribute) -> Profile:
    return Profile(reader_id="ana", attributes=attributes)


def pair(name: str, status: PairStatus, number: int = 0, pole: Pole = "high") -> Pair:
    return Pair(
        id=f"{name}-{number}",
        run_id="r",
        reader_id="ana",
        scenario_id=f"s{number}",
        facet="value",
        dimension=name,
        pole=pole,
        prompt=(Message(role="user", content="?"),),
        chosen="a",
        rejected="b",
        status=status,
        reason=f"reason {number}",
    )


def test_a_quota_is_shared_out_farthest_first() -> None:
    cells, starved = plan_round(
        profile(known("face", 55), known("security", 30), known("stimulation", 60)),
        [],
        ONLY_VALUES,
        1,
    )
    assert [(c["dimension"], c["pole"], c["wanted"]) for c in cells] == [
        ("security", "low", 1),
        ("stimulation", "high", 1),
        ("face", "high", 1),
    ]
    assert starved == {}


def test_one_dimension_takes_the_whole_quota() -> None:
    ((cell,), _) = plan_round(profile(known("hedonism")), [], ONLY_VALUES, 1)
    assert cell["wanted"] == 3


def test_what_is_held_or_waits_is_not_asked_for_again() -> None:
    held = [
        pair("hedonism", "accepted", 1),
        pair("hedonism", "review", 2),
        pair("hedonism", "rejected", 3),
    ]
    ((cell,), _) = plan_round(profile(known("hedonism")), held, ONLY_VALUES, 2)
    assert cell["wanted"] == 1
    full = [pair("hedonism", "accepted", n) for n in range(3)]
    assert plan_round(profile(known("hedonism")), full, ONLY_VALUES, 2) == ([], {})


def test_later_rounds_begin_at_later_dimensions() -> None:
    axes = ("power", "security", "tradition", "face")
    someone = profile(*(known(name, 70 - n) for n, name in enumerate(axes)))
    rounds = [plan_round(someone, [], ONLY_VALUES, n)[0] for n in (1, 2)]
    assert [[c["dimension"] for c in cells] for cells in rounds] == [
        ["power", "tradition", "face"],
        ["security", "power", "tradition"],
    ]


def test_nothing_is_planned_on_what_nobody_knows() -> None:
    unknown = [
        known("benevolence", 90, source="default"),
        known("face", 50),
        known("conformity", 51, sd=10),
    ]
    assert known_dimensions(profile(*unknown), "value", 0.15) == []
    cells, starved = plan_round(profile(*unknown), [], ONLY_VALUES, 1)
    assert cells == []
    assert starved == {"value": "nothing is known of this reader on any value dimension"}


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "national_prior"},
        {"forbidden": True},
        {"sensitive": "politics"},
        {"forbidden": True, "verified": True},
    ],
)
def test_nothing_is_planned_on_what_may_not_be_used(changes: dict[str, object]) -> None:
    barred = known("power", 75).model_copy(update=changes)
    assert plan_round(profile(barred), [], ONLY_VALUES, 1)[0] == []
    ((cell,), _) = plan_round(profile(barred, known("security", 55)), [], ONLY_VALUES, 1)
    assert (cell["dimension"], cell["wanted"]) == ("security", 3)


def test_what_is_sensitive_is_planned_once_verified() -> None:
    verified = known("power").model_copy(update={"sensitive": "politics", "verified": True})
    ((cell,), _) = plan_round(profile(verified), [], ONLY_VALUES, 1)
    assert cell["dimension"] == "power"


def test_a_part_and_its_whole_are_not_both_planned() -> None:
    both = profile(known("power_dominance", 75), known("power", 60), known("security", 55))
    cells, _ = plan_round(both, [], ONLY_VALUES, 1)
    assert [c["dimension"] for c in cells] == ["power_dominance", "security"]
    surer = profile(known("power_dominance", 60), known("power", 75), known("power_resources", 70))
    assert [c["dimension"] for c in plan_round(surer, [], ONLY_VALUES, 1)[0]] == ["power"]


def names(attributes: Sequence[Attribute]) -> list[str]:
    return [a.dimension for a in attributes]


def test_values_that_the_circle_holds_to_be_at_odds_are_not_both_planned() -> None:
    power, care = known("power", 75), known("benevolence", 70)
    assert names(compatible([power, care])) == ["power"], "opposite groups, same pole"
    turned = known("benevolence", 30)
    assert names(compatible([power, turned])) == ["power", "benevolence"]
    next_door = known("security", 30)
    assert names(compatible([power, next_door])) == ["power"], "neighbours at opposite poles"
    refined = [known("benevolence_caring", 70), known("power_dominance", 69)]
    assert names(compatible(refined)) == ["benevolence_caring"], "and so on the circle of nineteen"


def test_a_neighbour_on_the_circle_comes_after_what_is_farther_off() -> None:
    ranked = [known("power", 75), known("security", 70), known("stimulation", 40)]
    assert names(compatible(ranked)) == ["power", "stimulation", "security"]


def test_exploration_lets_less_sure_dimensions_go_first_now_and_then() -> None:
    sure, unsure = known("power", 70), known("tradition", 62)  # 2.5 and 1.5 deviations off
    assert explored([sure, unsure], 0, Random(1)) == [sure, unsure]
    first = Counter(explored([sure, unsure], 1.0, Random(n))[0].dimension for n in range(2000))
    expected = 1 / (1 + math.exp(-1.0))  # Plackett-Luce with worths e^2.5 and e^1.5
    assert first["power"] / 2000 == pytest.approx(expected, abs=0.03)
    rare = Counter(explored([sure, unsure], 0.25, Random(n))[0].dimension for n in range(2000))
    assert 0 < rare["tradition"] < 100


def test_a_reader_gets_the_same_plan_again_and_others_another() -> None:
    settings = SynthesisSettings(quotas={"personality": 1}, exploration=2.0)
    axes = ("openness", "extraversion", "neuroticism", "agreeableness")

    def first(reader_id: str) -> str:
        known_ones = (known(n).model_copy(update={"facet": "personality"}) for n in axes)
        someone = Profile(reader_id=reader_id, attributes=tuple(known_ones))
        return plan_round(someone, [], settings, 1)[0][0]["dimension"]

    assert [first(f"r{n}") for n in range(30)] == [first(f"r{n}") for n in range(30)]
    assert len({first(f"r{n}") for n in range(30)}) == len(axes)


def test_a_broad_cell_draws_on_the_parts_that_fit_the_reader() -> None:
    assert scene_dimensions(profile(known("power")), "power", 0.1) == (
        "power",
        "power_dominance",
        "power_resources",
    )
    at_odds = profile(known("power", 60), known("power_dominance", 35))
    assert scene_dimensions(at_odds, "power", 0.1) == ("power", "power_resources")
    barred = known("power_resources", 60).model_copy(update={"forbidden": True})
    assert "power_resources" not in scene_dimensions(profile(known("power"), barred), "power", 0.1)
    assert "liberalism" not in scene_dimensions(profile(), "openness", 0.1), "sensitive"
    assert scene_dimensions(profile(), "power_dominance", 0.1) == ("power_dominance",)


def test_readers_are_spread_over_as_many_scenes_as_let_some_share_each() -> None:
    settings = SynthesisSettings(quotas={"value": 3}, readers_per_scenario=6)
    assert breadth("value", 1, 12, settings) == 1
    assert breadth("value", 3, 12, settings) == 3
    assert breadth("value", 1, 400, settings) == math.ceil(400 * 3 / 11 / 6)


def test_every_facet_is_planned_on_its_own_dimensions() -> None:
    axes = ("power", "individualism", "openness", "pace")
    someone = profile(*(known(n).model_copy(update={"facet": dimension(n).facet}) for n in axes))
    cells, starved = plan_round(someone, [], SynthesisSettings(), 1)
    assert {c["facet"]: c["dimension"] for c in cells} == {dimension(n).facet: n for n in axes}
    assert starved == {}


def test_a_readers_word_changes_the_plan() -> None:
    before = profile(known("power", 64), known("stimulation", 55))

    def planned(action: VerificationAction, score: float | None = None) -> list[tuple[str, Pole]]:
        word = Verification(
            reader_id="ana", item="power", action=action, score=score, by="Ana", at=1
        )
        cells, _ = plan_round(in_force(before, [word], date(2026, 3, 1)), [], ONLY_VALUES, 1)
        return [(c["dimension"], c["pole"]) for c in cells]

    assert planned("confirm") == [("power", "high"), ("stimulation", "high")]
    assert planned("correct", 30) == [("power", "low"), ("stimulation", "high")]
    assert planned("forbid") == planned("remove") == [("stimulation", "high")]


def test_pairs_that_the_reader_has_contradicted_are_asked_for_again() -> None:
    full = [pair("power", "accepted", n) for n in range(3)]
    assert plan_round(profile(known("power", 60)), full, ONLY_VALUES, 2) == ([], {})
    ((cell,), _) = plan_round(profile(known("power", 40)), full, ONLY_VALUES, 2)
    assert (cell["pole"], cell["wanted"]) == ("low", 3)


def test_facets_without_quota_are_left_out_and_the_others_go_on() -> None:
    settings = SynthesisSettings(quotas={"value": 1, "belief": 1, "interest": 0})
    cells, starved = plan_round(profile(known("hedonism")), [], settings, 1)
    assert [c["dimension"] for c in cells] == ["hedonism"]
    assert list(starved) == ["belief"]


def test_after_the_last_round_the_reason_tells_of_the_refusals() -> None:
    refused = [pair("hedonism", "rejected", n) for n in range(4)]
    cells, starved = plan_round(profile(known("hedonism")), refused, ONLY_VALUES, 3)
    assert cells == []
    assert starved == {
        "value": "after 2 rounds 4 pairs had been refused; the last because reason 3"
    }
    _, unasked = plan_round(profile(known("hedonism")), [], ONLY_VALUES, 3)
    assert unasked == {"value": "after 2 rounds 0 pairs had been refused"}


def test_slots_are_lost_to_failures_only_where_no_pair_of_the_facet_was_refused():
    starved = {"value": "why", "belief": "why", "interest": "why"}
    failures = ["value: power: no reply", "belief: individualism: cut off"]
    settings = SynthesisSettings(quotas={"value": 3, "belief": 2, "interest": 1})
    someone, held = profile(known("power")), pair("power", "accepted")
    assert lost_to_failures(someone, [held], starved, failures, settings) == 2 + 2
    refused = pair("individualism", "rejected").model_copy(update={"facet": "belief"})
    assert lost_to_failures(someone, [held, refused], starved, failures, settings) == 2
    assert lost_to_failures(someone, [held], {}, failures, settings) == 0
    assert lost_to_failures(profile(), [held], starved, failures, settings) == 3 + 2
