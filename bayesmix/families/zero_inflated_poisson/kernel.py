"""The compiled E-step of the zero-inflated Poisson: component 0 is the structural zero, component 1 the count.

    log_joint_i0 = log pi_i where x_i = 0, else -inf
    log_joint_i1 = log(1 - pi_i) + x_i eta_i - e^eta_i - log x_i!

with eta_i = log lambda_i and zeta_i = logit pi_i by row. Derivatives of L by both, and the complete rows' information,
become sums over rows by products with the designs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.families.zero_inflated_poisson.maths import parts_of
from bayesmix.kernels.blocks import MOST, driver, keep_rows, load_rows
from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.lanes import LANES, load, spread, store, where_less
from bayesmix.kernels.vector import exp, inlined, log_and_inverse, log_factorial, total
from bayesmix.likelihood.kernel import Arrays, Kernel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums

LARGEST_EXPONENT = 709.0


@inlined
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """Both components of a block; leaves counts, e^eta and pi in ``work``."""
    log_rate, logit_zero = params
    counts, rates, zeros = work
    _, size, most = block
    load_rows(rows, block, 1, 0, counts, 0)
    load_rows(log_rate, block, 1, 0, rates, 0)
    load_rows(logit_zero, block, 1, 0, zeros, 0)
    for i in range(0, size, LANES):
        x, eta, zeta = load(counts, i), load(rates, i), load(zeros, i)
        above, below = where_less(0.0, zeta, zeta, 0.0), where_less(zeta, 0.0, 0.0 - zeta, 0.0)
        e = exp(0.0 - above - below)
        softplus, inverse = log_and_inverse(1.0 + e)
        rate = where_less(LARGEST_EXPONENT, eta, np.inf, exp(eta))
        store(rates, i, rate)
        store(zeros, i, where_less(zeta, 0.0, e, 1.0) * inverse)
        store(out, i, where_less(0.0, x, -np.inf, 0.0 - (below + softplus)))
        store(out, most + i, (x * eta - rate) - (above + softplus))
    for i in range(max(size, LANES)):
        out[most + i] -= log_factorial(counts[i])


@inlined
def keep_regressions(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """dL/deta_i, v_i r_i1 lambda_i, dL/dzeta_i and v_i pi_i (1 - pi_i) in their places; adds sum_i v_i r_ik."""
    counts, rates, zeros = work
    _, size, most = block
    mass, d_eta, w_eta, d_zeta, w_zeta = statistics
    first, second = spread(0.0), spread(0.0)
    for i in range(0, size, LANES):
        structural, poisson = load(r, i), load(r, most + i)
        first, second = first + structural, second + poisson
        rate, pi = load(rates, i), load(zeros, i)
        v = structural + poisson
        store(counts, i, where_less(0.0, poisson, poisson * (load(counts, i) - rate), 0.0))
        store(rates, i, where_less(0.0, poisson, poisson * rate, 0.0))
        store(zeros, i, structural - v * pi)
        store(r, i, v * pi * (1.0 - pi))
    mass[0] += total(first)
    mass[1] += total(second)
    keep_rows(counts, 0, block, d_eta)
    keep_rows(rates, 0, block, w_eta)
    keep_rows(zeros, 0, block, d_zeta)
    keep_rows(r, 0, block, w_zeta)


@inlined
def keep_slopes(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """dL/deta_i and dL/dzeta_i in their places."""
    counts, rates, zeros = work
    _, size, most = block
    d_eta, d_zeta = statistics
    for i in range(0, size, LANES):
        structural, poisson = load(r, i), load(r, most + i)
        store(rates, i, poisson * (load(counts, i) - load(rates, i)))
        store(zeros, i, structural - (structural + poisson) * load(zeros, i))
    keep_rows(rates, 0, block, d_eta)
    keep_rows(zeros, 0, block, d_zeta)


drive, drive_slopes = driver(log_joint, keep_regressions), driver(log_joint, keep_slopes)


@inlined
def _run(drive: Any, x, log_rate, logit_zero, evidence, row_weights, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    flat = np.ascontiguousarray  # the layout that offsets are counted in; arrays of a graph may have another
    params = (flat(log_rate), flat(logit_zero))
    work = (np.empty(MOST), np.empty(MOST), np.empty(MOST))
    return drive(
        flat(x), params, work, MOST, flat(evidence), flat(row_weights), statistics, pointwise, responsibilities
    )


@entry_point
def rows(x, log_rate, logit_zero, evidence, row_weights, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(log_rate)):
        _run(drive, x, log_rate[s], logit_zero[s], evidence, row_weights, None, pointwise[s], responsibilities[s])


@entry_point
def e_step(x, log_rate, logit_zero, evidence, row_weights):  # type: ignore[no-untyped-def]
    """L, v_i r_ik summed (2,), and by row: dL/deta_i, v_i r_i1 lambda_i, dL/dzeta_i, v_i pi_i (1 - pi_i)."""
    n, nothing, none = x.size, np.empty(0), np.empty((0, 0))
    found = (np.zeros(2), np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    L = _run(drive, x, log_rate, logit_zero, evidence, row_weights, found, nothing, none)
    return L, found


@entry_point
def gradient(x, log_rate, logit_zero, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, dL/deta_i = v_i r_i1 (x_i - lambda_i), dL/dzeta_i = v_i (r_i0 - pi_i); fills v_i l_i unless empty."""
    slopes, none = (np.empty(x.size), np.empty(x.size)), np.empty((0, 0))
    L = _run(drive_slopes, x, log_rate, logit_zero, evidence, row_weights, slopes, pointwise, none)
    return L, slopes[0], slopes[1]


class ZeroInflatedPoissonKernel(Kernel):
    """By row the two linear predictors; no settings."""

    rows = staticmethod(rows)

    def parameters(self, likelihood: Likelihood, params: Params) -> Arrays:
        """Both parts' coefficients."""
        return params["rate_coef"], params["zero_coef"]

    def arguments(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> Arrays:
        """Counts, log lambda_i and logit pi_i (..., rows), evidence, v."""
        poisson, weights = parts_of(likelihood)
        rate_coef, zero_coef = parameters
        by_row = (poisson.linear.predictor(rate_coef, rows), weights.linear.predictor(zero_coef, rows))
        return (poisson.x[rows], *by_row, likelihood.evidence[rows], v)

    def e_step(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> tuple[float, Sums]:
        """L; mass, and the gradient and information of both regressions."""
        L, (mass, d_eta, w_eta, d_zeta, w_zeta) = e_step(*self.arguments(likelihood, parameters, rows, v))
        poisson, weights = parts_of(likelihood)
        return L, {"mass": mass, **poisson.linear.sums(d_eta, w_eta, rows), **weights.linear.sums(d_zeta, w_zeta, rows)}


KERNEL = ZeroInflatedPoissonKernel()
