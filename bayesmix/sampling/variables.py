"""Unconstrained points as draws of every variable of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import Target
from bayesmix.sampling.nutpie import tidy

DRAWN = ("chain", "draw")


def variables_at(target: Target, x: np.ndarray, drawn: Mapping[str, Any]) -> xr.Dataset:
    """Every variable of the model at points x (chain, draw, n_dim); ``drawn``: the numbers of chains and draws."""
    model = target.model
    values = [target.values(at) for at in x.reshape(-1, x.shape[-1])]
    found = {}
    for v in (rv.name for rv in model.unobserved_RVs):
        array = np.stack([at[v] for at in values]).reshape(*x.shape[:2], *np.shape(values[0][v]))
        found[v] = ((*DRAWN, *model.named_vars_to_dims.get(v, [f"{v}_dim_{j}" for j in range(array.ndim - 2)])), array)
    used = {d for dims, _ in found.values() for d in dims}
    named = {d: [str(name) for name in names] for d, names in model.coords.items() if names is not None and d in used}
    return tidy(xr.Dataset(found, coords=named | {d: np.asarray(drawn[d]) for d in DRAWN}))
