"""Bayes for one attribute, against computation by hand."""

import math

import pytest

from agents.posterior import Measurement, NationalPrior, combine, scale_reliability


def measured(z: float, reliability: float) -> Measurement:
    return Measurement(z, reliability, "questionnaire", "a form")


def prior(z: float, share: float) -> NationalPrior:
    return NationalPrior(z, share, "a table")


def test_no_measurement_leaves_the_population():
    assert combine([]) == (50.0, 10.0)


@pytest.mark.parametrize("z", [-2.5, 0.0, 1.3])
@pytest.mark.parametrize("r", [0.05, 0.29, 0.548, 0.9])
def test_one_measurement_gives_the_regression_estimate(z: float, r: float):
    mean, sd = combine([measured(z, r)])
    assert mean == pytest.approx(50 + 10 * r * z)
    assert sd == pytest.approx(10 * math.sqrt(1 - r**2))


@pytest.mark.parametrize("z", [2.6, 9.0, 1e9])
def test_observations_are_cut_at_two_and_a_half(z: float):
    assert combine([measured(z, 0.8)]) == combine([measured(2.5, 0.8)])
    assert combine([measured(-z, 0.8)]) == combine([measured(-2.5, 0.8)])
    assert combine([measured(2.4, 0.8)]) != combine([measured(2.5, 0.8)])


def test_two_measurements_weigh_by_precision():
    # t/r-scaled: precisions 0.36/0.64 = 0.5625 and 0.25/0.75 = 1/3, observations 1/0.6 and -2/0.5.
    mean, sd = combine([measured(1.0, 0.6), measured(-2.0, 0.5)])
    assert mean == pytest.approx(50 + 10 * (0.5625 / 0.6 - 2 / 0.5 / 3) / (1 + 0.5625 + 1 / 3))
    assert mean == pytest.approx(47.9121, abs=1e-4)
    assert sd == pytest.approx(7.2627, abs=1e-4)


def test_precision_counts_in_units_of_the_population_and_adds():
    assert measured(1.0, 0.6).precision == pytest.approx(0.5625)
    several = [measured(0.4, 0.6), measured(1.0, 0.5), measured(-1.0, 0.29)]
    _, sd = combine(several)
    assert 100 / sd**2 == pytest.approx(1 + sum(m.precision for m in several))


@pytest.mark.parametrize(("z", "share"), [(1.5, 0.2), (-2.0, 0.2), (1.0, 0.02)])
def test_a_country_alone_moves_by_the_root_of_its_share(z: float, share: float):
    mean, sd = combine([], prior(z, share))
    assert mean == pytest.approx(50 + 10 * math.sqrt(share) * z)
    assert sd == pytest.approx(10 * math.sqrt(1 - share))


def test_a_country_and_a_measurement_by_hand():
    # Precisions 1/0.8 = 1.25 and 0.5625; means sqrt(0.2) = 0.44721 and 1/0.6 = 1.66667.
    mean, sd = combine([measured(1.0, 0.6)], prior(1.0, 0.2))
    assert mean == pytest.approx(50 + 10 * (0.559017 + 0.9375) / 1.8125, abs=1e-4)
    assert mean == pytest.approx(58.2567, abs=1e-4)
    assert sd == pytest.approx(7.4278, abs=1e-4)


def test_more_data_narrows_and_order_does_not_matter():
    several = [measured(1.0, 0.29), measured(0.5, 0.5), measured(-1.0, 0.7)]
    widths = [combine(several[:n])[1] for n in range(4)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4
    assert combine(several) == pytest.approx(combine(several[::-1]))


def test_a_longer_scale_is_more_reliable():
    assert scale_reliability(1) == pytest.approx(math.sqrt(0.30))
    assert scale_reliability(4) == pytest.approx(math.sqrt(1.2 / 1.9))
    assert scale_reliability(2) < scale_reliability(3) < scale_reliability(500) < 1
    assert scale_reliability(4, 0.03) == pytest.approx(math.sqrt(0.12 / 1.09))
    assert scale_reliability(0.1, 0.03) < 0.06, "a tenth of an item says nearly nothing"
