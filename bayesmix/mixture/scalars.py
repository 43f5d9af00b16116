"""The free scalars of a mixture, one by one, with the labels that tables show: ``means[component_1, waiting]``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import by_draw


def index_of(likelihood: Likelihood, *, derived: bool = False) -> list[tuple[str, tuple[int, ...], str]]:
    """(variable, index, label) of every free scalar; with ``derived`` also of scalars that follow (rate, zero_prob)."""
    entries = []
    masks: Mapping[str, np.ndarray] = likelihood.free
    coords = likelihood.coords
    for variable, dims in likelihood.dims.items():
        if variable not in masks and not (derived and dims == ()):
            continue
        mask = masks.get(variable, np.ones((), dtype=bool))
        for where in np.argwhere(mask):
            names = [coords[d][i] for d, i in zip(dims, where, strict=True)]
            label = f"{variable}[{', '.join(names)}]" if names else variable
            entries.append((variable, tuple(int(i) for i in where), label))
    return entries


def of_estimate(likelihood: Likelihood, params: xr.Dataset, *, derived: bool = False) -> dict[str, float]:
    """Label -> value, from a Dataset of named estimates."""
    arrays = {v: params[v].transpose(*likelihood.dims[v]).to_numpy() for v in likelihood.dims if v in params}
    return {label: float(arrays[v][where]) for v, where, label in index_of(likelihood, derived=derived)}


def of_posterior(likelihood: Likelihood, posterior: xr.Dataset, *, derived: bool = False) -> xr.DataArray:
    """All free scalars as one array (chain, draw, scalar)."""
    entries = index_of(likelihood, derived=derived)
    arrays: dict[str, Any] = {
        v: posterior[v].transpose("chain", "draw", *likelihood.dims[v]).to_numpy()
        for v in dict.fromkeys(e[0] for e in entries)
    }
    stacked = np.stack([arrays[v][..., *where] for v, where, _ in entries], axis=-1)
    return by_draw(stacked, posterior, {"scalar": [label for *_, label in entries]})


def of_variable(variable: xr.DataArray) -> xr.DataArray:
    """All scalars of a variable that the family does not know, (chain, draw, scalar)."""
    inner = [d for d in variable.dims if d not in ("chain", "draw")]
    values = variable.transpose("chain", "draw", ...).to_numpy()
    named = [variable[d].to_numpy() if d in variable.coords else np.arange(variable.sizes[d]) for d in inner]
    labels = [f"{variable.name}[{', '.join(map(str, where))}]" for where in product(*named)]
    return by_draw(values, variable.to_dataset(), {"scalar": labels if inner else [str(variable.name)]})
