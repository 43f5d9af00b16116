"""What bridge sampling compares a density with: a mixture of normals fitted to draws, as many as they support."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

DRAWS_PER_DIMENSION = 20
"""Fewer draws do not establish an integral, nor support a normal of the proposal."""
SIZES = (1, 3, 8)
"""Numbers of normals that are tried: one for a mode, more where labels or modes cross within the region."""
RIDGE = 1e-3
ENOUGH_STEPS = 30


@dataclass(frozen=True, eq=False)
class Proposal:
    """A mixture of normals in coordinates u with x = centre + A u, in which the draws are white."""

    centre: np.ndarray
    factor: np.ndarray
    mixture: GaussianMixture

    def draw(self, n: int) -> np.ndarray:
        """Points (n, D); the same ones at every call."""
        u = self.mixture.sample(n)[0]
        return np.asarray(self.centre + u @ self.factor.T)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Of points (n, D)."""
        u = np.linalg.solve(self.factor, (x - self.centre).T).T
        return np.asarray(self.mixture.score_samples(u) - np.log(self.factor.diagonal()).sum())


def fit(draws: np.ndarray, *, seed: int) -> Proposal | None:
    """The mixture with the best BIC for these draws (n, D); None where they do not fill all dimensions."""
    n, d = draws.shape
    if n < d + 2:
        return None
    centre, covariance = draws.mean(axis=0), np.atleast_2d(np.cov(draws.T))
    scale = np.sqrt(covariance.diagonal())
    if not (scale > 0).all() or np.linalg.matrix_rank(covariance / np.outer(scale, scale)) < d:
        return None
    factor = scale[:, None] * np.linalg.cholesky(covariance / np.outer(scale, scale))
    u = np.linalg.solve(factor, (draws - centre).T).T
    sizes = [k for k in SIZES if k == 1 or n >= k * d * DRAWS_PER_DIMENSION]
    fits = [
        GaussianMixture(k, reg_covar=RIDGE, max_iter=ENOUGH_STEPS, init_params="k-means++", random_state=seed)
        for k in sizes
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # any mixture serves, better ones only sooner
        best = min((mixture.fit(u) for mixture in fits), key=lambda mixture: float(mixture.bic(u)))
    return Proposal(centre, factor, best)
