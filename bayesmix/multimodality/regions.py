"""Regions of the posterior that chains do not leave: which draws belong to which, and how much of the mass each holds.

A region is a set of parameters, whatever their labels. Which one a point belongs to is told by its nearest neighbours
among draws of chains that are known to be apart, in quantities that labels do not change. Every point belongs to one
region, so that the integrals of the posterior over the regions add up and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from sklearn.neighbors import KNeighborsClassifier

from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.multimodality.watched import Watch, chain_groups, invariants, separated
from bayesmix.parts.part import Params

NEIGHBOURS = 5
REMEMBERED = 500
"""Draws of every region that are kept to tell others by."""
BEYOND = 1e100


@dataclass(frozen=True, eq=False)
class Regions:
    """A partition of the parameter space by remembered draws.

    ``features`` (draws, quantities) in units of ``scale``; ``labels``: the region of each, from 1.
    """

    watch: Watch
    features: np.ndarray
    scale: np.ndarray
    labels: np.ndarray

    @classmethod
    def remember(cls, watch: Watch, features: Sequence[np.ndarray], regions: Sequence[int]) -> Regions:
        """From draws (S, quantities) of every region, of which some are kept."""
        kept = [a[evenly(len(a), REMEMBERED)] for a in features]
        labels = np.repeat(regions, [len(a) for a in kept])
        return cls(watch, np.concatenate(kept), _within(kept), labels)

    @cached_property
    def _nearest(self) -> KNeighborsClassifier:
        return KNeighborsClassifier(NEIGHBOURS).fit(self.features / self.scale, self.labels)

    def of(self, params: Params) -> np.ndarray:
        """The region of each draw, (S,)."""
        return np.asarray(self._nearest.predict(features_of(self.watch, params) / self.scale))

    def inside(self, members: Sequence[int]) -> Callable[[Params], np.ndarray]:
        """Whether a draw lies in one of these regions."""
        return lambda params: np.isin(self.of(params), members)


def features_of(watch: Watch, params: Params) -> np.ndarray:
    """The label-free quantities of draws as a matrix (S, quantities); what is not finite is far away."""
    return np.nan_to_num(np.stack(list(watch(params).values()), axis=-1), nan=-BEYOND, posinf=BEYOND, neginf=-BEYOND)


def _within(samples: Sequence[np.ndarray]) -> np.ndarray:
    """Standard deviations within samples, (quantities,); 1 where a quantity stands still in all of them."""
    scale = np.sqrt(np.mean([a.var(axis=0) for a in samples], axis=0))
    typical = np.abs(np.concatenate(samples)).max(axis=0)
    return np.where(scale > 1e-12 * (1 + typical), scale, 1.0)


def pieces_apart(likelihood: Likelihood, pieces: xr.Dataset, lp: xr.DataArray) -> tuple[int, ...]:
    """A number per piece of a chain: pieces share one where links lead from one to the other; 0 for those in passing.

    Two pieces are linked where R-hat cannot tell them apart. A chain that goes over from one mode to another, once,
    links nothing: a piece with a share p of the other mode has an R-hat of 1 / sqrt(1 - p) with a piece that has none,
    which cannot be below 1.3 on both sides. Pieces whose own halves are apart are in passing.
    """
    watched = invariants(likelihood, pieces, lp)
    middle = pieces.sizes["draw"] // 2
    halves = [watched.isel(draw=slice(0, middle)), watched.isel(draw=slice(middle, 2 * middle))]
    settled = [c for c in range(pieces.sizes["chain"]) if not separated(_pair(halves[0], c, halves[1], c))]
    by_piece = dict(zip(settled, chain_groups(watched.isel(chain=settled)), strict=True))
    return tuple(by_piece.get(c, 0) for c in range(pieces.sizes["chain"]))


def _pair(a: xr.DataArray, i: int, b: xr.DataArray, j: int) -> xr.DataArray:
    """Two chains side by side."""
    cut = [v.isel(chain=[c]).drop_vars(["chain", "draw"]) for v, c in ((a, i), (b, j))]
    return xr.concat(cut, dim="chain", coords="minimal", compat="override")
