"""The E-step as one pass over the rows, in blocks that stay in cache: the driver that every family shares.

    l_i = logsumexp_k log_joint_ik          r_ik = exp(log_joint_ik - l_i)          L = sum_i v_i l_i

A family brings two compiled functions over one block. Work arrays are flat: entry (k, i) of a block is at
k * BLOCK + i, so that every inner loop runs over rows with a constant number of turns and without a test for overlap.

``log_joint(rows, params, work, block, out)``
    out[k, i] = log w_ik + log f(x_i | theta_k) for the rows ``block = (first, size)``; where the block is cut short by
    the end of the data, its last row is repeated.
``accumulate(rows, params, work, block, r, statistics)``
    adds sum_i r_ik t(x_i) over the block; r holds v_i r_ik, and 0 beyond the end of the data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.kernels.vector import BLOCK, compiled, exp, log, log_and_inverse

FACTORS = 64
"""K to this power is a double for any K below 65,000."""


def driver(log_joint: Any, accumulate: Any) -> Any:
    """The E-step of a family: a compiled function made from its two parts."""

    @compiled
    def drive(  # type: ignore[no-untyped-def]
        rows, params, work, evidence, row_weights, statistics, pointwise, responsibilities
    ):
        """L; adds to ``statistics`` unless None, fills v_i l_i (n,) and v_i r_ik (n, K) unless these are empty."""
        n, K = evidence.shape
        joint, top, total = np.empty(K * BLOCK), np.empty(BLOCK), np.empty(BLOCK)
        v, L = np.empty(BLOCK), 0.0
        for first in range(0, n, BLOCK):
            size = min(BLOCK, n - first)
            log_joint(rows, params, work, (first, size), joint)
            _add_evidence(evidence, first, size, joint)
            unweighted = size == BLOCK
            for i in range(BLOCK):
                v[i] = row_weights[first + i] if i < size else 0.0
                unweighted &= v[i] == 1.0
            _exponentials(joint, top, total, K)
            if unweighted and pointwise.size == 0:
                L += _sum_of_logs(total, top)
            else:
                L += _logs(total, top, v)
            _scale_rows(joint, total, K)
            if pointwise.size > 0:
                for i in range(size):
                    pointwise[first + i] = top[i]
            if responsibilities.size > 0:
                for k in range(K):
                    for i in range(size):
                        responsibilities[first + i, k] = joint[k * BLOCK + i]
            if statistics is not None:
                accumulate(rows, params, work, (first, size), joint, statistics)
        return L

    return drive


@compiled
def _add_evidence(evidence: np.ndarray, first: int, size: int, joint: np.ndarray) -> None:
    """joint_ik += a_ik; most blocks have no label, and finding that out reads the block once in its own order."""
    K = evidence.shape[1]
    known, flat = 0.0, evidence[first : first + size].ravel()
    for i in range(flat.size):
        known += abs(flat[i])
    if known == 0.0:
        return
    for k in range(K):
        out = joint[k * BLOCK : (k + 1) * BLOCK]
        for i in range(size):
            out[i] += evidence[first + i, k]
        for i in range(size, BLOCK):
            out[i] = out[size - 1]


@compiled
def _exponentials(joint: np.ndarray, top: np.ndarray, total: np.ndarray, K: int) -> None:
    """From log_joint to exp(log_joint - top_i), top_i their maximum over k; ``total``: the sum over k."""
    for i in range(BLOCK):
        top[i] = joint[i]
        total[i] = 0.0
    for k in range(1, K):
        row = joint[k * BLOCK : (k + 1) * BLOCK]
        for i in range(BLOCK):
            top[i] = max(top[i], row[i])
    for i in range(BLOCK):
        top[i] = top[i] if top[i] > -np.inf else 0.0
    for k in range(K):
        row = joint[k * BLOCK : (k + 1) * BLOCK]
        for i in range(BLOCK):
            row[i] = exp(row[i] - top[i])
            total[i] += row[i]


@compiled
def _logs(total: np.ndarray, top: np.ndarray, v: np.ndarray) -> float:
    """v_i l_i in ``top``, v_i / total_i in ``total``; sum_i v_i l_i. Rows without weight count for nothing."""
    L = 0.0
    for i in range(BLOCK):
        log_total, inverse = log_and_inverse(total[i])
        l = v[i] * (log_total + top[i]) if v[i] > 0.0 else 0.0
        top[i] = l
        L += l
        total[i] = v[i] * inverse if v[i] > 0.0 else 0.0
    return L


@compiled
def _sum_of_logs(total: np.ndarray, top: np.ndarray) -> float:
    """Sum_i l_i for weights of 1, and 1 / total_i: one logarithm for a product of totals, each between 1 and K."""
    L = 0.0
    for part in range(0, BLOCK, FACTORS):
        product = 1.0
        some, highest = total[part : part + FACTORS], top[part : part + FACTORS]
        for i in range(FACTORS):
            product *= some[i]
            L += highest[i]
            some[i] = 1.0 / some[i]
        L += log(product)
    return L


@compiled
def _scale_rows(joint: np.ndarray, total: np.ndarray, K: int) -> None:
    """v_i r_ik."""
    for k in range(K):
        row = joint[k * BLOCK : (k + 1) * BLOCK]
        for i in range(BLOCK):
            row[i] *= total[i]
