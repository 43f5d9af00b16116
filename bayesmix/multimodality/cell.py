"""One labelling of a group of modes: draws brought into it, and the integral of the posterior density over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.special import gammaln

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.compiled.many_points import Points
from bayesmix.em.starts import COMPARED_ROWS
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.permutations import best_permutations, component_axes, permute
from bayesmix.mixture.spec import switching_groups
from bayesmix.multimodality.bridge import UNKNOWN, LogIntegral, bridge
from bayesmix.multimodality.proposal import DRAWS_PER_DIMENSION
from bayesmix.parts.part import Params
from bayesmix.posterior.component_overlap import agreement_with
from bayesmix.posterior.record import stacked

EVIDENCE_DRAWS = 2000
"""As many draws are taken, or (where there are so many) what three normals of the proposal need in either half of them:
where a few draws lie far off, a single normal is stretched until it misses the rest."""

type Region = Callable[[Params], np.ndarray]
"""Which draws (S, ...) belong to a region of the parameters, (S,) bool, whatever their labels."""


def local_integral(
    compiled: CompiledModel,
    likelihood: Likelihood,
    posterior: xr.Dataset,
    lp: np.ndarray,
    *,
    region: Region | None = None,
) -> LogIntegral:
    """log of the integral of the posterior density over one labelling of a region, by bridge sampling.

    The integral is over the unconstrained points of the region in the cell of one labelling: those whose components
    match a pivot's, by their responsibilities, better as they are than permuted. The cells of all labellings are
    congruent and fill the region, so that the evidence of the posterior is the sum over regions of exp(value), times
    the number of labellings: the product of the factorials of the sizes of the exchange groups (1 with an order). Where
    coordinates may change their signs together (``mirrors`` of the components), draws are turned towards the pivot and
    the half of the space on its side is integrated; ``value`` holds both halves. Where copies differ in the order of
    some numbers (``orders``), draws in the pivot's order alone are taken; ``value`` holds all orders.

    Parameters
    ----------
    compiled : CompiledModel
        The compiled posterior.
    likelihood : Likelihood
        The mixture.
    posterior : Dataset
        Draws (chain, draw) of the free variables and of the family's parameters, in any labels, of chains that explore
        the region.
    lp : ndarray, shape (chain, draw)
        Their log-posterior on the unconstrained scale.
    region : Region, optional
        Which parameters belong to the region; by default all. Draws outside it are passed over.

    Returns
    -------
    LogIntegral
    """
    points, mirrors = Points(compiled, likelihood.parameter_names), _mirrors(compiled, likelihood)
    orders = [(compiled.coordinates(name), M) for name, M in likelihood.component.orders.items()]
    cell = _Cell(points, likelihood.evenly(COMPARED_ROWS), switching_groups(likelihood), region, mirrors, orders)
    step = max(1, lp.size // max(EVIDENCE_DRAWS, 2 * 3 * DRAWS_PER_DIMENSION * compiled.n_dim))
    thin = posterior.isel(draw=slice(None, None, step))
    values, shape = lp[:, ::step], (thin.sizes["chain"], thin.sizes["draw"])
    draws = {v: thin[v].transpose("chain", "draw", ...) for v in cell.points.free}
    flat = {v: a.to_numpy().reshape(values.size, *a.shape[2:]) for v, a in draws.items()}
    params = stacked(thin, likelihood)
    inside = np.isfinite(values.ravel()) & (True if region is None else region(params))
    if not inside.any():
        return UNKNOWN
    best = int(np.argmax(np.where(inside, values.ravel(), -np.inf)))
    pivot = {v: a[best] for v, a in params.items()}
    order = best_permutations(agreement_with(cell.rows, params, pivot), cell.switching)
    moved = {v: permute(flat[v], order, *component_axes(draws[v].dims[1:])) for v in cell.points.free}
    rows = cell.points.rows(moved)
    centre = rows[best].copy()
    for own in mirrors:
        rows[:, own] *= np.where(rows[:, own] @ centre[own] < 0, -1.0, 1.0)[:, None]
    inside &= cell.in_order(rows, centre)
    integral = bridge(
        lambda x: cell.log_density(x, pivot, centre), rows.reshape(*shape, -1), values, inside=inside.reshape(shape)
    )
    copies = len(mirrors) * np.log(2) + sum(gammaln(1 + M.shape[1]) for _, M in orders)
    return replace(integral, value=integral.value + float(copies))


def _mirrors(compiled: CompiledModel, likelihood: Likelihood) -> list[np.ndarray]:
    """The coordinates that may change their signs together, one array for every such set."""
    mirrors = []
    for name, numbers in likelihood.component.mirrors.items():
        places = np.arange(compiled.n_dim)[compiled.coordinates(name)]
        mirrors += [places[numbers.ravel() == g] for g in np.unique(numbers[numbers >= 0])]
    return mirrors


@dataclass(frozen=True)
class _Cell:
    """The posterior density in one labelling of a region; 0 elsewhere."""

    points: Points
    rows: Likelihood
    switching: np.ndarray
    region: Region | None
    mirrors: Sequence[np.ndarray]
    orders: Sequence[tuple[slice, np.ndarray]]

    def in_order(self, x: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Which unconstrained points (S, n_dim) are in the copy of the pivot's, (S,) bool."""
        same = [
            (np.argsort(x[:, own] @ M, axis=1) == np.argsort(centre[own] @ M)).all(axis=1) for own, M in self.orders
        ]
        return np.all([np.ones(len(x), dtype=bool), *same], axis=0)

    def log_density(self, x: np.ndarray, pivot: Params, centre: np.ndarray) -> np.ndarray:
        """At unconstrained points (S, n_dim); ``centre`` is the pivot's."""
        values = self.points.log_density(x)
        for own in self.mirrors:
            values[x[:, own] @ centre[own] < 0] = -np.inf
        values[~self.in_order(x, centre)] = -np.inf
        if self.region is None and len(np.unique(self.switching)) == len(self.switching):
            return values
        there = np.flatnonzero(np.isfinite(values))
        if len(there):
            values[there[~self._contains(self.points.values(x[there]), pivot)]] = -np.inf
        return values

    def _contains(self, params: Params, pivot: Params) -> np.ndarray:
        """Which draws (S,) carry the pivot's labels and lie in the region; a singular covariance matrix does not."""
        n = len(next(iter(params.values())))
        try:
            order = best_permutations(agreement_with(self.rows, params, pivot), self.switching)
            same = (order == np.arange(len(self.switching))).all(axis=1)
            return same if self.region is None or not n else same & self.region(params)
        except np.linalg.LinAlgError:  # one of them
            parts = [{v: a[some] for v, a in params.items()} for some in (slice(n // 2), slice(n // 2, None))]
            return np.zeros(1, bool) if n == 1 else np.concatenate([self._contains(part, pivot) for part in parts])
