"""The compiled Gaussian E-step: z_ik = A_k (x_i - mu_k) with A_k = C_k^-1, then sums of v r, v r z, v r z z'.

Diagonal factors need no product of matrices, and their z is computed twice rather than kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.families.gaussian.maths import normal
from bayesmix.families.gaussian.normal import factors
from bayesmix.kernels.blocks import CACHE, MOST, driver, load_rows
from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.lanes import LANES, lane, load, number, spread, store, sums
from bayesmix.kernels.products import outer, weigh, whiten
from bayesmix.kernels.vector import HALF_LOG_2_PI, inlined
from bayesmix.likelihood.kernel import Kernel
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


@inlined
def _run(
    X: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    C: np.ndarray,
    evidence: np.ndarray,
    row_weights: np.ndarray,
    diagonal: bool,
    statistics: Any,
    pointwise: np.ndarray,
    responsibilities: np.ndarray,
) -> float:
    K, d = means.shape
    level = np.empty(K)
    for k in range(K):
        level[k] = np.log(weights[k]) - d * HALF_LOG_2_PI
        for j in range(d):
            level[k] -= np.log(C[k, j, j])
    flat = np.ascontiguousarray  # the layout that offsets are counted in; arrays of a graph may have another
    alone = diagonal or d == 1
    most = MOST if alone else max(64, min(MOST, CACHE // ((K + 2) * d) // LANES * LANES))
    params = (level, flat(means), _inverses(C, alone), alone)
    kept = 0 if alone else d * most
    work = (np.empty(d * most), np.empty(K * kept), np.empty(kept))
    given = (flat(evidence), flat(row_weights))
    return drive(flat(X), params, work, most, *given, statistics, pointwise, responsibilities)


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
def rows(X, weights, means, C, evidence, row_weights, diagonal, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(weights)):
        _run(X, weights[s], means[s], C[s], evidence, row_weights, diagonal, None, pointwise[s], responsibilities[s])


@entry_point
def e_step(X, weights, means, C, evidence, row_weights, diagonal):  # type: ignore[no-untyped-def]
    """L, N (K,), s (K, d), S (K, d, d)."""
    K, d = means.shape
    mass, first, second = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    nothing, none = np.empty(0), np.empty((0, 0))
    L = _run(X, weights, means, C, evidence, row_weights, diagonal, (mass, first, second), nothing, none)
    for k in range(K):
        for i in range(d):
            for j in range(i):
                second[k, j, i] = second[k, i, j]
    return L, mass, first, second


@entry_point
def gradient(X, weights, means, C, evidence, row_weights, diagonal, pointwise):  # type: ignore[no-untyped-def]
    """L and dL/dw_k = N_k / w_k, dL/dmu_k = C_k^-T s_k, dL/dC_k = tril(C_k^-T (S_k - N_k I)).

    Fills v_i l_i unless that array is empty.
    """
    K, d = means.shape
    mass, first, second = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    statistics, none = (mass, first, second), np.empty((0, 0))
    L = _run(X, weights, means, C, evidence, row_weights, diagonal, statistics, pointwise, none)
    for k in range(K):
        for i in range(d):
            for j in range(i):
                second[k, j, i] = second[k, i, j]
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
    """Settings: whether C is diagonal."""

    rows = staticmethod(rows)

    def parameters(self, likelihood: Likelihood, params: Params) -> tuple[Any, ...]:
        """weights, means and Cholesky factors."""
        arrays = (params["weights"], params["means"], factors(params))
        return tuple(np.ascontiguousarray(a, dtype=float) for a in arrays)

    def arguments(
        self, likelihood: Likelihood, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[Any, ...]:
        """X, weights, means, C, evidence, v, whether C is diagonal."""
        component = normal(likelihood)
        return (component.x[rows], *parameters, likelihood.evidence[rows], v, not component.kind.correlated)

    def e_step(
        self, likelihood: Likelihood, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[float, Sums]:
        """L; mass, first, second."""
        L, mass, first, second = e_step(*self.arguments(likelihood, parameters, rows, v))
        return L, {"mass": mass, "first": first, "second": second}


KERNEL = GaussianKernel()
