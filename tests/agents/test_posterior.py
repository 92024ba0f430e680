"""Bayes for one attribute, against computation by hand."""

import math

import pytest

from agents.posterior import Measurement, combine, scale_reliability


def test_no_measurement_leaves_the_population():
    assert combine([]) == (50.0, 10.0)


@pytest.mark.parametrize("z", [-2.5, 0.0, 1.3])
@pytest.mark.parametrize("r", [0.29, 0.548, 0.9])
def test_one_measurement_gives_the_regression_estimate(z: float, r: float):
    mean, sd = combine([Measurement(z, r)])
    assert mean == pytest.approx(50 + 10 * r * z)
    assert sd == pytest.approx(10 * math.sqrt(1 - r**2))


def test_two_measurements_weigh_by_precision():
    # t/r-scaled: precisions 0.36/0.64 = 0.5625 and 0.25/0.75 = 1/3, observations 1/0.6 and -2/0.5.
    mean, sd = combine([Measurement(1.0, 0.6), Measurement(-2.0, 0.5)])
    assert mean == pytest.approx(50 + 10 * (0.5625 / 0.6 - 2 / 0.5 / 3) / (1 + 0.5625 + 1 / 3))
    assert mean == pytest.approx(47.9121, abs=1e-4)
    assert sd == pytest.approx(7.2627, abs=1e-4)


def test_more_data_narrows_and_order_does_not_matter():
    measured = [Measurement(1.0, 0.29), Measurement(0.5, 0.5), Measurement(-1.0, 0.7)]
    widths = [combine(measured[:n])[1] for n in range(4)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4
    assert combine(measured) == pytest.approx(combine(measured[::-1]))


def test_a_longer_scale_is_more_reliable():
    assert scale_reliability(1) == pytest.approx(math.sqrt(0.30))
    assert scale_reliability(4) == pytest.approx(math.sqrt(1.2 / 1.9))
    assert scale_reliability(2) < scale_reliability(3) < 1
