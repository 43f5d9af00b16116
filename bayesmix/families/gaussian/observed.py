r"""Normal components where cells are missing: the marginal of what was observed, and what it says of the rest.

For a pattern of missing cells, C_O are the rows of a Cholesky factor C whose cells are observed, and C_O = L Q' with L
lower triangular, its diagonal positive, and orthonormal columns in Q (d, \|O\|). Then Sigma_OO = L L', and with
z_O = L^-1 (x_O - mu_O) the standardized row z = C^-1 (x - mu) has, given x_O,

    E z = Q z_O,      Cov z = I - Q Q'.

Sums over rows of z and of z z' so become expected ones; all that is made of them stays as it is.
"""

from __future__ import annotations

import numpy as np

from bayesmix.parts.gaps import patterns
from bayesmix.parts.normal import whiten


def marginal(C: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L (..., o, o) and Q (..., d, o) of C (..., d, d), for the o columns that are there; C and I where all are."""
    d = C.shape[-1]
    if len(there) == d:
        return C, np.broadcast_to(np.eye(d), C.shape)
    Q, R = np.linalg.qr(np.swapaxes(C[..., there, :], -1, -2))
    sign = np.where(np.einsum("...jj->...j", R) < 0, -1.0, 1.0)
    return np.swapaxes(sign[..., None] * R, -1, -2), Q * sign[..., None, :]


def log_density(x: np.ndarray, means: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Of the observed cells of every row, (..., n, K); 0 where none is."""
    log_p = np.empty((*means.shape[:-1], len(x)))
    for there, rows in patterns(x):
        L, _ = marginal(C, there)
        z = whiten(x[np.ix_(rows, there)], means[..., there], L)
        log_det = np.log(np.einsum("...jj->...j", L)).sum(axis=-1)
        log_p[..., rows] = -0.5 * (z**2).sum(axis=-2) - log_det[..., None] - 0.5 * len(there) * np.log(2 * np.pi)
    return np.swapaxes(log_p, -1, -2)


def moments(x: np.ndarray, vr: np.ndarray, means: np.ndarray, C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected sums of v r z (K, d) and v r z z' (K, d, d) given the observed cells, from v_i r_ik (n, K)."""
    first, second = np.zeros(means.shape), np.zeros(C.shape)
    for there, rows in patterns(x):
        L, Q = marginal(C, there)
        z = whiten(x[np.ix_(rows, there)], means[:, there], L)
        weighted = vr[rows].T[:, None, :]
        s, S = (weighted * z).sum(axis=-1), (weighted * z) @ z.swapaxes(-1, -2)
        if len(there) < x.shape[1]:
            mass = vr[rows].sum(axis=0)[:, None, None]
            s, S = np.einsum("kdo,ko->kd", Q, s), Q @ S @ Q.swapaxes(-1, -2) + mass * unexplained(Q)
        first, second = first + s, second + S
    return first, second


def unexplained(Q: np.ndarray) -> np.ndarray:
    """Cov(z | x_O) = I - Q Q', (..., d, d)."""
    return np.asarray(np.eye(Q.shape[-2]) - Q @ np.swapaxes(Q, -1, -2))


def completed(x: np.ndarray, z: np.ndarray, means: np.ndarray, C: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The rows x (n, d) with their missing cells drawn given the others, from components z (..., n): (..., n, d).

    x_G = mu_G + C_G E z + C_G (I - Q Q') eps, for parameters (..., K, d) and (..., K, d, d).
    """
    full = np.broadcast_to(x, (*z.shape, x.shape[1])).copy()
    eps = rng.standard_normal(full.shape)
    for there, rows in patterns(x):
        gone = np.setdiff1d(np.arange(x.shape[1]), there)
        if len(gone):
            L, Q = marginal(C, there)
            slopes, noise = C[..., gone, :] @ Q @ np.linalg.inv(L), C[..., gone, :] @ unexplained(Q)
            own = z[..., rows]
            residual = x[np.ix_(rows, there)] - _of(own, means[..., there])
            drawn = np.einsum("...go,...o->...g", _of(own, slopes), residual)
            drawn += np.einsum("...gd,...d->...g", _of(own, noise), eps[..., rows, :])
            full[..., rows[:, None], gone] = _of(own, means[..., gone]) + drawn
    return full


def _of(z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``values`` (..., K, m[, l]) of the components z (..., n): (..., n, m[, l])."""
    axis = z.ndim - 1
    return np.take_along_axis(values, z.reshape(z.shape + (1,) * (values.ndim - z.ndim)), axis=axis)
