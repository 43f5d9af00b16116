"""The partition of rows with the smallest expected loss, by arrays alone.

Both losses compare two partitions c and z by the sizes of their clusters and of the intersections of these::

    loss(c, z) = G(c) + G(z) - 2 G(c and z)         G = sum over clusters of g(size)

with g(m) = m log2(m) / n for the variation of information (Meila 2007, doi:10.1016/j.jmva.2006.11.013) and
g(m) = m^2 / (n (n - 1)) for Binder's loss, the share of pairs of rows that are together in one and apart in the other
(Binder 1978, doi:10.1093/biomet/65.1.31). The expectation is a mean over sampled allocations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.special import xlogy

LOSSES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "vi": lambda m, n: np.asarray(xlogy(m, m) / (n * np.log(2))),
    "binder": lambda m, n: m**2 / (n * max(n - 1, 1)),
}
"""g(m) by name."""
MOST_SWEEPS = 50
SLACK = 1e-12
"""A row moves for a gain larger than this, so that ties do not go on forever."""
IMPROVED = 4
"""So many of the best candidates are improved, ..."""
SEQUENTIAL = 4
"""... and so many partitions built up row by row, in random orders."""


def best_partition(
    candidates: Iterable[np.ndarray], z: np.ndarray, loss: str, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The best partition found, and its expected loss: candidates, improved row by row (Wade and Ghahramani 2018).

    Parameters
    ----------
    candidates : iterable of ndarray of int, shape (n,)
        Partitions to begin with; numbers of clusters from 0.
    z : ndarray of int, shape (draws, n)
        Sampled allocations.
    loss : {"vi", "binder"}
        A key of ``LOSSES``.
    rng : Generator
        Decides in which order rows are tried.

    Returns
    -------
    c : ndarray of int, shape (n,)
        Numbers of clusters from 0, the largest first.
    expected_loss : float
        Its mean loss over ``z``.
    """
    distinct = {renumbered(c).tobytes(): renumbered(c) for c in candidates}
    tried = sorted(distinct.values(), key=lambda c: expected_loss(c, z, loss))[:IMPROVED]
    nowhere = np.full(z.shape[1], -1)
    improved = [renumbered(improve(c, z, loss, rng)) for c in [*tried, *[nowhere] * SEQUENTIAL]]
    best = min(improved, key=lambda c: expected_loss(c, z, loss))
    return best, expected_loss(best, z, loss)


def renumbered(c: np.ndarray) -> np.ndarray:
    """The same partition with clusters numbered by size, the largest first; of equals, that of the first row."""
    _, first, number, size = np.unique(c, return_index=True, return_inverse=True, return_counts=True)
    return np.asarray(np.argsort(np.lexsort((first, -size)))[number])


def expected_loss(c: np.ndarray, z: np.ndarray, loss: str) -> float:
    """Mean loss of a partition c (n,) over allocations z (draws, n); numbers of clusters from 0."""
    g = LOSSES[loss](np.arange(len(c) + 1.0), len(c))
    both = _intersections(c, z, int(c.max()) + 1)
    of_z = g[both.sum(axis=1)].sum(axis=1)
    return float((g[np.bincount(c)].sum() + of_z - 2 * g[both].sum(axis=(1, 2))).mean())


def improve(c: np.ndarray, z: np.ndarray, loss: str, rng: np.random.Generator) -> np.ndarray:
    """Move single rows to the cluster, old or new, where the expected loss falls most, until none moves.

    A row of c (n,) that is -1 is in no cluster yet: it goes where it costs least.
    """
    n, draws = len(c), np.arange(len(z))
    slots = min(n, max(20, 2 * int(z.max()) + 2, int(c.max()) + 2))
    marginal = np.diff(LOSSES[loss](np.arange(n + 1.0), n))
    c, placed = c.copy(), c >= 0
    both, size = _intersections(c[placed], z[:, placed], slots), np.bincount(c[placed], minlength=slots)
    both = np.pad(both, ((0, 0), (0, 0), (0, int(z.max()) + 1 - both.shape[2])))
    for _ in range(MOST_SWEEPS):
        before = c.copy()
        for i in rng.permutation(n):
            old, at = c[i], z[:, i]
            if old >= 0:
                both[draws, old, at] -= 1
                size[old] -= 1
            cost = marginal[size] - 2 * marginal[both[draws, :, at]].mean(axis=0)
            best = int(cost.argmin())
            c[i] = old if old >= 0 and cost[best] > cost[old] - SLACK else best
            both[draws, c[i], at] += 1
            size[c[i]] += 1
        if (c == before).all():
            break
    return c


def _intersections(c: np.ndarray, z: np.ndarray, slots: int) -> np.ndarray:
    """Rows in cluster a of c and b of a draw's allocation, (draws, slots, clusters)."""
    clusters = int(z.max(initial=0)) + 1
    cell = (np.arange(len(z))[:, None] * slots + c) * clusters + z
    return np.bincount(cell.ravel(), minlength=len(z) * slots * clusters).reshape(len(z), slots, clusters)
