"""A fit as the questions about rows see it: a likelihood with one set of parameters, or with many draws; new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.containers import frame_of
from bayesmix.inputs.data import Data, evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import numbers
from bayesmix.parts.part import Params
from bayesmix.posterior.record import Record
from bayesmix.posterior.responsibilities import Fit


@dataclass(frozen=True, eq=False)
class Fitted:
    """A posterior, or a point estimate as a posterior of one draw.

    Attributes
    ----------
    likelihood : Likelihood
        Over the rows of the fit.
    params : mapping of str to ndarray
        Parameters with a leading dimension of draws, chain by chain.
    sample : mapping of str to ndarray
        Coordinates of the dimensions chain and draw; none of a point estimate.
    """

    likelihood: Likelihood
    params: Params
    sample: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, fit: Fit) -> Fitted:
        """Of an estimate or a posterior; ValueError where it is neither."""
        if isinstance(fit, EMFit):
            return cls(fit.likelihood, {v: a[None] for v, a in fit.arrays.items()}, {})
        if not isinstance(fit, xr.DataTree | Record):
            raise ValueError(
                f"fit: must be an EMFit of bm.fit_em or a DataTree of bm.sample; got a {type(fit).__name__}"
            )
        record = Record.of(fit)
        return cls(record.likelihood, record.params, numbers(record.posterior))

    @property
    def size(self) -> int:
        """How many draws there are."""
        return len(next(iter(self.params.values())))

    @property
    def point(self) -> bool:
        """Whether it is a point estimate, which has no intervals."""
        return not self.sample

    def some(self, most: int) -> Fitted:
        """At most so many of the draws, evenly spaced, as a single chain."""
        picked = evenly(self.size, most)
        sample = {} if self.point else {"chain": np.arange(1), "draw": np.arange(len(picked))}
        return replace(self, params={v: a[picked] for v, a in self.params.items()}, sample=sample)

    def one(self, s: int) -> Params:
        """The parameters of one draw."""
        return {v: a[s] for v, a in self.params.items()}

    def over(self, data: Any, *, labels: bool = False) -> Likelihood:
        """The likelihood over new rows, or those of the fit (None); their labels count only where asked for."""
        rows = self.likelihood.data if data is None else new_rows(self.likelihood, data)
        rows = rows if labels else rows.without_labels()
        return self.likelihood if rows is self.likelihood.data else self.likelihood.rebind(rows)

    def array(self, likelihood: Likelihood, values: np.ndarray, name: str) -> xr.DataArray:
        """Values (draws, rows) as (chain, draw, obs), or (obs,) of a point estimate."""
        coords: dict[str, Sequence[Any] | np.ndarray] = {**self.sample, "obs": list(likelihood.data.obs_names)}
        shape = [len(c) for c in coords.values()]
        return xr.DataArray(values.reshape(shape), dims=tuple(coords), coords=coords, name=name)


def new_rows(likelihood: Likelihood, new: Any) -> Data:
    """New rows as the fit has its own: of a table the columns that the fit knows, by their names.

    Columns that it does not know are left out; an array's, or those of a table with none of the fit's names, are taken
    by position. ValueError where a column is missing.
    """
    if isinstance(new, Data):
        return new
    frame, own = frame_of(new), likelihood.data.feature_names
    if likelihood.covariates:
        return Data(frame, response=own[0])
    there = [name for name in own if name in frame.columns]
    if there and len(there) < len(own):
        missing = [name for name in own if name not in there]
        raise ValueError(f"data: has no column {missing[0]!r}; the fit's are {', '.join(own)}")
    return Data(frame[there] if there else frame)
