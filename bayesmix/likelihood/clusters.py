"""Centres of hard clusters, from which EM on measurements starts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import kmeans_plusplus

WARD_ROWS = 600
"""Ward's hierarchy needs all pairs of rows: of more than this many, a random sample is taken."""


def ward(y: np.ndarray, K: int, rng: np.random.Generator) -> np.ndarray:
    """Means of the K clusters of Ward's hierarchy."""
    some = y[rng.permutation(len(y))[:WARD_ROWS]]
    if len(some) == 1:
        return np.asarray(some)
    return np.array([some[rows].mean(axis=0) for rows in cut(linkage(some, "ward"), K)])


def cut(hierarchy: np.ndarray, K: int) -> list[np.ndarray]:
    """The rows of K clusters of SciPy's linkage matrix, in its order; at ties too there are K, unlike by ``fcluster``.

    SciPy's ``fcluster`` would also load JAX wherever that is installed: a second and 130 MB.
    """
    n = len(hierarchy) + 1
    trees = [[np.array([row])] for row in range(n)]
    for merges, (left, right) in enumerate(hierarchy[:, :2].astype(int), start=1):
        both = trees[left] + trees[right]
        trees.append([np.concatenate(both)] if merges <= n - K else both)
    return trees[-1]


def spread_rows(y: np.ndarray, K: int, rng: np.random.Generator) -> np.ndarray:
    """k-means++ seeding (Arthur and Vassilvitskii 2007)."""
    return np.asarray(kmeans_plusplus(y, K, random_state=int(rng.integers(2**31)))[0])


def random_rows(y: np.ndarray, K: int, rng: np.random.Generator) -> np.ndarray:
    """K rows, any."""
    return y[rng.choice(len(y), K, replace=False)]


CENTRES: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "ward": ward,
    "k-means++": spread_rows,
    "k-means++ whitened": spread_rows,
    "random rows": random_rows,
}


def whitened(y: np.ndarray) -> np.ndarray:
    """Rows in the coordinates of the principal components, each with variance 1."""
    if len(y) == 1:
        return np.zeros_like(y)
    values, vectors = np.linalg.eigh(np.cov(y.T).reshape(y.shape[1], y.shape[1]))
    return np.asarray(y @ vectors / np.sqrt(np.maximum(values, 1e-8)))


def pinned(centres: np.ndarray, labelled: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Centres by component: a labelled class has its known mean, which takes the place of the nearest centre."""
    free = list(range(len(centres)))
    for centre in known:
        free.remove(min(free, key=lambda k: float(((centres[k] - centre) ** 2).sum())))
    result = np.empty_like(centres)
    result[labelled], result[~labelled] = known, centres[free]
    return result


def known_means(y: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The components with labelled rows (K,) bool, and the means of those rows; b (n, K) is 0 for the other rows."""
    b = b / np.maximum(b.sum(axis=1, keepdims=True), 1)
    labelled = b.sum(axis=0) > 0
    return labelled, (b.T @ y)[labelled] / b.sum(axis=0)[labelled, None]


def nearest(y: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """One-hot membership of every row in the cluster of its nearest centre, (n, K)."""
    relative = (centres**2).sum(axis=1) - 2 * y @ centres.T
    return np.eye(len(centres))[relative.argmin(axis=1)]
