"""Have the chains converged? R-hat and ESS within the regions of the posterior that chains do not leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.multimodality.watched import invariants
from bayesmix.posterior.record import Record
from bayesmix.sampling.pool import chains_in

LEAST_SHARE = 0.01
"""No posterior probability depends by more on what regions with smaller shares hold."""


@dataclass(frozen=True, eq=False)
class Part:
    """The chains that speak for one region, with their draws in it alone, all of the shortest one's length.

    ``share``: of the posterior's draws; ``error``: of the share; ``chains``: their numbers.
    """

    likelihood: Likelihood
    region: int
    share: float
    error: float
    chains: np.ndarray
    posterior: xr.Dataset
    statistics: xr.Dataset

    @property
    def counts(self) -> bool:
        """Whether the share is large enough to matter to any posterior probability."""
        return self.share > LEAST_SHARE

    @cached_property
    def watched(self) -> xr.DataArray:
        """What labels do not change, (chain, draw, scalar)."""
        return watched(self.likelihood, self.posterior, self.statistics)


def parts(record: Record) -> list[Part]:
    """One part for every region that chains were sent to."""
    likelihood, dt = record.likelihood, record.dt
    posterior, statistics = record.as_made("posterior"), record.as_made("sample_stats")
    drawn = dt["sample_stats"].to_dataset()
    if not record.resampled:
        only = int(np.bincount(drawn["region"].to_numpy().ravel()).argmax()) if "region" in drawn else 1
        return [Part(likelihood, only, 1.0, 0.0, np.arange(posterior.sizes["chain"]), posterior, statistics)]
    where, shared = statistics["region"].to_numpy(), drawn["region"].to_numpy()
    modes = dt["modes"].to_dataset()
    regions = []
    for g in np.unique(where):
        chains = chains_in(where, g)
        if len(chains):
            error = float(modes["mass_error"].to_numpy()[modes["region"].to_numpy() == g][0])
            inside = (within(part, where, chains, g) for part in (posterior, statistics))
            regions.append(Part(likelihood, int(g), float((shared == g).mean()), error, chains, *inside))
    return regions


def within(draws: xr.Dataset, where: np.ndarray, chains: np.ndarray, region: int) -> xr.Dataset:
    """The draws of these chains that lie in a region, in their order, as many of each as the shortest has."""
    own = [np.flatnonzero(where[c] == region) for c in chains]
    length = min(len(which) for which in own)
    cut = [
        draws.isel(chain=c, draw=which[:length]).drop_vars("draw", errors="ignore")
        for c, which in zip(chains, own, strict=True)
    ]
    return xr.concat(cut, dim="chain", coords="minimal", compat="override").assign_coords(draw=np.arange(length))


def counting(regions: Sequence[Part]) -> list[Part]:
    """The parts whose share counts."""
    return [part for part in regions if part.counts]


def watched(likelihood: Likelihood, posterior: xr.Dataset, statistics: xr.Dataset) -> xr.DataArray:
    """What labels do not change, with the log-likelihood, (chain, draw, scalar)."""
    values = invariants(likelihood, posterior, statistics["lp"])
    log_likelihood = statistics["log_likelihood"].expand_dims(scalar=["log likelihood"], axis=-1)
    return xr.concat([values, log_likelihood.rename("value")], dim="scalar", coords="minimal", compat="override")


def convergence(values: xr.DataArray) -> pd.DataFrame:
    """mean, sd, mcse_mean, ess_bulk, ess_tail and r_hat of every scalar of a (chain, draw, scalar) array."""
    dataset = values.to_dataset(name="value")
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "mean": values.mean(("chain", "draw")),
            "sd": values.std(("chain", "draw"), ddof=1),
            "mcse_mean": az.mcse(dataset, method="mean")["value"],
            "ess_bulk": az.ess(dataset, method="bulk")["value"],
            "ess_tail": az.ess(dataset, method="tail")["value"],
            "r_hat": az.rhat(dataset, method="rank")["value"],
        }
    return pd.DataFrame({k: np.asarray(v) for k, v in columns.items()}, index=pd.Index(values["scalar"].values))


def of_parameters(record: Record, regions: Sequence[Part], *, derived: bool = False) -> pd.DataFrame:
    """The convergence of every free scalar, of a user's extension too; with ``derived`` also of scalars that follow."""
    own = json.loads(record.dt.attrs.get("extension", "[]"))

    def values(posterior: xr.Dataset) -> xr.DataArray:
        estimates = scalars.of_posterior(record.likelihood, posterior, derived=derived)
        more = [scalars.of_variable(posterior[name]) for name in own]
        return xr.concat([estimates, *more], dim="scalar", coords="minimal", compat="override") if more else estimates

    return pooled(lambda: values(record.posterior), regions, [values(part.posterior) for part in regions])


def of_invariants(record: Record, regions: Sequence[Part]) -> pd.DataFrame:
    """The convergence of what labels do not change."""

    def whole() -> xr.DataArray:
        return watched(record.likelihood, record.posterior, record.dt["sample_stats"].to_dataset())

    return pooled(whole, regions, [part.watched for part in regions])


def pooled(
    of_whole: Callable[[], xr.DataArray], regions: Sequence[Part], values: Sequence[xr.DataArray]
) -> pd.DataFrame:
    """One table: the largest R-hat of the regions with a share that counts, and the effective sizes of their mixture.

    With shares p_g and means m_g: 1 / ESS = sum_g p_g^2 / ESS_g, and the error of the mean adds to those of the regions
    what the errors e_g of the shares do: sum_g p_g^2 mcse_g^2 + sum_g (m_g - m)^2 e_g^2. What stands still within every
    region has nothing to converge.
    """
    if len(regions) == 1:
        return convergence(values[0])
    counts = np.array([part.counts for part in regions])
    kept = {name for counted, v in zip(counts, values, strict=True) if counted for name in v["scalar"].to_numpy()}
    whole = of_whole()
    moving = [name for name in whole["scalar"].to_numpy() if name in kept]
    whole = whole.sel(scalar=moving)
    mean, sd = whole.mean(("chain", "draw")).to_pandas(), whole.std(("chain", "draw"), ddof=1).to_pandas()
    tables = [convergence(v).reindex(moving) for v in values]
    p, e = (np.array([getattr(part, name) for part in regions])[:, None] for name in ("share", "error"))
    by = {column: np.array([t[column] for t in tables]) for column in tables[0]}
    ess = {c: 1 / np.nansum(p**2 / by[c], axis=0) for c in ("ess_bulk", "ess_tail")}
    off = np.nansum((p * by["mcse_mean"]) ** 2 + ((by["mean"] - mean.to_numpy()) * e) ** 2, axis=0)
    r_hat = np.fmax.reduce(by["r_hat"][counts], axis=0)
    return pd.DataFrame({"mean": mean, "sd": sd, "mcse_mean": np.sqrt(off), **ess, "r_hat": r_hat})
