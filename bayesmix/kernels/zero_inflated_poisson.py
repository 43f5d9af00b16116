"""The compiled E-step of the zero-inflated Poisson: component 0 is the structural zero, component 1 the count.

    log_joint_i0 = log pi_i where x_i = 0, else -inf
    log_joint_i1 = log(1 - pi_i) + x_i eta_i - e^eta_i - log x_i!

with eta_i = log lambda_i and zeta_i = logit pi_i by row. The statistic is v_i r_i0 for every row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln

from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.driver import driver
from bayesmix.kernels.vector import BLOCK, compiled, exp, log

SMALL = 64
LARGEST_EXPONENT = 709.0
LOG_FACTORIAL = gammaln(np.arange(SMALL) + 1.0)
HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@compiled
def log_factorial(m: float) -> float:
    """log m! of a whole number: by table, from 64 on by Stirling's series, whose rest is below 1e-16; inf below 0."""
    if m < 0:
        return np.inf
    if m < SMALL:
        return LOG_FACTORIAL[int(m)]
    q = 1.0 / (m * m)
    return (m + 0.5) * log(m) - m + HALF_LOG_2_PI + (1 / 12 - q * (1 / 360 - q / 1260)) / m


@compiled
def rate(eta: float) -> float:
    """e^eta, infinite where it overflows."""
    return np.inf if eta > LARGEST_EXPONENT else exp(eta)


@compiled
def softplus(t: float) -> float:
    """log(1 + e^t)."""
    return max(t, 0.0) + log(1.0 + exp(-abs(t)))


@compiled
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """Both components of a block."""
    log_rate, logit_zero = params
    counts, eta, zeta = work
    first, size = block
    for i in range(BLOCK):
        row = first + min(i, size - 1)
        counts[i], eta[i], zeta[i] = rows[row], log_rate[row], logit_zero[row]
    structural, poisson = out[:BLOCK], out[BLOCK:]
    for i in range(BLOCK):
        structural[i] = -softplus(-zeta[i]) if counts[i] == 0.0 else -np.inf
    for i in range(BLOCK):
        poisson[i] = -softplus(zeta[i]) + counts[i] * eta[i] - rate(eta[i])
    for i in range(BLOCK):
        poisson[i] -= log_factorial(counts[i])


@compiled
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """v_i r_i0 in its place."""
    first, size = block
    for i in range(size):
        statistics[first + i] = r[i]


drive = driver(log_joint, accumulate)


@compiled
def _run(  # type: ignore[no-untyped-def]
    x, log_rate, logit_zero, evidence, row_weights, statistics, pointwise, responsibilities
):
    work = (np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK))
    params = (log_rate, logit_zero)
    return drive(x, params, work, evidence, row_weights, statistics, pointwise, responsibilities)


@entry_point
def rows(x, log_rate, logit_zero, evidence, row_weights, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(log_rate)):
        _run(x, log_rate[s], logit_zero[s], evidence, row_weights, None, pointwise[s], responsibilities[s])


@entry_point
def e_step(x, log_rate, logit_zero, evidence, row_weights):  # type: ignore[no-untyped-def]
    """L and v_i r_i0 (n,)."""
    structural = np.empty(x.size)
    L = _run(x, log_rate, logit_zero, evidence, row_weights, structural, np.empty(0), np.empty((0, 0)))
    return L, structural


@entry_point
def gradient(x, log_rate, logit_zero, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, dL/deta_i = v_i (1 - r_i0) (x_i - lambda_i), dL/dzeta_i = v_i (r_i0 - pi_i); fills v_i l_i unless empty."""
    n = x.size
    d_eta, d_zeta = np.empty(n), np.empty(n)
    L = _run(x, log_rate, logit_zero, evidence, row_weights, d_zeta, pointwise, np.empty((0, 0)))
    for i in range(n):
        structural = d_zeta[i]
        d_eta[i] = (row_weights[i] - structural) * (x[i] - rate(log_rate[i]))
        d_zeta[i] = structural - row_weights[i] / (1.0 + rate(-logit_zero[i]))
    return L, d_eta, d_zeta
