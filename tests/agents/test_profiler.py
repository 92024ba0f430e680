"""The profiler: deterministic, honest about what it knows, and above any country's average."""

import math
from collections.abc import Sequence
from datetime import date

import pytest

from agents.errors import EndpointError
from agents.frameworks.catalogue import dimension, dimensions, frameworks
from agents.frameworks.schwartz import framework as schwartz
from agents.instruments import instrument
from agents.portrait import portrait, reasons, tastes
from agents.profiler import STANCE_CORRELATION, Profiler, open_dimensions
from agents.records import (
    Dimension,
    Reader,
)
from agents.stances.stance import Reading
from tests.agents.profiling import (
    TODAY,
    Told,
    attribute,
    embedded_profiler,
    profile_of,
    review,
    stance,
)

COUNTRIES = ("BR", "IN", "JP", "DE", "US")
TIDY = dimension("conscientiousness").texts("high")[0]
WARM = dimension("agreeableness").texts("high")[0]


class Silent:
    """A backend whose model does not answer."""

    method = "silent"

    async def read(self, reader: Reader, axes: Sequence[Dimension]) -> Reading:
        raise EndpointError("http://127.0.0.1:9 does not answer.")


@pytest.fixture(scope="module")
def embedded() -> Profiler:
    return embedded_profiler()


# --- the whole ----------------------------------------------------------------------------------


async def test_the_same_reader_gives_the_same_profile(embedded: Profiler):
    reader = Reader(
        id="r",
        country="BR",
        about=WARM,
        reviews=(review(1, f"{TIDY} {WARM}"), review(2, book="b4", rating=4)),
        questionnaire={"openness-h1": 4, "power-l1": 2},
    )
    anew = embedded_profiler()
    first = await embedded.profile(reader)
    assert first == await embedded.profile(reader) == await anew.profile(reader)
    assert {a.source for a in first.attributes} >= {
        "questionnaire",
        "inferred_text",
        "inferred_behaviour",
        "national_prior",
    }


async def test_the_stated_facts_are_handed_on():
    reader = Reader(id="r", age=40, gender="male", country="BR", locale="pt-BR")
    profile = await profile_of(reader)
    assert (profile.reader_id, profile.age, profile.gender) == ("r", 40, "male")
    assert (profile.country, profile.locale, profile.made_on) == ("BR", "pt-BR", TODAY)
    assert profile.interests == ()


async def test_a_reader_of_whom_nothing_is_known_stands_in_the_middle():
    profile = await profile_of(Reader(id="r", age=40, gender="male"))
    assert [a.dimension for a in profile.attributes] == [a.name for a in open_dimensions(())]
    told = {(a.score, a.sd, a.source, a.sources, a.evidence) for a in profile.attributes}
    assert told == {(50.0, 10.0, "default", (), ())}
    assert all(a.band[1] - a.band[0] > 25 and not a.usable for a in profile.attributes)
    [notice] = profile.notices
    assert notice.startswith("nothing is known of this reader")


async def test_who_is_known_a_little_gets_no_such_notice():
    profile = await profile_of(Reader(id="r", questionnaire={"openness-h1": 3}))
    assert profile.notices == ()


async def test_notices_of_the_text_backend_are_handed_on():
    profile = await profile_of(Reader(id="r", about="I."), Told(notices=("1 quote was dropped",)))
    assert profile.notices[0] == "1 quote was dropped"


async def test_a_reader_without_words_is_not_read():
    told = Told(stance("openness", 1))
    await profile_of(Reader(id="r", reviews=(review(1),)), told)
    assert told.asked == []
    await profile_of(Reader(id="r", about="I fish."), told)
    await profile_of(Reader(id="r", reviews=(review(1, "I fish."),)), told)
    assert len(told.asked) == 2


async def test_a_model_that_does_not_answer_is_no_profile():
    with pytest.raises(EndpointError):
        await profile_of(Reader(id="r", about="I fish."), Silent())


# --- countries ----------------------------------------------------------------------------------


