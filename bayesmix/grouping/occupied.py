"""How many components have rows, and how probable it is that one has none: both by responsibilities, draw by draw."""

from __future__ import annotations

from dataclasses import dataclass

import arviz as az
import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.mixture.draws import DRAWN
from bayesmix.posterior.record import Record, row_slices

ALLOCATIONS_PER_DRAW = 4
"""Components of all rows are drawn so many times from every posterior draw."""


@dataclass(frozen=True, eq=False)
class Occupied:
    """What the draws say of empty components.

    Attributes
    ----------
    shares, errors : ndarray, shape (K,)
        P(K+ = 1, ..., K | y, K), K+ the number of components that have rows, and its Monte Carlo error, at least that
        of independent draws.
    empty : ndarray, shape (chains, draws)
        (1/K) sum_k prod_i (1 - r_ik): the probability that a component taken at random has no rows.
    """

    shares: np.ndarray
    errors: np.ndarray
    empty: np.ndarray

    @property
    def p0(self) -> float:
        """Its mean over the posterior."""
        return float(self.empty.mean())

    @property
    def p0_error(self) -> float:
        """Monte Carlo standard error of :attr:`p0`."""
        return mcse(self.empty)

    @property
    def effective(self) -> float:
        """How many draws the mean of ``empty`` rests on, (sum)^2 / sum of squares."""
        largest = self.empty.max()
        share = self.empty / (largest or 1.0)  # squares of what is tiny would be 0
        return float(share.sum() ** 2 / (share**2).sum()) if largest > 0 else 0.0


def occupied(record: Record, *, seed: int) -> Occupied:
    """Of all draws, in blocks of rows."""
    likelihood = record.likelihood
    draws, K = estep.Draws(likelihood, record.params), len(likelihood.components)
    rng = np.random.default_rng(seed)
    log_empty = np.zeros((draws.size, K))
    there = np.zeros((ALLOCATIONS_PER_DRAW, draws.size, K), dtype=bool)
    for rows in row_slices(likelihood, draws.size):
        r = draws.responsibilities(rows)
        log_empty += _log_without(r).sum(axis=1)
        ends = np.cumsum(r, axis=-1)
        for taken in there:
            u = rng.random(ends.shape[:2])[..., None] * ends[..., -1:]
            k = np.minimum((u >= ends).sum(axis=-1), K - 1)
            for component in range(K):
                taken[:, component] |= (k == component).any(axis=1)
    numbers = there.sum(axis=-1)
    shape = tuple(record.posterior.sizes[d] for d in DRAWN)
    by_number = [(numbers == j + 1).mean(axis=0).reshape(shape) for j in range(K)]
    empty = np.exp(log_empty).mean(axis=1).reshape(shape)
    shares = np.array([a.mean() for a in by_number])
    errors = np.maximum([mcse(a) for a in by_number], _of_one_more(shares, draws.size))
    return Occupied(shares, errors, empty)


def _of_one_more(shares: np.ndarray, n: int) -> np.ndarray:
    """The binomial error of shares of n draws with one more draw on either side: of what hardly a draw shows."""
    p = (n * shares + 1) / (n + 2)
    return np.sqrt(p * (1 - p) / n)


def _log_without(r: np.ndarray) -> np.ndarray:
    """log(1 - r_ik), (draws, rows, K), from the other components' shares: exact where r_ik is almost 1."""
    others = np.stack([np.delete(r, k, axis=-1).sum(axis=-1) for k in range(r.shape[-1])], axis=-1)
    with np.errstate(divide="ignore"):
        return np.log(others)


def mcse(values: np.ndarray) -> float:
    """Monte Carlo standard error of the mean of (chains, draws); 0 where they are all alike."""
    if np.ptp(values) == 0:
        return 0.0
    return float(az.mcse(xr.Dataset({"value": (DRAWN, values)}), method="mean")["value"])
