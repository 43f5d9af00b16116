"""Observed information of a Gaussian mixture in closed form, and what it says of the named estimates.

Where s_ik is the score of row i as if it were known to belong to component k, and s_i = sum_k r_ik s_ik,

    -d2L/dtheta2 = sum_i v_i { sum_k r_ik B_ik - [ sum_k r_ik s_ik s_ik' - s_i s_i' ] },

B_ik the information of the complete row (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x). With mu = mu_0 + C_0 m
and C = C_0 (I + A) these are polynomials in z: s_ik is 1 for log w_k, z for m, tril(z z' - I) for A. Products of blocks
of rows do the rest. Where cells are missing, both are what is expected given the others, and the variance that the
score of the whole row then has left, a polynomial too, is taken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from bayesmix.families.gaussian.maths import normal
from bayesmix.families.gaussian.structures import information as structured
from bayesmix.families.gaussian.structures.component import Structured
from bayesmix.inputs.pairs import below_diagonal
from bayesmix.likelihood.curvature import normalized, spread_by_differences
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.gaps import patterns
from bayesmix.parts.normal import marginal, unexplained
from bayesmix.parts.part import Params

CERTAIN = 1e-14
"""A row that belongs to one component but for this much misses no information."""
INFORMATION_BYTES = 2**26
"""Scores of so many rows are held at a time as fit in this much memory."""


@dataclass(frozen=True)
class Entries:
    """The entries (row, column) of one C_k that are free, and the coordinate of each.

    ``first``: the number of the matrix's first coordinate. ``sums``: entries by coordinates, 1 where an entry moves
    with a coordinate (spherical matrices have one coordinate for d entries).
    """

    row: np.ndarray
    column: np.ndarray
    first: int
    sums: np.ndarray

    @classmethod
    def of(cls, index: np.ndarray) -> Entries:
        """From the coordinate of every entry, (d, d), -1 where C_k is zero."""
        row, column = np.nonzero(index >= 0)
        coordinate = index[row, column]
        first = int(coordinate.min())
        return cls(row, column, first, np.eye(int(coordinate.max()) - first + 1)[coordinate - first])

    @property
    def diagonal(self) -> np.ndarray:
        """Which entries are on the diagonal."""
        return self.row == self.column

    @property
    def coordinates(self) -> slice:
        """Where the matrix's coordinates stand among those of all matrices."""
        return slice(self.first, self.first + self.sums.shape[1])

    def by_coordinate(self, by_entry: np.ndarray) -> np.ndarray:
        """Sums over the entries of each coordinate, along the last axis."""
        return by_entry if len(self.row) == self.sums.shape[1] else by_entry @ self.sums

    def scores(self, z: np.ndarray, left: np.ndarray) -> np.ndarray:
        """(1, z, tril(z z' + left - I)) of every row, (n, 1 + d + coordinates), z with variance ``left`` (d, d)."""
        products = z[:, self.row] * z[:, self.column] - (self.diagonal - left[self.row, self.column])
        return np.hstack([np.ones((len(z), 1)), z, self.by_coordinate(products)])

    def complete(self, mass: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """sum_i v_i r_ik B_ik for (m, A), from the E-step's sums of the component.

        The second-order terms of the complete log-likelihood are
        -1/2 [ N m'm + 2 m'(A + A')s + tr(A S A') + 2 tr(A A S) - N sum_j A_jj^2 ].
        """
        i, j, d = self.row, self.column, len(first)
        own = np.equal.outer(i, i) * second[np.ix_(j, j)]
        crossed = np.equal.outer(j, i) * second[np.ix_(i, j)]
        of_A = own + crossed + crossed.T - mass * np.diag(self.diagonal.astype(float))
        with_m = np.equal.outer(np.arange(d), i) * first[j] + np.equal.outer(np.arange(d), j) * first[i]
        return self._joined(mass * np.eye(d), with_m, of_A)

    def unexplained(self, mass: float, first: np.ndarray, second: np.ndarray, left: np.ndarray) -> np.ndarray:
        """sum_i v_i r_ik Cov(z, z z' | observed cells) for (m, A), z with means in these sums and variance ``left``."""
        i, j = self.row, self.column
        Mii, Mij, Mjj = left[np.ix_(i, i)], left[np.ix_(i, j)], left[np.ix_(j, j)]
        Sii, Sij, Sjj = second[np.ix_(i, i)], second[np.ix_(i, j)], second[np.ix_(j, j)]
        of_A = mass * (Mii * Mjj + Mij * Mij.T) + Sii * Mjj + Sjj * Mii + Sij * Mij.T + Sij.T * Mij
        return self._joined(mass * left, left[:, j] * first[i] + left[:, i] * first[j], of_A)

    def _joined(self, of_m: np.ndarray, with_m: np.ndarray, of_A: np.ndarray) -> np.ndarray:
        """Of (m, A), from blocks by entries of A."""
        with_m = self.by_coordinate(with_m)
        of_A = self.by_coordinate(self.by_coordinate(of_A).T)
        return np.block([[of_m, with_m], [with_m.T, of_A]])

    def local(self, C: np.ndarray) -> np.ndarray:
        """d A / d (log C_jj, C_ij), coordinates by coordinates: dA = C^-1 dC."""
        if not (self.row != self.column).any():
            return np.eye(self.sums.shape[1])
        inverse = np.linalg.inv(C)
        scale = np.where(self.diagonal, C[self.row, self.column], 1.0)
        return np.equal.outer(self.column, self.column) * inverse[np.ix_(self.row, self.row)] * scale

    def covariance_jacobian(self, C: np.ndarray) -> np.ndarray:
        """d (C C') / d (log C_jj, C_ij), (d, d, coordinates)."""
        d, e = len(C), np.arange(len(self.row))
        moved = np.zeros((d, d, len(e)))
        moved[self.row, :, e] = (C[:, self.column] * np.where(self.diagonal, C[self.row, self.column], 1.0)).T
        return self.by_coordinate(moved + moved.swapaxes(0, 1))


@dataclass(frozen=True)
class Block:
    """Rows with one pattern of missing cells and a weight.

    ``z``: what is expected of them (K, n, d); ``left``: its variance, given the cells that are there (K, d, d);
    ``r`` (n, K), ``v`` (n,).
    """

    z: np.ndarray
    left: np.ndarray
    r: np.ndarray
    v: np.ndarray
    whole: bool


def _blocks(likelihood: Likelihood, params: Params, most: int) -> Iterator[Block]:
    """The rows that have a weight, ``most`` at a time."""
    C, x = np.linalg.cholesky(params["covariances"]), normal(likelihood).x
    for there, of_pattern in patterns(x):
        L, Q = marginal(C, there)
        level = np.log(params["weights"]) - np.log(np.einsum("kjj->kj", L)).sum(axis=1)
        rows, whole = of_pattern[likelihood.row_weights[of_pattern] > 0], len(there) == x.shape[1]
        for first in range(0, len(rows), most):
            some = rows[first : first + most]
            residual = x[np.ix_(some, there)] - params["means"][:, None, there]
            z = np.stack([solve_triangular(c, e.T, lower=True).T for c, e in zip(L, residual, strict=True)])
            _, r = normalized(level + likelihood.evidence[some] - 0.5 * np.einsum("knd,knd->nk", z, z))
            expected = z if whole else z @ Q.swapaxes(-1, -2)
            yield Block(expected, unexplained(Q), r, likelihood.row_weights[some], whole)


def information(likelihood: Likelihood, params: Params) -> np.ndarray:
    """-d2L/dtheta2 in the coordinates of ``pack``, in their units."""
    if isinstance(likelihood.component, Structured):
        return structured.information(likelihood, likelihood.component, params, information)
    K, d = normal(likelihood).K, normal(likelihood).d
    entries = [Entries.of(index) for index in normal(likelihood).index]
    n_local = K + K * d + int(normal(likelihood).index.max()) + 1
    places = [
        np.r_[k, K + k * d : K + (k + 1) * d, np.arange(n_local)[K + K * d :][e.coordinates]]
        for k, e in enumerate(entries)
    ]
    H = np.zeros((n_local, n_local))
    mass, first, second = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    for block in _blocks(likelihood, params, max(INFORMATION_BYTES // (8 * n_local), 256)):
        v, r = block.v, block.r
        open_rows = np.flatnonzero(1 - r.max(axis=1) > CERTAIN)
        scores = np.zeros((len(open_rows), n_local))
        for k in range(K):
            z, left, own = block.z[k], block.left[k], places[k][1:]
            weight = v * r[:, k]
            weighted = weight[:, None] * z
            N, s, S = weight.sum(), weighted.sum(axis=0), weighted.T @ z
            if not block.whole:
                H[np.ix_(own, own)] -= entries[k].unexplained(N, s, S, left)
                S += N * left
            mass[k], first[k], second[k] = mass[k] + N, first[k] + s, second[k] + S
            u = entries[k].scores(z[open_rows], left)
            scores[:, places[k]] += r[open_rows, k, None] * u
            root = np.sqrt(weight[open_rows])[:, None] * u
            H[np.ix_(places[k], places[k])] -= root.T @ root
        scores *= np.sqrt(v[open_rows])[:, None]
        H += scores.T @ scores
    w = params["weights"]
    H[:K, :K] += mass.sum() * (np.diag(w) - np.outer(w, w))
    for k, e in enumerate(entries):
        own = places[k][1:]
        H[np.ix_(own, own)] += e.complete(mass[k], first[k], second[k])
    sums = {"mass": mass, "first": first, "second": second}
    return _in_pack(likelihood, params, entries, H, likelihood.score(likelihood.pack(params), sums))


def missing(likelihood: Likelihood, params: Params) -> float:
    """sum_k 1/N_k sum_i v_i r_ik (1 - r_ik) |s_ik|^2, |s_ik| in the metric of a complete row's information.

    Infinite where cells are missing, and of structures: what these take is not bounded here.
    """
    K, d = normal(likelihood).K, normal(likelihood).d
    if likelihood.data.gaps or isinstance(likelihood.component, Structured):
        return float("inf")
    mass, total = np.zeros(K), np.zeros(K)
    for block in _blocks(likelihood, params, max(INFORMATION_BYTES // (8 * K * d), 256)):
        square, r = np.einsum("knd,knd->nk", block.z, block.z), block.r
        size = 1 + square + ((square - 1) ** 2 + d - 1) / 2
        mass += block.v @ r
        total += block.v @ (r * (1 - r) * size)
    return float((total / mass).sum())


def _in_pack(
    likelihood: Likelihood, params: Params, entries: list[Entries], H: np.ndarray, score: np.ndarray
) -> np.ndarray:
    """From the coordinates (log w, m, A) to those of ``pack`` in their units; log C_jj bends, by the score."""
    K, d = normal(likelihood).K, normal(likelihood).d
    C = np.linalg.cholesky(params["covariances"])
    blocks = [(np.arange(K + k * d, K + (k + 1) * d), np.linalg.inv(C[k])) for k in range(K)]
    matrices = {e.first: (K + K * d + np.arange(len(H))[e.coordinates], e.local(C[k])) for k, e in enumerate(entries)}
    for own, T in (*blocks, *matrices.values()):
        H[:, own] = H[:, own] @ T
        H[own] = T.T @ H[own]
    kept = np.delete(np.arange(len(H)), K - 1)
    units = likelihood.units(params)
    result = H[np.ix_(kept, kept)] * np.outer(units, units)
    bends = np.unique(np.einsum("kjj->kj", normal(likelihood).index)) + K - 1 + K * d
    result[bends, bends] -= score[bends]
    return np.asarray((result + result.T) / 2)


def spread(likelihood: Likelihood, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviations of the named estimates, from the covariance of the coordinates of ``information``."""
    if isinstance(likelihood.component, Structured):
        return spread_by_differences(likelihood, params, covariance)
    K, d = normal(likelihood).K, normal(likelihood).d
    units = likelihood.units(params)
    V = covariance * np.outer(units, units)
    w = params["weights"]
    of_w = (np.diag(w) - np.outer(w, w))[:, : K - 1]
    variances = {"sigma": np.empty((K, d, d)), "sd": np.empty((K, d)), "R": np.empty((K, d, d))}
    C, sigma = np.linalg.cholesky(params["covariances"]), params["covariances"]
    for k, index in enumerate(normal(likelihood).index):
        e = Entries.of(index)
        own = np.arange(len(V))[K - 1 + K * d :][e.coordinates]
        Vk, J = V[np.ix_(own, own)], e.covariance_jacobian(C[k])
        variance, sd = np.einsum("jj->j", sigma[k]), np.sqrt(np.einsum("jj->j", sigma[k]))
        of_log = np.einsum("jjc->jc", J) / (2 * variance[:, None])
        R = sigma[k] / np.outer(sd, sd)
        of_R = J / np.outer(sd, sd)[:, :, None] - R[:, :, None] * (of_log[:, None] + of_log[None, :])
        of_R[np.arange(d), np.arange(d)] = 0.0
        for name, jacobian in (("sigma", J), ("sd", sd[:, None] * of_log), ("R", of_R)):
            variances[name][k] = ((jacobian @ Vk) * jacobian).sum(axis=-1)
    named = {
        "weights": ((of_w @ V[: K - 1, : K - 1]) * of_w).sum(axis=-1),
        "means": np.diag(V)[K - 1 : K - 1 + K * d].reshape(K, d),
        "scales": normal(likelihood).kind.scales(variances["sd"]),
    }
    if normal(likelihood).has_correlations:
        pairs = below_diagonal(variances["R"])
        named["correlations"] = pairs[0] if normal(likelihood).kind.shared else pairs
    named["covariances"] = variances["sigma"]
    return {v: np.sqrt(np.maximum(a, 0.0)) for v, a in named.items()}
