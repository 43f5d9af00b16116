"""The ladder of a replica exchange: powers of the likelihood, and the coordinates and steps of every rung.

Exchange rates between neighbours are even where the powers cut the barrier, the integral of the local rejection rate,
into equal parts (Syed, Bouchard-Cote, Deligiannidis and Doucet 2022, doi:10.1111/rssb.12464). Twice as many rungs as
the barrier is long pass replicas on fastest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

FIRST_RUNGS, FEWEST_RUNGS, MOST_RUNGS = 12, 6, 60
LOWEST = 1e-4
"""The first power above 0, before anything is known."""
RUNGS_PER_BARRIER = 2.5
"""Rungs for a unit of the barrier: a little more than the two that would do if replicas forgot at once."""
FIRST_STEP = 0.3
LEAPFROGS, LEAPFROGS_LAST = 8, 48
"""Leapfrog steps of a trajectory at most; more on the last rung, whose draws are the posterior's."""
SHRUNK = 0.1
"""How far correlations between slopes are shrunk towards none."""


@dataclass(frozen=True)
class Ladder:
    """Powers b (R,), factors A (R, n, n) of the coordinates u in x = A u, leapfrog steps (R,)."""

    powers: np.ndarray
    factors: np.ndarray
    steps: np.ndarray

    @classmethod
    def first(cls, spread: np.ndarray) -> Ladder:
        """Before anything is known but standard deviations under the prior, (n,)."""
        powers = np.concatenate([[0.0], np.geomspace(LOWEST, 1.0, FIRST_RUNGS - 1)])
        return cls(powers, np.tile(np.diag(spread), (FIRST_RUNGS, 1, 1)), np.full(FIRST_RUNGS, FIRST_STEP))

    def __len__(self) -> int:
        return len(self.powers)

    @property
    def longest(self) -> np.ndarray:
        """Leapfrog steps of a trajectory at most, by rung."""
        return np.where(np.arange(len(self)) < len(self) - 1, LEAPFROGS, LEAPFROGS_LAST)

    def learnt(self, seen: Seen) -> Ladder:
        """Steps and coordinates after some sweeps."""
        return Ladder(self.powers, np.array([factor(P) for P in seen.products]), seen.steps)

    def spaced(self, rejection: np.ndarray, rungs: int) -> Ladder:
        """With so many rungs at equal parts of the barrier; in the coordinates of the next one there was."""
        barrier = np.concatenate([[0.0], np.cumsum(rejection + 1e-3)])
        powers = np.interp(np.linspace(0.0, barrier[-1], rungs), barrier, self.powers)
        powers[0], powers[-1] = 0.0, 1.0
        nearest = np.searchsorted(self.powers, powers).clip(1, len(self) - 1)
        return Ladder(powers, self.factors[nearest], self.steps[nearest])


@dataclass(frozen=True)
class Seen:
    """What some sweeps have shown, on average.

    Accepted trajectories (R,) and components anew (R,), rejected exchanges (R - 1,), products of slopes (R, n, n),
    replicas that come from the prior (R,), steps (R,).
    """

    acceptance: np.ndarray
    moved: np.ndarray
    rejection: np.ndarray
    products: np.ndarray
    from_prior: np.ndarray
    steps: np.ndarray

    @property
    def barrier(self) -> float:
        """The length of the way from the prior to the posterior: the sum of rejection rates."""
        return float(self.rejection.sum())

    @property
    def rungs(self) -> int:
        """How many rungs this barrier needs."""
        return int(np.clip(np.ceil(RUNGS_PER_BARRIER * self.barrier) + 1, FEWEST_RUNGS, MOST_RUNGS))


def factor(products: np.ndarray) -> np.ndarray:
    """A with A A' = E[g g']^-1, of slopes g of the log-density.

    By the information identity E[g g'] is the average curvature. A covariance of draws would not do: it is that of all
    labellings and modes together, while steps must fit into one of them.
    """
    P = np.tril(products) + np.tril(products, -1).T
    scale = 1.0 / np.sqrt(np.maximum(np.diag(P), np.finfo(float).tiny))
    R = (1.0 - SHRUNK) * P * np.outer(scale, scale) + SHRUNK * np.eye(len(P))
    return np.ascontiguousarray(scale[:, None] * solve_triangular(np.linalg.cholesky(R), np.eye(len(R)), lower=True).T)
