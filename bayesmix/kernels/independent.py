"""The E-step of independent columns of one canonical family: log f(x_i | k) = level_k + sum_j x_ij eta_kj + h(x_i).

Sums: mass N_k = sum_i v_i r_ik, first s_k = sum_i v_i r_ik x_i. Where cells are missing, columns of 1 (there) and 0
stand beside those of x, with natural parameters -b(eta): a missing cell adds nothing, and the sums over these columns
are the masses by column.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.kernels.blocks import CACHE, MOST, driver, load_rows
from bayesmix.kernels.lanes import LANES, load, number, spread, store
from bayesmix.kernels.vector import LOG_FACTORIAL, TABLED, inlined, log_factorial, total


@inlined
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """log w_k + log f of a block; leaves x in ``work``."""
    level, eta, counts = params
    x, h = work
    _, size, most = block
    K, d = eta.shape
    for j in range(d):
        load_rows(rows, block, d, j, x, j * most)
    held = max(size, LANES)
    for i in range(held):
        h[i] = 0.0
    if counts:
        for j in range(d):
            _subtract_log_factorials(x, j * most, held, h)
    for k in range(K):
        for i in range(0, size, LANES):
            l = level[k] + load(h, i)
            for j in range(d):
                l = l + load(x, j * most + i) * number(eta, k * d + j)
            store(out, k * most + i, l)


@inlined
def _subtract_log_factorials(x: np.ndarray, at: int, held: int, h: np.ndarray) -> None:
    """h_i -= log x_i!; where all are small, by table alone, without a branch for each."""
    small = True
    for i in range(held):
        small &= (x[at + i] >= 0.0) & (x[at + i] < TABLED)
    if small:
        for i in range(held):
            h[i] -= LOG_FACTORIAL[np.uintp(x[at + i])]
    else:
        for i in range(held):
            h[i] -= log_factorial(x[at + i])


@inlined
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, s_k += sum r x."""
    _, eta, _ = params
    x, _ = work
    mass, first = statistics
    _, size, most = block
    K, d = eta.shape
    for k in range(K):
        n = spread(0.0)
        for i in range(0, size, LANES):
            n = n + load(r, k * most + i)
        mass[k] += total(n)
        for j in range(d):
            s = spread(0.0)
            for i in range(0, size, LANES):
                s = s + load(r, k * most + i) * load(x, j * most + i)
            first[k, j] += total(s)


drive = driver(log_joint, accumulate)


@inlined
def run(natural, counts, gaps, X, weights, means, evidence, row_weights, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """L, from the means; ``natural(m)`` is eta and b(eta)."""
    flat = np.ascontiguousarray
    K, columns = means.shape
    d = 2 * columns if gaps else columns
    x = _with_whether_there(X) if gaps else flat(X)
    eta, level = np.empty((K, d)), np.empty(K)
    for k in range(K):
        level[k] = np.log(weights[k])
        for j in range(columns):
            eta[k, j], b = natural(means[k, j])
            if gaps:
                eta[k, columns + j] = -b
            else:
                level[k] -= b
    most = max(64, min(MOST, CACHE // (K + d) // LANES * LANES))
    work = (np.empty(d * most), np.empty(most))
    params = (level, eta, counts)
    return drive(x, params, work, most, flat(evidence), flat(row_weights), statistics, pointwise, responsibilities)


@inlined
def _with_whether_there(X: np.ndarray) -> np.ndarray:
    """The columns, 0 where a cell is missing, and after them those of 1 and 0 that say whether it is there."""
    n, d = X.shape
    found = np.zeros((n, 2 * d), X.dtype)
    for i in range(n):
        for j in range(d):
            if X[i, j] == X[i, j]:
                found[i, j], found[i, d + j] = X[i, j], 1
    return found


@inlined
def run_draws(natural, counts, gaps, X, weights, means, evidence, row_weights, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(weights)):
        l, r = pointwise[s], responsibilities[s]
        run(natural, counts, gaps, X, weights[s], means[s], evidence, row_weights, None, l, r)


@inlined
def run_e_step(natural, counts, gaps, X, weights, means, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, N (K,), and s (K, d), or s beside the masses by column (K, 2 d)."""
    K, d = means.shape
    mass, first, none = np.zeros(K), np.zeros((K, 2 * d if gaps else d)), np.empty((0, 0))
    L = run(natural, counts, gaps, X, weights, means, evidence, row_weights, (mass, first), pointwise, none)
    return L, mass, first
