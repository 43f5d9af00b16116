"""Highest-density regions: the smallest that hold a share of the rows, and how far their boundaries are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix import estep
from bayesmix.drawing.level import TAILS
from bayesmix.inputs.data import Data
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.simulate import drawn_rows
from bayesmix.rows.tails import TAIL_DRAWS, Tails

CONTENTS = (0.5, 0.9, 0.95)
"""Shares of the rows that the regions hold."""
LEVEL_ROWS = 20_000
"""Rows that are simulated to find the density on a region's boundary: its content is then right to 0.3%."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Densities at some points, and which points the regions hold.

    The region of content c of a density f is {x : f(x) >= f_c}, f_c the (1 - c)-quantile of f(X), X ~ f (Hyndman 1996,
    doi:10.1080/00031305.1996.10474359).

    Attributes
    ----------
    density : ndarray, shape (points,)
        The posterior mean density.
    lower, upper : ndarray, shape (points,)
        90% interval of the density over draws.
    levels : ndarray, shape (contents,)
        f_c of the posterior mean density.
    inclusion : ndarray, shape (contents, points)
        The share of draws whose own region holds the point.
    """

    density: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    levels: np.ndarray
    inclusion: np.ndarray


def regions_at(fitted: Fitted, x: np.ndarray, *, seed: int = 1) -> Regions:
    """The regions of a fit at points x (points, n_features), for mixtures whose rows all have one law."""
    some, rng = fitted.some(TAIL_DRAWS), np.random.default_rng(seed)
    likelihood = some.likelihood.rebind(Data(x).with_features(some.likelihood.data.feature_names))
    densities = np.exp(estep.pointwise(likelihood, some.params))
    lower, upper = np.quantile(densities, TAILS, axis=0)
    areas = Tails(fitted, seed=seed).areas(likelihood)
    inside = np.stack([(areas > 1 - content).mean(axis=0) for content in CONTENTS])
    own = _own_densities(some, rng)
    levels = np.quantile(own, [1 - content for content in CONTENTS], method="lower")
    return Regions(densities.mean(axis=0), lower, upper, levels, inside)


def _own_densities(some: Fitted, rng: np.random.Generator) -> np.ndarray:
    """The posterior mean density at rows from it."""
    data, each = some.likelihood.data.without_labels(), -(-LEVEL_ROWS // some.size)
    design = some.likelihood.rebind(data.take(np.arange(each) % len(data)))
    x = np.concatenate([drawn_rows(design, some.one(s), rng)[0] for s in range(some.size)])
    at = some.likelihood.rebind(data.take(np.arange(len(x)) % len(data))).observing(x)
    return np.exp(estep.log_mean_exp(estep.pointwise(at, some.params)))
