"""nutpie at work: each chain from a start of its own, and what it returns as groups with ArviZ' names."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.compiled.whitening import Whitening, whiten
from bayesmix.inputs.arguments import FEWEST_DRAWS
from bayesmix.inputs.data import Data
from bayesmix.inputs.errors import FitError, described
from bayesmix.inputs.storage import coordinates
from bayesmix.posterior.assemble import tidy
from bayesmix.sampling.rescue import KeptRuns

START_TRIES = 50
"""So many starts of a chain may have no finite density."""
STACK_VARIABLE, STACK_BYTES = "RUST_MIN_STACK", 64 << 20
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

    compiled: CompiledModel
    cores: int | None
    seed: int
    whitening: Whitening | None = None
    """The coordinates in which nutpie moves; its own adaptation works on top."""
    kept: KeptRuns | None = None
    """Where finished runs are kept, if they are."""

    def __call__(self, begin: Sequence[Begin], *, progress: bool = False, **settings: Any) -> xr.DataTree:
        """Draw ``len(begin)`` chains.

        A sampler's thread has a small stack: nothing runs there but the C functions and the handing over of a start.

        Raises
        ------
        FitError
            Where a chain has no point to begin at, or nutpie gives up.
        """
        nutpie_model = (
            self.compiled.nutpie_model if self.whitening is None else whiten(self.compiled.nutpie_model, self.whitening)
        )
        shared = {"seed": self.seed, "save_warmup": False, "chains": len(begin)}
        seeds = self._seeds(nutpie_model, begin[0], **shared)
        starts = dict(zip(seeds, map(self._start, begin, seeds), strict=True))
        given = dataclasses.replace(nutpie_model, initial_point_func=lambda seed: starts.get(seed, starts[seeds[0]]))
        settings |= shared
        run = partial(_drawn, given, cores=self.cores, progress_bar=progress, **settings)
        return run() if self.kept is None else self.kept(settings | {"starts": self._told(starts.values())}, run)

    def _told(self, starts: Iterable[np.ndarray]) -> list[str]:
        """Log-density and length of its gradient where the chains begin, as far as every process finds the same."""
        points = starts if self.whitening is None else map(self.whitening.forward, starts)
        values = [self.compiled.log_density(x) for x in points]
        return [f"{value:.6g} {np.linalg.norm(gradient):.4g}" for value, gradient in values]

    def _seeds(self, nutpie_model: Any, begin: Begin, *, chains: int, **shared: Any) -> list[int]:
        """The seed with which nutpie asks for the start of each chain.

        It asks in no fixed order where chains run at once; a run of a few draws on one core lists them in order.
        """
        seeds: list[int] = []
        start = self._start(begin, self.seed)

        def listing(seed: int) -> np.ndarray:
            seeds.append(seed)
            return start

        first = dataclasses.replace(nutpie_model, initial_point_func=listing)
        shortest = {"draws": 2 * chains, "tune": 1, "maxdepth": 1, "return_raw_trace": True}
        _drawn(first, cores=1, progress_bar=False, chains=chains, **(shared | shortest))
        return seeds

    def _start(self, begin: Begin, seed: int) -> np.ndarray:
        """A point where the density is finite, in nutpie's coordinates."""
        rng = np.random.default_rng(seed)
        for _ in range(START_TRIES):
            x = begin(rng)
            value, gradient = self.compiled.log_density(x)
            if np.isfinite(value) and np.isfinite(gradient).all():
                return x if self.whitening is None else self.whitening.inverse(x)
        raise FitError(
            f"a chain found no point to begin at: around its mode the log-density or its gradient is not finite at any "
            f"of {START_TRIES} points; look for a prior or an added term that forbids them, or for data of extreme size"
        )


def _drawn(nutpie_model: Any, **settings: Any) -> Any:
    """nutpie's draws; what it gives up on is an error of ours."""
    try:
        with _roomy_threads():
            return nutpie.sample(nutpie_model, **settings)
    except RuntimeError as problem:
        raise FitError(
            f"the sampler gave up ({described(problem)}): the log-density is not finite where chains begin or go; look "
            f"at the priors, at terms added to the model, and at data of extreme size"
        ) from problem


@contextmanager
def _roomy_threads() -> Iterator[None]:
    """Room for LAPACK, which a term of the user's own may call, on the stacks of the threads that nutpie makes.

    They have 2 MB unless this variable says otherwise when the first of them is made.
    """
    before = os.environ.get(STACK_VARIABLE)
    os.environ[STACK_VARIABLE] = before or str(STACK_BYTES)
    try:
        yield
    finally:
        if before is None:
            del os.environ[STACK_VARIABLE]


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


def data_groups(model: pm.Model, data: Data) -> dict[str, xr.Dataset]:
    """What is stored beside draws: observed_data and constant_data, as PyMC's own sampler adds them, and the input."""
    observed = {rv.name: model.rvs_to_values[rv] for rv in model.observed_RVs}
    constant = {data.name: data for data in model.data_vars}
    named = {d: [str(c) for c in values] for d, values in model.coords.items() if values is not None}
    groups = {"input": data.to_dataset()}
    for group, variables in (("observed_data", observed), ("constant_data", constant)):
        arrays: dict[str, Any] = {}
        for name, variable in variables.items():
            values = variable.get_value(borrow=True) if hasattr(variable, "get_value") else variable.eval()
            dims = model.named_vars_to_dims.get(name, tuple(f"{name}_dim_{j}" for j in range(values.ndim)))
            arrays[name] = (dims, values)
        used = dict.fromkeys(d for dims, _ in arrays.values() for d in dims if d in named)
        groups[group] = xr.Dataset(arrays, coords=coordinates({d: named[d] for d in used}))
    return groups


def assemble(raw: xr.DataTree, beside: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """nutpie's groups, tidied, with those of the data."""
    statistics = raw["sample_stats"].to_dataset()
    kept = {old: new for old, new in STATISTICS.items() if old in statistics}
    groups = {"posterior": tidy(raw["posterior"].to_dataset()), "sample_stats": statistics[list(kept)].rename(kept)}
    return xr.DataTree.from_dict(groups | dict(beside))
