"""Every prior in SciPy: independent draws and log-densities, without PyMC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats
from scipy.linalg import solve_triangular
from scipy.special import gammaln, logsumexp, xlogy

from bayesmix.inputs.pairs import below_diagonal, correlation_matrices
from bayesmix.inputs.prior import Prior

SCIPY: dict[str, Callable[..., Any]] = {
    "Normal": lambda mu, sigma: stats.norm(mu, sigma),
    "StudentT": lambda nu, mu, sigma: stats.t(nu, mu, sigma),
    "Laplace": lambda mu, b: stats.laplace(mu, b),
    "Logistic": lambda mu, s: stats.logistic(mu, s),
    "Cauchy": lambda alpha, beta: stats.cauchy(alpha, beta),
    "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1 / beta),
    "Exponential": lambda lam: stats.expon(scale=1 / lam),
    "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
    "HalfCauchy": lambda beta: stats.halfcauchy(scale=beta),
    "Beta": lambda alpha, beta: stats.beta(alpha, beta),
}
"""SciPy's distribution from PyMC's parameters, for scalars; SciPy has no half-t."""
SMALLEST_WEIGHT = 1e-300
"""Gamma variables of a small shape run out of numbers; weights have logarithms."""
NODES_OF_CONCENTRATION, ENDS_OF_NODES = 97, (1e-12, 1 - 1e-5)
"""Of the quadrature over a concentration: a few to each standard deviation that the weights leave its logarithm. It
ends where larger concentrations would do no more than raise a spike of no mass at equal weights."""


def draw(prior: Prior, shape: tuple[int, ...], rng: np.random.Generator, *, blocks: tuple[int, ...] = ()) -> np.ndarray:
    """Independent draws.

    Parameters
    ----------
    prior : Prior
        Of scalars: its parameters broadcast against ``shape``. Of simplexes, vectors or correlations (those of all
        pairs of features, see :mod:`bayesmix.inputs.pairs`): those take the last dimension. Of pooled scales or rates:
        they share one level along the second dimension, the first being that of draws; one alone has no second.
    shape : tuple of int
        Of the result.
    rng : Generator
        Source of randomness.
    blocks : tuple of int
        Sizes of the simplexes side by side in the last dimension; by default it is one.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> x = draw(Prior("Gamma", alpha=3.0, beta=[1.0, 10.0]), (20_000, 2), np.random.default_rng(1))
    >>> x.mean(axis=0).round(1)
    array([3. , 0.3])
    """
    parameters = prior.parameters
    if blocks:
        return _side_by_side(np.broadcast_to(parameters["a"], shape[-2:]), shape[:-2], rng, blocks)
    if prior.support == "simplex":
        return rng.dirichlet(np.broadcast_to(parameters["a"], shape[-1]), shape[:-1])
    if prior.support == "correlation":
        return below_diagonal(_onion(float(parameters["eta"]), correlation_matrices(np.zeros(shape)).shape, rng))
    if prior.support == "pooled":
        of_level = tuple(1 if axis == 1 else size for axis, size in enumerate(shape))
        level = rng.gamma(parameters["level_shape"], 1 / parameters["level_rate"], of_level)
        rates = rng.gamma(parameters["alpha"], 1.0, shape) / level
        return rates if prior.distribution == "PooledRates" else 1 / np.sqrt(rates)
    if prior.support == "dynamic":
        total = stats.f(parameters["df1"], parameters["df2"]).rvs((*shape[:-1], 1), random_state=rng)
        gammas = np.maximum(rng.gamma(total / shape[-1], size=shape), SMALLEST_WEIGHT)
        return np.asarray(gammas / gammas.sum(axis=-1, keepdims=True))
    if prior.support == "real vector":
        return np.asarray(parameters["mu"] + rng.standard_normal(shape) @ parameters["chol"].T)
    if prior.distribution == "HalfStudentT":
        return np.abs(parameters["sigma"] * rng.standard_t(parameters["nu"], shape))
    return np.asarray(SCIPY[prior.distribution](**parameters).rvs(size=shape, random_state=rng))


def log_density(prior: Prior, value: np.ndarray) -> np.ndarray:
    """The log-density of a prior, without the constants of Dirichlet and LKJ.

    Parameters
    ----------
    prior : Prior
        As for :func:`draw`.
    value : ndarray
        Where it is taken.

    Returns
    -------
    ndarray
        The shape of ``value``, of which a simplex, a vector or the correlations of all pairs take one dimension, pooled
        scales and rates the second.

    Examples
    --------
    >>> float(log_density(Prior("Normal", mu=0.0, sigma=1.0), np.array(0.0)).round(4))
    -0.9189
    """
    parameters = prior.parameters
    if prior.support == "simplex":
        return np.asarray(xlogy(parameters["a"] - 1, value).sum(axis=-1))
    if prior.support == "correlation":
        return np.asarray((parameters["eta"] - 1) * np.linalg.slogdet(correlation_matrices(value))[1])
    if prior.support == "pooled":
        value = value.reshape(len(value), -1, *value.shape[2:])
        if prior.distribution == "PooledRates":
            return _pooled_rates(value, **parameters)
        return _pooled_rates(value**-2, **parameters) + np.log(2 * value**-3).sum(axis=1)
    if prior.support == "dynamic":
        return _dynamic(value, *concentrations(prior))
    if prior.support == "real vector":
        chol = parameters["chol"]
        z = solve_triangular(chol, (value - parameters["mu"]).reshape(-1, len(chol)).T, lower=True)
        log_det = np.log(np.diag(chol)).sum()
        return np.asarray(stats.norm.logpdf(z).sum(axis=0) - log_det).reshape(value.shape[:-1])
    if prior.distribution == "HalfStudentT":
        return np.asarray(np.log(2) + stats.t(parameters["nu"], 0.0, parameters["sigma"]).logpdf(value))
    return np.asarray(SCIPY[prior.distribution](**parameters).logpdf(value))


def _pooled_rates(value: np.ndarray, alpha: np.ndarray, level_shape: np.ndarray, level_rate: np.ndarray) -> np.ndarray:
    """Rates (S, K, ...) that share a level: log-density of all K, (S, ...), the level integrated out.

    Rates r_k ~ Gamma(alpha, C) with C ~ Gamma(shape, rate) have the density rate^shape / Gamma(shape) Gamma(K alpha +
    shape) / Gamma(alpha)^K prod r_k^(alpha - 1) (sum r_k + rate)^-(K alpha + shape). Squares of pooled scales are their
    inverses.
    """
    K = value.shape[1]
    total = K * alpha + level_shape
    constants = level_shape * np.log(level_rate) - gammaln(level_shape) + gammaln(total) - K * gammaln(alpha)
    powers = (alpha - 1) * np.log(value).sum(axis=1) - total * np.log(value.sum(axis=1) + level_rate)
    return np.asarray(constants + powers)


def concentrations(prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """Nodes a of a dynamic Dirichlet prior and the logarithms of their weights: the trapezoid rule over log a.

    The density of log a is smooth and falls off at both ends, so that the rule is as good as exact.
    """
    law = stats.f(**{name: float(prior.parameters[df]) for name, df in (("dfn", "df1"), ("dfd", "df2"))})
    low, high = np.log(law.ppf(ENDS_OF_NODES))
    log_a = np.linspace(low, high, NODES_OF_CONCENTRATION)
    log_weight = law.logpdf(np.exp(log_a)) + log_a
    return np.exp(log_a), log_weight - logsumexp(log_weight)


def _dynamic(value: np.ndarray, a: np.ndarray, log_weight: np.ndarray) -> np.ndarray:
    """Weights (..., K) that are Dirichlet(a / K), averaged over nodes of a, (...)."""
    K, log_total = value.shape[-1], np.log(np.maximum(value, SMALLEST_WEIGHT)).sum(axis=-1)
    level = log_weight + gammaln(a) - K * gammaln(a / K)
    return np.asarray(logsumexp(level + (a / K - 1) * log_total[..., None], axis=-1))


def _side_by_side(
    a: np.ndarray, leading: tuple[int, ...], rng: np.random.Generator, blocks: tuple[int, ...]
) -> np.ndarray:
    """Simplexes one beside the other in each row of a (K, sum of their sizes), (*leading, K, ...)."""
    cuts = np.cumsum(blocks)[:-1]
    rows = [np.concatenate([rng.dirichlet(own, leading) for own in np.split(row, cuts)], axis=-1) for row in a]
    return np.stack(rows, axis=-2)


def _onion(eta: float, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """LKJ(eta) correlation matrices, shape (..., d, d), row by row of the Cholesky factor (the onion method).

    Row j below the first is sqrt(y) u, sqrt(1 - y), with u uniform on the sphere of j dimensions and
    y ~ Beta(j / 2, eta + (d - 1 - j) / 2). Lewandowski, Kurowicka and Joe (2009), doi:10.1016/j.jmva.2009.04.008.
    """
    *batch, d, _ = shape
    L = np.zeros(shape)
    L[..., 0, 0] = 1
    for j in range(1, d):
        y = rng.beta(j / 2, eta + (d - 1 - j) / 2, batch)
        u = rng.standard_normal((*batch, j))
        L[..., j, :j] = np.sqrt(y)[..., None] * u / np.linalg.norm(u, axis=-1, keepdims=True)
        L[..., j, j] = np.sqrt(1 - y)
    return L @ np.swapaxes(L, -1, -2)
