"""Bridge sampling against integrals known in closed form."""

import numpy as np
import pytest
from scipy import stats

from bayesmix.evidence import bridge


@pytest.mark.parametrize("d", [1, 5, 20])
def test_integral_of_a_scaled_t_density(d, rng):
    density = stats.multivariate_t(np.zeros(d), np.eye(d), df=20)
    draws = np.reshape(density.rvs(2000, random_state=rng), (2000, d))
    found = bridge(lambda x: float(density.logpdf(x)) + 7.0, draws)
    assert found.established
    assert abs(found.value - 7.0) < 4 * found.standard_error + 0.005


def test_skewed_density_within_its_error(rng):
    density = stats.gamma(3.0)
    found = bridge(lambda x: float(density.logpdf(x[0])), density.rvs((4000, 1), random_state=rng))
    assert found.established
    assert abs(found.value) < 4 * found.standard_error


def test_region_is_the_part_where_the_density_is_finite(rng):
    draws = np.abs(rng.standard_normal((4000, 1)))
    found = bridge(lambda x: float(stats.norm.logpdf(x[0])) if x[0] > 0 else -np.inf, draws)
    assert abs(found.value - np.log(0.5)) < 4 * found.standard_error


@pytest.mark.parametrize("draws", [np.zeros((3, 2)), np.ones((500, 2)), np.tile(np.arange(500.0)[:, None], 2)])
def test_too_few_or_degenerate_draws_are_not_established(draws):
    assert not bridge(lambda x: 0.0, draws).established


def test_few_draws_per_dimension_are_not_established(rng):
    draws = rng.standard_normal((150, 10))
    assert not bridge(lambda x: float(-0.5 * x @ x), draws).established
