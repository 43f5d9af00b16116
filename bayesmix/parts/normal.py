"""Normal distributions of rows in K components, from means (..., K, d) and Cholesky factors C (..., K, d, d).

log f(x | mu, Sigma) = -d/2 log 2 pi - sum_j log C_jj - 1/2 z'z,   z = C^-1 (x - mu),   Sigma = C C'.
Sums: first s_k = sum_i v_i r_ik z_ik, second S_k = sum_i v_i r_ik z_ik z_ik'.
"""

from __future__ import annotations

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import check_columns, column_moments, filled
from bayesmix.parts.part import Sums


def centre_and_spread(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means and standard deviations of the observed cells, each (d,); ValueError naming a constant column."""
    check_columns(data.x, data.row_weights, data.feature_names)
    used = data.x if data.row_weights.all() else data.x[data.row_weights > 0]
    for name, low, high in zip(data.feature_names, np.nanmin(used, axis=0), np.nanmax(used, axis=0), strict=True):
        if low == high:
            raise ValueError(f"X: column {name!r} is constant ({low:g}): its groups cannot be told apart")
    return column_moments(data.x, data.row_weights)


def whiten(x: np.ndarray, means: np.ndarray, C: np.ndarray) -> np.ndarray:
    """z = C^-1 (x - mu) by forward substitution, (..., K, d, n)."""
    z = x.T - means[..., None]
    for j in range(x.shape[1]):
        z[..., j, :] -= np.einsum("...m,...mn->...n", C[..., j, :j], z[..., :j, :])
        z[..., j, :] /= C[..., j, j, None]
    return z


def log_density(x: np.ndarray, means: np.ndarray, C: np.ndarray) -> np.ndarray:
    """log f(x_i | mu_k, Sigma_k), (..., n, K)."""
    z = whiten(x, means, C)
    log_det = np.log(np.einsum("...jj->...j", C)).sum(axis=-1)
    log_f = -0.5 * (z**2).sum(axis=-2) - log_det[..., None] - 0.5 * x.shape[1] * np.log(2 * np.pi)
    return np.swapaxes(log_f, -1, -2)


def moments_about(vr: np.ndarray, x: np.ndarray, means: np.ndarray, C: np.ndarray) -> Sums:
    """first (K, d) and second (K, d, d) moments of z, from v_i r_ik (n, K)."""
    z = whiten(x, means, C)
    weighted = vr.T[:, None, :]
    return {"first": (weighted * z).sum(axis=-1), "second": (weighted * z) @ z.swapaxes(-1, -2)}


def means_and_scatter(sums: Sums, means: np.ndarray, C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means mu + C s / N, and scatter about them C (S - s s' / N) C'; an empty component keeps its mean."""
    s = sums["first"]
    shift = s / np.where(sums["mass"] > 0, sums["mass"], 1.0)[:, None]
    scatter = C @ (sums["second"] - s[:, :, None] * shift[:, None, :]) @ C.swapaxes(-1, -2)
    return means + np.einsum("kij,kj->ki", C, shift), (scatter + scatter.swapaxes(-1, -2)) / 2


def score_of(sums: Sums, C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dL/dmu_k = C^-T s_k, (K, d), and C_k^-T (S_k - N_k I), (K, d, d), of which dL/dC_k is the lower triangle."""
    inverse_t = np.linalg.inv(C).transpose(0, 2, 1)
    of_C = inverse_t @ (sums["second"] - sums["mass"][:, None, None] * np.eye(C.shape[-1]))
    return np.einsum("kij,kj->ki", inverse_t, sums["first"]), of_C


def clusters(x: np.ndarray, centre: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masses (K,), means (K, d) and scatter about them (K, d, d) of clusters, by weights of the rows (n, K).

    Missing cells stand at the centre.
    """
    residual, mass = filled(x - centre, 0.0), weights.sum(axis=0)
    shift = weights.T @ residual / np.where(mass > 0, mass, 1.0)[:, None]
    second = np.stack([(residual * w[:, None]).T @ residual for w in weights.T])
    return mass, centre + shift, second - mass[:, None, None] * shift[:, :, None] * shift[:, None, :]
