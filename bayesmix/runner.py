"""nutpie at work: each chain from a start of its own, and what it returns as groups with ArviZ' names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr

from bayesmix.coordinates import coordinates
from bayesmix.data import Data
from bayesmix.engine import Whitening, whiten
from bayesmix.target import Target

FEWEST_DRAWS = 4
STATISTICS = {
    "logp": "lp",
    "diverging": "diverging",
    "energy": "energy",
    "energy_error": "energy_error",
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate",
}
"""nutpie's sample statistics that are kept, and ArviZ' names for them."""


type Begin = Callable[[np.random.Generator], np.ndarray]
"""Where a chain begins: an unconstrained vector."""


@dataclasses.dataclass(frozen=True)
class Runner:
    """nutpie on one compiled model, each chain with a beginning of its own."""

    target: Target
    cores: int | None
    seed: int
    whitening: Whitening | None = None
    """The coordinates in which nutpie moves; its own adaptation works on top."""

    def __call__(self, begin: Sequence[Begin], *, progress: bool = False, **settings: Any) -> xr.DataTree:
        """Draw ``len(begin)`` chains.

        nutpie calls the start function once per chain with a seed of that chain, in no fixed order where chains run
        at once; a run of a few draws on one core lists the seeds in the order of the chains.
        """
        seeds: list[int] = []
        compiled = self.target.compiled if self.whitening is None else whiten(self.target.compiled, self.whitening)

        def start(chain: int, chain_seed: int) -> np.ndarray:
            x = begin[chain](np.random.default_rng(chain_seed))
            return x if self.whitening is None else self.whitening.inverse(x)

        def listing(chain_seed: int) -> np.ndarray:
            seeds.append(chain_seed)
            return start(0, chain_seed)

        def own(chain_seed: int) -> np.ndarray:
            return start(seeds.index(chain_seed) if chain_seed in seeds else 0, chain_seed)

        shared = {"seed": self.seed, "save_warmup": False, "chains": len(begin)}
        first = dataclasses.replace(compiled, initial_point_func=listing)
        shortest = {"draws": 2 * len(begin), "tune": 1, "maxdepth": 1, "return_raw_trace": True}
        nutpie.sample(first, cores=1, progress_bar=False, **(shared | shortest))
        compiled = dataclasses.replace(compiled, initial_point_func=own)
        return nutpie.sample(compiled, cores=self.cores, progress_bar=progress, **(settings | shared))


def finished(raw: xr.DataTree) -> tuple[xr.DataTree, np.ndarray]:
    """What an interrupted run has drawn: its chains with at least half the draws of the longest, cut to one length.

    Returns the groups and the numbers of the chains kept; a finished run is returned as it is.
    """
    done = raw["sample_stats"]["logp"].notnull().sum("draw").to_numpy()
    chains = np.flatnonzero(2 * done >= done.max())
    length = int(done[chains].min())
    if length < FEWEST_DRAWS:
        raise KeyboardInterrupt
    whole = {name: group.to_dataset() for name, group in raw.children.items()}
    cut = {name: ds.isel(chain=chains, draw=slice(length)) for name, ds in whole.items() if "draw" in ds.dims}
    renumbered = {name: ds.assign_coords(chain=np.arange(len(chains))) for name, ds in cut.items()}
    return xr.DataTree.from_dict(whole | renumbered), chains


def tidy(posterior: xr.Dataset) -> xr.Dataset:
    """Strings as strings: NetCDF has no objects."""
    return posterior.assign_coords(
        {d: posterior[d].astype(str) for d in posterior.coords if posterior[d].dtype == object}
    )


def _data_groups(model: pm.Model) -> dict[str, xr.Dataset]:
    """observed_data and constant_data, as PyMC's own sampler adds them."""
    observed = {rv.name: model.rvs_to_values[rv] for rv in model.observed_RVs}
    constant = {data.name: data for data in model.data_vars}
    named = {d: [str(c) for c in values] for d, values in model.coords.items() if values is not None}
    groups = {}
    for group, variables in (("observed_data", observed), ("constant_data", constant)):
        arrays: dict[str, Any] = {}
        for name, variable in variables.items():
            values = variable.get_value(borrow=True) if hasattr(variable, "get_value") else variable.eval()
            dims = model.named_vars_to_dims.get(name, tuple(f"{name}_dim_{j}" for j in range(values.ndim)))
            arrays[name] = (dims, values)
        used = dict.fromkeys(d for dims, _ in arrays.values() for d in dims if d in named)
        groups[group] = xr.Dataset(arrays, coords=coordinates({d: named[d] for d in used}))
    return groups


def assemble(raw: xr.DataTree, model: pm.Model, data: Data) -> xr.DataTree:
    """nutpie's groups, tidied, with the data."""
    statistics = raw["sample_stats"].to_dataset()
    kept = {old: new for old, new in STATISTICS.items() if old in statistics}
    groups = {
        "posterior": tidy(raw["posterior"].to_dataset()),
        "sample_stats": statistics[list(kept)].rename(kept),
        "input": data.to_dataset(),
    }
    return xr.DataTree.from_dict(groups | _data_groups(model))
