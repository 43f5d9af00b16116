"""Covariance matrices of maximum likelihood under a structure, from scatter matrices W_k and masses N_k.

They minimize sum_k N_k log|Sigma_k| + tr(Sigma_k^-1 W_k) (Celeux and Govaert 1995,
doi:10.1016/0031-3203(94)00125-6). With axes D_k given, Sigma_k = D_k diag(v_k) D_k', what matters of W_k is
omega_k = diag(D_k' W_k D_k), the scatter along the axes. The best D_k of a component's own are the eigenvectors of W_k,
so only axes that components share are searched for (:mod:`bayesmix.families.gaussian.structures.axes`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmix.families.gaussian.structures.axes import common_axes, turned_to
from bayesmix.families.gaussian.structures.structure import Structure

SIZES_SETTLED, MOST_TURNS = 1e-13, 1000
"""Sizes and a shared shape are estimated in turns until no logarithm of a size moves by more."""
LEAST_SCATTER = 1e-14
"""Of the largest scatter along an axis: where there is none, the variance vanishes, which is seen as a spike."""


def estimate(structure: Structure, scatter: np.ndarray, mass: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Sigma_k (K, d, d) from scatter matrices (K, d, d) and masses (K,); NaN where a component has lost all its rows.

    ``before``: matrices of this structure to begin the search for shared axes at, beside the eigenvectors of the
    scatter matrices.
    """
    K, d, _ = scatter.shape
    if not ((mass > 0).all() and np.isfinite(scatter).all() and (np.einsum("kjj->k", scatter) > 0).all()):
        return np.full((K, d, d), np.nan)
    if structure.orientation == "E" and structure.shape == "E":
        return _one_matrix(scatter, mass)
    variances = along(structure)
    if structure.orientation == "I":
        axes = np.broadcast_to(np.eye(d), scatter.shape)
    elif structure.orientation == "V":
        axes = np.linalg.eigh(scatter)[1]
    else:
        axes = np.broadcast_to(common_axes(scatter, mass, variances, before), scatter.shape)
    v = variances(turned_to(scatter, axes), mass)
    return np.asarray((axes * v[:, None, :]) @ np.swapaxes(axes, -1, -2))


def along(structure: Structure) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Variances v (..., K, d) along given axes, of scatter along them omega (..., K, d) and masses (K,)."""
    own = {"VV": _all_free, "VE": _one_shape, "EV": _one_size, "EE": _all_shared}[structure.volume + structure.shape]

    def variances(omega: np.ndarray, mass: np.ndarray) -> np.ndarray:
        return own(np.maximum(omega, LEAST_SCATTER * omega.max(axis=-1, keepdims=True)), mass)

    return variances


def geometric_mean(v: np.ndarray) -> np.ndarray:
    """Along the last axis, which is kept."""
    return np.asarray(np.exp(np.log(v).mean(axis=-1, keepdims=True)))


def _all_free(omega: np.ndarray, mass: np.ndarray) -> np.ndarray:
    return omega / mass[:, None]


def _all_shared(omega: np.ndarray, mass: np.ndarray) -> np.ndarray:
    return np.broadcast_to(omega.sum(axis=-2, keepdims=True) / mass.sum(), omega.shape)


def _one_size(omega: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """The shape of each is that of its own scatter; lambda = sum_k |omega_k|^(1/d) / N."""
    own = geometric_mean(omega)
    return np.asarray(omega / own * own.sum(axis=-2, keepdims=True) / mass.sum())


def _one_shape(omega: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """In turns lambda_k = sum_j omega_kj / b_j / (d N_k) and b ~ sum_k omega_k / lambda_k, prod_j b_j = 1.

    The objective is convex in their logarithms, so that there is one minimum.
    """
    size = geometric_mean(omega) / mass[:, None]
    for _ in range(MOST_TURNS):
        b = (omega / size).sum(axis=-2, keepdims=True)
        b = b / geometric_mean(b)
        last, size = size, (omega / b).mean(axis=-1, keepdims=True) / mass[:, None]
        if np.abs(np.log(size / last)).max() < SIZES_SETTLED:
            break
    return np.asarray(size * b)


def _one_matrix(scatter: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Sigma_k = lambda_k C, in turns lambda_k = tr(W_k C^-1) / (d N_k) and C ~ sum_k W_k / lambda_k, |C| = 1."""
    d = scatter.shape[-1]
    size = np.einsum("kjj->k", scatter) / mass
    for _ in range(MOST_TURNS):
        C = (scatter / size[:, None, None]).sum(axis=0)
        sign, log_det = np.linalg.slogdet(C)
        if not (sign > 0 and np.isfinite(log_det)):
            return np.asarray(size[:, None, None] * C / np.trace(C))
        C = C / np.exp(log_det / d)
        last, size = size, np.einsum("kij,ji->k", scatter, np.linalg.inv(C)) / (d * mass)
        if not (size > 0).all():  # C is flat up to rounding, which is seen as a spike
            return np.asarray(last[:, None, None] * C)
        if np.abs(np.log(size / last)).max() < SIZES_SETTLED:
            break
    return np.asarray(size[:, None, None] * C)
