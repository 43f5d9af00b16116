"""Draw from the posterior by NUTS: chains spread over the modes, labels sorted out, everything in one DataTree."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import arviz as az
import numpy as np
import nutpie
import pymc as pm
import xarray as xr

from bayesmix import relabel
from bayesmix.data import Data
from bayesmix.em import canonical_order, reorder, run_starts
from bayesmix.evidence import DRAWS_PER_DIMENSION, Evidence
from bayesmix.families import Family, Params
from bayesmix.invariants import chain_groups, invariants
from bayesmix.kernels import reference
from bayesmix.landscape import (
    PosteriorMode,
    assign_chains,
    competing,
    find_modes,
    link,
    local_evidence,
    modes_dataset,
)
from bayesmix.model import build, graph
from bayesmix.predict import row_blocks, stacked
from bayesmix.spec import Mixture, exchange_groups, resolve
from bayesmix.target import Target

FEWEST_DRAWS = 4
MOST_SCOUTS = 8
SCOUT_DRAWS = 500
SCOUT_TUNE = 300
SCOUT_EFFICIENCY = 0.5
"""Effective draws per draw that a scout is taken to have."""
STORED_BYTES = 64e6
"""The pointwise log-likelihood is stored up to this size."""
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
PACKAGES = ("bayesmix", "pymc", "pytensor", "nutpie", "arviz", "numpy")


def sample(
    spec: Mixture,
    data: Data,
    *,
    model: pm.Model | None = None,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float | None = None,
    seed: int = 1,
    n_starts: int = 20,
    log_likelihood: bool | str = "auto",
    progress: bool = True,
    target: Target | None = None,
) -> xr.DataTree:
    """Sample the posterior of a mixture with NUTS (nutpie).

    Each chain has its own start. EM runs from many starts; from each of its solutions the log-posterior is climbed to
    a mode; half of the chains begin around the mode with the largest (Laplace) mass, the others around its competitors
    where there are any. After sampling the labels are sorted out: each draw's components are permuted to agree with
    the allocation at the best draw (or sorted, with ``order="means"``); labelled classes stay.

    Parameters
    ----------
    spec, data
        The mixture and what was observed.
    model : pymc.Model, optional
        The user's own extension of :func:`bayesmix.build`'s model.
    draws, tune : int
        Kept draws and warm-up draws per chain.
    chains, cores : int
        Number of chains, and how many run at once (by default all that the machine has).
    target_accept : float, optional
        NUTS' target acceptance rate; 0.8 by default.
    seed : int
        Same seed, same draws, for any number of cores.
    n_starts : int
        EM starts from which modes are sought.
    log_likelihood : {"auto", True, False}
        Store the pointwise log-likelihood; "auto": up to 64 MB.
    progress : bool
        Show a progress bar.
    target : Target, optional
        ``model`` compiled before, to sample again without compiling.

    Returns
    -------
    DataTree
        ``posterior``, ``sample_stats`` (with ``log_likelihood``, the sum over rows), ``observed_data``,
        ``constant_data``, ``input`` (the data as given), ``relabelling`` (the permutation of each draw), ``modes``,
        ``log_likelihood``. Attributes: ``spec`` as JSON, seed, settings, versions. Interrupted by Ctrl-C, it holds the
        draws there are and says so in ``attrs["interrupted"]``.

    Raises
    ------
    ValueError
        Where an argument is impossible, naming it.
    """
    settings: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains}
    _check(settings, target_accept, log_likelihood)
    settings |= {} if target_accept is None else {"target_accept": target_accept}
    spec = resolve(spec, data)
    parts = graph(spec, data)
    if target is None:
        target = Target(build(spec, data) if model is None else model)
    run = Runner(target, cores, seed)
    modes = find_modes(target, parts, spec, run_starts(parts.family, n_starts=n_starts, seed=seed))
    modes, scouts = _scout(run, modes, parts.family)
    assigned = assign_chains(modes, chains)
    raw, drawn = _finished(run([modes[i] for i in assigned], progress=progress, **settings))
    assigned = assigned[drawn]
    dt = _assemble(raw, target.model, data)
    dt, evidence = _sort_labels(dt, spec, parts.family, target, log_likelihood, scouts)
    dt["modes"] = xr.DataTree(modes_dataset(modes, parts.family, spec, assigned, evidence))
    dt.attrs |= {
        "spec": json.dumps(spec.to_dict()),
        "settings": json.dumps(settings | {"seed": seed, "n_starts": n_starts}),
        "seed": seed,
        "versions": json.dumps({name: version(name) for name in PACKAGES}),
        "extended_model": int(model is not None),
        "interrupted": int(dt["posterior"].sizes["draw"] < draws or len(assigned) < chains),
    }
    return dt


def _check(settings: dict[str, int], target_accept: float | None, log_likelihood: bool | str) -> None:
    for name, value in settings.items():
        least = {"tune": 0, "draws": FEWEST_DRAWS}.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name}: must be a whole number >= {least}; got {value!r}")
    if target_accept is not None and not 0 < target_accept < 1:
        raise ValueError(f"target_accept: must lie between 0 and 1; got {target_accept!r}")
    if log_likelihood not in ("auto", True, False):
        raise ValueError(f"log_likelihood: must be 'auto', True or False; got {log_likelihood!r}")


@dataclasses.dataclass(frozen=True)
class Runner:
    """nutpie on one compiled model, each chain with a mode of its own to begin at."""

    target: Target
    cores: int | None
    seed: int

    def __call__(self, begin: Sequence[PosteriorMode], *, progress: bool = False, **settings: Any) -> xr.DataTree:
        """Draw ``len(begin)`` chains.

        nutpie calls the start function once per chain with a seed of that chain, in no fixed order where chains run
        at once; a run of a few draws on one core lists the seeds in the order of the chains.
        """
        seeds: list[int] = []

        def listing(chain_seed: int) -> np.ndarray:
            seeds.append(chain_seed)
            return begin[0].jittered(np.random.default_rng(chain_seed))

        def own(chain_seed: int) -> np.ndarray:
            chain = seeds.index(chain_seed) if chain_seed in seeds else 0
            return begin[chain].jittered(np.random.default_rng(chain_seed))

        shared = {"seed": self.seed, "save_warmup": False, "chains": len(begin)}
        first = dataclasses.replace(self.target.compiled, initial_point_func=listing)
        nutpie.sample(first, draws=2 * len(begin), tune=1, cores=1, progress_bar=False, **shared)
        compiled = dataclasses.replace(self.target.compiled, initial_point_func=own)
        return nutpie.sample(compiled, cores=self.cores, progress_bar=progress, **(settings | shared))


def _scout(
    run: Runner, modes: list[PosteriorMode], family: Family
) -> tuple[list[PosteriorMode], dict[int, tuple[PosteriorMode, xr.Dataset]]]:
    """Send a short chain to the largest mode and to every competing one: chains that agree link their modes.

    Returns the modes with their groups, and for every group but the first its largest mode and the draws kept there.
    """
    rivals = competing(modes)[:MOST_SCOUTS]
    if not rivals:
        return modes, {}
    scouted = [0, *rivals]
    draws = max(SCOUT_DRAWS, int(3 * DRAWS_PER_DIMENSION * run.target.n_dim))
    raw = run([modes[i] for i in scouted], draws=draws, tune=SCOUT_TUNE)
    posterior = _tidy(raw["posterior"].to_dataset())
    groups = chain_groups(invariants(family, posterior, raw["sample_stats"]["logp"]))
    modes = link(modes, scouted, groups)
    kept = {}
    for g in sorted(set(groups) - {1}):
        chains = [c for c, group in enumerate(groups) if group == g]
        kept[g] = (modes[scouted[chains[0]]], posterior.isel(chain=chains))
    return modes, kept


def _finished(raw: xr.DataTree) -> tuple[xr.DataTree, np.ndarray]:
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


def _tidy(posterior: xr.Dataset) -> xr.Dataset:
    """Strings as strings: NetCDF has no objects."""
    return posterior.assign_coords({d: posterior[d].astype(str) for d in posterior.coords if posterior[d].dtype == object})


def _data_groups(model: pm.Model) -> dict[str, xr.Dataset]:
    """observed_data and constant_data, as PyMC's own sampler adds them."""
    observed = {rv.name: model.rvs_to_values[rv] for rv in model.observed_RVs}
    constant = {data.name: data for data in model.data_vars}
    groups = {}
    for group, variables in (("observed_data", observed), ("constant_data", constant)):
        arrays, coords = {}, {}
        for name, variable in variables.items():
            values = variable.get_value() if hasattr(variable, "get_value") else variable.eval()
            dims = model.named_vars_to_dims.get(name, tuple(f"{name}_dim_{j}" for j in range(values.ndim)))
            arrays[name] = (dims, values)
            coords |= {d: [str(c) for c in model.coords[d]] for d in dims if model.coords.get(d) is not None}
        groups[group] = xr.Dataset(arrays, coords=coords)
    return groups


