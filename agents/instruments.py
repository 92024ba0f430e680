"""Scores published questionnaires by item number; it knows no item text and reads no files.

The keys, norms and their sources stand in `frameworks/instruments/`. A negative item number is
reversed: it counts lowest + highest - answer, and so does every item of a form printed from
`very much like me` downwards.
"""

import difflib
import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from statistics import NormalDist, fmean
from typing import Any, Literal

from agents.errors import InputError, NotFoundError
from agents.posterior import MEAN, SD, Measurement, scale_reliability
from agents.records import Reader, Record

TABLES = ("ipip_neo_120", "mini_ipip", "portrait_values")
NEO = "ipip-neo-120"
MOST_FLAWS = 5
"""So many flaws of one sheet are named; the rest are counted."""
UNKNOWN_AGE = 30
"""Who gives no age is compared with those of 21 to 40."""
_SEXES = {word: "male" for word in ("m", "male", "man")} | {
    word: "female" for word in ("f", "female", "woman")
}


class Norm(Record):
    """Mean and standard deviation of a raw score."""

    mean: float
    sd: float


class NormGroup(Record):
    """The norms of people of one sex and age range; none means any."""

    sex: Literal["male", "female"] | None
    age_min: int | None
    age_max: int | None
    scales: dict[str, Norm]

    def holds(self, sex: str | None, age: int) -> bool:
        """Whether a person belongs here; one of unknown sex belongs to both."""
        youngest, oldest = self.age_min or 0, self.age_max or math.inf
        return (sex is None or self.sex in (sex, None)) and youngest <= age <= oldest


class Instrument(Record):
    """A published questionnaire: which item counts for what, and how."""

    name: str
    label: str
    items: int
    """How many; numbered from 1."""
    lowest: int
    highest: int
    anchors: str
    """What the lowest and the highest answer say, as printed."""
    key: dict[str, tuple[int, ...]]
    """Item numbers by dimension; negative ones are reversed."""
    score: Literal["sum", "mean", "centred mean"]
    """Of a dimension's items; centred: less the mean of all items of the form."""
    rule: str
    """The scoring in words."""
    source: str
    norm_groups: tuple[NormGroup, ...] = ()
    alphas: dict[str, float] = {}
    """Published internal consistencies, where they are used."""


class Standing(Record):
    """Where a person stands among the people of their norm group."""

    raw: float
    t: float
    """T points: the group has mean 50 and standard deviation 10."""
    percentile: int


@cache
def instruments() -> dict[str, Instrument]:
    """All instruments by name, in the order of the tables."""
    rows = [row for name in TABLES for row in _table(name)["instruments"]]
    return {row["name"]: Instrument.model_validate(row) for row in rows}


def instrument(name: str) -> Instrument:
    """The instrument called `name`; `PVQ-RR`, `pvq_rr` and `pvq rr` are `pvq-rr`.

    Raises:
        NotFoundError: there is none; names the nearest.
    """
    known = instruments()
    plain = re.sub(r"[\s_-]+", "-", name.strip().lower())
    if plain in known:
        return known[plain]
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.4)
    cure = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    raise NotFoundError(f"There is no instrument {name!r}.", cure)


def flaws(instrument: Instrument, answers: Mapping[int, int]) -> dict[int, str]:
    """What is wrong with a sheet, by item number in order."""
    found: dict[int, str] = {}
    for item in sorted({*range(1, instrument.items + 1), *answers}):
        if not 1 <= item <= instrument.items:
            found[item] = "no such item"
        elif item not in answers:
            found[item] = "no answer"
        elif not instrument.lowest <= answers[item] <= instrument.highest:
            found[item] = f"{answers[item]} is not from {instrument.lowest} to {instrument.highest}"
    return found


def checked(instrument: Instrument, answers: Mapping[int, int]) -> dict[int, int]:
    """`answers` in the order of the items.

    Raises:
        InputError: an item has no answer or one off the scale, or does not exist; names up to 5.
    """
    found = [f"item {item}: {flaw}" for item, flaw in flaws(instrument, answers).items()]
    if found:
        more = [f"and {len(found) - MOST_FLAWS} more"] if len(found) > MOST_FLAWS else []
        listed = "; ".join(found[:MOST_FLAWS] + more)
        raise InputError(f"{instrument.label}: {listed}.", "Every item needs one answer.")
    return {item: answers[item] for item in sorted(answers)}


def scores(instrument: Instrument, answers: Mapping[int, int]) -> dict[str, float]:
    """Raw score by dimension, reversed items turned: sums, means or centred means.

    Centring follows Schwartz (coding instructions of the PVQ-RR, 2021): a value's mean less the
    mean of all items. It is never divided by the person's own standard deviation.

    Raises:
        InputError: as `checked`.
    """
    given = checked(instrument, answers)
    turned = {-item: instrument.lowest + instrument.highest - a for item, a in given.items()}
    points = given | turned
    found = {name: [points[item] for item in items] for name, items in instrument.key.items()}
    if instrument.score == "sum":
        return {name: float(sum(values)) for name, values in found.items()}
    keyed = {item for items in instrument.key.values() for item in items}
    middle = fmean(points[item] for item in keyed) if instrument.score == "centred mean" else 0.0
    return {name: fmean(values) - middle for name, values in found.items()}


