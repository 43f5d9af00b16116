"""Priors in SciPy against PyMC's own densities, quadrature, and correlation matrices drawn by rejection."""

import numpy as np
import pymc as pm
import pytest
from scipy import integrate, special, stats

from bayesmix.inputs.distributions import draw, log_density
from bayesmix.inputs.prior import SHAPES, Prior

SCALARS = {
    "Normal": {"mu": 1.5, "sigma": 0.7},
    "StudentT": {"nu": 4.0, "mu": 1.0, "sigma": 0.5},
    "Laplace": {"mu": -1.0, "b": 0.8},
    "Logistic": {"mu": 0.5, "s": 0.4},
    "Cauchy": {"alpha": 1.0, "beta": 0.6},
    "InverseGamma": {"alpha": 3.0, "beta": 1.7},
    "LogNormal": {"mu": 0.3, "sigma": 0.5},
    "Gamma": {"alpha": 2.5, "beta": 3.0},
    "Exponential": {"lam": 2.5},
    "HalfNormal": {"sigma": 1.8},
    "HalfCauchy": {"beta": 0.9},
    "HalfStudentT": {"nu": 5.0, "sigma": 1.4},
}


def test_every_prior_is_tried():
    assert set(SCALARS) == {name for name, shape in SHAPES.items() if shape.support in ("real", "positive")}


@pytest.mark.parametrize("name", SCALARS)
def test_densities_are_those_of_pymc(name):
    x = np.array([0.3, 0.9, 2.0, 4.5])
    parameters = {p: np.array(v) for p, v in SCALARS[name].items()}  # of plain numbers PyMC makes single precision
    theirs = pm.logp(getattr(pm, name).dist(**parameters), x).eval(mode="FAST_COMPILE")
    np.testing.assert_allclose(log_density(Prior(name, **SCALARS[name]), x), theirs, rtol=1e-8)


@pytest.mark.parametrize("name", SCALARS)
def test_draws_follow_the_density(name, rng):
    prior = Prior(name, **SCALARS[name])
    x = draw(prior, (4000,), rng)
    lowest = 0.0 if SHAPES[name].support == "positive" else -np.inf
    for q in np.quantile(x, [0.1, 0.5, 0.9]):
        below, _ = integrate.quad(lambda v: np.exp(log_density(prior, np.array(v))), lowest, q)
        assert stats.binomtest(int((x <= q).sum()), 4000, below).pvalue > 1e-3


def test_parameters_broadcast(rng):
    x = draw(Prior("Normal", mu=[[0.0, 10.0], [20.0, 30.0]], sigma=[1.0, 2.0]), (5000, 2, 2), rng)
    np.testing.assert_allclose(x.mean(axis=0), [[0, 10], [20, 30]], atol=0.15)
    np.testing.assert_allclose(x.std(axis=0), [[1, 2], [1, 2]], atol=0.1)


def test_scales_with_a_common_level(rng):
    """The published joint density of variances; draws with the level drawn too; each column has its own level."""
    K, prior = 3, Prior("PooledScales", alpha=2.0, level_shape=0.7, level_rate=[0.5, 2.0])
    scales = rng.gamma(2.0, 1.0, (5, K, 2))
    v, rate = scales**2, np.array([0.5, 2.0])
    published = (
        special.gammaln(2 * K + 0.7)
        - special.gammaln(0.7)
        + 0.7 * np.log(rate)
        - (2 * K + 0.7) * np.log((1 / v).sum(axis=1) + rate)
        - 3 * np.log(v).sum(axis=1)
    )
    jacobian = np.log(2 * scales).sum(axis=1)
    np.testing.assert_allclose(log_density(prior, scales), published + jacobian, rtol=1e-12)
    x = draw(prior, (4000, K, 2), rng)
    for column, r in enumerate(rate):
        law = stats.betaprime(0.7, 2.0, scale=1 / r)
        assert stats.kstest(x[:, 0, column] ** 2, law.cdf).pvalue > 1e-3
    assert stats.spearmanr(x[:, 0, 0], x[:, 1, 0])[0] > 0.3
    assert abs(stats.spearmanr(x[:, 0, 0], x[:, 1, 1])[0]) < 0.1