async def test_a_country_alone_is_shown_and_never_used():
    profile = await profile_of(Reader(id="r", country="BR"))
    national = [a for a in profile.attributes if a.source == "national_prior"]
    assert {dimension(a.dimension).framework for a in national} == {"hofstede", "ocean"}
    assert not any(a.usable for a in profile.attributes)
    assert {a.source for a in profile.attributes} == {"national_prior", "default"}
    for a in national:
        assert a.score != 50.0 and a.sd >= 10 * math.sqrt(0.8) - 0.01
        assert [(c.source, c.share) for c in a.sources] == [("national_prior", 1.0)]
        assert portrait(profile, a.dimension) == "- nothing is known of this reader yet"
    assert (tastes(profile), reasons(profile)) == ("likes a good book", ())
    [notice] = profile.notices
    assert notice.startswith("nothing is known of this reader")


async def test_a_country_moves_by_its_place_among_countries():
    hofstede = frameworks()["hofstede"]
    axis = dimension("power_distance")
    prior = hofstede.national_prior(axis, "BR")
    assert prior is not None
    found = attribute(await profile_of(Reader(id="r", country="BR")), axis.name)
    assert found.score == pytest.approx(50 + 10 * math.sqrt(0.2) * prior.z, abs=0.01)
    assert found.sd == pytest.approx(10 * math.sqrt(0.8), abs=0.01)
    assert found.sources[0].method == prior.method


async def test_a_country_is_left_out_where_it_is_not_wanted_or_not_known():
    for reader, wanted in ((Reader(id="r", country="BR"), False), (Reader(id="r"), True)):
        profile = await profile_of(reader, national_prior=wanted)
        assert {a.source for a in profile.attributes} == {"default"}


async def test_whatever_a_reader_says_sets_the_country_aside():
    hofstede = [a for a in open_dimensions(()) if a.framework == "hofstede"]
    reader = Reader(
        id="r",
        about="I fish.",
        reviews=tuple(review(n, book=f"b{n}") for n in range(4)),
        questionnaire={"openness-h1": 5} | {a.statements[0].id: 3 for a in hofstede[:3]},
        instruments={"mini-ipip": dict.fromkeys(range(1, 21), 3)},
    )
    told = Told(stance(hofstede[3].name, 0.4), stance(hofstede[4].name, 0.1))
    profiles = [
        await profile_of(reader.model_copy(update={"country": c}), told, books=True)
        for c in (None, *COUNTRIES)
    ]
    known = {a.dimension for a in profiles[0].attributes if a.source != "default"}
    assert known > {a.name for a in hofstede[:5]}
    for name in known:
        assert len({attribute(p, name) for p in profiles}) == 1, name
    unknown = hofstede[5].name
    assert len({attribute(p, unknown).score for p in profiles}) == len(profiles)


# --- questionnaires -----------------------------------------------------------------------------


def answered(mean: float, items: int) -> tuple[float, float]:
    """Score and sd of `items` answers with this mean, centred on 0, by the formula in words.

    Answers of standard deviation 1.2 that correlate by 0.3 have a mean of variance
    1.44·(0.3 + 0.7 / items), and r² = 0.3·items / (1 + 0.3·(items - 1)).
    """
    z = max(-2.5, min(2.5, mean / math.sqrt(1.44 * (0.3 + 0.7 / items))))
    r = math.sqrt(0.3 * items / (1 + 0.3 * (items - 1)))
    return 50 + 10 * r * z, 10 * math.sqrt(1 - r**2)


@pytest.mark.parametrize(
    ("answers", "mean"),
    [
        ({"openness-h1": 5}, 2.0),
        ({"openness-l1": 5}, -2.0),
        ({"openness-h1": 3}, 0.0),
        ({"openness-h1": 4, "openness-h2": 5, "openness-l1": 2, "openness-l2": 3}, 1.0),
        ({"openness-h1": 5, "openness-h2": 5, "openness-l1": 5, "openness-l2": 5}, 0.0),
    ],
)
async def test_answers_move_the_score_as_stated(answers: dict[str, int], mean: float):
    profile = await profile_of(Reader(id="r", questionnaire=answers))
    found = attribute(profile, "openness")
    score, sd = answered(mean, len(answers))
    assert found.score == pytest.approx(score, abs=0.01)
    assert found.sd == pytest.approx(sd, abs=0.01)
    assert [(c.source, c.method) for c in found.sources] == [("questionnaire", "seed statements")]
    untouched = [a for a in profile.attributes if a.dimension != "openness"]
    assert {(a.score, a.sd) for a in untouched} == {(50.0, 10.0)}


