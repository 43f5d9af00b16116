"""The compiled Gaussian E-step: z_ik = A_k (x_i - mu_k) with A_k = C_k^-1, then sums of v r, v r z, v r z z'.

Diagonal factors need no product of matrices, and their z is computed twice rather than kept. Rows with missing cells
are taken pattern by pattern: the same pass over the observed columns, with the factor of their marginal; then the sums
that are expected of all columns.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesmix.families.gaussian.maths import normal
from bayesmix.families.gaussian.normal import factors
from bayesmix.kernels.blocks import CACHE, MOST, driver, load_rows
from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.lanes import LANES, lane, load, number, spread, store, sums
from bayesmix.kernels.patterns import by_pattern, cells, columns_there, expect, marginal, same_everywhere
from bayesmix.kernels.products import mirror, outer, weigh, whiten
from bayesmix.kernels.vector import HALF_LOG_2_PI, inlined
from bayesmix.likelihood.kernel import Arrays, Kernel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums


@inlined
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """log w_k - d/2 log 2 pi - sum_j log C_jj - z'z / 2; leaves x, and z of full factors, in ``work``."""
    level, means, A, diagonal = params
    x, z, _ = work
    K, d = means.shape
    for j in range(d):
        load_rows(rows, block, d, j, x, j * block[2])
    for k in range(K):
        if diagonal:
            _scale(level[k], means, A, k, x, block, out)
        else:
            whiten(level[k], means, A, k, x, z, block, out)


@inlined
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, s_k += sum r z, S_k += sum r z z' (its lower triangle, or its diagonal)."""
    _, means, A, diagonal = params
    x, z, rz = work
    mass, first, second = statistics
    for k in range(len(means)):
        if diagonal:
            mass[k] += _sums(r, x, means, A, k, block, first, second)
        else:
            mass[k] += weigh(r, z, rz, k, block, first)
            outer(rz, z, k, block, second)


@inlined
def _scale(level: float, means: np.ndarray, A: np.ndarray, k: int, x: np.ndarray, block: Any, l: np.ndarray) -> None:
    """l = level - z'z / 2 with z = (x - mu) A_jj: A is diagonal."""
    _, size, most = block
    d = means.shape[1]
    for j in range(d):
        centre, scale = spread(number(means, k * d + j)), spread(number(A, (k * d + j) * d + j))
        for i in range(0, size, LANES):
            z = (load(x, j * most + i) - centre) * scale
            before = load(l, k * most + i) if j else spread(level)
            store(l, k * most + i, before - 0.5 * (z * z))


@inlined
def _sums(r, x, means, A, k, block, first, second):  # type: ignore[no-untyped-def]
    """first_k += sum r z, second_k += diag(sum r z^2); sum r."""
    _, size, most = block
    d, zero = means.shape[1], spread(0.0)
    mass = 0.0
    for j in range(d):
        centre, scale = spread(number(means, k * d + j)), spread(number(A, (k * d + j) * d + j))
        n, s, q = zero, zero, zero
        for i in range(0, size, LANES):
            ri, z = load(r, k * most + i), (load(x, j * most + i) - centre) * scale
            rz = ri * z
            n, s, q = n + ri, s + rz, q + rz * z
        three = sums(n, s, q, zero, zero, zero, zero, zero)
        mass = lane(three, 0)
        first[k, j] += lane(three, 1)
        second[k, j, j] += lane(three, 2)
    return mass


drive = driver(log_joint, accumulate)
ROOT_2_PI = math.sqrt(2 * math.pi)


