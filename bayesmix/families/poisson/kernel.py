"""The compiled E-step of independent Poisson columns (:mod:`bayesmix.kernels.independent`)."""

from __future__ import annotations

import math

import numpy as np

from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.independent import run_draws, run_e_step
from bayesmix.kernels.vector import inlined
from bayesmix.likelihood.kernel import ColumnsKernel
from bayesmix.parts.canonical import LARGEST_PREDICTOR


@inlined
def natural(m: float) -> tuple[float, float]:
    """log m, within what keeps 0 a number, and m."""
    return max(math.log(m), -LARGEST_PREDICTOR) if m > 0.0 else -LARGEST_PREDICTOR, m


@entry_point
def rows(X, weights, means, evidence, row_weights, gaps, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    run_draws(natural, True, gaps, X, weights, means, evidence, row_weights, pointwise, responsibilities)


@entry_point
def e_step(X, weights, means, evidence, row_weights, gaps):  # type: ignore[no-untyped-def]
    """L, N (K,), s (K, d), and beside it the masses by column where cells are missing."""
    return run_e_step(natural, True, gaps, X, weights, means, evidence, row_weights, np.empty(0))


@entry_point
def gradient(X, weights, means, evidence, row_weights, gaps, pointwise):  # type: ignore[no-untyped-def]
    """L, dL/dw_k = N_k / w_k and dL/dm_kj; fills v_i l_i unless that array is empty."""
    L, mass, first = run_e_step(natural, True, gaps, X, weights, means, evidence, row_weights, pointwise)
    d = means.shape[1]
    for k in range(len(weights)):
        for j in range(d):
            first[k, j] = first[k, j] / means[k, j] - (first[k, d + j] if gaps else mass[k])
        mass[k] /= weights[k]
    return L, mass, first[:, :d].copy()


KERNEL = ColumnsKernel(rows, e_step)
