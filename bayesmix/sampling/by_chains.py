"""A posterior by NUTS: chains in every region that scouts found, pooled by the regions' masses."""

from __future__ import annotations

from dataclasses import replace

import arviz as az
import numpy as np
import xarray as xr

from bayesmix.inputs.errors import explained
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.multimodality.thresholds import R_HAT
from bayesmix.multimodality.watched import invariants
from bayesmix.posterior.record import RAW
from bayesmix.posterior.varying import by_variation
from bayesmix.sampling.nutpie import Runner, assemble, finished
from bayesmix.sampling.pool import chains_in, pool, settle
from bayesmix.sampling.rescue import rescued
from bayesmix.sampling.scouts import Scouts, explore
from bayesmix.sampling.task import Task


def scouted(task: Task) -> Scouts:
    """What short chains from the competing modes find."""
    with explained("finding the posterior's modes"):
        return explore(_runner(task), task.climber, task.modes, task.target_accept, progress=task.progress)


def _runner(task: Task) -> Runner:
    return Runner(task.compiled, task.cores, task.seed, task.modes[0].whitening, task.kept)


def by_chains(task: Task, scouts: Scouts) -> xr.DataTree:
    """The posterior; ``attrs`` are still to be added to those of the task."""
    region_of_chain = scouts.allocate(task.chains)
    start = scouts.starts(region_of_chain)
    made = scouts.sample(_runner(task), region_of_chain, start, progress=task.progress, **task.settings)
    raw, drawn = finished(made)
    cut, start, region_of_chain = len(drawn) < len(start), start[drawn], region_of_chain[drawn]
    with rescued(raw):
        dt = assemble(raw, task.beside)
        settled = settle(dt, task.compiled, task.likelihood, scouts, region_of_chain)
        dt = task.in_one_labelling(dt, settled.where)
        dt = pool(dt, settled, chains=min(task.chains, len(start)), seed=task.seed)
        modes = [replace(mode, region=settled.number.get(mode.region, mode.region)) for mode in scouts.modes]
        dt["modes"] = task.modes_group(modes, settled.mass, start)
        dt = by_variation(dt, task.likelihood)
    dt.attrs |= task.attributes(interrupted=dt["posterior"].sizes["draw"] < task.draws or cut)
    return dt


def unknown_masses(scouts: Scouts) -> bool:
    """Whether scouts could not say how the modes share the posterior's mass."""
    too_many = any(mode.region < 0 for mode in scouts.modes)
    return too_many or any(not mass.established for mass in scouts.mass.values() if mass.matters)


def unsettled(dt: xr.DataTree, likelihood: Likelihood) -> bool:
    """Whether finished chains diverged, speak for unknown shares of the posterior, or disagree within a region."""
    modes = dt["modes"].to_dataset()
    unknown = bool((modes["established"].to_numpy()[modes["region"].to_numpy() > 0] == 0).any())
    if unknown or bool(dt["sample_stats"]["diverging"].any()):
        return True
    posterior, statistics = (
        dt[RAW + v if RAW + v in dt.children else v].to_dataset() for v in ("posterior", "sample_stats")
    )
    where = statistics["region"].to_numpy()
    regions = [chains_in(where, int(g)) for g in np.unique(where)]
    return any(_apart(posterior.isel(chain=c), statistics["lp"].isel(chain=c), likelihood) for c in regions if len(c))


def _apart(posterior: xr.Dataset, lp: xr.DataArray, likelihood: Likelihood) -> bool:
    """Whether R-hat tells chains from each other, in what labels do not change."""
    values = invariants(likelihood, posterior, lp).to_dataset(name="value")
    with np.errstate(invalid="ignore", divide="ignore"):
        return not float(az.rhat(values)["value"].max()) < R_HAT