@inlined
def _run(X, weights, means, C, evidence, row_weights, how, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """L; adds to ``statistics`` and fills the arrays of rows, each where it is wanted. ``how``: diagonal, gaps."""
    diagonal, gaps = how
    flat = np.ascontiguousarray  # the layout that offsets are counted in; arrays of a graph may have another
    order, ends = by_pattern(X) if gaps else (np.empty(0, np.int64), np.full(1, len(X)))
    no_labels, no_weights = gaps and same_everywhere(evidence, 0.0), gaps and same_everywhere(row_weights, 1.0)
    L, begin = 0.0, 0
    for end in ends:
        some = order[begin:end]
        x, a, v, mu, c, Q = flat(X), flat(evidence), flat(row_weights), flat(means), flat(C), C
        l, r = pointwise, responsibilities
        if gaps:
            columns = columns_there(X[some[0]])
            mu, c, Q = _marginals(means, C, columns)
            x = cells(X, some, columns)
            a, v = a[: len(some)] if no_labels else a[some], v[: len(some)] if no_weights else v[some]
            l, r = np.empty(min(len(some), len(l))), np.empty((min(len(some), len(r)), r.shape[1]))
        own = _own(statistics, mu, gaps)
        L += _pass((x, a, v), (weights, mu, c), diagonal, own, l, r)
        if gaps:
            _give_back(some, Q, own, statistics, l, r, pointwise, responsibilities)
        begin = end
    return L


@inlined
def _pass(rows, params, diagonal, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """The driver over rows (x, evidence, row weights) that are whole, with weights, means and factors."""
    weights, means, C = params
    K, d = means.shape
    level = np.empty(K)
    for k in range(K):
        level[k] = np.log(weights[k]) - d * HALF_LOG_2_PI
        for j in range(d):
            level[k] -= np.log(C[k, j, j])
    alone = diagonal or d == 1
    most = MOST if alone else max(64, min(MOST, CACHE // ((K + 2) * d) // LANES * LANES))
    kept = 0 if alone else d * most
    work = (np.empty(d * most), np.empty(K * kept), np.empty(kept))
    x, evidence, v = rows
    laid_out = (level, means, _inverses(C, alone), alone)
    return drive(x, laid_out, work, most, evidence, v, statistics, pointwise, responsibilities)


@inlined
def _marginals(means: np.ndarray, C: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means (K, o) and factors (K, o, o) of the columns that are there, and Q (K, o, d).

    Of none there is one whose mean is 0, whose density is 1 at 0 and whose Q is 0.
    """
    (K, d), o = means.shape, len(columns)
    size = max(o, 1)
    mu, L, Q = np.zeros((K, size)), np.zeros((K, size, size)), np.zeros((K, size, d))
    for k in range(K):
        for a in range(o):
            mu[k, a] = means[k, columns[a]]
        marginal(C[k], columns, L[k], Q[k])
        if o == 0:
            L[k, 0, 0] = 1.0 / ROOT_2_PI
    return mu, L, Q


@inlined
def _own(statistics, means, gaps):  # type: ignore[no-untyped-def]
    """Statistics of the columns of one pattern; of whole rows those that were given."""
    own = statistics
    if statistics is not None:
        K, d = means.shape
        if gaps:
            own = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    return own


@inlined
def _give_back(some, Q, own, statistics, l, r, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """What one pattern's rows gave: their numbers where the rows stand, expected statistics of all columns."""
    for i in range(len(l)):
        pointwise[some[i]] = l[i]
    for i in range(len(r)):
        for k in range(r.shape[1]):
            responsibilities[some[i], k] = r[i, k]
    if statistics is not None:
        mass, first, second = statistics
        for k in range(len(Q)):
            mass[k] += own[0][k]
            expect(Q[k], own[0][k], own[1][k], own[2][k], first[k], second[k])


@inlined
def _inverses(C: np.ndarray, diagonal: bool) -> np.ndarray:
    """C_k^-1, or 1 / C_jj alone."""
    A = np.zeros(C.shape)
    for k in range(len(C)):
        for i in range(C.shape[1]):
            A[k, i, i] = 1.0 / C[k, i, i]
            for j in range(0 if diagonal else i):
                for m in range(j, i):
                    A[k, i, j] -= C[k, i, m] * A[k, m, j]
                A[k, i, j] *= A[k, i, i]
    return A


@entry_point
def rows(X, weights, means, C, evidence, row_weights, how, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(weights)):
        _run(X, weights[s], means[s], C[s], evidence, row_weights, how, None, pointwise[s], responsibilities[s])


@inlined
def _summed(X, weights, means, C, evidence, row_weights, how, pointwise):  # type: ignore[no-untyped-def]
    """L, N (K,), s (K, d), S (K, d, d)."""
    K, d = means.shape
    mass, first, second = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    statistics, none = (mass, first, second), np.empty((0, 0))
    L = _run(X, weights, means, C, evidence, row_weights, how, statistics, pointwise, none)
    mirror(second)
    return L, mass, first, second


@entry_point
def e_step(X, weights, means, C, evidence, row_weights, how):  # type: ignore[no-untyped-def]
    """L, N (K,), s (K, d), S (K, d, d)."""
    return _summed(X, weights, means, C, evidence, row_weights, how, np.empty(0))


@entry_point
def gradient(X, weights, means, C, evidence, row_weights, how, pointwise):  # type: ignore[no-untyped-def]
    """L and dL/dw_k = N_k / w_k, dL/dmu_k = C_k^-T s_k, dL/dC_k = tril(C_k^-T (S_k - N_k I)).

    Fills v_i l_i unless that array is empty.
    """
    L, mass, first, second = _summed(X, weights, means, C, evidence, row_weights, how, pointwise)
    for k in range(len(mass)):
        for i in range(means.shape[1]):
            second[k, i, i] -= mass[k]
        mass[k] /= weights[k]
        _solve_transposed(C[k], first[k], second[k])
    return L, mass, first, second


@inlined
def _solve_transposed(C: np.ndarray, s: np.ndarray, S: np.ndarray) -> None:
    """s <- C^-T s and S <- tril(C^-T S), in place, by back substitution."""
    d = C.shape[0]
    for i in range(d - 1, -1, -1):
        for m in range(i + 1, d):
            s[i] -= C[m, i] * s[m]
            for j in range(d):
                S[i, j] -= C[m, i] * S[m, j]
        s[i] /= C[i, i]
        for j in range(d):
            S[i, j] /= C[i, i]
    for i in range(d):
        for j in range(i + 1, d):
            S[i, j] = 0.0


class GaussianKernel(Kernel):
    """Settings: whether C is diagonal, and whether cells are missing."""

    rows = staticmethod(rows)

    def parameters(self, likelihood: Likelihood, params: Params) -> Arrays:
        """weights, means and Cholesky factors."""
        arrays = (params["weights"], params["means"], factors(params))
        return tuple(np.ascontiguousarray(a, dtype=float) for a in arrays)

    def settings(self, likelihood: Likelihood) -> Arrays:
        """Whether C is diagonal, and whether cells are missing."""
        return (normal(likelihood).how,)

    def e_step(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> tuple[float, Sums]:
        """L; mass, first, second."""
        L, mass, first, second = e_step(*self.arguments(likelihood, parameters, rows, v))
        return L, {"mass": mass, "first": first, "second": second}


KERNEL = GaussianKernel()
