"""The compiled Gaussian E-step: z_ik = C_k^-1 (x_i - mu_k) by forward substitution, then sums of v r, v r z, v r z z'.

The substitution takes four rows of C at a time, the outer products two by four: enough arithmetic for each number that
comes from cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.driver import driver
from bayesmix.kernels.vector import BLOCK, compiled

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@compiled
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """log w_k - d/2 log 2 pi - sum_j log C_jj - z'z / 2; leaves z in ``work``."""
    level, means, C, diagonal = params
    x, z, _ = work
    K, d = means.shape
    _load(rows, block, x)
    for k in range(K):
        lk, zk = out[k * BLOCK : (k + 1) * BLOCK], z[k * d * BLOCK : (k + 1) * d * BLOCK]
        if diagonal:
            _scale(level[k], means, C, k, x, zk, lk)
        else:
            _whiten(level[k], means[k], C[k], x, zk, lk)


@compiled
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, s_k += sum r z, S_k += sum r z z' (its lower triangle, or its diagonal)."""
    _, means, _, diagonal = params
    _, z, rz = work
    mass, first, second = statistics
    K, d = means.shape
    for k in range(K):
        rk, zk = r[k * BLOCK : (k + 1) * BLOCK], z[k * d * BLOCK : (k + 1) * d * BLOCK]
        if diagonal:
            mass[k] += _sums(rk, zk, first, second, k)
        else:
            total = 0.0
            for i in range(BLOCK):
                total += rk[i]
            mass[k] += total
            _weigh(rk, zk, rz, first[k])
            _outer(rz, zk, second[k])


@compiled
def _sums(r: np.ndarray, z: np.ndarray, first: np.ndarray, second: np.ndarray, k: int) -> float:
    """first_k += sum r z, second_k += diag(sum r z^2); sum r."""
    total = 0.0
    for j in range(first.shape[1]):
        zj = z[j * BLOCK : (j + 1) * BLOCK]
        a, b, total = 0.0, 0.0, 0.0
        for i in range(BLOCK):
            rz = r[i] * zj[i]
            total += r[i]
            a += rz
            b += rz * zj[i]
        first[k, j] += a
        second[k, j, j] += b
    return total


@compiled
def _weigh(r: np.ndarray, z: np.ndarray, rz: np.ndarray, first: np.ndarray) -> None:
    """Rz, and first += its sum."""
    for j in range(len(first)):
        zj, out = z[j * BLOCK : (j + 1) * BLOCK], rz[j * BLOCK : (j + 1) * BLOCK]
        total = 0.0
        for i in range(BLOCK):
            out[i] = r[i] * zj[i]
            total += out[i]
        first[j] += total


@compiled
def _load(X: np.ndarray, block: Any, x: np.ndarray) -> None:
    """The rows of a block, feature by feature."""
    first, size = block
    for j in range(X.shape[1]):
        xj = x[j * BLOCK : (j + 1) * BLOCK]
        for i in range(size):
            xj[i] = X[first + i, j]
        for i in range(size, BLOCK):
            xj[i] = X[first + size - 1, j]


@compiled
def _scale(  # type: ignore[no-untyped-def]
    level, means, C, k, x, z, l
):
    """z = (x - mu) / C_jj, l = level - z'z / 2: C is diagonal."""
    for j in range(means.shape[1]):
        xj, zj = x[j * BLOCK : (j + 1) * BLOCK], z[j * BLOCK : (j + 1) * BLOCK]
        centre, scale = means[k, j], 1.0 / C[k, j, j]
        if j == 0:
            for i in range(BLOCK):
                zi = (xj[i] - centre) * scale
                zj[i] = zi
                l[i] = level - 0.5 * zi * zi
        else:
            for i in range(BLOCK):
                zi = (xj[i] - centre) * scale
                zj[i] = zi
                l[i] -= 0.5 * zi * zi