def test_rates_with_a_common_level(rng):
    """The joint density by quadrature over the level; draws with the level drawn too."""
    prior, r = Prior("PooledRates", alpha=0.6, level_shape=1.5, level_rate=2.0), np.array([0.2, 1.3, 4.0])
    joint = lambda C: stats.gamma(1.5, scale=1 / 2.0).pdf(C) * stats.gamma(0.6, scale=1 / C).pdf(r).prod()  # noqa: E731
    exact = np.log(integrate.quad(joint, 0, np.inf)[0])
    np.testing.assert_allclose(log_density(prior, r[None]), [exact], rtol=1e-7)
    x = draw(prior, (4000, 2), rng)
    assert stats.kstest(x[:, 0], stats.betaprime(0.6, 1.5, scale=2.0).cdf).pvalue > 1e-3
    assert stats.spearmanr(x[:, 0], x[:, 1])[0] > 0.1


@pytest.mark.parametrize("w", [(0.9, 0.07, 0.03), (0.5, 0.5), (1 - 1e-6, 1e-6), (0.1, 0.4, 0.2, 0.05, 0.25)])
def test_weights_that_share_a_concentration_out(w):
    """Dirichlet(a / K), a ~ F(6, 3), by quadrature over log a."""
    K, total = len(w), np.log(w).sum()

    def joint(t):
        a = np.exp(t)
        dirichlet = special.gammaln(a) - K * special.gammaln(a / K) + (a / K - 1) * total
        return np.exp(stats.f(6, 3).logpdf(a) + t + dirichlet)

    exact = np.log(integrate.quad(joint, -25, 8, limit=500)[0])
    assert log_density(Prior("DynamicDirichlet", df1=6, df2=3), np.array(w)) == pytest.approx(exact, abs=2e-4)


def test_draws_of_such_weights(rng):
    w = draw(Prior("DynamicDirichlet", df1=6, df2=3), (4000, 3), rng)
    a = stats.f(6, 3).rvs(4000, random_state=rng)
    assert stats.ks_2samp(w[:, 1], rng.beta(a / 3, 2 * a / 3)).pvalue > 1e-3


def test_normal_vectors(rng):
    chol = np.array([[2.0, 0.0], [-1.5, 0.5]])
    prior = Prior("MvNormal", mu=[1.0, -3.0], chol=chol)
    x = draw(prior, (6000, 2), rng)
    exact = stats.multivariate_normal([1.0, -3.0], chol @ chol.T)
    np.testing.assert_allclose(log_density(prior, x), exact.logpdf(x), rtol=1e-10)
    np.testing.assert_allclose(log_density(prior, x[:6].reshape(2, 3, 2)), exact.logpdf(x[:6]).reshape(2, 3))
    distance = ((np.linalg.inv(chol) @ (x - [1.0, -3.0]).T) ** 2).sum(axis=0)
    assert stats.kstest(distance, stats.chi2(2).cdf).pvalue > 1e-3


def test_dirichlet(rng):
    prior = Prior("Dirichlet", a=[1.0, 2.0, 5.0])
    w = draw(prior, (4000, 3), rng)
    assert stats.kstest(w[:, 2], stats.beta(5, 3).cdf).pvalue > 1e-3
    exact = np.array([stats.dirichlet([1.0, 2.0, 5.0]).logpdf(p) for p in w[:5]])
    np.testing.assert_allclose(np.diff(log_density(prior, w[:5])), np.diff(exact), rtol=1e-9)


@pytest.mark.parametrize(("d", "eta"), [(2, 1.0), (2, 3.0), (4, 1.0), (4, 2.5)])
def test_correlations_have_their_beta_marginals(d, eta, rng):
    r = draw(Prior("LKJ", eta=eta), (3000, d * (d - 1) // 2), rng)
    b = eta - 1 + d / 2
    for pair in range(r.shape[1]):
        assert stats.kstest((r[:, pair] + 1) / 2, stats.beta(b, b).cdf).pvalue > 1e-3


def test_correlation_matrices_are_jointly_lkj(rng):
    """In three dimensions, against uniform points of the cube kept with probability det R (eta = 2)."""
    r = rng.uniform(-1, 1, (60_000, 3))
    det = 1 - (r**2).sum(axis=1) + 2 * r.prod(axis=1)
    positive = (np.abs(r) < 1).all(axis=1) & (det > 0)
    kept = positive & (rng.random(len(r)) < det)
    ours = draw(Prior("LKJ", eta=2.0), (4000, 3), rng)
    dets = 1 - (ours**2).sum(axis=1) + 2 * ours.prod(axis=1)
    assert stats.ks_2samp(dets, det[kept]).pvalue > 1e-3
    assert stats.ks_2samp(ours.prod(axis=1), r[kept].prod(axis=1)).pvalue > 1e-3


def test_lkj_density():
    difference = np.diff(log_density(Prior("LKJ", eta=3.0), np.array([[0.3], [-0.8]])))
    np.testing.assert_allclose(difference, [2 * np.log((1 - 0.64) / (1 - 0.09))])
