"""Plans serve unmet quotas on what is known, turn over the rounds, and say why they end."""

from datetime import date

import pytest

from agents.frameworks.catalogue import dimension, dimensions_of
from agents.records import (
    Attribute,
    Message,
    Pair,
    PairStatus,
    Pole,
    Profile,
    Source,
    Verification,
    VerificationAction,
)
from agents.verification import in_force
from graph.planning import known_dimensions, lost_to_failures, plan_round
from graph.settings import SynthesisSettings

ONLY_VALUES = SynthesisSettings(quotas={"value": 3}, rounds=2, min_departure=0.15)


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
        profile(known("tradition", 55), known("security", 30), known("power", 60)),
        [],
        ONLY_VALUES,
        1,
    )
    assert [(c["dimension"], c["pole"], c["wanted"]) for c in cells] == [
        ("security", "low", 1),
        ("power", "high", 1),
        ("tradition", "high", 1),
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
    names = ("power", "security", "hedonism", "tradition", "face")
    someone = profile(*(known(name, 70 - n) for n, name in enumerate(names)))
    rounds = [plan_round(someone, [], ONLY_VALUES, n)[0] for n in (1, 2)]
    assert [[c["dimension"] for c in cells] for cells in rounds] == [
        ["power", "security", "hedonism"],
        ["tradition", "face", "power"],
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


def test_parts_are_planned_through_their_broad_dimension_alone() -> None:
    parts = [a.name for a in dimensions_of("value") if a.parent == "power"]
    assert parts
    assert known_dimensions(profile(*(known(n, 75) for n in parts)), "value", 0.15) == []
    both = profile(*(known(n, 75) for n in parts), known("power", 55))
    assert [a.dimension for a in known_dimensions(both, "value", 0.15)] == ["power"]


def test_every_facet_is_planned_on_its_own_dimensions() -> None:
    names = ("power", "individualism", "openness", "pace")
    someone = profile(*(known(n).model_copy(update={"facet": dimension(n).facet}) for n in names))
    cells, starved = plan_round(someone, [], SynthesisSettings(), 1)
    assert {c["facet"]: c["dimension"] for c in cells} == {dimension(n).facet: n for n in names}
    assert starved == {}


def test_a_readers_word_changes_the_plan() -> None:
    before = profile(known("power", 64), known("security", 55))

    def planned(action: VerificationAction, score: float | None = None) -> list[tuple[str, Pole]]:
        word = Verification(
            reader_id="ana", item="power", action=action, score=score, by="Ana", at=1
        )
        cells, _ = plan_round(in_force(before, [word], date(2026, 3, 1)), [], ONLY_VALUES, 1)
        return [(c["dimension"], c["pole"]) for c in cells]

    assert planned("confirm") == [("power", "high"), ("security", "high")]
    assert planned("correct", 30) == [("power", "low"), ("security", "high")]
    assert planned("forbid") == planned("remove") == [("security", "high")]


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
    failures = ["power: no reply", "individualism: cut off"]
    settings = SynthesisSettings(quotas={"value": 3, "belief": 2, "interest": 1})
    someone, held = profile(known("power")), pair("power", "accepted")
    assert lost_to_failures(someone, [held], starved, failures, settings) == 2 + 2
    refused = pair("individualism", "rejected").model_copy(update={"facet": "belief"})
    assert lost_to_failures(someone, [held, refused], starved, failures, settings) == 2
    assert lost_to_failures(someone, [held], {}, failures, settings) == 0
    assert lost_to_failures(profile(), [held], starved, failures, settings) == 3 + 2
