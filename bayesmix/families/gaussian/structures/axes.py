"""Orthogonal matrices D whose columns are the axes of ellipsoids: those that components share, and coordinates of them.

The axes that K components share minimize sum_k tr(D' W_k D diag(1 / v_k)) (Browne and McNicholas 2014,
doi:10.1007/s11634-013-0139-1, majorize it). In the plane of two columns, turned by an angle t, it is

    const + a cos 2t + b sin 2t,   a = 1/2 sum_k (w_kii - w_kjj) (1/v_ki - 1/v_kj),   b = sum_k w_kij (1/v_ki - 1/v_kj)

with w_k = D' W_k D, so that every plane has its best angle in closed form, as in Jacobi's method for one matrix; the
variances v_k follow. From several starts, side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment, minimize

SWEEPS = 3
"""Over all planes, from every start."""
SEARCH_FOR_AXES = {"gtol": 1e-10, "maxiter": 200}
"""For BFGS: a slope for each row."""
GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, are spread as evenly and as unlike simple fractions as can be."""

type Variances = Callable[[np.ndarray, np.ndarray], np.ndarray]


def turned_to(scatter: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """diag(D' W D), (..., K, d)."""
    return np.asarray(np.einsum("...ij,...ij->...j", axes, scatter @ axes))


def common_axes(scatter: np.ndarray, mass: np.ndarray, variances: Variances, before: np.ndarray | None) -> np.ndarray:
    """D (d, d) with the least sum_k N_k log|v_k| + sum_k omega_k / v_k, v the best variances along these axes.

    From the axes of the pooled scatter, of every component's, and of ``before``, matrices (K, d, d) that share theirs:
    a few sweeps from each of them. Without ``before`` then from the best one to its end by quasi-Newton steps, as
    sweeps crawl there; with it the step is one of EM, which goes on from where it ends and gets there as soon.
    """
    unit = scatter / np.einsum("kjj->k", scatter)[:, None, None]
    starts = np.concatenate([np.linalg.eigh(scatter.sum(axis=0))[1][None], np.linalg.eigh(unit)[1]])
    if before is not None:
        starts = np.concatenate([shared_axes(before)[None], starts])
    D, w = starts, np.swapaxes(starts, -1, -2)[:, None] @ scatter @ starts[:, None]
    v = variances(np.einsum("skjj->skj", w), mass)
    for _ in range(SWEEPS):
        D, w = _sweep(D, w, 1 / v)
        v = variances(np.einsum("skjj->skj", w), mass)
    best = int(np.argmin((mass[:, None] * np.log(v) + np.einsum("skjj->skj", w) / v).sum(axis=(1, 2))))
    return D[best] if before is not None else D[best] @ _turn(w[best] / mass.sum(), mass / mass.sum(), variances)


def _turn(w: np.ndarray, share: np.ndarray, variances: Variances) -> np.ndarray:
    """The rotation from here to where the objective is least, for matrices w (K, d, d) and masses that sum to 1."""
    d = w.shape[-1]

    def value(entries: np.ndarray) -> tuple[float, np.ndarray]:
        D = rotation(entries, d)
        turned = w @ D
        omega = np.einsum("ij,kij->kj", D, turned)
        v = variances(omega, share)
        of_D = 2 * (turned / v[:, None, :]).sum(axis=0)
        return float((share[:, None] * np.log(v) + omega / v).sum()), pulled_to_skew(of_D, entries, D)

    here = np.zeros(d * (d - 1) // 2)
    least = minimize(value, here, jac=True, method="BFGS", options=SEARCH_FOR_AXES)
    return rotation(least.x if least.fun <= value(here)[0] else here, d)


def _sweep(D: np.ndarray, w: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every plane's best turn, one after the other; D (S, d, d), w = D' W D (S, K, d, d), 1 / v (S, K, d)."""
    D, w = D.copy(), w.copy()
    for i, j in combinations(range(D.shape[-1]), 2):
        gap = precision[:, :, i] - precision[:, :, j]
        a = ((w[:, :, i, i] - w[:, :, j, j]) * gap).sum(axis=1) / 2
        b = (w[:, :, i, j] * gap).sum(axis=1)
        t = np.where((a == 0) & (b == 0), 0.0, np.arctan2(-b, -a) / 2)
        turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]).transpose(2, 0, 1)
        D[:, :, [i, j]] = D[:, :, [i, j]] @ turn
        w[..., [i, j]] = w[..., [i, j]] @ turn[:, None]
        w[:, :, [i, j]] = np.swapaxes(turn, -1, -2)[:, None] @ w[:, :, [i, j]]
    return D, w


def shared_axes(covariances: np.ndarray) -> np.ndarray:
    """The axes (..., d, d) of matrices (..., K, d, d) that share them, by their average length in units of size.

    The longest first: the order of the components makes no difference to that, and no two of them are to cancel out.
    """
    _, log_det = np.linalg.slogdet(covariances)
    unit = covariances / np.exp(log_det / covariances.shape[-1])[..., None, None]
    uneven = 1 + np.arange(covariances.shape[-3]) * GOLDEN % 1
    D = np.linalg.eigh((uneven[:, None, None] * unit).sum(axis=-3))[1]
    longest = np.argsort(-turned_to(unit.mean(axis=-3), D), axis=-1, kind="stable")
    return np.take_along_axis(D, longest[..., None, :], axis=-1)


def nearest_copies(D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes (m, d, d) with columns in the one order and with the signs that bring them near the identity, and the order.

    They are rotations: where signs that make the diagonal positive do not give one, the smallest entry's is changed.
    """
    _, order = linear_sum_assignment(-(D**2).sum(axis=0))
    D = D[:, :, order]
    diagonal = np.einsum("mjj->mj", D)
    sign = np.where(diagonal < 0, -1.0, 1.0)
    least = np.eye(D.shape[-1], dtype=bool)[np.abs(diagonal).argmin(axis=1)]
    mirrored = np.linalg.det(D * sign[:, None, :]) < 0
    return D * np.where(mirrored[:, None] & least, -sign, sign)[:, None, :], order


def skew(entries: np.ndarray, d: int) -> np.ndarray:
    """The skew-symmetric matrices with these entries below the diagonal, (..., d, d)."""
    S = np.zeros((*entries.shape[:-1], d, d))
    rows, columns = np.tril_indices(d, k=-1)
    S[..., rows, columns], S[..., columns, rows] = entries, -entries
    return S


def rotation(entries: np.ndarray, d: int) -> np.ndarray:
    """Cayley's transform (I - S)^-1 (I + S) of the skew-symmetric S with these entries, (..., d, d)."""
    S = skew(entries, d)
    return np.asarray(np.linalg.solve(np.eye(d) - S, np.eye(d) + S))


def of_rotation(D: np.ndarray) -> np.ndarray:
    """The entries of S below the diagonal, (..., d (d - 1) / 2): the inverse of :func:`rotation`."""
    d = D.shape[-1]
    S = np.linalg.solve(np.swapaxes(D + np.eye(d), -1, -2), np.swapaxes(D - np.eye(d), -1, -2))
    rows, columns = np.tril_indices(d, k=-1)
    return np.asarray(np.swapaxes(S, -1, -2)[..., rows, columns])


def pulled_to_skew(G: np.ndarray, entries: np.ndarray, D: np.ndarray) -> np.ndarray:
    """From a gradient by the entries of D to one by those of S: dD = (I - S)^-1 dS (D + I)."""
    d = D.shape[-1]
    inner = np.linalg.solve(np.swapaxes(np.eye(d) - skew(entries, d), -1, -2), G) @ np.swapaxes(D + np.eye(d), -1, -2)
    rows, columns = np.tril_indices(d, k=-1)
    return np.asarray(inner[..., rows, columns] - inner[..., columns, rows])
