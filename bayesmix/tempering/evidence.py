"""The evidence from the replicas of an exchange: from each rung to the next by Bennett's acceptance ratio.

With L the log-likelihood, b and c the powers of two neighbours, the ratio r of their integrals solves

    sum over draws on b of 1 / (1 + exp(log r - (c - b) L))  =  sum over draws on c of 1 / (1 + exp((c - b) L - log r))

for as many draws on each (Bennett 1976, doi:10.1016/0021-9991(76)90078-4). The first rung is the prior, whose integral
is 1.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

BLOCKS = 10
"""Parts of every chain by which the error is measured."""


def log_ratio(low: np.ndarray, high: np.ndarray, step: float) -> float:
    """log r from log-likelihoods (S,) on two rungs, ``step`` = c - b apart."""
    up = float(logsumexp(step * low) - np.log(len(low)))
    down = float(np.log(len(high)) - logsumexp(-step * high))
    if not np.isfinite(up + down) or up == down:
        return up

    def excess(x: float) -> float:
        return float(expit(step * low - x).sum() - expit(x - step * high).sum())

    width = abs(up - down) + 1.0
    return float(brentq(excess, min(up, down) - width, max(up, down) + width, xtol=1e-10))


def log_evidence(powers: np.ndarray, L: np.ndarray) -> tuple[float, float]:
    """log Z and its standard error, from log-likelihoods (chains, S, R) on a ladder of R powers.

    The error is that of a mean over parts of chains, or over whole chains where that is larger.
    """

    def whole(values: np.ndarray) -> float:
        steps = np.diff(powers)
        return sum(log_ratio(values[:, r], values[:, r + 1], steps[r]) for r in range(len(steps)))

    value = whole(L.reshape(-1, L.shape[-1]))
    parts = np.array([[whole(part) for part in np.array_split(chain, BLOCKS)] for chain in L])
    by_parts = parts.std(ddof=1) / np.sqrt(parts.size)
    by_chains = parts.mean(axis=1).std(ddof=1) / np.sqrt(len(parts)) if len(parts) > 1 else np.inf
    return value, float(max(by_parts, by_chains))
