"""Published instruments against computation by hand: keys, directions, norms and centring."""

import math
import random

import pytest

from agents.errors import InputError, NotFoundError
from agents.instruments import (
    NEO,
    Instrument,
    baseline,
    checked,
    instrument,
    instruments,
    measurements,
    neo_standings,
    percentile,
    scores,
)
from agents.posterior import scale_reliability
from agents.records import Reader

DOMAINS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
VALUES = {
    "self_direction": ["self_direction_thought", "self_direction_action"],
    "power": ["power_dominance", "power_resources"],
    "security": ["security_personal", "security_societal"],
    "conformity": ["conformity_rules", "conformity_interpersonal"],
    "benevolence": ["benevolence_dependability", "benevolence_caring"],
    "universalism": ["universalism_concern", "universalism_nature", "universalism_tolerance"],
}
PORTRAITS = ("pvq-21", "pvq-40", "pvq-rr", "twivi")


def finest(form: Instrument) -> list[str]:
    """The dimensions that share out the items among them."""
    if form.name == NEO:
        return list(DOMAINS)
    return [name for name in form.key if form.name != "pvq-rr" or name not in VALUES]


def every_item(form: Instrument, answer: int) -> dict[int, int]:
    return dict.fromkeys(range(1, form.items + 1), answer)


def with_sums(form: Instrument, sums: dict[str, int]) -> dict[int, int]:
    """Answers whose keyed sum by dimension is as told, reversed items turned."""
    answers: dict[int, int] = {}
    for name, total in sums.items():
        low, rest = divmod(total, len(form.key[name]))
        for place, item in enumerate(form.key[name]):
            points = low + (place < rest)
            answers[abs(item)] = points if item > 0 else form.lowest + form.highest - points
    return answers


def z_of(form: str, answers: dict[int, int], **person: object) -> dict[str, float]:
    reader = Reader.model_validate({"id": "ana", "instruments": {form: answers}} | person)
    return {name: m.z for name, [m] in measurements(reader).items()}


# --- keys ---------------------------------------------------------------------------------------


def test_the_instruments_and_their_lengths():
    assert {form.name: form.items for form in instruments().values()} == {
        "ipip-neo-120": 120,
        "mini-ipip": 20,
        "pvq-21": 21,
        "pvq-40": 40,
        "pvq-rr": 57,
        "twivi": 20,
    }


@pytest.mark.parametrize("name", instruments())
def test_every_item_counts_for_one_dimension(name: str):
    form = instrument(name)
    keyed = [abs(item) for dimension in finest(form) for item in form.key[dimension]]
    assert sorted(keyed) == list(range(1, form.items + 1))


def test_facets_have_four_items_each_and_agree_with_their_domain():
    key = instrument(NEO).key
    facets = [items for name, items in key.items() if name not in DOMAINS]
    assert [len(items) for items in facets] == [4] * 30
    assert sorted(i for f in facets for i in f) == sorted(i for d in DOMAINS for i in key[d])
    assert sum(i < 0 for d in DOMAINS for i in key[d]) == 55
    facet_of = {abs(i): n for n, items in key.items() if n not in DOMAINS for i in items}
    assert all(facet_of[i] == facet_of[i - 30] for i in range(31, 121))


def test_refined_values_make_up_the_broad_ones():
    key = instrument("pvq-rr").key
    for broad, parts in VALUES.items():
        assert sorted(key[broad]) == sorted(i for part in parts for i in key[part])
    assert set(key["tradition"]) == {18, 33, 40}
    assert set(key["humility"]) == {7, 38, 54}
    assert len(key) == 19 + 6


@pytest.mark.parametrize("name", ["PVQ-RR", "pvq rr", " pvq_rr "])
def test_an_instrument_answers_to_its_label(name: str):
    assert instrument(name).name == "pvq-rr"


def test_an_unknown_instrument_is_told_with_the_nearest():
    with pytest.raises(NotFoundError, match=r"'twiwi'.*Did you mean 'twivi'\?"):
        instrument("twiwi")
    with pytest.raises(NotFoundError, match="There are: ipip-neo-120, mini-ipip"):
        instrument("%%%")


# --- sheets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({7: None}, "PVQ-21: item 7: no answer. Every item needs one answer."),
        ({7: 0}, "item 7: 0 is not from 1 to 6"),
        ({7: 7}, "item 7: 7 is not from 1 to 6"),
        ({22: 3}, "item 22: no such item"),
        ({3: 9, 4: None}, "PVQ-21: item 3: 9 is not from 1 to 6; item 4: no answer."),
        (dict.fromkeys(range(1, 8)), "item 5: no answer; and 2 more."),
    ],
)
def test_a_flawed_sheet_is_refused_by_item(change: dict[int, int | None], flaw: str):
    form = instrument("pvq-21")
    answers = {i: a for i, a in (every_item(form, 3) | change).items() if a is not None}
    with pytest.raises(InputError) as error:
        checked(form, answers)
    assert flaw in str(error.value)
    with pytest.raises(InputError):
        z_of("pvq-21", answers)