async def test_one_full_agreement_by_hand():
    # z = 2 / 1.2 = 1.6667, r = sqrt(0.3) = 0.5477: 50 + 9.1287, and 10·sqrt(0.7).
    found = attribute(
        await profile_of(Reader(id="r", questionnaire={"openness-h1": 5})), "openness"
    )
    assert (found.score, found.sd) == (59.13, 8.37)


async def test_what_is_answered_needs_no_reading_and_is_usable():
    answers = {s.id: 5 if s.pole == "high" else 1 for s in dimension("openness").statements}
    found = attribute(await profile_of(Reader(id="r", questionnaire=answers)), "openness")
    assert found.usable and found.score > 60 and found.sd < 7


async def test_parts_feed_their_broad_dimension_and_not_the_other_way_round():
    part = next(a for a in open_dimensions(()) if a.parent == "openness")
    ids = [s.id for s in part.statements if s.pole == "high"]
    profile = await profile_of(Reader(id="r", questionnaire=dict.fromkeys(ids, 5)))
    broad, narrow = attribute(profile, "openness"), attribute(profile, part.name)
    assert (broad.score, broad.sd) == (narrow.score, narrow.sd)
    assert broad.score == pytest.approx(answered(2.0, len(ids))[0], abs=0.01)
    other = await profile_of(Reader(id="r", questionnaire={"openness-h1": 5}))
    assert attribute(other, part.name).source == "default"
    spoken = await profile_of(Reader(id="r", about="I am."), Told(stance(part.name, 0.9)))
    assert attribute(spoken, "openness").score == attribute(spoken, part.name).score > 50


def ten_values(answer: int) -> dict[str, int]:
    return {dimension(v).statements[0].id: answer for v in schwartz().ten.values}


async def test_all_ten_values_answered_tell_priorities():
    ids = ten_values(4)
    assert all(dimension(v).statements[0].pole == "high" for v in schwartz().ten.values)
    even = await profile_of(Reader(id="r", questionnaire=ids))
    assert {attribute(even, v).score for v in schwartz().ten.values} == {50.0}
    power = dimension("power").statements[0].id
    one = await profile_of(Reader(id="r", questionnaire=ids | {power: 5}))
    # The mean of nine times 1 and once 2 is 1.1.
    assert attribute(one, "power").score == pytest.approx(answered(0.9, 1)[0], abs=0.01)
    assert attribute(one, "security").score == pytest.approx(answered(-0.1, 1)[0], abs=0.01)


async def test_nine_values_answered_are_taken_as_they_are():
    ids = ten_values(4)
    del ids[dimension("tradition").statements[0].id]
    profile = await profile_of(Reader(id="r", questionnaire=ids))
    assert attribute(profile, "power").score == pytest.approx(answered(1.0, 1)[0], abs=0.01)
    assert attribute(profile, "tradition").score == 50.0


async def test_a_part_covers_its_value_and_traits_are_not_ipsatised():
    ids = ten_values(4)
    del ids[dimension("power").statements[0].id]
    part = next(a for a in dimensions().values() if a.parent == "power")
    ids |= {next(s.id for s in part.statements if s.pole == "high"): 4, "openness-h1": 4}
    profile = await profile_of(Reader(id="r", questionnaire=ids))
    assert attribute(profile, "power").score == 50.0
    assert attribute(profile, "openness").score == pytest.approx(answered(1.0, 1)[0], abs=0.01)


