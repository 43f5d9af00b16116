"""Draw from the posterior by NUTS: chains spread over the modes, labels sorted out, everything in one DataTree."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr

from bayesmix import relabel
from bayesmix.model import build, graph
from bayesmix.data import Data
from bayesmix.em import run_starts
from bayesmix.families import Family
from bayesmix.kernels import reference
from bayesmix.predict import params_of, row_blocks
from bayesmix.spec import Mixture, exchange_groups, resolve
from bayesmix.starts import assign_chains, find_modes, modes_dataset
from bayesmix.target import Target

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
    settings = {"draws": draws, "tune": tune, "chains": chains}
    _check(settings, target_accept, log_likelihood)
    spec = resolve(spec, data)
    parts = graph(spec, data)
    if target is None:
        target = Target(build(spec, data) if model is None else model)
    modes = find_modes(target, parts, spec, run_starts(parts.family, n_starts=n_starts, seed=seed))
    assigned = assign_chains(modes, chains)

    def start(chain: int, rng: np.random.Generator) -> np.ndarray:
        return modes[assigned[chain]].jittered(rng)

    accept = {} if target_accept is None else {"target_accept": target_accept}
    raw = _draw(target, start, settings | accept, cores, seed, progress)
    posterior = raw["posterior"].to_dataset()
    statistics = raw["sample_stats"].to_dataset()
    kept = {old: new for old, new in STATISTICS.items() if old in statistics}
    interrupted = posterior.sizes["draw"] < draws
    dt = xr.DataTree.from_dict(
        {
            "posterior": _tidy(posterior),
            "sample_stats": statistics[list(kept)].rename(kept),
            "modes": modes_dataset(modes, parts, spec, assigned),
            "input": data.to_dataset(),
        }
        | _data_groups(target.model)
    )
    dt.attrs |= {
        "spec": json.dumps(spec.to_dict()),
        "settings": json.dumps(settings | accept | {"seed": seed, "n_starts": n_starts}),
        "seed": seed,
        "versions": json.dumps({name: version(name) for name in PACKAGES}),
        "extended_model": int(model is not None),
        "interrupted": int(interrupted),
    }
    return _finish(dt, spec, parts.family, log_likelihood)


def _check(settings: dict[str, int], target_accept: float | None, log_likelihood: bool | str) -> None:
    for name, value in settings.items():
        least = 0 if name == "tune" else 4 if name == "draws" else 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name}: must be a whole number >= {least}; got {value!r}")
    if target_accept is not None and not 0 < target_accept < 1:
        raise ValueError(f"target_accept: must lie between 0 and 1; got {target_accept!r}")
    if log_likelihood not in ("auto", True, False):
        raise ValueError(f"log_likelihood: must be 'auto', True or False; got {log_likelihood!r}")


def _draw(
    target: Target,
    start: Callable[[int, np.random.Generator], np.ndarray],
    settings: dict[str, Any],
    cores: int | None,
    seed: int,
    progress: bool,
) -> xr.DataTree:
    """Run nutpie with each chain at its own start.

    nutpie calls the start function once per chain with a seed of that chain, in no fixed order where chains run at
    once; a one-draw run on one core lists the seeds in the order of the chains.
    """
    seeds: list[int] = []

    def listing(chain_seed: int) -> np.ndarray:
        seeds.append(chain_seed)
        return start(0, np.random.default_rng(0))

    def own(chain_seed: int) -> np.ndarray:
        chain = seeds.index(chain_seed) if chain_seed in seeds else 0
        return start(chain, np.random.default_rng(chain_seed))

    shared = {"seed": seed, "save_warmup": False}
    first = dataclasses.replace(target.compiled, initial_point_func=listing)
    nutpie.sample(first, draws=8, tune=1, chains=settings["chains"], cores=1, progress_bar=False, **shared)
    compiled = dataclasses.replace(target.compiled, initial_point_func=own)
    return nutpie.sample(compiled, cores=cores, progress_bar=progress, **settings, **shared)


def _tidy(posterior: xr.Dataset) -> xr.Dataset:
    """Strings as strings: NetCDF has no objects."""
    coords = {d: posterior[d].astype(str) for d in posterior.coords if posterior[d].dtype == object}
    return posterior.assign_coords(coords)


def _data_groups(model: pm.Model) -> dict[str, xr.Dataset]:
    """observed_data and constant_data, as PyMC's own sampler adds them."""
    groups: dict[str, dict[str, Any]] = {"observed_data": {}, "constant_data": {}}
    used: set[str] = set()
    for group, variables in (
        ("observed_data", [(v.name, model.rvs_to_values[v]) for v in model.observed_RVs]),
        ("constant_data", [(v.name, v) for v in model.data_vars]),
    ):
        for name, variable in variables:
            shared = variable if hasattr(variable, "get_value") else model[f"{name}_data"]
            dims = model.named_vars_to_dims.get(name, tuple(f"{name}_dim_{j}" for j in range(shared.ndim)))
            groups[group][name] = (dims, shared.get_value())
            used |= set(dims)
    coords = {d: [str(c) for c in model.coords[d]] for d in used if model.coords.get(d) is not None}
    return {
        group: xr.Dataset(v, coords={d: c for d, c in coords.items() if any(d in dims for dims, _ in v.values())})
        for group, v in groups.items()
    }


