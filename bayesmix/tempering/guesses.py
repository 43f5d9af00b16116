"""Where the components of a rung are: a mixture of normals over the coordinates of one component.

From it components are drawn anew: one that shares its rows with another leaves for rows that none of them fits. Any
fixed distribution would leave the posterior as it is (an independence sampler; Tierney 1994,
doi:10.1214/aos/1176325750); this one is fitted to what the rung has shown while the ladder was learnt.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from bayesmix.kernels.parallel import one_blas_thread

type Guess = tuple[np.ndarray, ...]
"""By rung and normal: cumulative weights (R, G), means (R, G, d), Cholesky factors (R, G, d, d), their inverses, and
log-densities at the means (R, G)."""

MORE, ITERATIONS = 2, 20
"""Normals beyond one for each component; iterations of their fit."""
VECTORS = 800
"""Components that a rung's fit looks at, at most."""
WIDER = 1.2
"""Normals are this many times as wide as they were fitted: an independence sampler needs tails."""
LEAST_VARIANCE = 1e-6
"""Added to the variances of standardized coordinates."""


def no_guess(rungs: int) -> Guess:
    """Before anything is known."""
    return tuple(np.empty((rungs, *rest)) for rest in ((0,), (0, 0), (0, 0, 0), (0, 0, 0), (0,)))


def guess(states: np.ndarray, members: np.ndarray, *, seed: int) -> Guess:
    """From states (T, R, n) of all rungs, with the coordinates of every component (K, d)."""
    with one_blas_thread():
        fits = [_fit(states[:, r][:, members], seed) for r in range(states.shape[1])]
    return tuple(np.ascontiguousarray(np.stack(part)) for part in zip(*fits, strict=True))


def _fit(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """Of one rung, from (T, K, d)."""
    K, d = vectors.shape[1:]
    rows = vectors.reshape(-1, d)
    rows = rows[:: -(-len(rows) // VECTORS)]
    shift, scale = np.median(rows, axis=0), np.maximum(rows.std(axis=0), np.finfo(float).tiny)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = GaussianMixture(
            K + MORE, max_iter=ITERATIONS, init_params="k-means++", reg_covar=LEAST_VARIANCE, random_state=seed
        ).fit((rows - shift) / scale)
    means = shift + scale * fitted.means_
    factors = WIDER * scale[:, None] * np.linalg.cholesky(fitted.covariances_)
    inverses = np.linalg.inv(factors)
    log_det = np.log(np.diagonal(inverses, axis1=1, axis2=2)).sum(axis=1)
    constants = np.log(fitted.weights_) + log_det - 0.5 * d * np.log(2 * np.pi)
    return np.cumsum(fitted.weights_), means, factors, inverses, constants
