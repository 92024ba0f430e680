"""Names of countries turned into ISO 3166 alpha-2 codes, and the nearest name to an unknown one."""

import difflib
import re
import unicodedata
from collections import Counter
from functools import cache

from iso3166 import countries, countries_by_alpha2

_SHORT_NAMES = {
    "United States": "US",
    "America": "US",
    "United Kingdom": "GB",
    "UK": "GB",
    "Great Britain": "GB",
    "Britain": "GB",
    "England": "GB",
    "Scotland": "GB",
    "Wales": "GB",
    "Northern Ireland": "GB",
    "Russia": "RU",
    "South Korea": "KR",
    "North Korea": "KP",
    "Vietnam": "VN",
    "Turkey": "TR",
    "Czech Republic": "CZ",
    "Ivory Coast": "CI",
    "Cape Verde": "CV",
    "Syria": "SY",
    "Laos": "LA",
    "Brunei": "BN",
    "Holland": "NL",
    "Vatican": "VA",
    "Macedonia": "MK",
    "DR Congo": "CD",
    "East Timor": "TL",
    "Swaziland": "SZ",
    "Burma": "MM",
    "Macau": "MO",
    "UAE": "AE",
    "Brasil": "BR",
    "日本": "JP",
    "भारत": "IN",
    "대한민국": "KR",
    "한국": "KR",
    "België": "BE",
    "Belgique": "BE",
}
"""What people write and ISO does not; own names where persona files are in that language."""

_LONGEST_NAME = 60
"""Characters; more is not looked at when the nearest name is sought."""


def alpha2(name: str) -> str | None:
    """The code for an alpha-2 or alpha-3 code or a name in any case, or nothing if unknown."""
    key = _key(name)
    return _codes().get(key) or _names().get(key)


def nearest(name: str) -> str | None:
    """The known country that is spelled most alike, as `Brazil (BR)`, or nothing."""
    alike = difflib.get_close_matches(_key(name[:_LONGEST_NAME]), _names(), n=1)
    if not alike:
        return None
    code = _names()[alike[0]]
    return f"{countries_by_alpha2[code].name} ({code})"


@cache
def _codes() -> dict[str, str]:
    return {code.casefold(): c.alpha2 for c in countries for code in (c.alpha2, c.alpha3)}


@cache
def _names() -> dict[str, str]:
    """Codes by folded name; ISO's `Iran, Islamic Republic of` is known as `Iran` too."""
    names = {_key(c.name): c.alpha2 for c in countries}
    names |= {_key(c.apolitical_name): c.alpha2 for c in countries}
    names |= {_key(name): code for name, code in _SHORT_NAMES.items()}
    turned = [(*c.name.partition(", "), c.alpha2) for c in countries if ", " in c.name]
    heads = Counter(head for head, _, _, _ in turned)
    for head, _, tail, code in turned:
        names.setdefault(_key(f"{tail} {head}"), code)
        if heads[head] == 1:
            names.setdefault(_key(head), code)
    return names


def _key(name: str) -> str:
    """Case, accents, full stops and a leading `the` do not matter."""
    folded = unicodedata.normalize("NFKD", name.casefold()).replace("&", " and ").replace(".", "")
    plain = "".join(c for c in folded if unicodedata.category(c) != "Mn")
    return " ".join(re.findall(r"\w+", plain)).removeprefix("the ")
