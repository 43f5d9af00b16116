"""Leaving a row out by Pareto-smoothed importance sampling, from the log-densities of all draws, row by row.

The weight of a draw is 1 / p(x_i | draw). The largest M of S weights are replaced by quantiles of the generalized
Pareto distribution that fits them (Vehtari et al. 2024, https://jmlr.org/papers/v25/19-556.html), whose shape k says
how far the estimate can be relied on. The fit is that of Zhang and Stephens (2009, doi:10.1198/tech.2009.08017) with a
weak prior on k.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.columns import ABREAST, THINNED, bracket, gather
from bayesmix.kernels.vector import compiled, exp, log

PRIOR_ROWS, PRIOR_K = 10.0, 0.5
"""The prior on k counts as so many draws with this shape."""
GRID = 30
LEAST_TAIL = 5
"""A tail of fewer draws has no shape."""


@compiled
def shape_and_scale(y: np.ndarray) -> tuple[float, float]:
    """k and sigma of the generalized Pareto distribution of y, positive and increasing; NaN where y is far from one."""
    n = len(y)
    m, quartile = GRID + int(np.sqrt(n)), y[int(n / 4 + 0.5 - 1)]
    if quartile <= y[0]:
        return np.nan, np.nan
    b, height = np.empty(m), np.empty(m)
    for j in range(m):
        b[j] = (1.0 - np.sqrt(m / (j + 0.5))) / (3.0 * quartile) + 1.0 / y[n - 1]
        k = mean_log(b[j], y)
        height[j] = n * (np.log(-b[j] / k) - k - 1.0)
    top, total, kept, mean = height.max(), 0.0, 0.0, 0.0
    for j in range(m):
        total += np.exp(height[j] - top)
    for j in range(m):
        share = np.exp(height[j] - top) / total
        if share >= 10 * 2.0**-52:
            kept += share
            mean += share * b[j]
    k = mean_log(mean / kept, y)
    return (n * k + PRIOR_ROWS * PRIOR_K) / (n + PRIOR_ROWS), -k * kept / mean


@compiled
def mean_log(b: float, y: np.ndarray) -> float:
    """The mean of log(1 - b y)."""
    total = 0.0
    for i in range(len(y)):
        total += log(1.0 - b * y[i])
    return total / len(y)


@compiled
def lowest(x: np.ndarray, m: int, sample: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """At least the m smallest values of x, in increasing order."""
    _, end = bracket(sample, m / len(x))
    n = 0
    for value in x:  # without branches: what does not belong is written over
        inside[n] = value
        n += value <= end
    return np.sort(inside[:n]) if n >= m else np.sort(x)


@compiled
def left_out(x: np.ndarray, tail: int, sample: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """log p(x_i | all other rows) and k; weights are those relative to the largest."""
    S, low = len(x), x.min()
    if not low > -np.inf:
        return -np.inf, np.inf
    ends = lowest(x, min(tail + 1, S), sample, inside)
    k, end = np.inf, ends[tail - 1]
    weights = np.empty(tail)
    for j in range(tail):
        weights[j] = exp(low - ends[tail - 1 - j])
    if tail >= LEAST_TAIL:
        k = 0.0 if end == low else smoothed(weights, exp(low - ends[tail]))
    if not np.isfinite(k) or end == low:
        every = 0.0
        for value in x:
            every += exp(low - value)
        return low + math.log(S) - math.log(every), k
    others, total, n_others = 0.0, 0.0, 0
    for value in x:
        others += exp(low - value) if value > end else 0.0
        n_others += value > end
    others += (S - tail - n_others) * exp(low - end)
    for j in range(tail):
        total += weights[j] * exp(ends[tail - 1 - j] - end)
    total += (S - tail) * exp(low - end)
    return end + math.log(total) - math.log(others + weights.sum()), k


@compiled
def smoothed(weights: np.ndarray, cutoff: float) -> float:
    """k; where it is finite, the weights, in increasing order and above the cutoff, are replaced by quantiles."""
    k, sigma = shape_and_scale(weights - cutoff)
    if np.isfinite(k):
        for j in range(len(weights)):
            above = math.log1p(-(j + 0.5) / len(weights))
            quantile = cutoff - sigma * above if k == 0 else cutoff + sigma * np.expm1(-k * above) / k
            weights[j] = min(1.0, quantile)
    return k


@entry_point
def leave_one_out(log_density, first, last, tail, out):  # type: ignore[no-untyped-def]
    """Of some columns of (draws, rows): log p(x_i | the others), k, and log p(x_i | all), into ``out`` (3, rows)."""
    S = len(log_density)
    some, inside, step = np.empty((ABREAST, S)), np.empty(S + 1), max(1, S // THINNED)
    for start in range(first, last, ABREAST):
        for j in range(min(gather(log_density, start, some), last - start)):
            x, total = some[j], 0.0
            high = x.max()
            for value in x:
                total += exp(value - high)
            out[0, start + j], out[1, start + j] = left_out(x, tail, np.sort(x[::step]), inside)
            out[2, start + j] = high + math.log(total / S)
