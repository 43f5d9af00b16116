"""The compiled E-step of factor analysers: z_ik = C_k^-1 (x_i - mu_k), C_k the Cholesky factor of Sigma_k.

The gradient takes d^2 products a row and component so, and 3 d (q + 1) by Woodbury's identity
(:mod:`bayesmix.kernels.factors`): whichever is less time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.families.factor_analyzers.maths import analyzers
from bayesmix.kernels.blocks import CACHE, MOST, driver, load_rows
from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.factors import add_up, split_up
from bayesmix.kernels.lanes import LANES
from bayesmix.kernels.products import mirror, outer, weigh, whiten
from bayesmix.kernels.vector import HALF_LOG_2_PI, inlined
from bayesmix.likelihood.kernel import Arrays, Kernel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums

MANY_COLUMNS = 6
"""With more columns than this times the number of factors and one, the gradient goes by Woodbury's identity: measured,
a product there takes about twice as long as one of the Cholesky factor's, of which registers hold several at once."""


@inlined
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """log w_k - d/2 log 2 pi - sum_j log C_jj - z'z / 2; leaves z in ``work``."""
    level, means, A = params
    x, z, _ = work
    K, d = means.shape
    for j in range(d):
        load_rows(rows, block, d, j, x, j * block[2])
    for k in range(K):
        whiten(level[k], means, A, k, x, z, block, out)


@inlined
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, s_k += sum r z, S_k += sum r z z' (its lower triangle)."""
    _, z, rz = work
    mass, first, second = statistics
    for k in range(len(mass)):
        mass[k] += weigh(r, z, rz, k, block, first)
        outer(rz, z, k, block, second)


drive = driver(log_joint, accumulate)


