"""Covariance matrices of maximum likelihood where standard deviations or correlations are known.

Given the scatter S = sum v r (x - mu)(x - mu)' / N of a component, Sigma = D R D minimizes log|Sigma| + tr(Sigma^-1 S).
With both known, or both free, there is nothing to search. Otherwise the gradient G = Sigma^-1 - Sigma^-1 S Sigma^-1
leads there: dF / dlog s_j = 2 sum_i G_ij Sigma_ij for R known, dF / dR = D G D for D known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from bayesmix.families.gaussian.covariance import Covariance
from bayesmix.inputs.pairs import correlation_matrices
from bayesmix.parts.part import Known

SEARCH = {"gtol": 1e-10, "maxiter": 200}
"""For BFGS: a slope in units in which the minimum has a curvature of about 1."""


def covariances(
    kind: Covariance, scatter: np.ndarray, mass: np.ndarray, before: np.ndarray, known: Known
) -> np.ndarray:
    """Sigma_k (K, d, d) from scatter matrices (K, d, d) and masses (K,).

    ``before``: the matrices to begin at, which have the known values; those of empty components stay.
    """
    if not {"scales", "correlations"} & set(known):
        return kind.estimate(scatter, mass)
    free, (K, d, _) = kind.estimate(scatter, mass), scatter.shape
    sd, R = _known(kind, K, d, known)
    if kind.shared:
        scatter, mass = (np.broadcast_to(a.sum(axis=0), a.shape) for a in (scatter, mass))
    uncorrelated = not (kind.correlated and d > 1)
    blocks = []
    for k in range(K):
        unknown = bool(np.isnan(sd[k]).any()), bool(np.isnan(R[k]).any())
        if unknown == (False, False):
            blocks.append(sd[k][:, None] * sd[k] * R[k])
        elif unknown == (True, True) or uncorrelated:
            blocks.append(free[k])
        elif mass[k] > 0:
            search = _standard_deviations if unknown[0] else _correlations
            blocks.append(search(scatter[k] / mass[k], R[k], sd[k], before[k]))
        else:
            blocks.append(before[k])
    return np.stack(blocks)


def _known(kind: Covariance, K: int, d: int, known: Known) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations (K, d) and correlation matrices (K, d, d), NaN where free."""
    sd, R = np.full((K, d), np.nan), np.broadcast_to(np.eye(d), (K, d, d))
    if "scales" in known:
        sd = np.sqrt(np.einsum("kjj->kj", kind.matrices(known["scales"], None, (K, d))))
    if kind.correlated and d > 1:
        R = (
            np.broadcast_to(correlation_matrices(known["correlations"]), R.shape)
            if "correlations" in known
            else R * np.nan
        )
    return sd, R


def wholly_known(kind: Covariance, K: int, d: int, known: Known) -> np.ndarray:
    """The components whose covariance matrix is known, (K,) bool."""
    sd, R = _known(kind, K, d, known)
    return ~(np.isnan(sd).any(axis=1) | np.isnan(R).any(axis=(1, 2)))


def _standard_deviations(S: np.ndarray, R: np.ndarray, sd: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Sigma with the correlations R."""
    unit = np.sqrt(np.diag(S))

    def matrix(u: np.ndarray) -> np.ndarray:
        s = unit * np.exp(u)
        return np.asarray(s[:, None] * s * R)

    def slope(u: np.ndarray, sigma: np.ndarray, G: np.ndarray) -> np.ndarray:
        return np.asarray(2 * (G * sigma).sum(axis=1))

    return _least(S, matrix, slope, np.log(np.sqrt(np.diag(before)) / unit))


def _correlations(S: np.ndarray, R: np.ndarray, sd: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Sigma with these standard deviations: L has the rows (y_i, 1, 0) / |(y_i, 1)|, R = L L'."""
    below = np.tril_indices(len(S), k=-1)

    def rows(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = np.eye(len(S))
        y[below] = u
        size = np.linalg.norm(y, axis=1, keepdims=True)
        return y / size, size

    def matrix(u: np.ndarray) -> np.ndarray:
        L, _ = rows(u)
        C = sd[:, None] * L
        return np.asarray(C @ C.T)

    def slope(u: np.ndarray, sigma: np.ndarray, G: np.ndarray) -> np.ndarray:
        L, size = rows(u)
        d_L = 2 * (sd[:, None] * G * sd) @ L
        return np.asarray(((d_L - (d_L * L).sum(axis=1, keepdims=True) * L) / size)[below])

    C = np.linalg.cholesky(before)
    return _least(S, matrix, slope, (C / np.diag(C)[:, None])[below])


def _least(
    S: np.ndarray,
    matrix: Callable[[np.ndarray], np.ndarray],
    slope: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    start: np.ndarray,
) -> np.ndarray:
    """The matrix with the least log|Sigma| + tr(Sigma^-1 S); that of the start, where none is found below it."""

    def value(u: np.ndarray) -> tuple[float, np.ndarray]:
        sigma = matrix(u)
        sign, log_det = np.linalg.slogdet(sigma)
        if not (sign > 0 and np.isfinite(log_det)):
            return np.inf, np.zeros_like(u)
        inverse = np.linalg.inv(sigma)
        G = inverse - inverse @ S @ inverse
        return float(log_det + (inverse * S).sum()), slope(u, sigma, G)

    minimum = minimize(value, start, jac=True, method="BFGS", options=SEARCH)
    return matrix(minimum.x if minimum.fun <= value(start)[0] else start)
