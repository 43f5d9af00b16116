"""A part some of whose estimates are known: the others are its coordinates, and its M-step keeps the known ones.

Known values are arrays by named estimate, NaN where an entry is free. Free entries of one support have coordinates of
their own: x itself, log x, logit x, or the rows of a correlation matrix's Cholesky factor in units of their diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, logit

from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import below_diagonal, correlation_matrices
from bayesmix.inputs.prior import Prior
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Known, Params, Part, Point, Sums

DIFFERENCE = 1e-3
"""Of differences of fourth order, in units of a coordinate: their error is that of its fourth power."""


def _rows_of_factor(pairs: np.ndarray) -> np.ndarray:
    L = np.linalg.cholesky(correlation_matrices(pairs))
    return below_diagonal(L / np.einsum("...jj->...j", L)[..., None])


def _correlations(rows: np.ndarray) -> np.ndarray:
    y = np.tril(correlation_matrices(rows))
    L = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return below_diagonal(L @ L.swapaxes(-1, -2))


def slopes(f: Callable[[np.ndarray], np.ndarray], p: int) -> np.ndarray:
    """df_j / du_i at u = 0, (p, m), by differences of fourth order."""
    rows = []
    for e in np.eye(p) * DIFFERENCE:
        near, far = f(e) - f(-e), f(2 * e) - f(-2 * e)
        rows.append((8 * near - far) / (12 * DIFFERENCE))
    return np.array(rows)


COORDINATES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "real": (np.asarray, np.asarray),
    "real vector": (np.asarray, np.asarray),
    "positive": (np.log, np.exp),
    "unit": (logit, expit),
    "correlation": (_rows_of_factor, _correlations),
}
"""By support: to coordinates without constraints, and back. A simplex is known as a whole or not at all."""


class Held(Part):
    """``part`` with these estimates known. Estimates of which nothing is known have the coordinates of their support.

    Where nothing of ``part`` is known it is better used as it is.
    """

    def __init__(self, part: Part, known: Known) -> None:
        self.part, self.known = part, known
        self.names, self.coords, self.linears = part.names, part.coords, part.linears

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:  # type: ignore[override]
        """Known estimates have no prior, and vary no more than what follows from them."""
        return tuple(self._as_known(p) for p in self.part.parameters)

    def _as_known(self, p: Parameter) -> Parameter:
        if p.name in self.known and not np.isnan(self.known[p.name]).any():
            return replace(p, prior=False, varies=False)
        return replace(p, varies=False) if set(p.follows) & set(self.known) else p

    @cached_property
    def _free(self) -> tuple[tuple[Parameter, np.ndarray | None], ...]:
        """The parameters with free entries, and which components these are; None: all there are."""
        masks = {name: np.isnan(a).reshape(len(a), -1).all(axis=1) for name, a in self.known.items()}
        return tuple((p, masks.get(p.name)) for p in self.parameters if p.prior)

    def over(self, data: Data) -> Held:
        """The part over other rows."""
        return Held(self.part.over(data), self.known)

    def default_priors(self) -> dict[str, Prior]:
        """Of what is free."""
        free = {p.name for p, _ in self._free}
        return {name: prior for name, prior in self.part.default_priors().items() if name in free}

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Those of the part."""
        return self.part.sums(vr, params)

    def step(self, sums: Sums, params: Params) -> Params:
        """The maximum over what is free."""
        return self.part.step_with(sums, params, self.known)

    def start(self, vr: np.ndarray) -> Params:
        """The part's, with the known values in their place."""
        return self.part.put(self.part.start(vr), self.known)

    def pack(self, params: Params) -> np.ndarray:
        """Coordinates of the free entries, by their supports."""
        named = self.part.named(params)
        pieces = [self._own(p, named[p.name], components) for p, components in self._free]
        return np.concatenate([np.empty(0), *pieces])

    def _own(self, p: Parameter, values: np.ndarray, components: np.ndarray | None) -> np.ndarray:
        return np.ravel(COORDINATES[p.support][0](values if components is None else values[components]))

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        sizes = {d: len(names) for d, names in self.coords.items()}
        named, first = {}, 0
        for p, components in self._free:
            shape = tuple(sizes[d] for d in p.dims)
            shape = shape if components is None else (int(components.sum()), *shape[1:])
            own = theta[first : first + int(np.prod(shape))].reshape(shape)
            values, first = COORDINATES[p.support][1](own), first + own.size
            if components is not None:
                values, free = self.known[p.name].copy(), values
                values[components] = free
            named[p.name] = values
        return Point(self.given(named, ()))

    @cached_property
    def size(self) -> int:
        """Of what is free."""
        sizes = {d: len(names) for d, names in self.coords.items()}
        shapes = [(c, [sizes[d] for d in p.dims]) for p, c in self._free]
        return sum(int(np.prod(s if c is None else [c.sum(), *s[1:]])) for c, s in shapes)

    def jacobian(self, params: Params) -> np.ndarray:
        """d theta / d u, (size of the part, size): the part's coordinates by the free ones, by differences."""
        theta = self.pack(params)

        def at(step: np.ndarray) -> np.ndarray:
            return self.part.pack(self.unpack(theta + step))

        return slopes(at, self.size).reshape(self.size, self.part.size).T

    def units(self, params: Params) -> np.ndarray:
        """So far that no coordinate of the part moves by more than its own unit."""
        moves = np.abs(self.jacobian(params)) / self.part.units(params)[:, None]
        return np.asarray(1 / np.maximum(moves.max(axis=0, initial=0.0), np.finfo(float).tiny))

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """By the chain rule."""
        return np.asarray(self.jacobian(params).T @ self.part.score(params, sums))

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """Every named estimate, known ones to the last digit."""
        named = self.part.named(params)
        return named | {v: np.where(np.isnan(a), named[v], a) for v, a in self.known.items()}

    def given(self, named: Params, leading: tuple[int, ...]) -> Params:
        """With the known values in their place."""
        full: dict[str, Any] = dict(named)
        for v, a in self.known.items():
            wide = np.broadcast_to(a, (*leading, *a.shape))
            full[v] = np.where(np.isnan(wide), named[v], wide) if np.isnan(a).any() else wide
        return self.part.given(full, leading)

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Of what is free."""
        free = {p.name for p, _ in self._free}
        return {v: bound for v, bound in self.part.hopeless(params).items() if v in free}

    def on_boundary(self, params: Params) -> np.ndarray:
        """Those that move a coordinate of the part that has run off."""
        edge = self.part.on_boundary(params)
        return np.asarray((self.jacobian(params)[edge] != 0).any(axis=0)) if edge.any() else np.zeros(self.size, bool)