async def test_an_imported_instrument_at_the_norm_is_the_middle():
    form = instrument("mini-ipip")
    [group] = form.norm_groups
    answers: dict[int, int] = {}
    sums = {name: round(4 * norm.mean) for name, norm in group.scales.items()}
    for name, items in form.key.items():
        low, rest = divmod(sums[name], 4)
        for place, item in enumerate(items):
            points = low + (place < rest)
            answers[abs(item)] = points if item > 0 else 6 - points
    profile = await profile_of(Reader(id="r", instruments={"mini-ipip": answers}))
    for name, norm in group.scales.items():
        found, alpha = attribute(profile, name), form.alphas[name]
        z = (sums[name] / 4 - norm.mean) / norm.sd
        assert found.score == pytest.approx(50 + 10 * math.sqrt(alpha) * z, abs=0.01)
        assert found.score == pytest.approx(50, abs=1.2)
        assert found.sd == pytest.approx(10 * math.sqrt(1 - alpha), abs=0.01)
        assert (found.source, found.sources[0].method) == ("questionnaire", "Mini-IPIP")


# --- sources and expiry -------------------------------------------------------------------------


async def test_sources_share_out_what_is_known():
    reader = Reader(
        id="r",
        about="I am.",
        questionnaire={"openness-h1": 4},
        instruments={"mini-ipip": dict.fromkeys(range(1, 21), 3)},
    )
    found = attribute(await profile_of(reader, Told(stance("openness", 0.9))), "openness")
    assert [(c.source, c.method) for c in found.sources] == [
        ("questionnaire", "Mini-IPIP"),
        ("questionnaire", "seed statements"),
        ("inferred_text", "told"),
    ]
    shares = [c.share for c in found.sources]
    assert sum(shares) == pytest.approx(1, abs=0.002) and shares == sorted(shares, reverse=True)
    # Precisions r² / (1 - r²): alpha 0.65, one item 0.3, and 0.9 stances of correlation c.
    text = 0.9 * STANCE_CORRELATION / (1 - 0.1 * STANCE_CORRELATION)
    precisions = [0.65 / 0.35, 0.3 / 0.7, text / (1 - text)]
    assert shares == pytest.approx([p / sum(precisions) for p in precisions], abs=0.001)
    assert found.source == "questionnaire"


async def test_the_shares_of_every_attribute_sum_to_one():
    reader = Reader(
        id="r",
        country="BR",
        about="I am.",
        reviews=(review(1, book="b3"),),
        questionnaire={"pace-h1": 4, "openness-h1": 2},
    )
    told = Told(stance("pace", 0.5), stance("openness", 0.5))
    profile = await profile_of(reader, told, books=True)
    known = [a for a in profile.attributes if a.source != "default"]
    assert [c.source for c in attribute(profile, "pace").sources] == [
        "questionnaire",
        "inferred_behaviour",
        "inferred_text",
    ]
    for a in known:
        assert sum(c.share for c in a.sources) == pytest.approx(1, abs=0.002)
        assert a.source == a.sources[0].source and all(c.method for c in a.sources)


async def test_only_what_was_inferred_expires():
    reader = Reader(
        id="r",
        country="BR",
        about="I am.",
        reviews=(review(1, book="b3"),),
        questionnaire={"openness-h1": 2},
    )
    told = Told(stance("power", 0.5), stance("openness", 0.5))
    profile = await profile_of(reader, told, books=True, expire_after_days=30)
    expected = {
        "inferred_text": date(2026, 3, 31),
        "inferred_behaviour": date(2026, 3, 31),
        "questionnaire": None,
        "national_prior": None,
        "default": None,
    }
    assert {a.source: a.expires_on for a in profile.attributes} == expected
    assert all(a.expires_on == expected[a.source] for a in profile.attributes)
    lasting = await profile_of(reader, told, books=True)
    assert {a.expires_on for a in lasting.attributes} == {None}


async def test_interests_come_with_the_profile():
    reader = Reader(id="r", favourite_genres=("arts",), reviews=(review(1), review(2)))
    found = (await profile_of(reader, books=True)).interests
    assert [(i.cluster, i.source) for i in found] == [
        ("arts", "stated"),
        ("mystery", "inferred_behaviour"),
    ]
