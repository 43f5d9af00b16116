"""Sampling in coordinates u with x = centre + A u, in which a posterior like N(centre, A A') is round.

Two C functions around those of any compiled model: f(centre + A u) with the gradient A' g, and the expansion. nutpie's
own adaptation works on top.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any

import numba
import numpy as np
from numba import carray, types
from scipy.sparse import csr_array

from bayesmix.compiled.addresses import call, pointer
from bayesmix.compiled.calls import CFunction

RECORD_WORDS = 8
"""Of the record."""
LOST = 0.3
"""How far, by Frobenius' norm, a thinned factor may be from the whole one in the coordinates that this makes round."""
FIVE_WORDS = types.int64(*[types.int64] * 5)


@dataclass(frozen=True)
class Whitening:
    """The map x = centre + A u: centre (n_dim,), A (n_dim, n_dim) invertible."""

    centre: np.ndarray
    factor: np.ndarray

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """The u of an x."""
        return np.linalg.solve(self.factor, x - self.centre)

    def forward(self, u: np.ndarray) -> np.ndarray:
        """The x of a u."""
        return self.centre + self.factor @ u


def thinned(factor: np.ndarray) -> np.ndarray:
    """A factor B near A = ``factor``, without the entries that hardly matter: |A^-1 (A - B)| <= LOST by Frobenius.

    An entry moves A^-1 B by its size times the norm of a column of A^-1; together they may move it further than the
    root of the sum of squares. Components that are apart hardly depend on one another, and of 35,000 entries 2,000
    remain. B is invertible, and the posterior as good as round.
    """
    inverse = np.linalg.inv(factor)
    moves = (factor * np.linalg.norm(inverse, axis=0)[:, None]) ** 2
    smallest = np.argsort(moves, axis=None)
    so_far = np.cumsum(moves.ravel()[smallest])
    for halvings in count():
        kept = factor.copy()
        kept.ravel()[smallest[so_far <= (LOST / 2**halvings) ** 2]] = 0.0
        if np.linalg.norm(inverse @ (factor - kept)) <= LOST:
            break
    return kept


def whiten(nutpie_model: Any, by: Whitening) -> Any:
    """The compiled model in the coordinates u; its variables keep their values, its starting point must be given in u.

    The record holds the addresses of the inner functions, of their record, of centre and of the entries of A that are
    not zero: row after row, their columns, where each row begins, and how many there are.
    """
    A = csr_array(np.asarray(by.factor, dtype=float))
    arrays = [
        np.ascontiguousarray(by.centre, dtype=float),
        A.data,
        A.indices.astype(np.int64),
        A.indptr.astype(np.int64),
    ]
    inner = nutpie_model.compiled_logp_func, nutpie_model.compiled_expand_func
    words = [f.address for f in inner] + [a.ctypes.data for a in (nutpie_model.user_data, *arrays)] + [A.nnz]
    kept = (nutpie_model, *arrays)
    logp, expand = _functions()
    return replace(
        nutpie_model,
        compiled_logp_func=CFunction(logp.address, kept),
        compiled_expand_func=CFunction(expand.address, kept),
        user_data=np.array(words, dtype=np.int64),
    )


@numba.njit(forceinline=True)
def _entries(n: int, record: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The entries of A, their columns, where each row begins."""
    entries = carray(pointer(record[4]), (record[7],), np.float64)
    columns = carray(pointer(record[5]), (record[7],), np.int64)
    return entries, columns, carray(pointer(record[6]), (n + 1,), np.int64)


@numba.njit(forceinline=True)
def _moved(n: int, u_at: int, record: np.ndarray) -> np.ndarray:
    """centre + A u."""
    u = carray(pointer(u_at), (n,), np.float64)
    x = carray(pointer(record[3]), (n,), np.float64).copy()
    A, columns, begins = _entries(n, record)
    for i in range(n):
        for k in range(begins[i], begins[i + 1]):
            x[i] += A[k] * u[columns[k]]
    return x


def _log_density(n: int, u_at: int, out_at: int, value_at: int, record_at: int) -> int:
    record = carray(pointer(record_at), (RECORD_WORDS,), np.int64)
    x, gradient = _moved(n, u_at, record), np.empty(n)
    code = call(record[0], n, x.ctypes.data, gradient.ctypes.data, value_at, record[2])
    out = carray(pointer(out_at), (n,), np.float64)
    out[:] = 0.0
    A, columns, begins = _entries(n, record)
    for i in range(n):
        for k in range(begins[i], begins[i + 1]):
            out[columns[k]] += A[k] * gradient[i]
    return code


def _expand(n: int, n_expanded: int, u_at: int, out_at: int, record_at: int) -> int:
    record = carray(pointer(record_at), (RECORD_WORDS,), np.int64)
    x = _moved(n, u_at, record)
    return call(record[1], n, n_expanded, x.ctypes.data, out_at, record[2])


@cache
def _functions() -> tuple[Any, Any]:
    """The C functions, kept on disk by numba."""
    return numba.cfunc(FIVE_WORDS, cache=True)(_log_density), numba.cfunc(FIVE_WORDS, cache=True)(_expand)
