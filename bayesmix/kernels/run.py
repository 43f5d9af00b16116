"""The compiled E-step over a family bound to data: rows in chunks, chunks and draws in threads.

Chunks do not depend on the number of threads, and their sums are added in order: the result is the same for any number.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from typing import Any, ClassVar

import numpy as np

from bayesmix.families import Family, Gaussian, Params, Statistics, ZeroInflatedPoisson
from bayesmix.families.gaussian import factors
from bayesmix.kernels import gaussian, zero_inflated_poisson

CHUNK = 65_536
"""Rows that one thread takes at a time."""


class Kernel(ABC):
    """A family's compiled functions, and how its parameters are laid out for them.

    ``rows(*arguments, pointwise, responsibilities)`` takes a leading dimension of draws, ``e_step(*arguments)`` none.
    """

    rows: ClassVar[Callable]
    e_step: ClassVar[Callable]

    @abstractmethod
    def parameters(self, family: Any, params: Params) -> tuple[Any, ...]:
        """What the kernel needs of the parameters, computed once; leading draw dimensions are kept."""

    @abstractmethod
    def arguments(self, family: Any, parameters: tuple[Any, ...], rows: slice, v: np.ndarray) -> tuple[Any, ...]:
        """The kernel's arguments over some rows, with these row weights."""

    @abstractmethod
    def statistics(self, family: Any, parts: Sequence[tuple[np.ndarray, ...]]) -> Statistics:
        """The expected sufficient statistics from those of the chunks."""


class GaussianKernel(Kernel):
    """Statistics are sums."""

    rows = staticmethod(gaussian.rows)
    e_step = staticmethod(gaussian.e_step)

    def parameters(self, family: Gaussian, params: Params) -> tuple[Any, ...]:
        """weights, means and Cholesky factors."""
        arrays = (params["weights"], params["means"], factors(params))
        return tuple(np.ascontiguousarray(a, dtype=float) for a in arrays)

    def arguments(self, family: Gaussian, parameters: tuple[Any, ...], rows: slice, v: np.ndarray) -> tuple[Any, ...]:
        """X, weights, means, C, evidence, v, whether C is diagonal."""
        return (family.x[rows], *parameters, family.evidence[rows], v, not family.kind.correlated)

    def statistics(self, family: Gaussian, parts: Sequence[tuple[np.ndarray, ...]]) -> Statistics:
        """mass, first, second."""
        return {name: np.sum([part[j] for part in parts], axis=0) for j, name in enumerate(("mass", "first", "second"))}