@compiled
def _whiten(level: float, mean: np.ndarray, C: np.ndarray, x: np.ndarray, z: np.ndarray, l: np.ndarray) -> None:
    """z = C^-1 (x - mu), l = level - z'z / 2."""
    d = len(mean)
    for i in range(BLOCK):
        l[i] = level
    for j in range(d):
        xj, zj, centre = x[j * BLOCK : (j + 1) * BLOCK], z[j * BLOCK : (j + 1) * BLOCK], mean[j]
        for i in range(BLOCK):
            zj[i] = xj[i] - centre
    fours = d - d % 4
    for j in range(0, fours, 4):
        zj = z[j * BLOCK : (j + 4) * BLOCK]
        for m in range(0, j, 4):
            _subtract_4_by_4(C[j : j + 4, m : m + 4], zj, z[m * BLOCK : (m + 4) * BLOCK])
        _solve_4(C[j : j + 4, j : j + 4], zj, l)
    for j in range(fours, d):
        zj = z[j * BLOCK : (j + 1) * BLOCK]
        for m in range(0, fours, 4):
            _subtract_4(C[j, m : m + 4], zj, z[m * BLOCK : (m + 4) * BLOCK])
    if d - fours > 1:
        _solve_2(C[fours : fours + 2, fours : fours + 2], z[fours * BLOCK : (fours + 2) * BLOCK], l)
    if d % 2:
        _solve_1(C[d - 1, fours:], z[fours * BLOCK :], l)


@compiled
def _subtract_4_by_4(c: np.ndarray, z: np.ndarray, u: np.ndarray) -> None:
    """Z -= c u for four rows of z and four of u."""
    c00, c01, c02, c03 = c[0, 0], c[0, 1], c[0, 2], c[0, 3]
    c10, c11, c12, c13 = c[1, 0], c[1, 1], c[1, 2], c[1, 3]
    c20, c21, c22, c23 = c[2, 0], c[2, 1], c[2, 2], c[2, 3]
    c30, c31, c32, c33 = c[3, 0], c[3, 1], c[3, 2], c[3, 3]
    for i in range(BLOCK):
        u0, u1, u2, u3 = u[i], u[BLOCK + i], u[2 * BLOCK + i], u[3 * BLOCK + i]
        z[i] -= c00 * u0 + c01 * u1 + c02 * u2 + c03 * u3
        z[BLOCK + i] -= c10 * u0 + c11 * u1 + c12 * u2 + c13 * u3
        z[2 * BLOCK + i] -= c20 * u0 + c21 * u1 + c22 * u2 + c23 * u3
        z[3 * BLOCK + i] -= c30 * u0 + c31 * u1 + c32 * u2 + c33 * u3


@compiled
def _solve_4(c: np.ndarray, z: np.ndarray, l: np.ndarray) -> None:
    """Z <- c^-1 z for a triangle of four rows, l -= z'z / 2."""
    s0, s1, s2, s3 = 1.0 / c[0, 0], 1.0 / c[1, 1], 1.0 / c[2, 2], 1.0 / c[3, 3]
    c10, c20, c21, c30, c31, c32 = c[1, 0], c[2, 0], c[2, 1], c[3, 0], c[3, 1], c[3, 2]
    for i in range(BLOCK):
        z0 = z[i] * s0
        z1 = (z[BLOCK + i] - c10 * z0) * s1
        z2 = (z[2 * BLOCK + i] - c20 * z0 - c21 * z1) * s2
        z3 = (z[3 * BLOCK + i] - c30 * z0 - c31 * z1 - c32 * z2) * s3
        z[i], z[BLOCK + i], z[2 * BLOCK + i], z[3 * BLOCK + i] = z0, z1, z2, z3
        l[i] -= 0.5 * (z0 * z0 + z1 * z1 + z2 * z2 + z3 * z3)


@compiled
def _solve_2(c: np.ndarray, z: np.ndarray, l: np.ndarray) -> None:
    """Z <- c^-1 z for a triangle of two rows, l -= z'z / 2."""
    s0, s1, c10 = 1.0 / c[0, 0], 1.0 / c[1, 1], c[1, 0]
    for i in range(BLOCK):
        z0 = z[i] * s0
        z1 = (z[BLOCK + i] - c10 * z0) * s1
        z[i], z[BLOCK + i] = z0, z1
        l[i] -= 0.5 * (z0 * z0 + z1 * z1)


