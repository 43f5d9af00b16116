"""Are ranks uniform? Exact simultaneous tests and bands for their empirical distribution function.

Of n ranks, uniform on 0, ..., L, the number N_i that are at most i is Binomial(n, (i + 1) / (L + 1)). The statistic is
the smallest of the two-sided tail probabilities of N_0, ..., N_(L-1) (Säilynoja, Bürkner and Vehtari 2022,
doi:10.1007/s11222-022-10090-6). Its law is computed, not simulated: the increments of N are independent Poisson
variables given that they sum to n, so the probability to stay inside a band is a chain of L + 1 convolutions.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import optimize, stats


@cache
def tails(n: int, L: int) -> np.ndarray:
    """Two-sided tail probabilities 2 min(P(N_i <= k), P(N_i >= k)), at most 1; shape (L, n + 1)."""
    N = stats.binom(n, (np.arange(L)[:, None] + 1) / (L + 1))
    k = np.arange(n + 1)
    return np.minimum(1.0, 2 * np.minimum(N.cdf(k), N.sf(k - 1)))


def statistic(ranks: np.ndarray, L: int) -> float:
    """The smallest tail probability of the ranks (n,), each in 0, ..., L."""
    counts = np.bincount(ranks, minlength=L + 1).cumsum()[:-1]
    return float(tails(len(ranks), L)[np.arange(L), counts].min())


def p_value(n: int, L: int, gamma: float) -> float:
    """P(statistic <= gamma) for n uniform ranks.

    Examples
    --------
    Of one rank in 0, 1, 2 the statistic is 2/3 at ranks 0 and 2, and 1 at rank 1:

    >>> round(p_value(1, 2, 0.7), 6), round(p_value(1, 2, 0.5), 6)
    (0.666667, 0.0)
    """
    increment = stats.poisson(n / (L + 1)).pmf(np.arange(n + 1))
    inside = tails(n, L) > gamma * (1 + 1e-12)
    probability = np.eye(1, n + 1)[0]
    for allowed in inside:
        reached = np.flatnonzero(probability > 0)
        if not len(reached):
            return 1.0
        first, last = reached[0], reached[-1] + 1
        step = increment[: max(40, int(4 * n / (L + 1)) + 40)]
        moved = np.zeros(n + 1)
        new = np.convolve(probability[first:last], step)[: n + 1 - first]
        moved[first : first + len(new)] = new
        probability = np.where(allowed, moved, 0.0)
    stayed = float(probability @ increment[::-1])
    return float(np.clip(1 - stayed / stats.poisson(n).pmf(n), 0.0, 1.0))


@cache
def threshold(n: int, L: int, level: float) -> float:
    """The largest gamma, of those up to ``level``, with P(statistic <= gamma) at most ``level``."""

    def excess(log_gamma: float) -> float:
        return p_value(n, L, float(np.exp(log_gamma))) - level

    if excess(float(np.log(level))) <= 0:  # few ranks: the statistic is never so small
        return level
    return float(np.exp(optimize.bisect(excess, np.log(level) - 12, np.log(level) + 1e-9, xtol=1e-4)))


def band(n: int, L: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest N_i (L,) between which all of them stay with probability 1 - ``level`` at least."""
    inside = tails(n, L) > threshold(n, L, level)
    return inside.argmax(axis=1), n - inside[:, ::-1].argmax(axis=1)
