"""The arithmetic that a gradient of n rows, d features and K full covariances cannot do without."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from bayesmix.kernels.lanes import LANES, load, store
from bayesmix.kernels.vector import exp
from benchmarks.figures import Figure
from benchmarks.problems import Problem
from benchmarks.timing import Contestant, repeated

SIDE = 384
"""Rows and columns of the matrices whose product sets the rate of multiply-adds: they stay in cache."""


def contestants(problem: Problem) -> Mapping[str, Contestant]:
    """K n exponentials, and a product of two matrices."""
    rng = np.random.default_rng(0)
    n = len(problem.X) * problem.coordinates.K
    x = -rng.exponential(size=LANES * -(-n // LANES))
    out, A, B = np.empty(LANES * 32), rng.normal(size=(SIDE, SIDE)), rng.normal(size=(SIDE, SIDE))
    return {"exponentials": lambda times: _exponentials(times, x, out), "matrix product": repeated(lambda: A @ B)}


def together(problem: Problem, exponentials: Figure, product: Figure) -> Figure:
    """Time of the exponentials and of K n d (d + 1) multiply-adds at the product's rate."""
    (n, d), K = problem.X.shape, problem.coordinates.K
    return Figure(exponentials.value + product.value * n * K * d * (d + 1) / SIDE**3, exponentials.unit)


@njit
def _exponentials(times: int, x: np.ndarray, out: np.ndarray) -> None:
    for _ in range(times):
        for i in range(0, len(x), LANES):
            store(out, i % len(out), exp(load(x, i)))