def test_a_sound_sheet_is_put_in_order():
    form = instrument("twivi")
    assert list(checked(form, {i: 1 for i in range(20, 0, -1)})) == list(range(1, 21))


# --- IPIP-NEO-120 -------------------------------------------------------------------------------

PEOPLE = [(sex, age) for sex in ("male", "female") for age in (18, 30, 50, 70)]


@pytest.mark.parametrize(("sex", "age"), PEOPLE)
def test_the_mean_of_a_norm_group_is_at_the_middle(sex: str, age: int):
    form = instrument(NEO)
    [group] = [g for g in form.norm_groups if g.sex == sex and g.holds(sex, age)]
    sums = {name: round(group.scales[name].mean) for name in DOMAINS}
    found = neo_standings(with_sums(form, sums), sex, age)
    assert {name: found[name].raw for name in DOMAINS} == sums
    assert all(found[name].t == pytest.approx(50, abs=0.5) for name in DOMAINS)


def test_each_norm_group_is_its_own():
    answers = every_item(instrument(NEO), 3)
    found = [neo_standings(answers, sex, age)["openness"].t for sex, age in PEOPLE]
    assert len(set(found)) == 8


def test_an_even_sheet_by_hand():
    # Men of 21 to 40: openness 86.51 (12.65), anxiety 11.44 (3.76); 24 threes make 72, 4 make 12.
    found = neo_standings(every_item(instrument(NEO), 3), "male", 30)
    assert len(found) == 35
    assert found["openness"].t == pytest.approx(50 + 10 * (72 - 86.51) / 12.65)
    assert found["anxiety"].t == pytest.approx(50 + 10 * (12 - 11.44) / 3.76)


def test_reversed_items_are_turned():
    # Trust is +4 +34 +64 -94: all fives say 5 + 5 + 5 + 1.
    form = instrument(NEO)
    assert scores(form, every_item(form, 5))["trust"] == 16
    assert scores(form, every_item(form, 5) | {94: 1})["trust"] == 20
    assert scores(form, every_item(form, 5))["morality"] == 4


@pytest.mark.parametrize("sex", [None, "non-binary", ""])
def test_without_a_known_sex_both_norms_are_averaged(sex: str | None):
    # Openness at 21 to 40: men 86.51 (12.65), women 88.25 (12.15).
    found = neo_standings(every_item(instrument(NEO), 3), sex, 25)["openness"]
    assert found.t == pytest.approx(50 + 10 * (72 - 87.38) / 12.40)


def test_sex_is_understood_as_written():
    answers = every_item(instrument(NEO), 3)
    for words in (("male", "M", " Man "), ("female", "f", "woman")):
        assert len({neo_standings(answers, word, 25)["trust"].t for word in words}) == 1
    assert neo_standings(answers, "m", 25) != neo_standings(answers, "f", 25)


def test_without_an_age_the_norms_are_those_of_21_to_40():
    answers = every_item(instrument(NEO), 3)
    assert neo_standings(answers, "female", None) == neo_standings(answers, "female", 40)
    assert neo_standings(answers, "female", None) != neo_standings(answers, "female", 41)
    assert neo_standings(answers, "female", 20) != neo_standings(answers, "female", 21)


@pytest.mark.parametrize(
    ("t", "expected"),
    [(20, 1), (26.9, 1), (29, 1), (31.9, 1), (45, 32), (60, 82), (73, 98), (73.1, 99), (90, 99)],
)
def test_percentiles_follow_the_cubic_between_1_and_99(t: float, expected: int):
    assert percentile(t) == expected


def test_neo_measurements_are_standardised_and_as_reliable_as_they_are_long():
    form = instrument(NEO)
    answers = every_item(form, 3)
    reader = Reader(id="ana", gender="female", age=50, instruments={NEO: answers})
    found = measurements(reader)
    standings = neo_standings(answers, "female", 50)
    assert found.keys() == standings.keys()
    for name, [m] in found.items():
        assert m.z == pytest.approx((standings[name].t - 50) / 10)
        assert (m.source, m.method) == ("questionnaire", "IPIP-NEO-120")
    assert found["openness"][0].reliability == scale_reliability(24)
    assert found["trust"][0].reliability == pytest.approx(math.sqrt(1.2 / 1.9))


# --- Mini-IPIP ----------------------------------------------------------------------------------


