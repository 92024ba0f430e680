"""The frameworks' tables against figures read in the sources; and what is missing stays missing."""

import math
from statistics import fmean, pstdev

import pytest

from agents.errors import NotFoundError
from agents.frameworks import hofstede, ocean, schwartz, wvs
from agents.frameworks.catalogue import dimensions, dimensions_of, frameworks, national_prior

# --- Hofstede ---------------------------------------------------------------------------------

KNOWN = {
    "BR": {"pdi": 69, "idv": 38, "mas": 49, "uai": 76, "lto": 44, "ivr": 59},
    "JP": {"pdi": 54, "idv": 46, "mas": 95, "uai": 92, "lto": 88, "ivr": 42},
    "US": {"pdi": 40, "idv": 91, "mas": 62, "uai": 46, "lto": 26, "ivr": 68},
    "IN": {"pdi": 77, "idv": 48, "mas": 56, "uai": 40, "lto": 51, "ivr": 26},
    "NG": {"pdi": None, "idv": None, "mas": None, "uai": None, "lto": 13, "ivr": 84},
}


@pytest.mark.parametrize("code", KNOWN)
def test_the_matrix_as_published(code: str) -> None:
    row = hofstede.framework().country(code)
    assert row is not None
    assert row.scores == KNOWN[code]


def test_how_many_countries_the_matrix_measures():
    table = hofstede.framework().national
    assert table is not None
    assert len(table.countries) == len({row.country for row in table.countries}) == 101
    complete = [row for row in table.countries if None not in row.scores.values()]
    assert len(complete) == 62
    codes = [axis.code or "" for axis in hofstede.framework().dimensions]
    assert {code: len(table.measured(code)) for code in codes} == {
        "pdi": 69,
        "idv": 69,
        "mas": 69,
        "uai": 69,
        "lto": 92,
        "ivr": 93,
    }
    assert all(0 <= score <= 100 for code in codes for score in table.measured(code))


def test_what_the_matrix_does_not_print_is_missing():
    assert hofstede.framework().country("CU") is None
    nigeria = hofstede.framework().country("NG")
    assert nigeria is not None
    assert nigeria.scores["pdi"] is None, "not 80, which is a later estimate"
    assert [r.name for r in hofstede.framework().regions_of("NG")] == ["Africa West"]
    assert hofstede.framework().regions_of("JP") == ()


# --- national priors --------------------------------------------------------------------------


def test_a_country_stands_where_its_figure_lies_among_the_measured_ones():
    table = hofstede.framework().national
    assert table is not None
    measured = table.measured("pdi")
    prior = national_prior("power_distance", "BR")
    assert prior is not None
    assert prior.z == pytest.approx((69 - fmean(measured)) / pstdev(measured))
    assert prior.share == 0.20
    assert "2015-08-16" in prior.method


def test_a_country_says_little_of_a_trait_and_nothing_of_a_facet():
    prior = national_prior("openness", "JP")
    assert prior is not None
    assert prior.share == 0.02
    assert abs(prior.z) < 3
    assert [f.name for f in ocean.framework().dimensions if national_prior(f.name, "JP")] == [
        "openness",
        "conscientiousness",
        "extraversion",
        "agreeableness",
        "neuroticism",
    ]


@pytest.mark.parametrize("country", [None, "CU"])
def test_no_country_or_one_without_figures_says_nothing(country: str | None) -> None:
    assert not any(national_prior(name, country) for name in dimensions())


def test_a_missing_figure_makes_no_prior():
    assert national_prior("power_distance", "NG") is None
    assert national_prior("indulgence", "NG") is not None


def test_values_topics_and_tastes_have_no_national_prior():
    without = [a for f in ("schwartz", "wvs", "reading") for a in frameworks()[f].dimensions]
    assert not any(national_prior(axis.name, "BR") for axis in without)


def test_the_country_means_of_the_traits():
    table = ocean.framework().national
    assert table is not None
    assert len(table.countries) == 49
    argentina, korea = ocean.framework().country("AR"), ocean.framework().country("KR")
    assert argentina is not None
    assert korea is not None
    assert argentina.scores == {"O": 46.1, "C": 50.1, "E": 52.3, "A": 50.6, "N": 51.3}


# --- Big Five ---------------------------------------------------------------------------------


def test_five_domains_of_six_facets_each():
    domains = ocean.framework().parts(None)
    assert "".join(d.code or "" for d in domains) == "OCEAN"
    for domain in domains:
        facets = ocean.framework().parts(domain.name)
        assert [f.code for f in facets] == [f"{domain.code}{i}" for i in range(1, 7)]


# --- Schwartz ---------------------------------------------------------------------------------

TEN, NINETEEN = schwartz.framework().ten, schwartz.framework().nineteen


