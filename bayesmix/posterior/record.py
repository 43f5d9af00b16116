"""What a saved posterior holds, read once: the mixture, its rows, the likelihood that they make, the draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from bayesmix.inputs.data import Data
from bayesmix.kernels.lanes import LANES
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.mixture.spec import Mixture, bind
from bayesmix.parts.part import Params

BLOCK_BYTES = 64e6
"""Arrays of draws x rows x components stay near this size."""
RAW = "raw_"
"""Before the names of the groups that hold the draws as the chains made them."""


@dataclass(frozen=True, eq=False)
class Record:
    """A posterior, read once: a public function makes one, and everything that it calls is handed that one.

    What is asked for is kept, so ``dt`` must not change as long as its record is in use.

    Attributes
    ----------
    dt : DataTree
        As :func:`bayesmix.sample` returned it.
    """

    dt: xr.DataTree

    @classmethod
    def of(cls, dt: Posterior) -> Record:
        """The record of a posterior, or that which it is; ValueError where it is none."""
        if isinstance(dt, Record):
            return dt
        if not isinstance(dt, xr.DataTree):
            raise ValueError(f"dt: must be a posterior from bayesmix.sample, a DataTree; got a {type(dt).__name__}")
        if "spec" not in dt.attrs:
            raise ValueError("dt: not a posterior from bayesmix.sample: its attributes hold no 'spec'")
        return cls(dt)

    @cached_property
    def spec(self) -> Mixture:
        """The resolved mixture that it was drawn from."""
        return Mixture.from_dict(json.loads(self.dt.attrs["spec"]))

    @cached_property
    def data(self) -> Data:
        """The data that it was drawn from."""
        return Data.from_dataset(self.dt["input"].to_dataset())

    @cached_property
    def exchange(self) -> Exchange | None:
        """What was measured of exchanging components; None where it is from before this was done."""
        return Exchange.of(self.dt)

    @cached_property
    def likelihood(self) -> Likelihood:
        """The mixture over these rows, whose components may switch labels as far as was measured."""
        likelihood = bind(self.spec, self.data)
        return likelihood if self.exchange is None else likelihood.with_measured(self.exchange.groups)

    @cached_property
    def posterior(self) -> xr.Dataset:
        """The draws of what varies."""
        return self.dt["posterior"].to_dataset()

    @cached_property
    def params(self) -> Params:
        """Parameters of the likelihood with a leading dimension of all draws (chain-major)."""
        return self.thinned(1)

    def thinned(self, step: int) -> Params:
        """:attr:`params` at every ``step``-th draw of each chain."""
        return stacked(self.posterior.isel(draw=slice(None, None, step)), self.likelihood)

    @property
    def resampled(self) -> bool:
        """Whether the draws of several regions were resampled by mass: the chains as they were made stand beside."""
        return RAW + "posterior" in self.dt.children

    def as_made(self, group: str) -> xr.Dataset:
        """``posterior`` or ``sample_stats`` as the chains made them, before regions were resampled by mass."""
        return self.dt[RAW + group if self.resampled else group].to_dataset()


type Posterior = xr.DataTree | Record
"""What :func:`bayesmix.sample` returned, or its record where it was read already."""


def stacked(posterior: xr.Dataset, likelihood: Likelihood) -> Params:
    """Parameters of the likelihood with chains and draws as one leading dimension, chain-major.

    They follow from what ``posterior`` holds, be it all named estimates or those that vary
    (:mod:`bayesmix.posterior.varying`).
    """
    there = {v: dims for v, dims in likelihood.dims.items() if v in posterior}
    arrays = {v: posterior[v].transpose("chain", "draw", *dims).to_numpy() for v, dims in there.items()}
    return likelihood.given({v: a.reshape(-1, *a.shape[2:]) for v, a in arrays.items()})


def row_blocks(likelihood: Likelihood, n_draws: int) -> Iterator[tuple[slice, Likelihood]]:
    """The rows in blocks small enough for all draws at once, each with the likelihood over those rows."""
    for rows in row_slices(likelihood, n_draws):
        yield rows, likelihood.rebind(likelihood.data.take(np.arange(len(likelihood.data))[rows]))


def row_slices(likelihood: Likelihood, n_draws: int) -> Iterator[slice]:
    """The rows in ranges small enough for all draws at once."""
    n = len(likelihood.data)
    width = max(1, int(BLOCK_BYTES / (8 * n_draws * (len(likelihood.components) + 2))))
    width -= width % LANES if width > LANES else 0
    for start in range(0, n, width):
        yield slice(start, min(start + width, n))
