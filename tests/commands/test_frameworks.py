"""`gravity frameworks`: every framework as text and JSON, countries by any name, no guesses."""

import pytest

from agents.frameworks.framework import CAUTION
from tests.commands.conftest import Gravity

NAMES = ["ocean", "schwartz", "hofstede", "wvs", "reading"]


def test_list_says_what_each_holds_and_on_what_terms(gravity: Gravity) -> None:
    told = gravity("frameworks", "list")
    assert [line.split()[0] for line in told.out.splitlines() if line[:1].strip()] == NAMES
    assert "6 dimensions; 24 seed statements" in told.out
    assert "Religious values (religion)" in told.out
    assert "2015-08-16" in told.out
    rows = {row["name"]: row for row in gravity("frameworks", "list", "--json").json}
    assert list(rows) == NAMES
    assert (rows["ocean"]["dimensions"], rows["ocean"]["statements"]) == (35, 140)
    assert rows["ocean"]["sensitive_dimensions"] == ["liberalism", "depression"]
    assert rows["schwartz"]["sensitive_dimensions"] == []
    assert all(row["licence"] and row["edition"] for row in rows.values())


@pytest.mark.parametrize("name", NAMES)
def test_show_prints_any_framework(gravity: Gravity, name: str) -> None:
    short = gravity("frameworks", "show", name).out
    long = gravity("frameworks", "show", name, "--statements").out
    table = gravity("frameworks", "show", name, "--json").json
    assert max(map(len, (short + long).splitlines())) <= 100
    for axis in table["dimensions"]:
        assert f"({axis['name']}" in short
        assert axis["high"] in short
        assert axis["low"] in short
        for statement in axis["statements"]:
            assert statement["text"] not in short
            assert statement["text"] in long
    assert (CAUTION in short) == (name in ("ocean", "hofstede", "wvs"))


def test_show_marks_what_is_sensitive(gravity: Gravity) -> None:
    out = gravity("frameworks", "show", "wvs", "--statements").out
    assert "Religious values  (religious_values, Q164-Q175)  [sensitive: religion]" in out
    marked = [line for line in out.splitlines() if line.endswith("[sensitive: sexuality]")]
    assert marked
    assert all(line.startswith("   ") for line in marked), "single statements of a harmless topic"


def test_show_sets_facets_under_their_domain(gravity: Gravity) -> None:
    lines = gravity("frameworks", "show", "ocean").out.splitlines()
    at = lines.index("Openness to experience  (openness, O)")
    assert lines[at + 3] == "  Imagination  (imagination, O1)"


def test_show_draws_the_circle_of_values(gravity: Gravity) -> None:
    out = gravity("frameworks", "show", "schwartz").out
    circle = out[: out.index("Neighbours go together")]
    assert circle.count("Stimulation") == 2, "on both rings"
    assert circle.count("Benevolence: dependability ◇") == 1
    assert "typical    most to least important the world over: Benevolence" in out


def test_one_dimension_with_its_parts_and_its_place_on_the_circle(gravity: Gravity) -> None:
    out = gravity("frameworks", "show", "schwartz", "--dimension", "power").out
    assert out.splitlines()[0] == "Power  (power)"
    assert "  Power: dominance  (power_dominance)" in out
    assert "I like being the one who makes the final call." in out
    assert "beside Achievement, Security; against: Benevolence, Universalism" in out
    table = gravity("frameworks", "show", "schwartz", "--dimension", "power", "--json").json
    assert (table["name"], table["framework"]) == ("power", "schwartz")
    told = gravity("frameworks", "show", "wvs", "--dimension", "power", code=2)
    assert "a dimension of schwartz, not of wvs" in told.err
    told = gravity("frameworks", "show", "wvs", "--dimension", "migratoin", code=2)
    assert "Did you mean 'migration'?" in told.err


@pytest.mark.parametrize("country", ["BR", "bra", "Brazil"])
def test_a_country_stands_beside_the_median_country(gravity: Gravity, country: str) -> None:
    out = gravity("frameworks", "show", "hofstede", "--country", country).out
    assert out.startswith("Brazil (BR) beside the median country")
    line = next(line for line in out.splitlines() if line.startswith("Power distance"))
    assert line.count("█") + line.count("|") + line.count("·") == 36
    assert line.endswith("69  median 61 of 69")
    assert max(map(len, out.splitlines())) <= 100
    assert CAUTION in out


def test_missing_figures_are_said_to_be_missing(gravity: Gravity) -> None:
    out = gravity("frameworks", "show", "hofstede", "--country", "Nigeria").out
    lines = {line[:20].strip(): line for line in out.splitlines()}
    assert "missing  median 61 of 69" in lines["Power distance"]
    assert "█" not in lines["Power distance"]
    assert "84  median 44 of 93" in lines["Indulgence"]
    assert "pdi 77" in lines["Africa West"]
    scores = gravity("frameworks", "show", "hofstede", "--country", "NG", "--json").json["scores"]
    assert (scores["power_distance"], scores["indulgence"]) == (None, 84)


@pytest.mark.parametrize("name", ["hofstede", "ocean", "wvs"])
def test_a_country_without_figures_says_so(gravity: Gravity, name: str) -> None:
    out = gravity("frameworks", "show", name, "--country", "Cuba").out
    assert "Cuba (CU)" in out
    assert "missing" in out
    assert "█" not in out
    found = gravity("frameworks", "show", name, "--country", "CU", "--json").json
    assert not found.get("scores")
    assert not found.get("point")


def test_a_country_on_the_map_with_its_neighbours_and_zone(gravity: Gravity) -> None:
    out = gravity("frameworks", "show", "wvs", "--country", "Japan").out
    assert "[JP]" in out
    assert "zone: Confucian" in out
    assert "Czechia" in out[out.index("Nearest on the map") :]
    assert max(map(len, out.splitlines())) <= 100
    assert CAUTION in out
    found = gravity("frameworks", "show", "wvs", "--country", "JP", "--json").json
    assert (found["point"]["year"], found["point"]["zone"]) == (2019, "Confucian")


@pytest.mark.parametrize("country", ["CY", "TZ"])
def test_a_contested_zone_is_not_guessed(gravity: Gravity, country: str) -> None:
    out = gravity("frameworks", "show", "wvs", "--country", country).out
    assert "zone: contested or none" in out


def test_mistakes_end_in_one_line_that_helps(gravity: Gravity) -> None:
    told = gravity("frameworks", "show", "hofsted", code=2)
    assert "Did you mean 'hofstede'?" in told.err
    told = gravity("frameworks", "show", "hofstede", "--country", "Brasill", code=2)
    assert "Did you mean Brazil (BR)?" in told.err
    told = gravity("frameworks", "show", "reading", "--country", "BR", code=2)
    assert "ships no figures by country. Try: ocean, hofstede, wvs." in told.err
    both = ("--country", "BR", "--dimension", "power_distance")
    assert "exclude each other" in gravity("frameworks", "show", "hofstede", *both, code=2).err
