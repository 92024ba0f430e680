"""The shipped tables: complete, consistent, and fit to be shown as examples."""

import itertools
from collections import Counter

import pytest

from agents.errors import NotFoundError
from agents.frameworks.catalogue import (
    dimension,
    dimensions,
    dimensions_of,
    framework,
    frameworks,
    genre_clusters,
    shipped_scenarios,
)
from agents.records import FACETS
from agents.scenario_writer import ScenarioDraft


def test_the_frameworks_and_the_size_of_their_tables():
    counts = {name: len(f.dimensions) for name, f in frameworks().items()}
    assert counts == {"ocean": 35, "schwartz": 25, "hofstede": 6, "wvs": 13, "reading": 6}
    assert {facet: len(dimensions_of(facet)) for facet in FACETS} == {
        "interest": 6,
        "value": 25,
        "belief": 19,
        "personality": 35,
    }
    assert len(dimensions()) == sum(counts.values()), "no name stands in two frameworks"


def test_every_framework_says_where_it_comes_from_and_on_what_terms():
    for name, found in frameworks().items():
        assert framework(name) is found
        assert found.source and found.edition and found.licence
        assert all(d.framework == name and d.facet == found.facet for d in found.dimensions)


def test_parts_belong_to_a_broader_dimension_of_the_same_framework():
    for axis in dimensions().values():
        if axis.parent:
            parent = dimension(axis.parent)
            assert parent.framework == axis.framework
            assert parent.parent is None


def test_names_and_statement_ids_are_unique_and_belong_together():
    ids = Counter(s.id for d in dimensions().values() for s in d.statements)
    assert max(ids.values()) == 1
    for name, axis in dimensions().items():
        assert axis.name == name
        assert all(s.id.startswith(f"{name}-{s.pole[0]}") for s in axis.statements)
        assert axis.texts("high")
        assert axis.texts("low")
        assert len(axis.texts("high")) == len(axis.texts("low"))


def test_unknown_names_are_told_with_the_nearest():
    with pytest.raises(NotFoundError, match="no dimension 'charisma'"):
        dimension("charisma")
    with pytest.raises(NotFoundError, match="Did you mean 'power_distance'"):
        dimension("Power Distanse")
    with pytest.raises(NotFoundError, match="Did you mean 'schwartz'"):
        framework("schwarz")
    with pytest.raises(NotFoundError, match="ocean, schwartz, hofstede, wvs, reading"):
        framework("enneagram")


def test_shipped_scenarios_have_unique_ids_and_stand_in_cells_of_their_facets():
    scenarios = shipped_scenarios()
    assert max(Counter(s.id for s in scenarios).values()) == 1
    assert {s.dimension for s in scenarios} == dimensions().keys()
    assert {s.provenance for s in scenarios} == {"pool"}
    assert [s.id for s in scenarios if dimension(s.dimension).facet != s.facet] == []


def test_shipped_scenarios_have_the_form_the_writer_is_asked_for():
    """They are its examples."""
    for s in shipped_scenarios():
        ScenarioDraft(situation=s.situation, high=s.high, low=s.low, domain=s.domain)


def test_genre_keywords_point_to_one_cluster_each():
    assert len({c.id for c in genre_clusters()}) == 9
    seen = Counter(itertools.chain.from_iterable(set(c.keywords) for c in genre_clusters()))
    assert [word for word, times in seen.items() if times > 1] == []
    assert all(word == word.casefold() for word in seen)
