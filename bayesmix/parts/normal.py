r"""Normal distributions of rows in K components, from means (..., K, d) and Cholesky factors C (..., K, d, d).

log f(x | mu, Sigma) = -d/2 log 2 pi - sum_j log C_jj - 1/2 z'z,   z = C^-1 (x - mu),   Sigma = C C'.
Sums: first s_k = sum_i v_i r_ik z_ik, second S_k = sum_i v_i r_ik z_ik z_ik'.

For a pattern of missing cells, C_O are the rows of a Cholesky factor C whose cells are observed, and C_O = L Q' with L
lower triangular, its diagonal positive, and orthonormal columns in Q (d, \|O\|). Then Sigma_OO = L L', and with
z_O = L^-1 (x_O - mu_O) the standardized row z = C^-1 (x - mu) has, given x_O,

    E z = Q z_O,      Cov z = I - Q Q'.

Sums over rows of z and of z z' so become expected ones; all that is made of them stays as it is.
"""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.parts.component import Component
from bayesmix.parts.gaps import check_columns, column_extremes, column_moments, filled, patterns
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Sums

MEANS = Parameter("means", ("component", "feature"), "real", r"\mu_k", "means", r"means $\mu$", sorts=True)
SIGMA = Parameter(
    "covariances",
    ("component", "feature", "feature_bis"),
    "covariance",
    r"\Sigma_k",
    "covariance matrices",
    r"covariances $\Sigma$",
    prior=False,
)

MOST_EXTREME = 1e100
"""Measurements beyond it, and differences below its inverse, have squares that a float cannot hold, or their sums."""


def centre_and_spread(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means and standard deviations of the observed cells, each (d,); ValueError naming a constant column."""
    check_columns(data)
    lows, highs = column_extremes(data.x)
    if lows.min() < -MOST_EXTREME or highs.max() > MOST_EXTREME:
        raise _extreme(data)
    if not data.row_weights.all():
        lows, highs = column_extremes(data.x[data.row_weights > 0])
    for name, low, high in zip(data.feature_names, lows, highs, strict=True):
        if low == high:
            raise ValueError(f"X: column {name!r} is constant ({low:g}): its groups cannot be told apart")
        if high - low < 1 / MOST_EXTREME:
            raise ValueError(
                f"X: column {name!r} lies between {low:g} and {high:g}: squares of differences below "
                f"{1 / MOST_EXTREME:g} vanish; take other units"
            )
    return column_moments(data.x, data.row_weights)


def _extreme(data: Data) -> ValueError:
    """An error that names the first cell whose square would overflow."""
    row, j = np.argwhere(np.abs(data.x) > MOST_EXTREME)[0]
    return ValueError(
        f"X: column {data.feature_names[j]!r}, row {data.obs_names[row]}: squares of measurements beyond "
        f"{MOST_EXTREME:g} overflow; got {data.x[row, j]:g}, take other units"
    )


def whiten(x: np.ndarray, means: np.ndarray, C: np.ndarray) -> np.ndarray:
    """z = C^-1 (x - mu) by forward substitution, (..., K, d, n)."""
    z = x.T - means[..., None]
    for j in range(x.shape[1]):
        z[..., j, :] -= np.einsum("...m,...mn->...n", C[..., j, :j], z[..., :j, :])
        z[..., j, :] /= C[..., j, j, None]
    return z


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


def moments(x: np.ndarray, vr: np.ndarray, means: np.ndarray, C: np.ndarray) -> Sums:
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
    return {"first": first, "second": second}


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


class Measured(Component):
    """Normal components of measurements, whatever their covariances are made of; both are among the named estimates.

    Attributes
    ----------
    centre, sd : ndarray, shape (d,)
        Mean and standard deviation of the observed cells.
    """

    def __init__(self, data: Data, components: tuple[str, ...]) -> None:
        self.data, self.x, self.components, self.K = data, data.x, components, len(components)
        self.d = data.n_features
        self.centre, self.sd = centre_and_spread(data)

    def aligned(self, data: Data) -> Data:
        """The columns by their names."""
        return data.with_features(self.data.feature_names)

    def over(self, data: Data) -> Self:
        """The same mixture over other rows."""
        new = copy(self)
        new.data, new.x = data, data.x
        return new

    def covariances(self, params: Params) -> np.ndarray:
        """Covariance matrices, (..., K, d, d); as it stands, they are parameters."""
        return params[SIGMA.name]

    def clouds(self) -> np.ndarray:
        """The standardized rows, missing cells at their centre."""
        return filled(np.asarray((self.x - self.centre) / self.sd), 0.0)
