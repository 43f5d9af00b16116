"""EM from given parameters: ours until a log-likelihood is reached, and scikit-learn's."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from bayesmix import estep
from bayesmix.em import iterations
from bayesmix.likelihood.likelihood import Likelihood, Params
from bayesmix.mixture.spec import bind
from benchmarks.problems import Problem

MOST_ITERATIONS = 20_000


@dataclass(frozen=True)
class End:
    """Where EM ended."""

    params: Params
    log_likelihood: float
    n_iter: int


def bound(problem: Problem) -> Likelihood:
    """The likelihood over the problem's rows."""
    return bind(problem.spec, problem.data)


def iterate_to(likelihood: Likelihood, params: Params, goal: float) -> End:
    """E-steps and M-steps until L is at least ``goal``."""
    for n_iter in range(MOST_ITERATIONS):
        L, statistics = estep.e_step(likelihood, params)
        if goal <= L:
            return End(params, L, n_iter)
        params = likelihood.m_step(statistics, params)
    raise RuntimeError(f"EM: {L:.6f} after {n_iter} iterations, short of {goal:.6f}")


def to_the_end(likelihood: Likelihood, params: Params) -> End:
    """The iterations of ``bm.fit_em``, by its own rule for the end at a tight tolerance."""
    result = iterations.iterate(likelihood, "given", params, max_iter=MOST_ITERATIONS, tolerance=1e-10)
    return End(result.params, result.log_likelihood, result.n_iter)


def kmeans_start(X: np.ndarray, K: int, seed: int) -> Params:
    """Weights, means and covariances of the clusters of one k-means run, scikit-learn's own kind of start."""
    labels = KMeans(K, n_init=1, random_state=seed).fit_predict(X)
    return {
        "weights": np.bincount(labels, minlength=K) / len(X),
        "means": np.array([X[labels == k].mean(axis=0) for k in range(K)]),
        "covariances": np.array([np.cov(X[labels == k].T, bias=True).reshape(X.shape[1], -1) for k in range(K)]),
    }


def sklearn_at(params: Params, **settings: float) -> GaussianMixture:
    """A GaussianMixture that starts at these parameters."""
    return GaussianMixture(
        len(params["weights"]),
        weights_init=params["weights"],
        means_init=params["means"],
        precisions_init=np.linalg.inv(params["covariances"]),
        **settings,
    )


def sklearn_fit(X: np.ndarray, params: Params, **settings: float) -> GaussianMixture:
    """scikit-learn's fit; that it may stop at ``max_iter`` is its rule and no cause for a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return sklearn_at(params, **settings).fit(X)


def sklearn_step(mixture: GaussianMixture, X: np.ndarray) -> float:
    """One E-step and one M-step; L before them."""
    mean, log_r = mixture._e_step(X)
    mixture._m_step(X, log_r)
    return float(mean) * len(X)


def sklearn_ready(X: np.ndarray, params: Params) -> GaussianMixture:
    """A GaussianMixture without regularization that holds these parameters."""
    mixture = sklearn_at(params, reg_covar=0.0)
    mixture._initialize_parameters(X, np.random.RandomState(0))
    return mixture


def check_same_step(likelihood: Likelihood, X: np.ndarray, params: Params) -> None:
    """One iteration of both sides from the same parameters.

    Raises
    ------
    RuntimeError
        Where log-likelihoods or updated parameters differ.
    """
    L, statistics = estep.e_step(likelihood, params)
    new = likelihood.m_step(statistics, params)
    mixture = sklearn_ready(X, params)
    peer_L = sklearn_step(mixture, X)
    pairs = ((L, peer_L), *((new[v], getattr(mixture, f"{v}_")) for v in ("weights", "means", "covariances")))
    if not all(np.allclose(a, b, rtol=1e-8, atol=1e-9) for a, b in pairs):
        raise RuntimeError("one EM iteration differs from scikit-learn's")
