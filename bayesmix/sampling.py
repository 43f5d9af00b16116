"""Draw from the posterior by NUTS: chains spread over the modes, labels sorted out, everything in one DataTree."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import arviz as az
import numpy as np
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
from bayesmix.runner import FEWEST_DRAWS, Runner, assemble, finished, tidy
from bayesmix.spec import Mixture, exchange_groups, resolve
from bayesmix.target import Target

MOST_SCOUTS = 8
SCOUT_DRAWS = 2000
SCOUT_TUNE = 300
STORED_BYTES = 64e6
"""The pointwise log-likelihood is stored up to this size."""
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
    accept: dict[str, Any] = {} if target_accept is None else {"target_accept": target_accept}
    settings |= accept
    spec = resolve(spec, data)
    parts = graph(spec, data)
    if target is None:
        target = Target(build(spec, data) if model is None else model)
    run = Runner(target, cores, seed)
    modes = find_modes(target, parts, spec, run_starts(parts.family, n_starts=n_starts, seed=seed))
    modes, evidence = _scout(run, modes, parts.family, spec, accept)
    assigned = assign_chains(modes, chains)
    raw, drawn = finished(run([modes[i] for i in assigned], progress=progress, **settings))
    assigned = assigned[drawn]
    dt, pivot = _sort_labels(assemble(raw, target.model, data), spec, parts.family, log_likelihood)
    if evidence:
        draws_kept, lp = dt["posterior"].to_dataset(), dt["sample_stats"].to_dataset()["lp"]
        evidence[1] = _local_evidence(target, parts.family, spec, draws_kept, lp, pivot)
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


def _scout(
    run: Runner, modes: list[PosteriorMode], family: Family, spec: Mixture, accept: dict[str, Any]
) -> tuple[list[PosteriorMode], dict[int, Evidence]]:
    """Send a short chain to the largest mode and to every competing one: chains that agree link their modes.

    Returns the modes with their groups, numbered from the largest local evidence down, and those evidences (none where
    all chains agree).
    """
    rivals = competing(modes)[:MOST_SCOUTS]
    if not rivals:
        return modes, {}
    scouted = [0, *rivals]
    draws = max(SCOUT_DRAWS, int(3 * DRAWS_PER_DIMENSION * run.target.n_dim))
    raw = run([modes[i] for i in scouted], draws=draws, tune=SCOUT_TUNE, **accept)
    posterior, lp = tidy(raw["posterior"].to_dataset()), raw["sample_stats"].to_dataset()["logp"]
    group_of_chain = chain_groups(invariants(family, posterior, lp))
    evidence = {}
    if len(set(group_of_chain)) > 1:
        for g in set(group_of_chain):
            chains = [c for c, group in enumerate(group_of_chain) if group == g]
            pivot = modes[scouted[chains[0]]].params
            kept = posterior.isel(chain=chains)
            evidence[g] = _local_evidence(run.target, family, spec, kept, lp.isel(chain=chains), pivot)
    by_size = sorted(
        set(group_of_chain), key=lambda g: -np.nan_to_num(evidence[g].value, nan=-np.inf) if evidence else g
    )
    number = {g: i + 1 for i, g in enumerate(by_size)}
    modes = link(modes, scouted, [number[g] for g in group_of_chain])
    return modes, {number[g]: found for g, found in evidence.items()}


def _local_evidence(
    target: Target, family: Family, spec: Mixture, posterior: xr.Dataset, lp: xr.DataArray, pivot: Params
) -> Evidence:
    """Local evidence of the region that these draws keep to, after relabelling them to the pivot."""
    groups = exchange_groups(spec, family)
    _, agreement, _ = _one_pass(family, stacked(posterior, family), pivot, keep=False)
    order = relabel.best_permutations(agreement, groups).reshape(*lp.shape, -1)
    ordered = relabel.apply(xr.DataTree.from_dict({"posterior": posterior}), order)["posterior"].to_dataset()
    ess = float(az.ess(lp.to_dataset(name="lp"), method="mean")["lp"])
    return local_evidence(target, family, ordered, pivot, groups, min(1.0, ess / lp.size))


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
    log_likelihood: bool | str,
) -> tuple[xr.DataTree, Params]:
    """Relabel to the best draw, which is returned as the pivot, and add log-likelihoods."""
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
        return dt, pivot
    groups = exchange_groups(spec, family)
    if spec.order == "means":
        order = relabel.ascending(params["means"][..., 0], groups)
    else:
        order = relabel.best_permutations(agreement, groups)
    return relabel.apply(dt, order.reshape(*shape, -1)), pivot
