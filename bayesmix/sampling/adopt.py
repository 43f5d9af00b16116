"""Draws that were made elsewhere, by ``pm.sample`` on the built model, as a posterior of bayesmix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pymc as pm
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.inputs.data import Data
from bayesmix.mixture.draws import DRAWN
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.model.build import graph, model_of
from bayesmix.model.symmetry import measure
from bayesmix.multimodality.maxima import Climber, PosteriorMode
from bayesmix.multimodality.table import modes_dataset
from bayesmix.posterior.assemble import attributes, sort_labels, variables_at
from bayesmix.posterior.varying import by_variation
from bayesmix.sampling.nutpie import STATISTICS, data_groups
from bayesmix.sampling.sample import check_model

NEEDED = ("diverging", "energy", "tree_depth")
"""Sums of NUTS without which nothing can be said of the sampler."""
SAME_POSTERIOR = 1e-6
"""How far log-posteriors of one draw may differ, of 1 + |lp|."""
DEEPEST_TREE = 10
"""The largest tree depth, by default, of every NUTS that PyMC calls."""


def adopt(
    idata: xr.DataTree, spec: Mixture, data: Data, *, model: pm.Model | None = None, log_likelihood: bool | str = "auto"
) -> xr.DataTree:
    """Make a posterior of bayesmix of draws that NUTS made elsewhere on the model of :func:`bayesmix.build`.

    Labels are sorted out, log-likelihoods added, and everything that reads a posterior of :func:`bayesmix.sample` reads
    the result. Its modes are those above the draws: others were not sought, which :func:`bayesmix.diagnose` notes.

    Parameters
    ----------
    idata : DataTree
        What ``pm.sample`` returned, by PyMC's own NUTS, nutpie or NumPyro: groups ``posterior`` (every free variable
        of the model) and ``sample_stats``.
    spec, data
        The mixture and the rows that the model was built of.
    model : pymc.Model, optional
        The model itself, where it is an extension of :func:`bayesmix.build`'s.
    log_likelihood : {"auto", True, False}
        As for :func:`bayesmix.sample`.

    Returns
    -------
    DataTree
        As of :func:`bayesmix.sample`; ``attrs["adopted"]`` is 1.

    Raises
    ------
    ValueError
        Where ``idata`` lacks a group, a free variable or statistics of NUTS, naming them; where shapes, rows, priors or
        the log-posterior are not those of this model.

    Examples
    --------
    >>> import bayesmix as bm, pymc as pm
    >>> spec, data = bm.load("old_faithful")
    >>> with bm.build(spec, data):  # doctest: +SKIP
    ...     idata = pm.sample(nuts_sampler="nutpie")
    >>> dt = bm.adopt(idata, spec, data)  # doctest: +SKIP
    >>> bm.diagnose(dt).ok  # doctest: +SKIP
    """
    groups = _groups(idata)
    parts = graph(resolved(spec, data))
    model = model_of(parts) if model is None else model
    check_model(model, parts)
    ours = parts.start(parts.likelihood.initial(parts.likelihood.start_kinds[-1], np.random.default_rng(0)))
    free = _free(groups["posterior"], model, ours)
    statistics = _statistics(groups["sample_stats"])
    stored = data.with_covariates(parts.likelihood.covariates)
    held = data_groups(model, stored)
    _check_data(groups, held)
    compiled = CompiledModel(model)
    x = _rows(compiled, free)
    lp = np.apply_along_axis(lambda at: compiled.log_density(at)[0], -1, x)
    _check_log_posterior(groups["sample_stats"], lp)
    made = {
        "posterior": variables_at(compiled, x, {d: free[d] for d in DRAWN}),
        "sample_stats": statistics.assign(lp=(DRAWN, lp)),
    }
    best = [x[c, s] for c, s in enumerate(lp.argmax(axis=1))]
    exchange = measure(compiled, parts, [Climber(compiled, parts).at(at).params for at in best])
    parts = parts.over(parts.likelihood.with_measured(exchange.groups))
    dt = xr.DataTree.from_dict(made | held)
    where = np.ones(lp.shape, dtype=int)
    dt = sort_labels(dt, compiled, parts.likelihood, exchange, where=where, log_likelihood=log_likelihood)
    modes, start = _modes(Climber(compiled, parts), best)
    dt["modes"] = xr.DataTree(modes_dataset(modes, parts.likelihood, {}, start))
    dt = by_variation(dt, parts.likelihood)
    own = [rv.name for rv in model.free_RVs if rv.name not in ours]
    dt.attrs |= attributes(parts.likelihood.spec, own, exchange) | {
        "settings": json.dumps({"draws": lp.shape[1], "chains": lp.shape[0]}),
        "seed": 1,
        "extended_model": int(bool(own) or bool(model.potentials) or len(model.observed_RVs) > 1),
        "interrupted": 0,
        "adopted": 1,
    }
    return dt


def _groups(idata: xr.DataTree) -> dict[str, xr.Dataset]:
    if not isinstance(idata, xr.DataTree):
        raise ValueError(f"idata: must be what pm.sample returns, a DataTree; got a {type(idata).__name__}")
    missing = [name for name in ("posterior", "sample_stats") if name not in idata.children]
    if missing:
        raise ValueError(f"idata: has no group {' and no group '.join(missing)}; it has {', '.join(idata.children)}")
    return {name: group.to_dataset() for name, group in idata.children.items()}


def _free(posterior: xr.Dataset, model: pm.Model, ours: Mapping[str, np.ndarray]) -> xr.Dataset:
    """The draws of the free variables, in the dimensions of the model."""
    names = [rv.name for rv in model.free_RVs]
    missing = [v for v in names if v not in posterior]
    if missing:
        raise ValueError(
            f"idata: its posterior lacks {', '.join(missing)}; the free variables of this model are {', '.join(names)}"
        )
    variables = {}
    for v in names:
        array = posterior[v].transpose("chain", "draw", ...)
        dims = model.named_vars_to_dims.get(v, array.dims[2:])
        if set(dims) == set(array.dims[2:]):
            array = array.transpose("chain", "draw", *dims)
        if v in ours and array.shape[2:] != ours[v].shape:
            raise ValueError(f"idata: {v} has shape {array.shape[2:]} in every draw; must be {dims} = {ours[v].shape}")
        for d in set(dims) & set(array.coords) & set(model.coords):
            wanted, given = ([str(name) for name in of] for of in (model.coords[d] or (), array[d].to_numpy()))
            if wanted and wanted != given:
                raise ValueError(f"idata: its {d}s are {', '.join(given)}; those of spec and data {', '.join(wanted)}")
        if not np.isfinite(array).all():
            raise ValueError(f"idata: {v} is not finite in some draws")
        variables[v] = ((*DRAWN, *dims), array.to_numpy())
    return xr.Dataset(variables, coords={d: posterior[d].to_numpy() for d in DRAWN})


def _statistics(given: xr.Dataset) -> xr.Dataset:
    """The sampler's statistics under the names that are ArviZ's."""
    renamed = {old: new for old, new in STATISTICS.items() if old in given and new not in given}
    kept = given.rename(renamed)
    missing = [name for name in NEEDED if name not in kept]
    if missing:
        raise ValueError(
            f"idata: its sample_stats lack {', '.join(missing)}; draws of NUTS are needed, by pm.sample or nutpie"
        )
    depth = kept["tree_depth"]
    more = {"reached_max_treedepth": depth >= DEEPEST_TREE, "n_steps": 2.0**depth - 1}
    kept = kept.assign({name: values for name, values in more.items() if name not in kept})
    return kept[[name for name in STATISTICS.values() if name in kept and name != "lp"]].transpose(*DRAWN)


def _check_data(groups: Mapping[str, xr.Dataset], held: Mapping[str, xr.Dataset]) -> None:
    """Rows, labels, weights and numbers of priors, as far as the draws carry them."""
    for group in ("observed_data", "constant_data"):
        for name in sorted({str(v) for v in groups.get(group, ())} & {str(v) for v in held[group]}):
            given, wanted = (np.asarray(of[group][name], dtype=float) for of in (groups, held))
            if given.shape != wanted.shape or not np.allclose(given, wanted, rtol=1e-12, atol=0, equal_nan=True):
                raise ValueError(f"idata: was drawn with another {name} ({group}) than spec and data have")


def _rows(compiled: CompiledModel, free: xr.Dataset) -> np.ndarray:
    """Unconstrained vectors, (chain, draw, n_dim)."""
    draws = {v: a.to_numpy() for v, a in free.items()}
    shape = free.sizes["chain"], free.sizes["draw"]
    rows = [compiled.start({str(v): a[at] for v, a in draws.items()}) for at in np.ndindex(shape)]
    return np.array(rows).reshape(*shape, -1)


def _check_log_posterior(given: xr.Dataset, lp: np.ndarray) -> None:
    """PyMC's and nutpie's own log-posterior must be that of the model; NumPyro's is on another scale."""
    name = next((name for name in ("lp", "logp") if name in given), None)
    if name is None or given.attrs.get("inference_library") not in ("pymc", "nutpie"):
        return
    apart = np.abs(given[name].transpose(*DRAWN).to_numpy() - lp) / (1 + np.abs(lp))
    if not apart.max() < SAME_POSTERIOR:
        raise ValueError(
            "idata: its log-posterior is not that of the model of spec and data: the draws are of other priors, other "
            "rows or an extension of the model, which model= would have to be"
        )


def _modes(climber: Climber, best: list[np.ndarray]) -> tuple[list[PosteriorMode], np.ndarray]:
    """The maxima above the best draw of every chain, and which of them is whose: one region, as far as is known."""
    ends = [climber.climb(x) or climber.at(x) for x in best]
    modes = sorted(climber.merge([], ends), key=lambda mode: -mode.log_mass)
    nearest = [min(range(len(modes)), key=lambda i: abs(modes[i].log_posterior - end.log_posterior)) for end in ends]
    return [replace(mode, region=1) for mode in modes], np.array(nearest)
