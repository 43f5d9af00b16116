"""What draws say of every row: log-densities and responsibilities, in threads over draws and chunks of rows."""

from __future__ import annotations

from itertools import product

import numpy as np

from bayesmix.estep.compiled_step import CHUNK, kernel_of
from bayesmix.kernels.parallel import in_threads, n_threads
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


def pointwise(likelihood: Likelihood, params: Params) -> np.ndarray:
    """l_i, shape (..., n): the log-density of every row, without its weight."""
    return Draws(likelihood, params).pointwise()


def responsibilities(likelihood: Likelihood, params: Params) -> np.ndarray:
    """r_ik, shape (..., n, n_components); rows sum to 1."""
    return Draws(likelihood, params).responsibilities()


def both(likelihood: Likelihood, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """l_i (..., n), without its weight, and r_ik (..., n, n_components)."""
    return Draws(likelihood, params).both()


class Draws:
    """Parameters with leading dimensions of draws, laid out once for the kernel, to be asked about some rows at a time.

    ``rows`` is a range of the rows, all by default.
    """

    def __init__(self, likelihood: Likelihood, params: Params) -> None:
        own_dims = {v: len(likelihood.dims[v]) for v in likelihood.parameter_names}
        first = likelihood.parameter_names[0]
        self.leading = np.shape(params[first])[: -own_dims[first]]
        draws = {v: np.reshape(params[v], (-1, *np.shape(params[v])[len(self.leading) :])) for v in own_dims}
        self.likelihood, self.kernel, self.size = likelihood, kernel_of(likelihood), len(draws[first])
        self.parameters = self.kernel.parameters(likelihood, draws)

    def pointwise(self, rows: slice = slice(None)) -> np.ndarray:
        """l_i (..., rows), without its weight."""
        l = np.empty((self.size, self._length(rows)))
        self._fill(rows, l, np.empty((self.size, 0, 0)))
        return l.reshape(*self.leading, -1)

    def responsibilities(self, rows: slice = slice(None), *, held: np.ndarray | None = None) -> np.ndarray:
        """r_ik (..., rows, n_components); in ``held`` where that has their size, for pages of memory cost time."""
        r = self._room(rows, held)
        self._fill(rows, np.empty((self.size, 0)), r)
        return r.reshape(*self.leading, *r.shape[1:])

    def both(self, rows: slice = slice(None), *, held: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """l_i and r_ik, the latter in ``held`` as :meth:`responsibilities` takes it."""
        l, r = np.empty((self.size, self._length(rows))), self._room(rows, held)
        self._fill(rows, l, r)
        return l.reshape(*self.leading, -1), r.reshape(*self.leading, *r.shape[1:])

    def _room(self, rows: slice, held: np.ndarray | None) -> np.ndarray:
        shape = (self.size, self._length(rows), len(self.likelihood.components))
        return held if held is not None and held.shape == shape else np.empty(shape)

    def _length(self, rows: slice) -> int:
        return len(range(*rows.indices(len(self.likelihood.data))))

    def _fill(self, rows: slice, l: np.ndarray, r: np.ndarray) -> None:
        """Fill the arrays that are not empty."""
        start, stop, _ = rows.indices(len(self.likelihood.data))
        ones = np.ones(stop - start)

        def part(which: tuple[int, int]) -> None:
            some, here = slice(which[0], which[0] + step), slice(which[1], which[1] + CHUNK)
            there = slice(start + here.start, min(start + here.stop, stop))
            arguments = self.kernel.arguments(
                self.likelihood, tuple(a[some] for a in self.parameters), there, ones[here]
            )
            self.kernel.rows(*arguments, l[some, here], r[some, here])

        step = max(1, -(-self.size // (4 * n_threads())))
        in_threads(part, product(range(0, self.size, step), range(0, stop - start, CHUNK)))
