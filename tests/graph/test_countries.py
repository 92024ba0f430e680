"""Countries are known by code and by the names people write; wrong ones get the nearest."""

import pytest
from iso3166 import countries

from graph.countries import alpha2, nearest


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("br", "BR"),
        ("Usa", "US"),
        ("U.S.A.", "US"),
        ("the United States of America", "US"),
        ("u.k.", "GB"),
        ("Korea, Republic of", "KR"),
        ("republic of korea", "KR"),
        ("South Korea", "KR"),
        ("Iran", "IR"),
        ("Congo", "CG"),
        ("Turkiye", "TR"),
        ("Cote d’Ivoire", "CI"),
        ("Bosnia & Herzegovina", "BA"),
        ("Việt Nam", "VN"),
        ("日本", "JP"),
        ("भारत", "IN"),
        ("대한민국", "KR"),
        ("Brasil", "BR"),
    ],
)
def test_codes_and_names(given: str, code: str) -> None:
    assert alpha2(given) == code


def test_every_country_is_known_by_its_codes_and_its_name() -> None:
    for country in countries:
        given = (country.alpha2, country.alpha3.lower(), country.name.upper())
        assert {alpha2(name) for name in given} == {country.alpha2}


@pytest.mark.parametrize("given", ["", "  ", "XX", "Korea", "Virgin Islands", "日", "076", "\x00"])
def test_what_is_unknown_or_ambiguous_is_not_guessed(given: str) -> None:
    assert alpha2(given) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Brasl", "Brazil (BR)"),
        ("Germny", "Germany (DE)"),
        ("Untied States", "United States of America (US)"),
        ("España", "Spain (ES)"),
        ("qqq", None),
        ("", None),
    ],
)
def test_the_nearest_name(given: str, name: str | None) -> None:
    assert nearest(given) == name