def test_the_mini_ipip_by_hand():
    # Extraversion is +1 -6 +11 -16, norm 2.92 (1.022); openness +5 -10 -15 -20, norm 4.031 (0.769).
    form = instrument("mini-ipip")
    answers = every_item(form, 3) | {1: 5, 6: 1, 11: 5, 16: 1, 5: 5, 10: 5, 15: 5, 20: 5}
    raw = scores(form, answers)
    assert (raw["extraversion"], raw["openness"], raw["neuroticism"]) == (5, 2, 3)
    z = z_of("mini-ipip", answers, gender="male", age=70)
    assert z["extraversion"] == pytest.approx((5 - 2.92) / 1.022)
    assert z["openness"] == pytest.approx((2 - 4.031) / 0.769)
    assert z == z_of("mini-ipip", answers)


def test_the_mini_ipip_is_as_reliable_as_published():
    form = instrument("mini-ipip")
    found = measurements(Reader(id="ana", instruments={"mini-ipip": every_item(form, 3)}))
    alphas = {name: m.reliability**2 for name, [m] in found.items()}
    assert alphas == pytest.approx(dict(zip(DOMAINS, (0.65, 0.69, 0.77, 0.70, 0.68), strict=True)))


# --- values -------------------------------------------------------------------------------------


def test_the_pvq_21_runs_from_very_much_like_me():
    # Items 1 and 11 printed 1 count 6, nineteen printed 4 count 3: mean of all 69 / 21.
    form = instrument("pvq-21")
    answers = every_item(form, 4) | {1: 1, 11: 1}
    raw = scores(form, answers)
    assert raw["self_direction"] == pytest.approx(6 - 69 / 21)
    assert raw["power"] == pytest.approx(3 - 69 / 21)
    # Rank 2 of 10: the quantile of 1.625 / 10.25 is -1.0005.
    z = z_of("pvq-21", answers)["self_direction"]
    assert z == pytest.approx((6 - 69 / 21 - 1.0005 * 0.65) / 0.80, abs=1e-3)


@pytest.mark.parametrize("name", ["pvq-40", "pvq-rr", "twivi"])
def test_the_other_forms_run_to_very_much_like_me(name: str):
    form = instrument(name)
    liked = dict.fromkeys(form.key["hedonism"], 6)
    raw = scores(form, every_item(form, 2) | liked)
    count = len(liked)
    middle = (6 * count + 2 * (form.items - count)) / form.items
    assert raw["hedonism"] == pytest.approx(6 - middle)
    assert raw["power"] == pytest.approx(2 - middle)


@pytest.mark.parametrize("name", PORTRAITS)
def test_centred_scores_weighed_by_items_sum_to_nothing(name: str):
    form = instrument(name)
    dice = random.Random(name)
    raw = scores(form, {item: dice.randint(1, 6) for item in range(1, form.items + 1)})
    total = sum(raw[value] * len(form.key[value]) for value in finest(form))
    assert total == pytest.approx(0, abs=1e-9)
    assert max(raw.values()) > 0.3


def test_scores_are_not_divided_by_the_persons_own_spread():
    form = instrument("pvq-40")
    liked = form.key["power"]
    near = scores(form, every_item(form, 3) | dict.fromkeys(liked, 4))
    far = scores(form, every_item(form, 3) | dict.fromkeys(liked, 6))
    assert far["power"] == pytest.approx(3 * near["power"])


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize("answer", [1, 4, 6])
def test_one_answer_to_everything_says_nothing_of_priorities(name: str, answer: int):
    assert z_of(name, every_item(instrument(name), answer)) == {}


def test_baselines_follow_the_pan_cultural_order():
    order = "benevolence self_direction universalism security conformity achievement hedonism"
    order += " stimulation tradition power"
    found = [baseline(value) for value in order.split()]
    assert found == sorted(found, reverse=True)
    assert sum(found) == pytest.approx(0)
    assert found[0] == pytest.approx(1.5466 * 0.65, abs=1e-3)
    assert baseline("face") == 0
    assert baseline("humility") == baseline("tradition")
    assert baseline("universalism_nature") == baseline("universalism")


def test_a_typical_person_stands_in_the_middle():
    form = instrument("pvq-rr")
    z = z_of("pvq-rr", every_item(form, 4) | dict.fromkeys(form.key["benevolence"], 5))
    assert len(z) == 25
    assert abs(z["benevolence"]) < 0.3
    assert z["power"] > 0.5
    measured = measurements(Reader(id="ana", instruments={"pvq-rr": every_item(form, 4) | {1: 6}}))
    assert measured["self_direction"][0].reliability == scale_reliability(6)
    assert measured["tradition"][0].reliability == scale_reliability(3)


# --- several ------------------------------------------------------------------------------------


def test_instruments_for_the_same_dimension_stand_beside_each_other():
    given = {name: every_item(instrument(name), 3) for name in (NEO, "mini-ipip")}
    found = measurements(Reader(id="ana", instruments=given))
    assert [m.method for m in found["openness"]] == ["IPIP-NEO-120", "Mini-IPIP"]
    assert [m.method for m in found["trust"]] == ["IPIP-NEO-120"]
    assert measurements(Reader(id="ana")) == {}