def neo_standings(
    answers: Mapping[int, int], sex: str | None, age: int | None
) -> dict[str, Standing]:
    """T score and percentile of the five domains and thirty facets of the IPIP-NEO-120.

    Norms: Johnson's eight groups of sex and age, T = 50 + 10·(sum - mean) / sd. Where the sex is
    unknown or another, means and standard deviations of both are averaged, as five-factor-e does;
    where the age is unknown, it is taken as 21 to 40.

    Raises:
        InputError: as `checked`.
    """
    neo = instrument(NEO)
    raw = scores(neo, answers)
    found: dict[str, Standing] = {}
    for name, z in _against_norms(neo, raw, sex, age).items():
        t = MEAN + SD * z
        found[name] = Standing(raw=raw[name], t=t, percentile=percentile(t))
    return found


def percentile(t: float) -> int:
    """Percentile of a T score of the IPIP-NEO-120, from 1 to 99, by Johnson's cubic.

    His script (and IPIP-NEO-Scorer) gives 1 below T 27, five-factor-e below T 32; between the two
    the cubic falls under 1, which no percentile does, so it is held there and the two agree. All
    give 99 above T 73; just below it the cubic gives 98 and is left so.
    """
    if t > 73:
        return 99
    if t < 27:
        return 1
    cubic = 210.335958661391 - 16.7379362643389 * t
    cubic += 0.405936512733332 * t**2 - 0.00270624341822222 * t**3
    return max(1, math.trunc(cubic))


def baseline(value: str) -> float:
    """A typical person's centred score of a value, in points of the answer scale.

    A WORKING ASSUMPTION: no individual-level norm could be verified, only the pan-cultural rank
    order (Schwartz and Bardi 2001). Rank r of n is given its expected normal score, the quantile
    of (r - 3/8) / (n + 1/4) (Blom 1958), times an assumed standard deviation between values of
    0.65. A refined value takes its parent's rank, humility tradition's; face has none: 0.
    """
    table = _table("portrait_values")["baselines"]
    ranked = table["rank_as"].get(value, value)
    if ranked is None:
        return 0.0
    order: dict[str, int] = table["ranks"]
    share = (order[ranked] - 3 / 8) / (len(order) + 1 / 4)
    return -NormalDist().inv_cdf(share) * table["between_value_sd"]


def measurements(reader: Reader) -> dict[str, list[Measurement]]:
    """What the reader's answers to published instruments say, by dimension.

    Personality: z = (T - 50) / 10 against the norms. Values: z = (centred - `baseline`) / 0.80,
    where 0.80 points between people is a WORKING ASSUMPTION too; a sheet with one answer to all
    items says nothing of priorities and gives none. Reliability: the square root of the published
    alpha, where the table has one, or of Spearman-Brown for the number of items.

    Raises:
        NotFoundError: an instrument is unknown.
        InputError: as `checked`.
    """
    found: defaultdict[str, list[Measurement]] = defaultdict(list)
    for name, answers in reader.instruments.items():
        form = instrument(name)
        raw = scores(form, answers)
        if form.norm_groups:
            standard = _against_norms(form, raw, reader.gender, reader.age)
        elif len(set(answers.values())) > 1:
            standard = _against_baselines(raw)
        else:
            standard = {}
        for dimension, z in standard.items():
            alpha = form.alphas.get(dimension)
            items = len(form.key[dimension])
            reliability = math.sqrt(alpha) if alpha else scale_reliability(items)
            found[dimension].append(Measurement(z, reliability, "questionnaire", form.label))
    return dict(found)


def _against_norms(
    instrument: Instrument, raw: Mapping[str, float], sex: str | None, age: int | None
) -> dict[str, float]:
    known = _SEXES.get((sex or "").strip().lower())
    years = UNKNOWN_AGE if age is None else age
    groups = [group.scales for group in instrument.norm_groups if group.holds(known, years)]
    return {
        name: (score - fmean(g[name].mean for g in groups)) / fmean(g[name].sd for g in groups)
        for name, score in raw.items()
    }


def _against_baselines(raw: Mapping[str, float]) -> dict[str, float]:
    between_people = _table("portrait_values")["baselines"]["between_person_sd"]
    return {value: (score - baseline(value)) / between_people for value, score in raw.items()}


@cache
def _table(name: str) -> Any:
    path = files("agents.frameworks").joinpath("instruments", f"{name}.json")
    return json.loads(path.read_text("utf-8"))
