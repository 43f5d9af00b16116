"""Cells that are missing: where they are, how rows share their patterns, what is refused.

A missing cell is NaN. Cells are taken to be missing at random: whether one is missing may depend on what was observed
of its row, not on the value that it would have had (Rubin 1976, doi:10.1093/biomet/63.3.581).
"""

from __future__ import annotations

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import DROP

SIDE_BY_SIDE = 100
"""Rows that are compared as one long row: NumPy is slow along short ones."""


def check_whole(data: Data, family: str) -> None:
    """ValueError naming the first missing cell, for a family that cannot do without it."""
    if not data.gaps:
        return
    row, j = np.argwhere(np.isnan(data.x))[0]
    others = int(np.isnan(data.x).sum()) - 1
    more = f" (and {others} more cells)" if others else ""
    raise ValueError(
        f"X: column {data.feature_names[j]!r}, row {data.obs_names[row]} is missing{more}, which a {family} mixture "
        f"cannot model; leave such rows out with bm.Data(..., missing={DROP!r})"
    )


def check_columns(data: Data) -> None:
    """ValueError naming a column without any value in the rows that have weight: its parameters rest on nothing."""
    if not data.gaps:
        return
    empty = np.flatnonzero(np.isnan(data.x[data.row_weights > 0]).all(axis=0))
    if len(empty):
        raise ValueError(
            f"X: column {data.feature_names[empty[0]]!r} has no value at all, so that nothing can be estimated of it; "
            "leave it out: the likelihood of the other columns is the same"
        )


def patterns(x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The columns that are there, and the rows of which just these are, for every pattern.

    Examples
    --------
    >>> patterns(np.array([[1.0, np.nan], [2.0, 3.0], [4.0, np.nan]]))
    [(array([0]), array([0, 2])), (array([0, 1]), array([1]))]
    """
    cells = ~np.isnan(x)
    if cells.all():
        return [(np.arange(x.shape[1]), np.arange(len(x)))]
    there, number = np.unique(cells, axis=0, return_inverse=True)
    return [(np.flatnonzero(columns), np.flatnonzero(number == p)) for p, columns in enumerate(there)]


def seen(data: Data, j: int) -> tuple[Data, np.ndarray]:
    """The rows whose cell of column j is there, and which of all rows these are, (n,) bool."""
    there = ~np.isnan(data.x[:, j])
    return data.take(there) if data.gaps else data, there


def filled(x: np.ndarray, values: float | np.ndarray) -> np.ndarray:
    """The cells with these values, one or one for each column, where they are missing; x itself where none is."""
    gone = np.isnan(x)
    return np.where(gone, values, x) if gone.any() else x


def column_means(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of the observed cells of every column, (d,)."""
    gone = np.isnan(x)
    if not gone.any():
        return np.asarray(weights @ x / weights.sum())
    return np.asarray(weights @ np.where(gone, 0.0, x) / (weights @ ~gone))


def column_extremes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest observed cell of every column, each (d,); NaN where there is none."""
    d = x.shape[1]
    aside = len(x) // SIDE_BY_SIDE
    wide, rest = np.split(x, [aside * SIDE_BY_SIDE])
    wide = wide.reshape(aside, SIDE_BY_SIDE * d)

    def of(ufunc: np.ufunc) -> np.ndarray:
        ends = ufunc.reduce(wide, axis=0, initial=np.nan).reshape(SIDE_BY_SIDE, d)
        return np.asarray(ufunc.reduce(np.concatenate([ends, rest]), axis=0))

    return of(np.fmin), of(np.fmax)


def column_moments(x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation of the observed cells of every column, (d,)."""
    gone = np.isnan(x)
    if not gone.any():
        share = weights / weights.sum()
        mean = share @ x
        return mean, np.sqrt(share @ (x - mean) ** 2)
    mean = column_means(x, weights)
    return mean, np.sqrt(column_means((x - mean) ** 2, weights))
