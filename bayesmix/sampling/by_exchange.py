"""A posterior by replica exchange (:mod:`bayesmix.tempering.exchange`), laid out as that of chains is."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix.inputs.errors import explained, waiting
from bayesmix.mixture.draws import DRAWN
from bayesmix.multimodality.bridge import LogIntegral
from bayesmix.multimodality.masses import Mass, weigh
from bayesmix.posterior.assemble import variables_at
from bayesmix.posterior.varying import by_variation
from bayesmix.sampling.nutpie import assemble
from bayesmix.sampling.rescue import rescued
from bayesmix.sampling.task import Task
from bayesmix.tempering.basins import Basins, basins
from bayesmix.tempering.exchange import Exchanged, exchange

TEMPERING = "tempering"
"""The group that says how the replicas moved."""


def by_exchange(task: Task) -> xr.DataTree | None:
    """The posterior; None where the time would not do for a first round of sweeps."""
    bar = waiting("Replica exchange, of its time at most", task.budget.seconds, progress=task.progress)
    with explained("the replica exchange"), bar:
        made = exchange(
            task.compiled,
            task.likelihood,
            np.array([mode.x for mode in task.modes]),
            chains=task.chains,
            draws=task.draws,
            cores=task.cores,
            seed=task.seed,
            budget=task.budget,
        )
    if made is None:
        return None
    numbers = {d: np.arange(n) for d, n in zip(DRAWN, made.density.shape, strict=True)}
    never = (DRAWN, np.zeros(made.density.shape, dtype=bool))
    statistics = xr.Dataset({"logp": (DRAWN, made.density), "diverging": never}, coords=numbers)
    raw = xr.DataTree.from_dict(
        {"posterior": variables_at(task.compiled, made.states, numbers), "sample_stats": statistics}
    )
    with rescued(raw):
        dt = assemble(raw, task.beside)
        everywhere = np.ones(made.density.shape, dtype="int32")
        dt = task.in_one_labelling(dt, everywhere)
        dt["sample_stats"] = xr.DataTree(dt["sample_stats"].to_dataset().assign(region=(DRAWN, everywhere)))
        visited = basins(task.climber, task.modes, made.states)
        start = np.zeros(task.chains, dtype=int)
        dt["modes"] = task.modes_group(visited.modes, _masses(visited, made), start)
        dt[TEMPERING] = xr.DataTree(_group(task, made, dt))
        dt = by_variation(dt, task.likelihood)
    dt.attrs |= task.attributes(interrupted=False)
    return dt


def _masses(visited: Basins, made: Exchanged) -> dict[int, Mass]:
    """The share of every basin, and its part of the evidence."""
    masses = {}
    for g, share in visited.share.items():
        value, error = made.log_evidence + np.log(share), np.hypot(made.log_evidence_error, visited.error[g] / share)
        masses[g] = Mass(share, visited.error[g], LogIntegral(float(value), float(error), True))
    return masses


def _group(task: Task, made: Exchanged, dt: xr.DataTree) -> xr.Dataset:
    """Rates by rung, round trips by chain; the evidence twice."""
    attrs = {v: getattr(made, v) for v in ("log_evidence", "log_evidence_error", "sweeps")}
    attrs["finished"] = int(made.finished)
    if not task.extended:
        draws = dt["posterior"].to_dataset(), dt["sample_stats"].to_dataset()["lp"]
        bridge = weigh(task.compiled, task.likelihood, {1: draws}, None)[1]
        known = {"bridge_known": int(bridge.established)}
        attrs |= {"bridge": bridge.value, "bridge_error": bridge.standard_error} | known
    return xr.Dataset(
        {
            "power": ("rung", made.powers),
            "rejection": ("rung", np.append(made.rejection, np.nan)),
            "from_prior": ("rung", made.from_prior),
            "moved": ("rung", made.moved),
            "round_trips": ("chain", made.round_trips),
        },
        attrs=attrs,
    )