@inlined
def _run(X, weights, means, A, evidence, row_weights, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """The driver over all rows; A_k = C_k^-1."""
    K, d = means.shape
    level = np.empty(K)
    for k in range(K):
        level[k] = np.log(weights[k]) - d * HALF_LOG_2_PI
        for j in range(d):
            level[k] += np.log(A[k, j, j])
    flat = np.ascontiguousarray  # the layout that offsets are counted in; arrays of a graph may have another
    most = max(64, min(MOST, CACHE // ((K + 2) * d) // LANES * LANES))
    params = (level, flat(means), A)
    work = (np.empty(d * most), np.empty(K * d * most), np.empty(d * most))
    given = (flat(evidence), flat(row_weights))
    return drive(flat(X), params, work, most, *given, statistics, pointwise, responsibilities)


@inlined
def _inverse_factors(loadings: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """C_k^-1 of Sigma_k = Lambda_k Lambda_k' + Psi_k, lower triangles (K, d, d)."""
    K, d, q = loadings.shape
    A = np.zeros((K, d, d))
    C = np.empty((d, d))
    for k in range(K):
        for i in range(d):
            for j in range(i + 1):
                value = psi[k, i] if i == j else 0.0
                for m in range(q):
                    value += loadings[k, i, m] * loadings[k, j, m]
                for m in range(j):
                    value -= C[i, m] * C[j, m]
                C[i, j] = np.sqrt(value) if i == j else value / C[j, j]
        for i in range(d):
            A[k, i, i] = 1.0 / C[i, i]
            for j in range(i):
                for m in range(j, i):
                    A[k, i, j] -= C[i, m] * A[k, m, j]
                A[k, i, j] *= A[k, i, i]
    return A


@entry_point
def rows(X, weights, means, loadings, psi, evidence, row_weights, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(weights)):
        A = _inverse_factors(loadings[s], psi[s])
        _run(X, weights[s], means[s], A, evidence, row_weights, None, pointwise[s], responsibilities[s])


@inlined
def _summed(X, weights, means, A, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, N (K,), s (K, d), S (K, d, d)."""
    K, d = means.shape
    mass, first, second = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    L = _run(X, weights, means, A, evidence, row_weights, (mass, first, second), pointwise, np.empty((0, 0)))
    mirror(second)
    return L, mass, first, second


@entry_point
def e_step(X, weights, means, loadings, psi, evidence, row_weights):  # type: ignore[no-untyped-def]
    """L, N (K,), s (K, d), S (K, d, d)."""
    return _summed(X, weights, means, _inverse_factors(loadings, psi), evidence, row_weights, np.empty(0))


@inlined
def log_joint_by_factors(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """The same density by Woodbury's identity; leaves the factors' means u and e = Sigma^-1 (x - mu) in ``work``."""
    level, means, loadings, psi, P = params
    x, u, e, _ = work
    K, d = means.shape
    for j in range(d):
        load_rows(rows, block, d, j, x, j * block[2])
    for k in range(K):
        split_up(level[k], means, loadings, psi, P, k, x, u, e, block, out)


@inlined
def accumulate_by_factors(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, and sums of r e, r e u', r e^2."""
    _, u, e, re = work
    mass, first, crossed, squares = statistics
    for k in range(len(mass)):
        mass[k] += add_up(r, u, e, re, k, block, first, crossed, squares)


drive_by_factors = driver(log_joint_by_factors, accumulate_by_factors)


@inlined
def _by_cholesky(X, weights, means, loadings, psi, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """From S: with A = C^-1 and T = A' (S - N I) A, twice dL/dSigma: A' s, T Lambda, half the diagonal of T."""
    K, d, q = loadings.shape
    A = _inverse_factors(loadings, psi)
    L, mass, first, second = _summed(X, weights, means, A, evidence, row_weights, pointwise)
    of_means, of_loadings, of_psi = np.zeros((K, d)), np.zeros((K, d, q)), np.zeros((K, d))
    half = np.empty((d, d))
    for k in range(K):
        for i in range(d):
            second[k, i, i] -= mass[k]
        for i in range(d):
            for j in range(d):  # half = (S - N I) A
                half[i, j] = 0.0
                for m in range(j, d):
                    half[i, j] += second[k, i, m] * A[k, m, j]
        for j in range(d):
            for i in range(j, d):
                of_means[k, j] += A[k, i, j] * first[k, i]
            for c in range(d):
                T = 0.0
                for i in range(j, d):
                    T += A[k, i, j] * half[i, c]
                if c == j:
                    of_psi[k, j] = 0.5 * T
                for m in range(q):
                    of_loadings[k, j, m] += T * loadings[k, c, m]
        mass[k] /= weights[k]
    return L, mass, of_means, of_loadings, of_psi


@inlined
def _by_factors(X, weights, means, loadings, psi, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """The same by Woodbury's identity, from sums e_k of v r e, U_k of v r e u' and q_k of v r e^2.

    e_k for mu, U_k - N_k Sigma^-1 Lambda for Lambda, (q_k - N_k diag Sigma^-1) / 2 for psi; Sigma^-1 Lambda = P' and
    Sigma^-1 = Psi^-1 - P' Lambda' Psi^-1.
    """
    K, d, q = loadings.shape
    flat = np.ascontiguousarray
    loadings, psi = flat(loadings), flat(psi)
    P, log_det = _projections(loadings, psi)
    mass, first, crossed, squares = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, q)), np.zeros((K, d))
    level = np.log(weights) - d * HALF_LOG_2_PI - 0.5 * log_det
    most = max(64, min(MOST, CACHE // ((K + 1) * (d + q)) // LANES * LANES))
    params = (level, flat(means), loadings, psi, P)
    work = (np.empty(d * most), np.empty(K * q * most), np.empty(K * d * most), np.empty(most))
    given = (flat(evidence), flat(row_weights), (mass, first, crossed, squares), pointwise, np.empty((0, 0)))
    L = drive_by_factors(flat(X), params, work, most, *given)
    for k in range(K):
        for j in range(d):
            inverse = 1.0
            for m in range(q):
                crossed[k, j, m] -= mass[k] * P[k, m, j]
                inverse -= P[k, m, j] * loadings[k, j, m]
            squares[k, j] = 0.5 * (squares[k, j] - mass[k] * inverse / psi[k, j])
        mass[k] /= weights[k]
    return L, mass, first, crossed, squares


@inlined
def _projections(loadings: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P_k = M_k^-1 Lambda_k' Psi_k^-1 (K, q, d) and log |Sigma_k| = log |Psi_k| + log |M_k|, (K,)."""
    K, d, q = loadings.shape
    P, log_det = np.empty((K, q, d)), np.zeros(K)
    M = np.empty((q, q))
    for k in range(K):
        for j in range(d):
            log_det[k] += np.log(psi[k, j])
            for m in range(q):
                P[k, m, j] = loadings[k, j, m] / psi[k, j]
        for a in range(q):  # the Cholesky factor of M, row by row
            for b in range(a + 1):
                value = 1.0 if a == b else 0.0
                for j in range(d):
                    value += P[k, a, j] * loadings[k, j, b]
                for m in range(b):
                    value -= M[a, m] * M[b, m]
                M[a, b] = np.sqrt(value) if a == b else value / M[b, b]
            log_det[k] += 2.0 * np.log(M[a, a])
        for j in range(d):
            for a in range(q):
                for m in range(a):
                    P[k, a, j] -= M[a, m] * P[k, m, j]
                P[k, a, j] /= M[a, a]
            for a in range(q - 1, -1, -1):
                for m in range(a + 1, q):
                    P[k, a, j] -= M[m, a] * P[k, m, j]
                P[k, a, j] /= M[a, a]
    return P, log_det


@entry_point
def gradient(X, weights, means, loadings, psi, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L and dL/dw_k = N_k / w_k, dL/dmu_k, dL/dLambda_k, dL/dpsi_k; fills v_i l_i unless that array is empty."""
    if loadings.shape[1] > MANY_COLUMNS * (loadings.shape[2] + 1):
        return _by_factors(X, weights, means, loadings, psi, evidence, row_weights, pointwise)
    return _by_cholesky(X, weights, means, loadings, psi, evidence, row_weights, pointwise)


class FactorAnalyzersKernel(Kernel):
    """Weights, means, loadings and the noise variances of every component and column."""

    rows = staticmethod(rows)

    def parameters(self, likelihood: Likelihood, params: Params) -> Arrays:
        """weights, means, loadings, noise variances (..., K, d)."""
        arrays = (params["weights"], params["means"], params["loadings"], analyzers(likelihood).psi(params))
        return tuple(np.ascontiguousarray(a, dtype=float) for a in arrays)

    def e_step(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> tuple[float, Sums]:
        """L; mass, first, second."""
        L, mass, first, second = e_step(*self.arguments(likelihood, parameters, rows, v))
        return L, {"mass": mass, "first": first, "second": second}


KERNEL = FactorAnalyzersKernel()
