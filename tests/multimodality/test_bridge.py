"""Bridge sampling against integrals known in closed form, its errors, and the maps that it works through."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.compiled.many_points import Points
from bayesmix.multimodality.bridge import bridge

CHAINS = 4


def as_chains(draws):
    return draws.reshape(CHAINS, -1, draws.shape[-1])


def found_for(log_density, draws, **kwargs):
    chains = as_chains(draws)
    return bridge(log_density, chains, log_density(draws).reshape(chains.shape[:2]), **kwargs)


@pytest.mark.parametrize("d", [1, 5, 20])
def test_integral_of_a_scaled_t_density(d, rng):
    density = stats.multivariate_t(np.zeros(d), np.eye(d), df=20)
    draws = np.reshape(density.rvs(2000, random_state=rng), (2000, d))
    found = found_for(lambda x: np.atleast_1d(density.logpdf(x)).reshape(len(x)) + 7.0, draws)
    assert found.established
    assert abs(found.value - 7.0) < 4 * found.standard_error


def test_skewed_density_within_its_error(rng):
    density = stats.gamma(3.0)
    found = found_for(lambda x: density.logpdf(x[:, 0]), density.rvs((4000, 1), random_state=rng))
    assert found.established
    assert abs(found.value) < 4 * found.standard_error


def test_region_is_the_part_where_the_density_is_finite(rng):
    draws = np.abs(rng.standard_normal((4000, 1)))
    found = found_for(lambda x: np.where(x[:, 0] > 0, stats.norm.logpdf(x[:, 0]), -np.inf), draws)
    assert abs(found.value - np.log(0.5)) < 4 * found.standard_error


def test_draws_outside_the_region_are_passed_over(rng):
    draws = rng.standard_normal((4000, 1))

    def log_density(x):
        return np.where(x[:, 0] > 1, stats.norm.logpdf(x[:, 0]), -np.inf)

    found = found_for(log_density, draws, inside=as_chains(draws)[..., 0] > 1)
    assert abs(found.value - stats.norm.logsf(1)) < 4 * found.standard_error


def test_modes_that_chains_cross_between_are_one_integral(rng):
    centres = 6.0 * np.eye(5)[:3]
    parts = [stats.multivariate_normal(c, np.eye(5) * s) for c, s in zip(centres, (0.5, 1.0, 2.0), strict=True)]
    draws = np.array([parts[k].rvs(random_state=rng) for k in rng.integers(3, size=3000)])
    found = found_for(lambda x: np.log(sum(np.exp(part.logpdf(x)) for part in parts)), draws)
    assert found.established
    assert found.standard_error < 0.02
    assert abs(found.value - np.log(3)) < 4 * found.standard_error


def autocorrelated(rng, n, d, rho):
    """Chains of gamma(4) coordinates with the autocorrelation of an AR(1): (chains, n, d)."""
    z = np.empty((CHAINS, n, d))
    z[:, 0] = rng.standard_normal((CHAINS, d))
    for t in range(1, n):
        z[:, t] = rho * z[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal((CHAINS, d))
    return stats.gamma(4.0).ppf(stats.norm.cdf(z))


@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_errors_are_honest_over_repeated_runs(rho, rng):
    density = stats.gamma(4.0)

    def log_density(x):
        return density.logpdf(x).sum(axis=-1)

    z = []
    for seed in range(30):
        draws = autocorrelated(rng, 400, 3, rho)
        found = bridge(log_density, draws, log_density(draws), seed=seed)
        z.append(found.value / found.standard_error)
    assert 0.5 < np.std(z) < 1.3  # of 30, by their standard error of 0.13
    assert abs(np.mean(z)) < 0.6
    assert np.abs(z).max() < 3


@pytest.mark.parametrize("draws", [np.zeros((12, 2)), np.ones((500, 2)), np.tile(np.arange(500.0)[:, None], 2)])
def test_too_few_or_degenerate_draws_are_not_established(draws):
    found = bridge(lambda x: np.zeros(len(x)), as_chains(draws), np.zeros((CHAINS, len(draws) // CHAINS)))
    assert not found.established
    assert np.isnan(found.value)


def test_few_draws_per_dimension_are_not_established(rng):
    draws = rng.standard_normal((160, 10))
    assert not found_for(lambda x: -0.5 * (x**2).sum(axis=1), draws).established


def test_chains_that_stay_apart_are_not_established(rng):
    density = stats.norm([-4.0, 4.0])
    draws = np.repeat([-4.0, -4.0, -4.0, 4.0], 500)[:, None] + rng.standard_normal((2000, 1))
    found = found_for(lambda x: np.log(density.pdf(x) @ [0.5, 0.5]), draws)
    assert not found.established


@pytest.mark.parametrize("name", ["faithful", "zip", "three_groups"])
def test_many_points_as_one_by_one(name, request, rng):
    compiled = request.getfixturevalue(f"{name}_compiled")
    names = [rv.name for rv in compiled.model.unobserved_RVs]
    points = Points(compiled, names)
    x = compiled.nutpie_model.initial_point_func(0) + 0.3 * rng.standard_normal((5, compiled.n_dim))
    values = points.values(x)
    for s, row in enumerate(x):
        for v, expected in compiled.values(row).items():
            np.testing.assert_allclose(values[v][s], expected, rtol=1e-10)
    np.testing.assert_allclose(points.rows(values), x, rtol=1e-8)
    np.testing.assert_allclose(points.log_density(x), [compiled.log_density(row)[0] for row in x])


@pytest.mark.parametrize("shape", ["spherical", "diag", "full", pytest.param("tied", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_maps_over_draws_of_every_layout(shape, d, rng):
    model = bm.build(bm.Mixture("gaussian", n_components=3, covariance=shape), bm.Data(rng.standard_normal((30, d))))
    names = [v.name for v in model.unobserved_RVs]
    compiled = object.__new__(CompiledModel)  # its graphs alone: nothing is compiled here
    compiled.model = model
    points = Points(compiled, names)
    drawn = dict(zip(names, pm.draw(model.unobserved_RVs, 4, random_seed=1), strict=True))
    back = points._backward(*points._forward(*[drawn[name] for name in points.free]))
    for name, values in zip(names, back, strict=True):
        np.testing.assert_allclose(values, drawn[name], rtol=1e-8, atol=1e-12, err_msg=name)