def _assemble(raw: xr.DataTree, model: pm.Model, data: Data) -> xr.DataTree:
    """nutpie's groups, tidied, with the data."""
    statistics = raw["sample_stats"].to_dataset()
    kept = {old: new for old, new in STATISTICS.items() if old in statistics}
    groups = {
        "posterior": _tidy(raw["posterior"].to_dataset()),
        "sample_stats": statistics[list(kept)].rename(kept),
        "input": data.to_dataset(),
    }
    return xr.DataTree.from_dict(groups | _data_groups(model))


def _one_pass(
    family: Family, params: Params, pivot: Params, *, keep: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Over the rows once: L of every draw, its agreement with the pivot (draws, K, K), and v_i l_i where kept."""
    n_draws, K = len(next(iter(params.values()))), len(family.components)
    total, agreement = np.zeros(n_draws), np.zeros((n_draws, K, K))
    pointwise = np.empty((n_draws, len(family.data))) if keep else None
    for rows, block in row_blocks(family, n_draws):
        l, r = reference.both(block, params)
        l = l * block.row_weights
        q = reference.responsibilities(block, pivot) * block.row_weights[:, None]
        total += l.sum(axis=-1)
        agreement += np.einsum("snk,nj->skj", r, q, optimize=True)
        if pointwise is not None:
            pointwise[:, rows] = l
    return total, agreement, pointwise


def _sort_labels(
    dt: xr.DataTree,
    spec: Mixture,
    family: Family,
    target: Target,
    log_likelihood: bool | str,
    scouts: dict[int, tuple[PosteriorMode, xr.Dataset]],
) -> tuple[xr.DataTree, dict[int, Evidence]]:
    """Relabel to the best draw, add log-likelihoods, and weigh the groups of modes where there are several."""
    posterior = dt["posterior"].to_dataset()
    params = stacked(posterior, family)
    n_draws, n = len(next(iter(params.values()))), len(family.data)
    pivot = {v: a[int(np.argmax(dt["sample_stats"]["lp"].to_numpy()))] for v, a in params.items()}
    pivot = reorder(family, pivot, canonical_order(spec, family, family.named(pivot)))
    keep = log_likelihood is True or (log_likelihood == "auto" and 8.0 * n_draws * n <= STORED_BYTES)
    total, agreement, pointwise = _one_pass(family, params, pivot, keep=keep)
    shape = posterior.sizes["chain"], posterior.sizes["draw"]
    statistics = dt["sample_stats"].to_dataset().assign(log_likelihood=(("chain", "draw"), total.reshape(shape)))
    dt["sample_stats"] = xr.DataTree(statistics)
    if pointwise is not None:
        coords = {d: posterior[d].values for d in ("chain", "draw")} | {"obs": list(family.data.obs_names)}
        values = (("chain", "draw", "obs"), pointwise.reshape(*shape, n))
        dt["log_likelihood"] = xr.DataTree(xr.Dataset({"x": values}, coords=coords))
    if "component" not in posterior.dims:
        return dt, {}
    groups = exchange_groups(spec, family)
    if spec.order == "means":
        order = relabel.ascending(params["means"][..., 0], groups)
    else:
        order = relabel.best_permutations(agreement, groups)
    dt = relabel.apply(dt, order.reshape(*shape, -1))
    return dt, _weigh(dt, pivot, spec, family, target, scouts)


def _weigh(
    dt: xr.DataTree,
    pivot: Params,
    spec: Mixture,
    family: Family,
    target: Target,
    scouts: dict[int, tuple[PosteriorMode, xr.Dataset]],
) -> dict[int, Evidence]:
    """Local evidence of every group of modes that chains do not cross between; nothing where there is one group."""
    if not scouts:
        return {}
    groups = exchange_groups(spec, family)
    posterior = dt["posterior"].to_dataset()
    ess = float(az.ess(dt["sample_stats"].to_dataset()[["lp"]], method="mean")["lp"])
    efficiency = min(1.0, ess / (posterior.sizes["chain"] * posterior.sizes["draw"]))
    found = {1: local_evidence(target, family, posterior, pivot, groups, efficiency)}
    for group, (mode, draws) in scouts.items():
        params = stacked(draws, family)
        _, agreement, _ = _one_pass(family, params, mode.params, keep=False)
        order = relabel.best_permutations(agreement, groups).reshape(draws.sizes["chain"], draws.sizes["draw"], -1)
        ordered = relabel.apply(xr.DataTree.from_dict({"posterior": draws}), order)["posterior"].to_dataset()
        found[group] = local_evidence(target, family, ordered, mode.params, groups, SCOUT_EFFICIENCY)
    return found
