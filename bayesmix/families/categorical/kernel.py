"""The compiled E-step of columns of answers: log-probabilities looked up, responsibilities counted by answer.

Tables hold, for each column, one place for a missing answer and then one for each level: an answer's place is its code
and one, with nothing to decide in the loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.families.categorical.answers import answers
from bayesmix.kernels.blocks import CACHE, MOST, driver
from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.lanes import LANES
from bayesmix.kernels.vector import inlined
from bayesmix.likelihood.kernel import Kernel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import LARGEST_PREDICTOR
from bayesmix.parts.part import Params, Sums


@inlined
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """log w_k + log f of a block; leaves the places of its answers in ``work``."""
    level, table, d = params
    first, size, most = block
    K, places = table.shape
    step = places // d
    for i in range(size):
        at = (first + i) * d
        for j in range(d):
            work[i * d + j] = j * step + rows[at + j] + 1
    for k in range(K):
        for i in range(size):
            l = level[k]
            for j in range(d):
                l += table[k, work[i * d + j]]
            out[k * most + i] = l
        for i in range(size, LANES):
            out[k * most + i] = out[k * most + size - 1]


@inlined
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, counts_k += r at the places of a row's answers."""
    _, _, d = params
    mass, counts = statistics
    _, size, most = block
    for i in range(size):
        for k in range(len(mass)):
            own = r[k * most + i]
            mass[k] += own
            for j in range(d):
                counts[k, work[i * d + j]] += own


drive = driver(log_joint, accumulate)


@inlined
def _run(codes, weights, probs, evidence, row_weights, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """L; the statistics are N (K,) and counts (K, d (1 + most levels))."""
    flat = np.ascontiguousarray
    K, d, most_levels = probs.shape
    table, level = np.zeros((K, d * (most_levels + 1))), np.empty(K)
    for k in range(K):
        level[k] = np.log(weights[k])
        for j in range(d):
            for c in range(most_levels):
                p = probs[k, j, c]
                log_p = np.log(p) if p > 0.0 else -LARGEST_PREDICTOR
                table[k, j * (most_levels + 1) + c + 1] = max(log_p, -LARGEST_PREDICTOR)
    most = max(64, min(MOST, CACHE // (K + d) // LANES * LANES))
    work = np.empty(d * most, dtype=np.intp)
    return drive(
        flat(codes).ravel(),
        (level, table, d),
        work,
        most,
        flat(evidence),
        flat(row_weights),
        statistics,
        pointwise,
        responsibilities,
    )


@entry_point
def rows(codes, weights, probs, evidence, row_weights, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(weights)):
        _run(codes, weights[s], probs[s], evidence, row_weights, None, pointwise[s], responsibilities[s])


@inlined
def _summed(codes, weights, probs, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, N (K,), counts (K, d, most levels)."""
    K, d, most_levels = probs.shape
    mass, counts, none = np.zeros(K), np.zeros((K, d * (most_levels + 1))), np.empty((0, 0))
    L = _run(codes, weights, probs, evidence, row_weights, (mass, counts), pointwise, none)
    return L, mass, counts.reshape(K, d, most_levels + 1)[:, :, 1:].copy()


@entry_point
def e_step(codes, weights, probs, evidence, row_weights):  # type: ignore[no-untyped-def]
    """L, N (K,), counts (K, d, most levels)."""
    return _summed(codes, weights, probs, evidence, row_weights, np.empty(0))


@entry_point
def gradient(codes, weights, probs, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, dL/dw_k = N_k / w_k and dL/dp_kjl = counts_kjl / p_kjl; fills v_i l_i unless that array is empty."""
    L, mass, counts = _summed(codes, weights, probs, evidence, row_weights, pointwise)
    K, d, most_levels = probs.shape
    for k in range(K):
        for j in range(d):
            for c in range(most_levels):
                if counts[k, j, c] > 0.0:
                    counts[k, j, c] /= probs[k, j, c]
        mass[k] /= weights[k]
    return L, mass, counts


class AnswersKernel(Kernel):
    """Codes and tables of probabilities, columns beside each other."""

    def __init__(self) -> None:
        self.rows = rows

    def parameters(self, likelihood: Likelihood, params: Params) -> tuple[Any, ...]:
        """weights, and probs as a table (..., K, d, most levels)."""
        probs = answers(likelihood).padded(np.asarray(params["probs"], dtype=float))
        return np.ascontiguousarray(params["weights"], dtype=float), probs

    def arguments(
        self, likelihood: Likelihood, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[Any, ...]:
        """Codes, weights, probs, evidence, v."""
        return (answers(likelihood).codes[rows], *parameters, likelihood.evidence[rows], v)

    def e_step(
        self, likelihood: Likelihood, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[float, Sums]:
        """L; mass and counts."""
        L, mass, counts = e_step(*self.arguments(likelihood, parameters, rows, v))
        component = answers(likelihood)
        return L, {"mass": mass, "answers": counts[:, component.column, component.level]}


KERNEL = AnswersKernel()
