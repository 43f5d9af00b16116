"""Which components may switch labels in a model: measured on its log-density, whatever the user has added to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel, curvature_scales
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.estimates import reorder
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.mixture.permutations import component_axes
from bayesmix.mixture.spec import exchange_groups
from bayesmix.model.variables import Graph
from bayesmix.parts.part import Params

SAME = 1e-10
"""Two log-densities f are one where they differ by less than SAME (1 + |f|): rounding, over many rows."""
ROUND_TRIP = 1e-6
"""A variable is what it was where it comes back from the unconstrained scale to this relative precision."""
SCATTERED = 4
"""As many scattered points tell whether a density is symmetric."""
LABELLINGS = 20
"""So many labellings of each point are tried for one that the density allows."""

ALLOCATED_ROWS = 200
"""A random allocation of so many rows sets the components further apart than one of all rows would."""

type Values = dict[str, np.ndarray]
type Axes = Mapping[str, tuple[int, ...]]
"""Of variables by name: the axes along which components are exchanged."""


def measure(compiled: CompiledModel, parts: Graph, known: Sequence[Params], *, seed: int = 1) -> Exchange:
    """Exchange every two components at scattered points and see whether the log-density stays the same.

    All variables with a dimension ``component`` are exchanged, the user's included. Equality at points that have
    nothing in common is no proof, but a density that is not symmetric is equal at none. Transpositions generate all
    permutations, so the groups are the classes of pairs that may be exchanged.

    Parameters
    ----------
    compiled : CompiledModel
        The compiled model.
    parts : Graph
        bayesmix's part of it. Its labels, priors and order may tell components apart too: groups are never coarser.
    known : sequence of Params
        Points to begin with, one at least, such as EM's solutions; random ones follow.
    seed : int
        Of the random ones.

    Returns
    -------
    Exchange
    """
    groups = exchange_groups(parts.likelihood)
    if parts.likelihood.spec.order is not None or len(np.unique(groups)) == len(groups):
        return Exchange(groups)
    own = [rv.name for rv in compiled.model.free_RVs if rv.name not in parts.start(known[0])]
    points = list(_scattered(compiled, parts, groups, known, own, np.random.default_rng(seed)))
    model = _Swaps(compiled, parts.likelihood, own, points)
    classes: list[list[int]] = []
    bound: set[str] = set()
    for k in range(len(groups)):
        for members in (c for c in classes if groups[c[0]] == groups[k]):
            if model.symmetric((members[0], k), model.axes):
                members.append(k)
                break
            bound |= model.bound((members[0], k))
        else:
            classes.append([k])
    pairs = [(c[0], k) for c in classes for k in c[1:]]
    measured = np.array([next(g for g, c in enumerate(classes) if k in c) for k in range(len(groups))])
    return Exchange(measured, tuple(sorted(bound)), tuple(model.stale(pairs)))


def refreshed(compiled: CompiledModel, posterior: xr.Dataset, order: np.ndarray, names: Sequence[str]) -> xr.Dataset:
    """``posterior`` with the named deterministics computed anew where labels switched: ``order`` (chain, draw, K)."""
    free = [rv.name for rv in compiled.model.free_RVs]
    draws = {v: posterior[v].transpose("chain", "draw", ...) for v in (*free, *names)}
    new = {v: draws[v].to_numpy().copy() for v in names}
    for at in zip(*np.nonzero((order != np.arange(order.shape[-1])).any(axis=-1)), strict=True):
        values = compiled.values(compiled.start({v: draws[v].to_numpy()[at] for v in free}))
        for v in names:
            new[v][at] = values[v]
    return posterior.assign({v: (draws[v].dims, a, draws[v].attrs) for v, a in new.items()})


def _scattered(
    compiled: CompiledModel,
    parts: Graph,
    groups: np.ndarray,
    known: Sequence[Params],
    own: Sequence[str],
    rng: np.random.Generator,
) -> Iterator[Values]:
    """Values of the free variables at points that the density allows, the user's ``own`` moved at random."""
    few, n_points = parts.likelihood.evenly(ALLOCATED_ROWS), 0
    more = (few.initial(few.start_kinds[-1], rng) for _ in range(LABELLINGS))
    for params in chain(known[: SCATTERED // 2], more):
        for _ in range(LABELLINGS):
            x = compiled.start(parts.start(reorder(parts.likelihood, params, _shuffled(groups, rng))))
            if np.isfinite(compiled.log_density(x)[0]):
                yield compiled.values(_moved(compiled, x, own, rng))
                n_points += 1
                break
        if n_points == SCATTERED:
            return


def _shuffled(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random permutation within groups."""
    order = np.arange(len(groups))
    for g in np.unique(groups):
        order[groups == g] = rng.permutation(order[groups == g])
    return order


def _moved(compiled: CompiledModel, x: np.ndarray, names: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """``x`` with these variables moved by about their standard deviations, or as much of that as is allowed."""
    if not names:
        return x
    where = np.concatenate([np.arange(len(x))[compiled.coordinates(name)] for name in names])

    def at(u: np.ndarray) -> np.ndarray:
        y = x.copy()
        y[where] = u
        return y

    with np.errstate(invalid="ignore"):  # a step may leave the domain
        scales = curvature_scales(lambda u: compiled.log_density(at(u))[1][where], x[where])
    step = scales * rng.standard_normal(len(where))
    moved = (at(x[where] + step / 2**halvings) for halvings in range(LABELLINGS))
    return next((y for y in moved if np.isfinite(compiled.log_density(y)[0])), x)


class _Swaps:
    """A compiled model at scattered points, before and after two components are exchanged.

    ``axes``: the component axes of all variables; ``own``: the user's free ones. ``loose``: of these, axes that are as
    long as there are components and have no dimension of bayesmix's: they may run over components without saying so.
    """

    def __init__(
        self, compiled: CompiledModel, likelihood: Likelihood, own: Sequence[str], points: Sequence[Values]
    ) -> None:
        self.compiled, self.likelihood, self.own, self.points = compiled, likelihood, own, points
        self.free = [rv.name for rv in compiled.model.free_RVs]
        self.x = [compiled.start({v: values[v] for v in self.free}) for values in points]
        dims = compiled.model.named_vars_to_dims
        self.axes = {v.name: component_axes(dims.get(v.name, ())) for v in compiled.model.unobserved_RVs}
        known, K = {*likelihood.coords, "obs"}, len(likelihood.components)
        self.loose = {
            rv.name: tuple(
                a
                for a, (n, d) in enumerate(zip(rv.type.shape, dims.get(rv.name, [None] * rv.ndim), strict=True))
                if d not in known and (points[0][rv.name].shape[a] if n is None else n) == K
            )
            for rv in compiled.model.free_RVs
            if points and rv.name in own
        }

    def symmetric(self, pair: tuple[int, int], axes: Axes) -> bool:
        """Whether the density stays the same, at all points, where the two components are exchanged along ``axes``."""
        return bool(self.points) and all(map(self._same, self.x, (self._swapped(v, pair, axes) for v in self.points)))

    def bound(self, pair: tuple[int, int]) -> set[str]:
        """The user's variables but for which the two components could be exchanged; empty where nothing is in doubt.

        Those that say ``component`` are left as they are, those that may run over components are exchanged too: where
        that makes the density symmetric, labels may switch, and these variables do not switch with them.
        """
        named = {v for v in self.own if self.axes[v]}
        loose = {v for v in self.own if self.loose[v]} - named
        for changed in (named, loose, named | loose):
            if changed and self.symmetric(pair, self._otherwise(changed)):
                least = set(changed)
                for v in changed:
                    least -= {v} if self.symmetric(pair, self._otherwise(least - {v})) else set()
                return least
        return set()

    def stale(self, pairs: Sequence[tuple[int, int]]) -> list[str]:
        """Deterministics that exchanging components changes otherwise than along their own component axes."""
        changed = []
        for v in (d.name for d in self.compiled.model.deterministics if d.name not in self.likelihood.dims):
            for pair, values in product(pairs, self.points):
                after = self.compiled.values(self._start(self._swapped(values, pair, self.axes)))
                if not _close(after[v], self._swapped({v: values[v]}, pair, self.axes)[v]):
                    changed.append(v)
                    break
        return changed

    def _otherwise(self, changed: set[str]) -> Axes:
        return self.axes | {v: () if self.axes[v] else self.loose[v] for v in changed}

    def _swapped(self, values: Values, pair: tuple[int, int], axes: Axes) -> Values:
        order = np.arange(len(self.likelihood.components))
        order[list(pair)] = order[list(pair[::-1])]
        moved = dict(values)
        for v in values:
            for axis in axes[v]:
                moved[v] = np.take(moved[v], order, axis=axis)
        return moved

    def _start(self, values: Values) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):  # values outside a variable's domain
            return self.compiled.start({v: values[v] for v in self.free})

    def _same(self, x: np.ndarray, values: Values) -> bool:
        """Whether the model can hold these values and has the density there that it has at ``x``.

        Where a transform's own volume is not symmetric, the density of the variables themselves may be.
        """
        y = self._start(values)
        back = self.compiled.values(y) if np.isfinite(y).all() else {}
        if not back or not all(_close(back[v], values[v]) for v in self.free):
            return False
        densities = ([self.compiled.log_density(p, jacobian=j)[0] for p in (x, y)] for j in (True, False))
        return any(abs(a - b) <= SAME * (1 + abs(a)) for a, b in densities)


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=ROUND_TRIP, atol=ROUND_TRIP * float(np.abs(b).max(initial=0.0))))
