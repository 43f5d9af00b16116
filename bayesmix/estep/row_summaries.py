"""What all draws say of each row, over the machine's cores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmix.kernels import columns, pareto
from bayesmix.kernels.parallel import in_threads, n_threads

COLUMNS = 128
"""That one thread takes at a time."""


def summaries(values: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Mean, standard deviation and these quantiles of every column of (draws, columns): (2 + len(shares), columns)."""
    return _by_column(columns.summaries, values, np.asarray(shares, dtype=float), rows=2 + len(shares))


def leave_one_out(log_density: np.ndarray, tail: int) -> np.ndarray:
    """log p(x_i | other rows), Pareto k and log p(x_i | all rows) from l_i (draws, rows): (3, rows).

    ``tail``: how many of the largest weights are smoothed. k is infinite where a draw rules the row out, or where the
    tail has fewer than five draws.
    """
    return _by_column(pareto.leave_one_out, log_density, tail, rows=3)


def log_mean_exp(log_density: np.ndarray) -> np.ndarray:
    """log of the mean of exp of every column of (draws, columns), (columns,)."""
    out = np.empty(log_density.shape[1])

    def some(first: int) -> None:
        here = log_density[:, first : first + COLUMNS]
        top = here.max(axis=0)
        top[np.isneginf(top)] = 0.0
        with np.errstate(divide="ignore"):
            out[first : first + COLUMNS] = top + np.log(np.exp(here - top).mean(axis=0))

    in_threads(some, range(0, len(out), COLUMNS))
    return out


def sums_by_group(values: np.ndarray, group: np.ndarray, out: np.ndarray) -> None:
    """Add values (draws, rows, K) to out (draws, groups, K) by the group of every row; -1 is left out."""
    step = max(1, -(-len(values) // (4 * n_threads())))
    ends = [(first, min(first + step, len(values))) for first in range(0, len(values), step)]
    in_threads(lambda end: columns.sums_by_group(values, *end, group, out), ends)


def _by_column(work: Any, values: np.ndarray, argument: Any, *, rows: int) -> np.ndarray:
    out = np.empty((rows, values.shape[1]))
    ends = [(first, min(first + COLUMNS, values.shape[1])) for first in range(0, values.shape[1], COLUMNS)]
    in_threads(lambda end: work(values, *end, argument, out), ends)
    return out