@compiled
def _solve_1(c: np.ndarray, z: np.ndarray, l: np.ndarray) -> None:
    """The last of one or three rows: z <- (z - c u) / c_jj, with u the rows before it."""
    last = len(c) - 1
    zj = z[last * BLOCK : (last + 1) * BLOCK]
    for m in range(last):
        cm, u = c[m], z[m * BLOCK : (m + 1) * BLOCK]
        for i in range(BLOCK):
            zj[i] -= cm * u[i]
    scale = 1.0 / c[last]
    for i in range(BLOCK):
        zi = zj[i] * scale
        zj[i] = zi
        l[i] -= 0.5 * zi * zi


@compiled
def _subtract_4(c: np.ndarray, z: np.ndarray, u: np.ndarray) -> None:
    """Z -= c u for one row of z and four of u."""
    c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
    for i in range(BLOCK):
        z[i] -= c0 * u[i] + c1 * u[BLOCK + i] + c2 * u[2 * BLOCK + i] + c3 * u[3 * BLOCK + i]


@compiled
def _outer(rz: np.ndarray, z: np.ndarray, S: np.ndarray) -> None:
    """S += rz z', in tiles that cover the lower triangle."""
    d = S.shape[0]
    for p in range(0, d - 1, 2):
        q = 0
        while q + 4 <= p + 2:
            _outer_2_by_4(rz[p * BLOCK : (p + 2) * BLOCK], z[q * BLOCK : (q + 4) * BLOCK], S[p : p + 2, q : q + 4])
            q += 4
        if q < p + 2:
            _outer_2_by_2(rz[p * BLOCK : (p + 2) * BLOCK], z[q * BLOCK : (q + 2) * BLOCK], S[p : p + 2, q : q + 2])
    if d % 2:
        for q in range(d):
            S[d - 1, q] += _dot(rz[(d - 1) * BLOCK : d * BLOCK], z[q * BLOCK : (q + 1) * BLOCK])


@compiled
def _outer_2_by_4(r: np.ndarray, z: np.ndarray, S: np.ndarray) -> None:
    a0, a1, a2, a3, b0, b1, b2, b3 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(BLOCK):
        a, b = r[i], r[BLOCK + i]
        z0, z1, z2, z3 = z[i], z[BLOCK + i], z[2 * BLOCK + i], z[3 * BLOCK + i]
        a0 += a * z0
        a1 += a * z1
        a2 += a * z2
        a3 += a * z3
        b0 += b * z0
        b1 += b * z1
        b2 += b * z2
        b3 += b * z3
    S[0, 0], S[0, 1], S[0, 2], S[0, 3] = S[0, 0] + a0, S[0, 1] + a1, S[0, 2] + a2, S[0, 3] + a3
    S[1, 0], S[1, 1], S[1, 2], S[1, 3] = S[1, 0] + b0, S[1, 1] + b1, S[1, 2] + b2, S[1, 3] + b3


@compiled
def _outer_2_by_2(r: np.ndarray, z: np.ndarray, S: np.ndarray) -> None:
    a0, a1, b0, b1 = 0.0, 0.0, 0.0, 0.0
    for i in range(BLOCK):
        a, b, z0, z1 = r[i], r[BLOCK + i], z[i], z[BLOCK + i]
        a0 += a * z0
        a1 += a * z1
        b0 += b * z0
        b1 += b * z1
    S[0, 0], S[0, 1] = S[0, 0] + a0, S[0, 1] + a1
    S[1, 0], S[1, 1] = S[1, 0] + b0, S[1, 1] + b1


@compiled
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for i in range(BLOCK):
        total += a[i] * b[i]
    return total


drive = driver(log_joint, accumulate)


@compiled
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
    params = (level, means, C, diagonal or d == 1)
    work = (np.empty(d * BLOCK), np.empty(K * d * BLOCK), np.empty(d * BLOCK))
    return drive(X, params, work, evidence, row_weights, statistics, pointwise, responsibilities)


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


@compiled
def _solve_transposed(C: np.ndarray, s: np.ndarray, S: np.ndarray) -> None:
    """S <- C^-T s and S <- tril(C^-T S), in place, by back substitution."""
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
