"""How like a label's rows every row is, against densities written out, with answers, gaps and constant columns."""

import numpy as np
import pytest
from scipy import stats

from bayesmix.mixture.likeness import Likeness


def test_log_density_is_that_of_normals_and_shares(rng):
    """Up to one constant, for labels that are told by all cells that are there."""
    n = 50
    x = np.column_stack([rng.normal(1e3, 2, n), rng.poisson(3, n), rng.integers(3, size=n), np.full(n, 7.0)]).astype(
        float
    )
    x[rng.random(x.shape) < 0.3] = np.nan
    weights = rng.dirichlet(np.ones(2), n)
    found = Likeness.of(x, [(), (), ("a", "b", "c"), ()]).log_density(weights)
    expected = np.zeros((n, 2))
    for k, w in enumerate(weights.T):
        for j in (0, 1):
            there = ~np.isnan(x[:, j])
            mean = np.average(x[there, j], weights=w[there])
            sd = np.sqrt(np.average((x[there, j] - mean) ** 2, weights=w[there]))
            expected[there, k] += stats.norm(mean, sd).logpdf(x[there, j])
        there = ~np.isnan(x[:, 2])
        for level in range(3):
            share = np.average(x[there, 2] == level, weights=w[there])
            expected[x[:, 2] == level, k] += np.log(share)
    np.testing.assert_allclose(np.diff(found, axis=1), np.diff(expected, axis=1), atol=1e-9)


def test_columns_that_say_nothing_are_left_out():
    x = np.array([[5.0, np.nan, 0.0], [5.0, np.nan, 1.0], [5.0, np.nan, 1.0]])
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    found = Likeness.of(x, [(), (), ("n", "y")]).log_density(weights)
    assert np.isfinite(found).all()
    assert (found.argmax(axis=1) == [0, 1, 1]).all()
    assert found[0, 0] - found[0, 1] == pytest.approx(-np.log(1e-6))