class ZeroInflatedPoissonKernel(Kernel):
    """Statistics are by row."""

    rows = staticmethod(zero_inflated_poisson.rows)
    e_step = staticmethod(zero_inflated_poisson.e_step)

    def parameters(self, family: ZeroInflatedPoisson, params: Params) -> tuple[Any, ...]:
        """Both parts' coefficients."""
        return params["rate_coef"], params["zero_coef"]

    def arguments(
        self, family: ZeroInflatedPoisson, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[Any, ...]:
        """Counts, log lambda_i and logit pi_i (..., rows), evidence, v."""
        rate_coef, zero_coef = parameters
        by_row = family.linear_predictors({"rate_coef": rate_coef, "zero_coef": zero_coef}, rows)
        return (family.x[rows], *by_row, family.evidence[rows], v)

    def statistics(self, family: ZeroInflatedPoisson, parts: Sequence[tuple[np.ndarray, ...]]) -> Statistics:
        """structural: r_i0 without its row weight; 0 where that is 0."""
        v = family.row_weights
        weighted = np.concatenate([part for (part,) in parts])
        return {"structural": np.divide(weighted, v, out=np.zeros_like(weighted), where=v > 0)}


KERNELS: dict[str, Kernel] = {"gaussian": GaussianKernel(), "zero_inflated_poisson": ZeroInflatedPoissonKernel()}


def n_threads() -> int:
    """The machine's cores that this process may use, or ``OMP_NUM_THREADS`` where that is set."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads())


if hasattr(os, "register_at_fork"):  # a child has the pool's object, but none of its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_threads(work: Callable, items: Iterable[Any]) -> list[Any]:
    """work(item) for each, in threads where there is more than one."""
    todo = list(items)
    return list(map(work, todo)) if len(todo) == 1 or n_threads() == 1 else list(_pool().map(work, todo))


def e_step(family: Family, params: Params) -> tuple[float, Statistics]:
    """L = sum_i v_i l_i and the expected sufficient statistics about one set of parameters."""
    kernel, n = KERNELS[family.name], len(family.row_weights)
    parameters = kernel.parameters(family, params)

    def chunk(first: int) -> tuple[Any, ...]:
        rows = slice(first, first + CHUNK)
        return kernel.e_step(*kernel.arguments(family, parameters, rows, family.row_weights[rows]))

    parts = in_threads(chunk, range(0, n, CHUNK))
    return float(sum(L for L, *_ in parts)), kernel.statistics(family, [tuple(part) for _, *part in parts])


def pointwise(family: Family, params: Params) -> np.ndarray:
    """l_i, shape (..., n): the log-density of every row, without its weight."""
    return Draws(family, params).pointwise()


def responsibilities(family: Family, params: Params) -> np.ndarray:
    """r_ik, shape (..., n, n_components); rows sum to 1."""
    return Draws(family, params).responsibilities()


def both(family: Family, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """l_i (..., n), without its weight, and r_ik (..., n, n_components)."""
    return Draws(family, params).both()


class Draws:
    """Parameters with leading dimensions of draws, laid out once for the kernel, to be asked about some rows at a time.

    ``rows`` is a range of the family's rows, all by default.
    """

    def __init__(self, family: Family, params: Params) -> None:
        own_dims = {v: len(family.dims[v]) for v in family.parameter_names}
        first = family.parameter_names[0]
        self.leading = np.shape(params[first])[: -own_dims[first]]
        draws = {v: np.reshape(params[v], (-1, *np.shape(params[v])[len(self.leading) :])) for v in own_dims}
        self.family, self.kernel, self.size = family, KERNELS[family.name], len(draws[first])
        self.parameters = self.kernel.parameters(family, draws)

    def pointwise(self, rows: slice = slice(None)) -> np.ndarray:
        """l_i (..., rows), without its weight."""
        l = np.empty((self.size, self._length(rows)))
        self._fill(rows, l, np.empty((self.size, 0, 0)))
        return l.reshape(*self.leading, -1)

    def responsibilities(self, rows: slice = slice(None), *, held: np.ndarray | None = None) -> np.ndarray:
        """r_ik (..., rows, n_components); in ``held`` where that has their size, for pages of memory cost time."""
        shape = (self.size, self._length(rows), len(self.family.components))
        r = held if held is not None and held.shape == shape else np.empty(shape)
        self._fill(rows, np.empty((self.size, 0)), r)
        return r.reshape(*self.leading, *shape[1:])

    def both(self, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """l_i and r_ik."""
        n = self._length(rows)
        l, r = np.empty((self.size, n)), np.empty((self.size, n, len(self.family.components)))
        self._fill(rows, l, r)
        return l.reshape(*self.leading, -1), r.reshape(*self.leading, *r.shape[1:])

    def _length(self, rows: slice) -> int:
        return len(range(*rows.indices(len(self.family.data))))

    def _fill(self, rows: slice, l: np.ndarray, r: np.ndarray) -> None:
        """Fill the arrays that are not empty."""
        start, stop, _ = rows.indices(len(self.family.data))
        ones = np.ones(stop - start)

        def part(which: tuple[int, int]) -> None:
            some, here = slice(which[0], which[0] + step), slice(which[1], which[1] + CHUNK)
            there = slice(start + here.start, min(start + here.stop, stop))
            arguments = self.kernel.arguments(self.family, tuple(a[some] for a in self.parameters), there, ones[here])
            self.kernel.rows(*arguments, l[some, here], r[some, here])

        step = max(1, -(-self.size // (4 * n_threads())))
        in_threads(part, product(range(0, self.size, step), range(0, stop - start, CHUNK)))
