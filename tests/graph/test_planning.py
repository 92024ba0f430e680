"""Plans serve unmet quotas on what is known, turn over the rounds, and say why they end."""

from agents.records import Attribute, Message, Pair, PairStatus, Pole, Profile, Source
from graph.planning import known_dimensions, lost_to_failures, plan_round
from graph.settings import SynthesisSettings

ONLY_VALUES = SynthesisSettings(quotas={"value": 3}, rounds=2)


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
        profile(known("near", 55), known("far", 30), known("mid", 60)), [], ONLY_VALUES, 1
    )
    assert [(c["dimension"], c["pole"], c["wanted"]) for c in cells] == [
        ("far", "low", 1),
        ("mid", "high", 1),
        ("near", "high", 1),
    ]
    assert starved == {}


def test_one_dimension_takes_the_whole_quota() -> None:
    ((cell,), _) = plan_round(profile(known("only")), [], ONLY_VALUES, 1)
    assert cell["wanted"] == 3


def test_what_is_held_or_waits_is_not_asked_for_again() -> None:
    held = [pair("only", "accepted", 1), pair("only", "review", 2), pair("only", "rejected", 3)]
    ((cell,), _) = plan_round(profile(known("only")), held, ONLY_VALUES, 2)
    assert cell["wanted"] == 1
    full = [pair("only", "accepted", n) for n in range(3)]
    assert plan_round(profile(known("only")), full, ONLY_VALUES, 2) == ([], {})


def test_later_rounds_begin_at_later_dimensions() -> None:
    someone = profile(*(known(f"d{n}", 70 - n) for n in range(5)))
    rounds = [plan_round(someone, [], ONLY_VALUES, n)[0] for n in (1, 2)]
    assert [[c["dimension"] for c in cells] for cells in rounds] == [
        ["d0", "d1", "d2"],
        ["d3", "d4", "d0"],
    ]


def test_nothing_is_planned_on_what_nobody_knows() -> None:
    unknown = [
        known("default", 90, source="default"),
        known("middle", 50),
        known("unsure", 51, sd=10),
    ]
    assert known_dimensions(profile(*unknown), "value", 0.15) == []
    cells, starved = plan_round(profile(*unknown), [], ONLY_VALUES, 1)
    assert cells == []
    assert starved == {"value": "nothing is known of this reader on any value dimension"}


def test_facets_without_quota_are_left_out_and_the_others_go_on() -> None:
    settings = SynthesisSettings(quotas={"value": 1, "belief": 1, "interest": 0})
    cells, starved = plan_round(profile(known("only")), [], settings, 1)
    assert [c["dimension"] for c in cells] == ["only"]
    assert list(starved) == ["belief"]


def test_after_the_last_round_the_reason_tells_of_the_refusals() -> None:
    refused = [pair("only", "rejected", n) for n in range(4)]
    cells, starved = plan_round(profile(known("only")), refused, ONLY_VALUES, 3)
    assert cells == []
    assert starved == {
        "value": "after 2 rounds 4 pairs had been refused; the last because reason 3"
    }
    _, unasked = plan_round(profile(known("only")), [], ONLY_VALUES, 3)
    assert unasked == {"value": "after 2 rounds 0 pairs had been refused"}


def test_slots_are_lost_to_failures_only_where_no_pair_of_the_facet_was_refused():
    starved = {"value": "why", "belief": "why", "interest": "why"}
    failures = ["power: no reply", "individualism: cut off"]
    settings = SynthesisSettings(quotas={"value": 3, "belief": 2, "interest": 1})
    held = pair("power", "accepted")
    assert lost_to_failures([held], starved, failures, settings) == 2 + 2
    refused = pair("individualism", "rejected").model_copy(update={"facet": "belief"})
    assert lost_to_failures([held, refused], starved, failures, settings) == 2
    assert lost_to_failures([held], {}, failures, settings) == 0
