"""What the draws of each column of a (draws, columns) array come to, without sorting them all: moments, quantiles, LOO.

An order statistic is sought between two values of a thinned sample, between which few draws lie; where it is not there,
all draws are sorted.
"""

from __future__ import annotations

import numpy as np

from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.vector import compiled

ABREAST = 8
"""Columns that are read at once: a cache line."""
THINNED = 256
"""Size of the sample that says where to look, about; larger arrays are sorted in less time than they are searched."""
MARGIN = 3.5
"""How far from the expected place in the sample to look, in standard deviations."""


@compiled
def gather(values: np.ndarray, first: int, out: np.ndarray) -> int:
    """Columns ``first``, ... as rows of ``out``; how many there are."""
    size = min(len(out), values.shape[1] - first)
    for s in range(len(values)):
        for j in range(size):
            out[j, s] = values[s, first + j]
    return size


@compiled
def bracket(sample: np.ndarray, share: float) -> tuple[float, float]:
    """Two values of a sorted sample between which the quantile of this share lies, almost surely."""
    m = len(sample)
    off = MARGIN * np.sqrt(m * share * (1 - share)) + 2.0
    low, high = int(np.floor(share * m - off)), int(np.ceil(share * m + off))
    return sample[low] if low >= 0 else -np.inf, sample[high] if high < m else np.inf


@compiled
def neighbours(x: np.ndarray, sample: np.ndarray, j: int, inside: np.ndarray) -> tuple[float, float]:
    """The j-th and the next of the values x in increasing order, j from 0; ``inside``: room for one more than x."""
    a, b = bracket(sample, (j + 1) / len(x))
    below, n = 0, 0
    for value in x:  # without branches: what does not belong is written over
        inside[n] = value
        n += (value >= a) & (value <= b)
        below += value < a
    place = j - below
    if place < 0 or place + 1 >= n:
        every = np.sort(x)
        return every[j], every[min(j + 1, len(x) - 1)]
    if a == b:
        return a, b
    near = np.partition(inside[:n], place + 1)
    return near[: place + 1].max(), near[place + 1]


@entry_point
def summaries(values, first, last, shares, out):  # type: ignore[no-untyped-def]
    """Mean, standard deviation and quantiles (linear between order statistics) of some columns, into out (2 + q, c)."""
    S = len(values)
    some, inside, step = np.empty((ABREAST, S)), np.empty(S + 1), max(1, S // THINNED)
    for start in range(first, last, ABREAST):
        for j in range(min(gather(values, start, some), last - start)):
            x = some[j]
            mean, square = 0.0, 0.0
            for value in x:
                mean += value
            mean /= S
            for value in x:
                square += (value - mean) ** 2
            out[0, start + j], out[1, start + j] = mean, np.sqrt(square / S)
            sample = np.sort(x[::step])
            for q in range(len(shares)):
                place = shares[q] * (S - 1)
                low = min(int(place), S - 2) if S > 1 else 0
                a, b = neighbours(x, sample, low, inside)
                out[2 + q, start + j] = a + (b - a) * (place - low)


@entry_point
def sums_by_group(values, first, last, group, out):  # type: ignore[no-untyped-def]
    """Add values (draws, n, K) of some draws into out (draws, groups, K) by the group of each row; -1 is left out."""
    for s in range(first, last):
        for i in range(values.shape[1]):
            g = group[i]
            if g >= 0:
                for k in range(values.shape[2]):
                    out[s, g, k] += values[s, i, k]
