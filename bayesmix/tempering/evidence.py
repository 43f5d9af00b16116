"""The evidence from the replicas of an exchange: from each rung to the next by Bennett's acceptance ratio.

With L the log-likelihood, b and c the powers of two neighbours, the ratio r of their integrals solves

    sum over draws on b of 1 / (1 + exp(log r - (c - b) L))  =  sum over draws on c of 1 / (1 + exp((c - b) L - log r))

for as many draws on each (Bennett 1976, doi:10.1016/0021-9991(76)90078-4). The first rung is the prior, whose integral
is 1.
"""

from __future__ import annotations

import arviz as az
import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp


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

    A sweep moves every log r by what it adds to the difference of both sides above, over their slope in log r (the
    delta method); the error is that of the mean over sweeps of the sum of these over the ladder, as replicas that are
    held up are seen on many rungs. Its effective size is over all chains, so that it is small where they disagree.
    """
    steps = np.diff(powers)
    low, high = steps * L[..., :-1], steps * L[..., 1:]
    ratios = np.array([log_ratio(L[..., r].ravel(), L[..., r + 1].ravel(), steps[r]) for r in range(len(steps))])
    up, down = expit(low - ratios), expit(ratios - high)
    slope = (up * (1 - up) + down * (1 - down)).mean(axis=(0, 1))
    if not (np.isfinite(ratios).all() and (slope > 0).all()):
        return float(ratios.sum()), np.inf
    moves = ((up - down) / slope).sum(axis=-1)
    return float(ratios.sum()), float(az.mcse(moves))
