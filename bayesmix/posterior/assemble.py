"""What every posterior carries besides its draws: one labelling, log-likelihoods, the model that it is of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import DRAWN, by_draw, sizes
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.mixture.spec import Mixture
from bayesmix.model.symmetry import refreshed
from bayesmix.parts.part import Params
from bayesmix.posterior.record import row_blocks, stacked
from bayesmix.posterior.relabel import apply, permutations

STORED_BYTES = 64e6
"""The pointwise log-likelihood is stored up to this size."""
PACKAGES = ("bayesmix", "pymc", "pytensor", "nutpie", "arviz", "numpy")


def _log_likelihoods(likelihood: Likelihood, params: Params, *, keep: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """L of every draw, and v_i l_i (draws, n) where kept."""
    n_draws = len(next(iter(params.values())))
    total, pointwise = np.zeros(n_draws), np.empty((n_draws, len(likelihood.data))) if keep else None
    for rows, block in row_blocks(likelihood, n_draws):
        l = estep.pointwise(block, params) * block.row_weights
        total += l.sum(axis=-1)
        if pointwise is not None:
            pointwise[:, rows] = l
    return total, pointwise


def sort_labels(
    dt: xr.DataTree,
    compiled: CompiledModel,
    likelihood: Likelihood,
    exchange: Exchange,
    *,
    where: np.ndarray,
    log_likelihood: bool | str,
) -> xr.DataTree:
    """Relabel to the best draw of every region (``where``: that of each draw) and add log-likelihoods.

    Deterministics that no permutation renews are computed anew; ``log_likelihood``: as for :func:`bayesmix.sample`.
    """
    posterior = dt["posterior"].to_dataset()
    params = stacked(posterior, likelihood)
    n_draws, n = len(next(iter(params.values()))), len(likelihood.data)
    keep = log_likelihood is True or (log_likelihood == "auto" and 8.0 * n_draws * n <= STORED_BYTES)
    total, pointwise = _log_likelihoods(likelihood, params, keep=keep)
    log_likelihood_of_draw = (DRAWN, total.reshape(sizes(posterior)))
    dt["sample_stats"] = xr.DataTree(dt["sample_stats"].to_dataset().assign(log_likelihood=log_likelihood_of_draw))
    if pointwise is not None:
        by_row = by_draw(pointwise, posterior, {"obs": likelihood.data.obs_names}, name="x")
        dt["log_likelihood"] = xr.DataTree(by_row.to_dataset())
    if "component" not in posterior.dims:
        return dt
    order = permutations(posterior, dt["sample_stats"]["lp"].to_numpy(), where, likelihood, "ecr")
    dt = apply(dt, order, method="order" if likelihood.spec.order else "ecr")
    if exchange.stale:
        dt["posterior"] = xr.DataTree(refreshed(compiled, dt["posterior"].to_dataset(), order, exchange.stale))
    return dt


def attributes(spec: Mixture, own: Sequence[str], exchange: Exchange) -> dict[str, Any]:
    """What a posterior remembers of its model: the mixture, what the user added to it, versions."""
    return {
        "spec": json.dumps(spec.to_dict()),
        "versions": json.dumps({name: version(name) for name in PACKAGES}),
        "extension": json.dumps(list(own)),
        "exchange": exchange.to_json(),
    }


def tidy(posterior: xr.Dataset) -> xr.Dataset:
    """Strings as strings: NetCDF has no objects."""
    return posterior.assign_coords(
        {d: posterior[d].astype(str) for d in posterior.coords if posterior[d].dtype == object}
    )


def variables_at(compiled: CompiledModel, x: np.ndarray, drawn: Mapping[str, Any]) -> xr.Dataset:
    """Every variable of the model at points x (chain, draw, n_dim); ``drawn``: the numbers of chains and draws."""
    model = compiled.model
    values = [compiled.values(at) for at in x.reshape(-1, x.shape[-1])]
    variables = {}
    for v in (rv.name for rv in model.unobserved_RVs):
        array = np.stack([at[v] for at in values]).reshape(*x.shape[:2], *np.shape(values[0][v]))
        variables[v] = (
            (*DRAWN, *model.named_vars_to_dims.get(v, [f"{v}_dim_{j}" for j in range(array.ndim - 2)])),
            array,
        )
    used = {d for dims, _ in variables.values() for d in dims}
    named = {d: [str(name) for name in names] for d, names in model.coords.items() if names is not None and d in used}
    return tidy(xr.Dataset(variables, coords=named | {d: np.asarray(drawn[d]) for d in DRAWN}))