def _finish(dt: xr.DataTree, spec: Mixture, family: Family, log_likelihood: bool | str) -> xr.DataTree:
    """Pointwise log-likelihoods and the relabelling, in one pass over the rows."""
    sizes = dt["posterior"].sizes
    shape = (sizes["chain"], sizes["draw"])
    n_draws, n, K = shape[0] * shape[1], len(family.data), len(family.components)
    params = params_of(dt, family)
    best = int(np.argmax(dt["sample_stats"]["lp"].to_numpy()))
    pivot = {v: a[best] for v, a in params.items()}
    keep = log_likelihood is True or (log_likelihood == "auto" and 8.0 * n_draws * n <= STORED_BYTES)
    pointwise = np.empty((n_draws, n)) if keep else None
    total, agreement = np.zeros(n_draws), np.zeros((n_draws, K, K))
    for rows, block in row_blocks(family, n_draws):
        log_joint = block.log_joint(params)
        q = reference.responsibilities(block, pivot) * block.row_weights[:, None]
        top = log_joint.max(axis=-1, keepdims=True)
        r = np.exp(log_joint - top)
        norm = r.sum(axis=-1, keepdims=True)
        l = (np.log(norm) + top)[..., 0] * block.row_weights
        total += l.sum(axis=-1)
        agreement += np.einsum("snk,nj->skj", r / norm, q, optimize=True)
        if pointwise is not None:
            pointwise[:, rows] = l
    coords = {d: dt["posterior"][d].values for d in ("chain", "draw")}
    dt["sample_stats"] = xr.DataTree(
        dt["sample_stats"].to_dataset().assign(log_likelihood=(("chain", "draw"), total.reshape(shape)))
    )
    if pointwise is not None:
        values = (("chain", "draw", "obs"), pointwise.reshape(*shape, n))
        dt["log_likelihood"] = xr.DataTree(
            xr.Dataset({"x": values}, coords=coords | {"obs": list(family.data.obs_names)})
        )
    return _relabelled(dt, spec, family, agreement, pivot)


def _relabelled(
    dt: xr.DataTree, spec: Mixture, family: Family, agreement: np.ndarray, pivot: dict[str, np.ndarray]
) -> xr.DataTree:
    if "component" not in dt["posterior"].dims:
        return dt
    from bayesmix.em import canonical_order

    groups = exchange_groups(spec, family)
    shape = tuple(dt["posterior"].sizes[d] for d in ("chain", "draw"))
    if spec.order == "means":
        means = params_of(dt, family)["means"][..., 0]
        order = relabel.ascending(means, groups)
    else:
        order = relabel.best_permutations(agreement, groups)[:, canonical_order(spec, family, family.named(pivot))]
    return relabel.apply(dt, order.reshape(*shape, -1))
