"""Rows with missing cells (NaN): sorted by which are missing, and what normal ones say of those.

Of a lower triangular factor C, C_O are the rows whose cells are there, and C_O = L Q with L lower triangular and
orthonormal rows in Q (o, d): see :mod:`bayesmix.parts.normal`, which has the transpose of this Q.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.kernels.vector import compiled

PATTERN_TABLE = 4096
"""Patterns are counted in a table of at least this size, or one entry a row; of more columns a few at a time."""


@compiled
def by_pattern(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows in an order in which those with one pattern follow each other, and where each pattern ends."""
    n, d = X.shape
    number, known, count = np.zeros(n, np.int64), np.zeros(1, np.int64), 1
    first = 0
    while first < d:
        last = first + 1
        while last < d and count << (last + 1 - first) <= max(PATTERN_TABLE, n):
            last += 1
        found = np.zeros(count << (last - first), np.int64)
        for i in range(n):
            key = known[number[i]]
            for j in range(first, last):
                key = 2 * key + (X[i, j] != X[i, j])
            number[i] = key
            found[key] += 1
        known, count = np.zeros(len(found), np.int64), 0
        for p in range(len(found)):
            known[p] = count
            count += found[p] > 0
        first = last
    ends = found[found > 0].cumsum()
    places, order = np.append(0, ends[:-1]), np.empty(n, np.int64)
    for i in range(n):
        p = known[number[i]]
        order[places[p]] = i
        places[p] += 1
    return order, ends


@compiled
def columns_there(row: np.ndarray) -> np.ndarray:
    """The columns whose cells are there."""
    return np.flatnonzero(row == row)


@compiled
def cells(X: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Some columns of some rows; without columns one of zeros, which says nothing where its factor is 0."""
    found = np.zeros((len(rows), max(len(columns), 1)))
    for i in range(len(rows)):
        row = X[rows[i]]
        for j in range(len(columns)):
            found[i, j] = row[columns[j]]
    return found


@compiled
def same_everywhere(values: np.ndarray, value: float) -> bool:
    """Whether all of them are this number."""
    others = 0
    for x in values.flat:
        others += x != value
    return others == 0


@compiled
def marginal(C: np.ndarray, columns: np.ndarray, L: np.ndarray, Q: np.ndarray) -> None:
    """Fill L (o, o), of zeros, and Q (o, d): by Gram and Schmidt's method, twice, so that Q is orthonormal."""
    for a in range(len(columns)):
        q = Q[a]
        q[:] = C[columns[a]]
        for _ in range(2):
            for b in range(a):
                along = 0.0
                for c in range(len(q)):
                    along += q[c] * Q[b, c]
                L[a, b] += along
                for c in range(len(q)):
                    q[c] -= along * Q[b, c]
        square = 0.0
        for c in range(len(q)):
            square += q[c] * q[c]
        L[a, a] = math.sqrt(square)
        q /= L[a, a]


@compiled
def expect(Q: np.ndarray, mass: float, s: np.ndarray, S: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    """first += Q's and second += Q'S Q + mass (I - Q'Q), from the lower triangle of S to that of ``second``."""
    o, d = Q.shape
    T = np.zeros((o, d))
    for a in range(o):
        for b in range(o):
            entry = S[max(a, b), min(a, b)] - (mass if a == b else 0.0)
            for j in range(d):
                T[a, j] += entry * Q[b, j]
    for i in range(d):
        second[i, i] += mass
        for a in range(o):
            first[i] += Q[a, i] * s[a]
            for j in range(i + 1):
                second[i, j] += Q[a, i] * T[a, j]
