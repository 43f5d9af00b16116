"""Whole calls of ``bm.fit_em`` beside scikit-learn's ``GaussianMixture`` with as many starts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

import bayesmix as bm
from benchmarks.figures import Case, Figure, median
from benchmarks.timing import timed

SIZES = (
    (1_000, 2, 3, 10),
    (1_000, 20, 5, 10),
    (5_000, 10, 5, 10),
    (10_000, 4, 3, 10),
    (100_000, 4, 5, 1),
    (50_000, 20, 5, 1),
    (200_000, 8, 5, 5),
    (100_000, 32, 16, 1),
    (100_000, 20, 10, 1),
)
"""Rows, features, components, starts."""
GRID = (range(1, 6), ("full", "tied", "diag", "spherical"))
RULES = {"tol": 1e-6, "max_iter": 300, "random_state": 0}
MANY = 10_000
SHORT, TURNS = 2.0, 7
"""Where both take less than so many seconds together, they take so many turns, and medians are compared."""


def cases(*, quick: bool, longest: int = len(SIZES)) -> Iterator[Case]:
    """Groups of unit variance, means 2.5 standard deviations apart in every feature; so many sizes at most."""
    bm.fit_em(bm.Mixture("gaussian", n_components=2), bm.Data(groups_apart(300, 3, 2)), n_starts=2)
    yield _grid(200 if quick else 2_000)
    for n, d, K, starts in SIZES[:1] if quick else SIZES[:longest]:
        yield _case(n, d, K, starts)


def groups_apart(n: int, d: int, K: int) -> np.ndarray:
    """K groups of n rows in all, of unit variance, means 2.5 standard deviations apart in each of d features."""
    rng = np.random.default_rng(0)
    means, z = rng.normal(size=(K, d)) * 2.5, rng.integers(K, size=n)
    return means[z] + rng.normal(size=(n, d))


def _peer(X: np.ndarray, K: int, starts: int, covariance: str = "full") -> GaussianMixture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(K, n_init=starts, covariance_type=covariance, **RULES).fit(X)


def _ours(X: np.ndarray, K: int, starts: int, covariance: str = "full") -> bm.EMFit:
    spec = bm.Mixture("gaussian", n_components=K, covariance=covariance)
    return bm.fit_em(spec, bm.Data(X), n_starts=starts, seed=0)


def _case(n: int, d: int, K: int, starts: int) -> Case:
    X = groups_apart(n, d, K)
    theirs, ours, peer, em = _in_turns(lambda: _peer(X, K, starts), lambda: _ours(X, K, starts))
    errors, _ = timed(lambda: em.standard_errors)
    higher = em.log_likelihood - float(peer.score(X)) * n
    figures = {
        "ours": ours,
        "scikit-learn": theirs,
        "ratio": theirs.per(ours, at_least=3.0 if n >= MANY else 1.0),
        "ours ends higher by": Figure(higher, ""),
        "standard errors, when asked for": Figure(errors, "s"),
    }
    return Case(f"{d}-D, n = {n:,}, K = {K}", figures, f"starts: {starts}; {em.n_parameters:,} parameters")


def _in_turns[A, B](one: Callable[[], A], other: Callable[[], B]) -> tuple[Figure, Figure, A, B]:
    """Seconds of both and what they return: of one run each where these are long, medians where they are short."""
    runs = [(timed(one), timed(other))]
    if sum(seconds for seconds, _ in runs[0]) < SHORT:
        runs += [(timed(one), timed(other)) for _ in range(TURNS - 1)]
    first, second = ([run[i][0] for run in runs] for i in (0, 1))
    return median(first, "s"), median(second, "s"), runs[0][0][1], runs[0][1][1]


def _grid(n: int) -> Case:
    """Every number of components with every covariance, three starts each: what a choice by BIC asks for."""
    X, (numbers, kinds) = groups_apart(n, 4, 3), GRID
    grid = [(K, kind) for K in numbers for kind in kinds]
    theirs, _ = timed(lambda: [_peer(X, K, 3, kind).bic(X) for K, kind in grid])
    ours, _ = timed(lambda: [_ours(X, K, 3, kind).bic for K, kind in grid])
    figures = {
        "ours": Figure(ours, "s"),
        "scikit-learn": Figure(theirs, "s"),
        "ratio": Figure(theirs / ours, "x", at_least=1.0),
    }
    return Case(f"a grid of K = 1 to 5 by four covariances, 4-D, n = {n:,}", figures, "starts: 3 each")
