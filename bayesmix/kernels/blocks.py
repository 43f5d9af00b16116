"""The E-step as one pass over the rows, in blocks that stay in cache: the driver that every family shares.

    l_i = logsumexp_k log_joint_ik          r_ik = exp(log_joint_ik - l_i)          L = sum_i v_i l_i

A family brings two compiled functions over one block. Work arrays are flat: entry (k, i) of a block is at
k * most + i, with ``most`` rows in a block, and every loop takes LANES rows at a time.

``log_joint(rows, params, work, block, out)``
    out[k, i] = log w_ik + log f(x_i | theta_k) for the rows ``block = (first, size, most)``. A size is a multiple of
    LANES, but for the last: fewer rows than LANES, where the last is repeated up to LANES.
``accumulate(rows, params, work, block, r, statistics)``
    adds sum_i r_ik t(x_i) over the block; r holds v_i r_ik, and 0 beyond the end of the data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.kernels.lanes import LANES, collect, differing, load, nothing, number, spread, store, where_less
from bayesmix.kernels.vector import exp, inlined, log, total

CACHE = 4096
"""Doubles of a block that should stay in the nearest cache."""
MOST = 256
"""Rows of a block; K to the power of those of a lane, 32, is a double for any K below 10^9."""


def driver(log_joint: Any, accumulate: Any) -> Any:
    """The E-step of a family: a compiled function made from its two parts."""

    @inlined
    def drive(  # type: ignore[no-untyped-def]
        rows, params, work, most, evidence, row_weights, statistics, pointwise, responsibilities
    ):
        """L; adds to ``statistics`` unless None, fills v_i l_i (n,) and v_i r_ik (n, K) unless these are empty."""
        n, K = evidence.shape
        joint, v, l = np.empty(K * most), np.empty(most), np.empty(most)
        first, L = 0, 0.0
        while first < n:
            size = _size(n - first, most)
            block = (first, size, most)
            log_joint(rows, params, work, block, joint)
            _add_evidence(evidence, block, joint)
            if size < LANES or pointwise.size > 0 or _weighted(row_weights, block):
                _load_weights(row_weights, block, v)
                L += _normalize_weighted(joint, v, l, block, K)
            else:
                L += _normalize(joint, block, K)
            if pointwise.size > 0:
                keep_rows(l, 0, block, pointwise)
            if responsibilities.size > 0:
                for i in range(size):
                    for k in range(K):
                        responsibilities[first + i, k] = joint[k * most + i]
            if statistics is not None:
                accumulate(rows, params, work, block, joint, statistics)
            first += size
        return L

    return drive


@inlined
def _size(left: int, most: int) -> int:
    """Rows of the next block: whole lanes as long as there are any."""
    return min(most, left - left % LANES) if left >= LANES else left


@inlined
def load_rows(a: np.ndarray, block: Any, step: int, at: int, out: np.ndarray, to: int) -> None:
    """out[to + i] = a[(first + i) * step + at] for the rows of a block, the last repeated up to LANES."""
    first, size, _ = block
    start = first * step + at
    if size < LANES:
        for i in range(LANES):
            out[to + i] = number(a, start + min(i, size - 1) * step)
    elif step == 1:
        for i in range(0, size, LANES):
            store(out, to + i, load(a, start + i))
    else:
        for i in range(0, size, LANES):
            store(out, to + i, collect(a, start + i * step, step))


@inlined
def keep_rows(a: np.ndarray, at: int, block: Any, out: np.ndarray) -> None:
    """out[first + i] = a[at + i] for the rows of a block."""
    first, size, _ = block
    if size < LANES:
        for i in range(size):
            out[first + i] = a[at + i]
    else:
        for i in range(0, size, LANES):
            store(out, first + i, load(a, at + i))


@inlined
def _weighted(row_weights: np.ndarray, block: Any) -> bool:
    """Whether any row weight is not 1."""
    first, size, _ = block
    bits = load(row_weights, first) - 1.0
    for i in range(LANES, size, LANES):
        bits = differing(bits, load(row_weights, first + i) - 1.0)
    return not nothing(bits)


@inlined
def _load_weights(row_weights: np.ndarray, block: Any, v: np.ndarray) -> None:
    """v_i, 0 beyond the end of the data."""
    load_rows(row_weights, block, 1, 0, v, 0)
    for i in range(block[1], LANES):
        v[i] = 0.0


@inlined
def _add_evidence(evidence: np.ndarray, block: Any, joint: np.ndarray) -> None:
    """joint_ik += a_ik; most blocks have no label, and finding that out reads the block once in its own order."""
    first, size, most = block
    K = evidence.shape[1]
    if size >= LANES:
        bits = load(evidence, first * K)
        for i in range(first * K + LANES, (first + size) * K, LANES):
            bits = differing(bits, load(evidence, i))
        if nothing(bits):
            return
    for i in range(max(size, LANES)):
        row = (first + min(i, size - 1)) * K
        for k in range(K):
            joint[k * most + i] += number(evidence, row + k)


@inlined
def _exponentials(joint: np.ndarray, i: int, most: int, K: int) -> Any:
    """joint_ik <- exp(joint_ik - top_i) for LANES rows, top_i their maximum over k; top_i and the sum over k."""
    top = load(joint, i)
    for k in range(1, K):
        x = load(joint, k * most + i)
        top = where_less(top, x, x, top)
    top = where_less(-np.inf, top, top, 0.0)
    mass = spread(0.0)
    for k in range(K):
        e = exp(load(joint, k * most + i) - top)
        store(joint, k * most + i, e)
        mass = mass + e
    return top, mass


@inlined
def _scale(joint: np.ndarray, i: int, most: int, K: int, factor: Any) -> None:
    for k in range(K):
        store(joint, k * most + i, load(joint, k * most + i) * factor)


@inlined
def _normalize(joint: np.ndarray, block: Any, K: int) -> float:
    """From log_joint to r_ik; sum_i l_i, by one logarithm for a product of sums over k, each between 1 and K."""
    _, size, most = block
    tops, product = spread(0.0), spread(1.0)
    for i in range(0, size, LANES):
        top, mass = _exponentials(joint, i, most, K)
        tops, product = tops + top, product * mass
        _scale(joint, i, most, K, 1.0 / mass)
    return total(tops + log(product))


@inlined
def _normalize_weighted(joint: np.ndarray, v: np.ndarray, l: np.ndarray, block: Any, K: int) -> float:
    """From log_joint to v_i r_ik, v_i l_i; sum_i v_i l_i. Rows without weight count for nothing."""
    _, size, most = block
    L = spread(0.0)
    for i in range(0, size, LANES):
        top, mass = _exponentials(joint, i, most, K)
        weight = load(v, i)
        counts = weight * weight
        here = where_less(0.0, counts, weight * (log(mass) + top), 0.0)
        store(l, i, here)
        L = L + here
        _scale(joint, i, most, K, where_less(0.0, counts, weight * (1.0 / mass), 0.0))
    return total(L)
