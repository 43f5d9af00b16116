"""How the modes share the mass, where chains cross between them: the share of draws that climbs to each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import arviz as az
import numpy as np
import xarray as xr

from bayesmix.kernels.parallel import one_blas_thread
from bayesmix.multimodality.maxima import Climber, PosteriorMode

CLIMBED = 200
"""So many draws, of all chains together, are climbed to the mode above them."""


@dataclass(frozen=True)
class Basins:
    """``modes``: those above draws, each a region of its own, the largest share first; then the others, of region 0.

    ``share``, ``error``: of the posterior, by region.
    """

    modes: list[PosteriorMode]
    share: dict[int, float]
    error: dict[int, float]


def basins(climber: Climber, modes: list[PosteriorMode], states: np.ndarray) -> Basins:
    """Climb from some draws, unconstrained points (chains, draws, n_dim), evenly spaced.

    The error of a share is that of a mean over chains: draws of one chain follow each other.
    """
    chains, draws = states.shape[:2]
    kept = np.linspace(0, draws - 1, min(draws, max(1, CLIMBED // chains))).round().astype(int)
    ends, above = list(modes), np.full((chains, len(kept)), -1)
    with one_blas_thread():
        for at in np.ndindex(above.shape):
            before = [end.reached for end in ends]
            ends = climber.climb_unless_known(states[at[0], kept[at[1]]], 1, ends)
            risen = [i for i, end in enumerate(ends) if i >= len(before) or end.reached > before[i]]
            above[at] = risen[0] if risen else -1
    inside = above[..., None] == np.arange(len(ends))
    share = inside.mean(axis=(0, 1))
    order = np.argsort(-share, kind="stable")
    dataset = xr.Dataset({"value": (("chain", "draw", "mode"), inside[..., order].astype(float))})
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.nan_to_num(az.mcse(dataset, method="mean")["value"].to_numpy())
    least = np.sqrt((share[order] * (1 - share[order]) + 1 / above.size) / above.size)
    ranked = [replace(ends[i], region=g if share[i] > 0 else 0) for g, i in enumerate(order, start=1)]
    held = [(g, i) for g, i in enumerate(order, start=1) if share[i] > 0]
    by_region = {g: float(max(error[g - 1], least[g - 1])) for g, _ in held}
    return Basins(ranked, {g: float(share[i]) for g, i in held}, by_region)