def test_the_circles_hold_the_values_and_nothing_else():
    assert TEN.values[:3] == ("self_direction", "stimulation", "hedonism")
    assert (len(TEN.values), len(NINETEEN.values)) == (10, 19)
    assert {*TEN.values, *NINETEEN.values} == {d.name for d in dimensions_of("value")}
    assert {*schwartz.framework().pan_cultural_rank} == {*TEN.values}
    assert schwartz.framework().pan_cultural_rank[0] == "benevolence"
    assert schwartz.framework().pan_cultural_rank[-1] == "power"


@pytest.mark.parametrize("circle", [TEN, NINETEEN], ids=["ten", "nineteen"])
class TestCircle:
    def test_is_symmetric(self, circle: schwartz.Circle) -> None:
        for one in circle.values:
            for other in circle.values:
                assert circle.distance(one, other) == circle.distance(other, one)
                assert (other in circle.adjacent(one)) == (one in circle.adjacent(other))
                assert (other in circle.conflicting(one)) == (one in circle.conflicting(other))
                assert (circle.distance(one, other) == 1) == (other in circle.adjacent(one))

    def test_is_closed(self, circle: schwartz.Circle) -> None:
        first, last = circle.values[0], circle.values[-1]
        assert circle.adjacent(first) == (last, circle.values[1])
        assert circle.distance(first, last) == 1
        farthest = max(circle.distance(first, other) for other in circle.values)
        assert farthest == len(circle.values) // 2

    def test_neighbours_never_conflict(self, circle: schwartz.Circle) -> None:
        for value in circle.values:
            assert not {value, *circle.adjacent(value)} & {*circle.conflicting(value)}

    def test_groups_lie_together(self, circle: schwartz.Circle) -> None:
        groups = [group for group in circle.groups.values() if group]
        changes = sum(a != b for a, b in zip(groups, groups[1:] + groups[:1], strict=True))
        assert changes == 4


def test_conflicts_as_published():
    assert TEN.conflicting("power") == ("benevolence", "universalism")
    assert TEN.conflicting("tradition") == ("self_direction", "stimulation", "hedonism")
    assert NINETEEN.conflicting("face") == NINETEEN.conflicting("humility") == ()
    assert TEN.distance("achievement", "benevolence") == 5


def test_a_value_of_the_other_circle_is_not_found():
    with pytest.raises(NotFoundError, match="no 'face' on the circle of 10"):
        TEN.adjacent("face")


# --- World Values Survey ----------------------------------------------------------------------


def test_ten_indicators_five_on_each_axis():
    loadings = {i.code: i.loading for i in wvs.framework().indicators}
    assert len(loadings) == 10
    assert (loadings["F063"], loadings["A165"]) == (0.91, 0.46)
    assert sum(i.axis == "secular" for i in wvs.framework().indicators) == 5


def test_the_map_runs_from_survival_to_self_expression():
    points = wvs.framework().points
    assert len(points) == 113
    assert sorted(p.name for p in points if p.part) == [
        "Northern Cyprus",
        "Northern Ireland",
        "West Germany",
    ]
    assert len({p.country for p in points if not p.part}) == 110
    sweden, zimbabwe = wvs.framework().point("SE"), wvs.framework().point("ZW")
    assert sweden is not None
    assert zimbabwe is not None
    assert (sweden.year, sweden.self_expression) == (2017, 3.110), "the sign is turned"
    assert (zimbabwe.year, zimbabwe.self_expression) == (2020, -1.933)


def test_contested_and_old_points_say_so():
    points = wvs.framework().points
    assert sum(p.zone is None for p in points) == 14
    assert all(p.recent == (p.year >= 2017) for p in points)
    assert wvs.framework().point("CU") is None


def test_neighbours_are_the_nearest_and_never_oneself():
    here = wvs.framework().point("JP")
    assert here is not None
    near = wvs.framework().neighbours(here, 5)
    reach = [wvs.distance(here, p) for p in near]
    assert reach == sorted(reach)
    assert here not in near
    others = [p for p in wvs.framework().points if p not in [*near, here]]
    assert min(wvs.distance(here, p) for p in others) >= reach[-1]
    assert wvs.distance(here, here) == 0
    assert math.isclose(wvs.distance(here, near[0]), wvs.distance(near[0], here))


def test_fourteen_sections_span_the_questionnaire_without_gaps():
    sections = wvs.framework().sections
    spans = [tuple(int(q[1:]) for q in s.code.split("-")) for s in sections]
    assert [first for first, _ in spans] == [1, *(last + 1 for _, last in spans[:-1])]
    assert spans[-1][1] == 290
    assert [s.label for s in sections if s.dimension is None] == ["Demography"]
    topics = {a.name: a.code for a in wvs.framework().dimensions}
    assert {s.dimension: s.code for s in sections if s.dimension} == topics
