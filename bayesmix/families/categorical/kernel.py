"""The compiled E-step of columns of answers: log-probabilities looked up, responsibilities counted by answer.

Several columns are looked up at once, by the combination of their answers: a table for each group of columns has the
sums of their log-probabilities, and responsibilities are counted by combination before they are shared out to answers.
A missing answer is a level of its own, before the others, with log-probability 0: there is nothing to decide in loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.families.categorical.answers import answers
from bayesmix.kernels.blocks import CACHE, MOST, driver
from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.lanes import LANES
from bayesmix.kernels.vector import inlined
from bayesmix.likelihood.kernel import Arrays, Kernel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import LARGEST_PREDICTOR
from bayesmix.parts.part import Params, Sums

COMBINATIONS = 256
"""A group has no more combinations of answers than that, so that its tables stay in the nearest cache."""


@inlined
def log_joint(rows: Any, params: Any, work: Any, block: Any, out: np.ndarray) -> None:
    """log w_k + log f of a block; leaves the places of its combinations in ``work``, (size, groups)."""
    level, table, (d, base, together, groups, width) = params
    first, size, most = block
    for i in range(size):
        at = (first + i) * d
        for g in range(groups):
            place = 0
            for j in range(g * together, min(d, (g + 1) * together)):
                place = place * base + rows[at + j] + 1
            work[i * groups + g] = np.uintp(g * width + place)
    for k in range(len(level)):
        own = table[k]
        for i in range(size):
            l = level[k]
            for g in range(groups):
                l += own[work[i * groups + g]]
            out[k * most + i] = l
        for i in range(size, LANES):
            out[k * most + i] = out[k * most + size - 1]


@inlined
def accumulate(rows: Any, params: Any, work: Any, block: Any, r: np.ndarray, statistics: Any) -> None:
    """N_k += sum r, counts_k += r at the places of a row's combinations."""
    groups = params[2][3]
    mass, counts = statistics
    _, size, most = block
    for k in range(len(mass)):
        own, total = counts[k], 0.0
        for i in range(size):
            share = r[k * most + i]
            total += share
            for g in range(groups):
                own[work[i * groups + g]] += share
        mass[k] += total


drive = driver(log_joint, accumulate)


@inlined
def _layout(d, most_levels):  # type: ignore[no-untyped-def]
    """Columns, levels with the missing one, columns in a group, groups, combinations of a group."""
    base, together = most_levels + 1, 1
    while together < d and base ** (together + 1) <= COMBINATIONS:
        together += 1
    return d, base, together, -(-d // together), base**together


@inlined
def _columns_of(g, place, layout, digits):  # type: ignore[no-untyped-def]
    """Fill the answers (0 where missing) of a combination; how many columns it has, 0 where it stands for none."""
    d, base, together, _, _ = layout
    count = min(d, (g + 1) * together) - g * together
    for j in range(count - 1, -1, -1):
        digits[j] = place % base
        place //= base
    return count if place == 0 else 0


@inlined
def _run(codes, weights, probs, evidence, row_weights, statistics, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """L; the statistics are N (K,) and counts by combination (K, groups x combinations)."""
    flat = np.ascontiguousarray
    K, d, most_levels = probs.shape
    layout = _layout(d, most_levels)
    _, base, together, groups, width = layout
    logs, digits = np.zeros((K, d, base)), np.empty(together, dtype=np.intp)
    table, level = np.zeros((K, groups * width)), np.log(weights)
    for k in range(K):
        for j in range(d):
            for c in range(most_levels):
                p = probs[k, j, c]
                log_p = np.log(p) if p > 0.0 else -LARGEST_PREDICTOR
                logs[k, j, c + 1] = max(log_p, -LARGEST_PREDICTOR)
        for g in range(groups):
            for place in range(width):
                for j in range(_columns_of(g, place, layout, digits)):
                    table[k, g * width + place] += logs[k, g * together + j, digits[j]]
    most = max(64, min(MOST, CACHE // (K + groups) // LANES * LANES))
    work = np.empty(groups * most, dtype=np.uintp)
    params = (level, table, layout)
    rows = flat(codes).ravel()
    return drive(rows, params, work, most, flat(evidence), flat(row_weights), statistics, pointwise, responsibilities)


@entry_point
def rows(codes, weights, probs, evidence, row_weights, pointwise, responsibilities):  # type: ignore[no-untyped-def]
    """For every draw: fill v_i l_i (S, n) and v_i r_ik (S, n, K) where these arrays are not empty."""
    for s in range(len(weights)):
        _run(codes, weights[s], probs[s], evidence, row_weights, None, pointwise[s], responsibilities[s])


@inlined
def _summed(codes, weights, probs, evidence, row_weights, pointwise):  # type: ignore[no-untyped-def]
    """L, N (K,), counts (K, d, most levels)."""
    K, d, most_levels = probs.shape
    layout = _layout(d, most_levels)
    _, _, together, groups, width = layout
    mass, by_place, none = np.zeros(K), np.zeros((K, groups * width)), np.empty((0, 0))
    L = _run(codes, weights, probs, evidence, row_weights, (mass, by_place), pointwise, none)
    counts, digits = np.zeros(probs.shape), np.empty(together, dtype=np.intp)
    for k in range(K):
        for g in range(groups):
            for place in range(width):
                for j in range(_columns_of(g, place, layout, digits)):
                    if digits[j] > 0:
                        counts[k, g * together + j, digits[j] - 1] += by_place[k, g * width + place]
    return L, mass, counts


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

    def parameters(self, likelihood: Likelihood, params: Params) -> Arrays:
        """weights, and probs as a table (..., K, d, most levels)."""
        probs = answers(likelihood).padded(np.asarray(params["probs"], dtype=float))
        return np.ascontiguousarray(params["weights"], dtype=float), probs

    def arguments(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> Arrays:
        """Codes, weights, probs, evidence, v."""
        return (answers(likelihood).codes[rows], *parameters, likelihood.evidence[rows], v)

    def e_step(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> tuple[float, Sums]:
        """L; mass and counts."""
        L, mass, counts = e_step(*self.arguments(likelihood, parameters, rows, v))
        component = answers(likelihood)
        return L, {"mass": mass, "answers": counts[:, component.column, component.level]}


KERNEL = AnswersKernel()
