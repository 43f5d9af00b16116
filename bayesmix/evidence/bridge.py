"""The integral of an unnormalized density by bridge sampling, from draws of that density.

Meng and Wong (1996), Statistica Sinica 6, 831-860; Gronau et al. (2017), doi:10.1016/j.jmp.2017.09.005.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

DRAWS_PER_DIMENSION = 20
LARGEST_ERROR = 0.1


@dataclass(frozen=True)
class Evidence:
    """A log-integral, its standard error (relative error of the integral), and whether it can be relied on."""

    value: float
    standard_error: float
    established: bool


def bridge(
    log_density: Callable[[np.ndarray], float], draws: np.ndarray, *, efficiency: float = 1.0, seed: int = 1
) -> Evidence:
    """log of the integral of exp(log_density) over the region that ``draws`` come from.

    The first half of the draws fits a normal proposal g, the second (N1) estimates; with N2 = N1 proposal draws the
    iteration

        Z <- mean_g( l2 / (s1 l2 + s2 Z) ) / mean_draws( 1 / (s1 l1 + s2 Z) ),    l = exp(log_density) / g

    converges to the optimal bridge. The error is Fruehwirth-Schnatter's (2004, doi:10.1111/j.1368-423X.2004.00125.x).

    Parameters
    ----------
    log_density
        Unnormalized; -inf outside the region.
    draws : ndarray, shape (S, D)
    efficiency : float
        Effective draws per draw, in (0, 1].
    seed : int

    Returns
    -------
    Evidence
        Not established with fewer than 20 draws per dimension or a standard error above 0.1.
    """
    n, d = draws.shape
    if n < 2 * (d + 2):
        return Evidence(float("nan"), float("inf"), False)
    fitted, kept = draws[: n // 2], draws[n // 2 :]
    covariance = np.atleast_2d(np.cov(fitted.T))
    scale = np.sqrt(covariance.diagonal())
    if not (scale > 0).all() or np.linalg.matrix_rank(covariance / np.outer(scale, scale)) < d:
        return Evidence(float("nan"), float("inf"), False)
    proposal = multivariate_normal(fitted.mean(axis=0), covariance)
    proposed = np.atleast_2d(proposal.rvs(len(kept), random_state=np.random.default_rng(seed))).reshape(-1, d)
    l1 = np.array([log_density(x) for x in kept]) - proposal.logpdf(kept)
    l2 = np.array([log_density(x) for x in proposed]) - proposal.logpdf(proposed)
    effective = max(1.0, len(kept) * efficiency)
    s1, s2 = effective / (effective + len(proposed)), len(proposed) / (effective + len(proposed))
    log_z = float(np.median(l1))
    for _ in range(1000):
        top = logsumexp(l2 - np.logaddexp(np.log(s1) + l2, np.log(s2) + log_z)) - np.log(len(l2))
        bottom = logsumexp(-np.logaddexp(np.log(s1) + l1, np.log(s2) + log_z)) - np.log(len(l1))
        new = float(top - bottom)
        if abs(new - log_z) < 1e-10:
            break
        log_z = new
    f2 = 1 / (s1 + s2 * np.exp(np.minimum(log_z - l2, 700)))
    f1 = 1 / (s1 * np.exp(np.minimum(l1 - log_z, 700)) + s2)
    error = np.sqrt(f2.var() / f2.mean() ** 2 / len(l2) + f1.var() / f1.mean() ** 2 / effective)
    established = bool(np.isfinite(error)) and error < LARGEST_ERROR and n * efficiency >= DRAWS_PER_DIMENSION * d
    return Evidence(log_z, float(error), established)
