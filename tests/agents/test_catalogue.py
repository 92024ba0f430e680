"""The shipped tables: complete, consistent, and fit to be shown as examples."""

import itertools
from collections import Counter

import pytest

from agents import gates
from agents.errors import NotFoundError
from agents.frameworks.catalogue import (
    dimension,
    dimensions,
    dimensions_of,
    genre_clusters,
    shipped_scenarios,
)
from agents.records import FACETS, Scenario
from agents.scenario_writer import ScenarioDraft


def test_thirty_dimensions_over_the_four_facets():
    counts = {facet: len(dimensions_of(facet)) for facet in FACETS}
    assert counts == {"interest": 6, "value": 10, "belief": 9, "personality": 5}
    assert sum(counts.values()) == len(dimensions()) == 30


def test_names_and_statement_ids_are_unique_and_belong_together():
    ids = Counter(s.id for d in dimensions().values() for s in d.statements)
    assert max(ids.values()) == 1
    for name, axis in dimensions().items():
        assert axis.name == name
        assert all(s.id.startswith(f"{name}-{s.pole[0]}") for s in axis.statements)
        assert axis.texts("high")
        assert axis.texts("low")
        assert len(axis.texts("high")) == len(axis.texts("low"))


def test_an_unknown_dimension_is_named():
    with pytest.raises(NotFoundError, match="no dimension 'charisma'"):
        dimension("charisma")


def test_every_cell_ships_scenarios_with_unique_ids():
    scenarios = shipped_scenarios()
    assert max(Counter(s.id for s in scenarios).values()) == 1
    assert {s.dimension for s in scenarios} == dimensions().keys()


@pytest.mark.parametrize("scenario", shipped_scenarios(), ids=lambda s: s.id)
class TestEveryShippedScenario:
    def test_stands_in_a_known_cell_of_its_facet(self, scenario: Scenario):
        assert dimension(scenario.dimension).facet == scenario.facet
        assert scenario.provenance == "pool"

    def test_gives_nothing_away_by_length(self, scenario: Scenario):
        assert 0.8 <= len(scenario.high) / len(scenario.low) <= 1.25

    def test_has_the_form_the_writer_is_asked_for(self, scenario: Scenario):
        ScenarioDraft(situation=scenario.situation, high=scenario.high, low=scenario.low)

    def test_passes_the_gates(self, scenario: Scenario):
        axis = dimension(scenario.dimension)
        sources = [axis.high, axis.low, *(s.text for s in axis.statements)]
        for answer in (scenario.high, scenario.low):
            assert gates.runs_in_circles(answer) is None
            assert gates.names_dimension(answer, axis) is None
            assert gates.asserts_nation(answer) is None
            assert gates.holds_instructions(answer) is None
            assert gates.copied_words(answer, sources, 6) is None


def test_genre_keywords_point_to_one_cluster_each():
    assert len({c.id for c in genre_clusters()}) == 9
    seen = Counter(itertools.chain.from_iterable(set(c.keywords) for c in genre_clusters()))
    assert [word for word, times in seen.items() if times > 1] == []
    assert all(word == word.casefold() for word in seen)
