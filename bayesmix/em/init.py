"""Where the user lets EM begin: parameters, labels or responsibilities, checked, as parameters of the likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.inputs.containers import by_row
from bayesmix.inputs.covariates import level_text
from bayesmix.inputs.data import Data
from bayesmix.inputs.labels import is_table
from bayesmix.likelihood.known import RULES, SUM_TO_ONE
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

SAME_PLACE = 1e-6
"""Parameters are the mixture's own where going through its free coordinates moves none by more, of the largest."""


def start_from(likelihood: Likelihood, init: Any) -> Params:
    """Parameters to begin at, from what :func:`bayesmix.fit_em` takes as ``init``.

    Raises
    ------
    ValueError
        Naming the parameter or the row, the value, and what it must be.
    """
    if isinstance(init, Mapping | xr.Dataset):
        return _from_parameters(likelihood, {str(name): values for name, values in init.items()})
    values = by_row(init, _rows(likelihood.data), len(likelihood.data), "init")
    table = isinstance(values, pd.DataFrame) or is_table(values, "init")
    r = _responsibilities(likelihood, values) if table else _one_hot(likelihood, values)
    impossible = np.argwhere((r > 0) & np.isneginf(likelihood.evidence))
    if len(impossible):
        i, k = impossible[0]
        row, name = likelihood.data.obs_names[i], likelihood.components[k]
        raise ValueError(f"init: row {row} is begun in {name!r}, which its label excludes")
    begun = likelihood.allocated(r)
    return likelihood.m_step(likelihood.sums(r, begun), begun)


def _rows(data: Data) -> pd.Index:
    """The index by which pandas' rows go: rows without names are counted from 0 there, as users' are."""
    index, plain = data.covariates.index, pd.RangeIndex(len(data))
    return plain if index.astype(str).equals((plain + 1).astype(str)) else index


def _from_parameters(likelihood: Likelihood, given: dict[str, Any]) -> Params:
    for name in given:
        if name not in likelihood.dims:
            raise ValueError(f"init: unknown parameter {name!r}; choose from {', '.join(likelihood.dims)}")
    named = {name: _values(likelihood, name, given[name]) for name in given}
    missing = [v for v, free in likelihood.free.items() if free.any() and v not in named]
    try:
        if missing and not any(v not in likelihood.free for v in named):
            raise KeyError(missing[0])
        params = likelihood.given(named)
        again = likelihood.unpack(likelihood.pack(params))
    except KeyError:
        raise ValueError(f"init: the parameter {missing[0]!r} is missing; got {', '.join(given) or 'none'}") from None
    except np.linalg.LinAlgError:
        raise ValueError("init: a covariance matrix is not positive definite") from None
    implied = likelihood.named(again)
    for name, a in named.items():
        if not np.abs(implied[name] - a).max(initial=0.0) <= SAME_PLACE * (1 + np.abs(a).max(initial=0.0)):
            raise ValueError(
                f"init: {name!r} = {a.tolist()} is not possible in this mixture, or contradicts the other parameters"
            )
    return params


def _values(likelihood: Likelihood, name: str, values: Any) -> np.ndarray:
    """An estimate's array in its dimensions; what names its components and features goes by the names."""
    dims = likelihood.dims[name]
    shape = tuple(len(likelihood.coords[d]) for d in dims)
    if isinstance(values, xr.DataArray):
        if set(values.dims) != set(dims):
            raise ValueError(f"init: {name!r} must have the dimensions {dims}; got {values.dims}")
        for d in dims:
            if d in values.coords and set(values[d].to_numpy()) != set(likelihood.coords[d]):
                raise ValueError(
                    f"init: {name!r} has the {d}s {', '.join(map(str, values[d].to_numpy()))}; must be "
                    f"{', '.join(likelihood.coords[d])}"
                )
        values = values.sel({d: likelihood.coords[d] for d in dims if d in values.coords}).transpose(*dims)
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"init: {name!r} must be numbers; got {values!r}") from None
    if array.shape != shape:
        raise ValueError(f"init: {name!r} must have the shape {shape}, {dims}; got {array.shape}")
    support = next(p.support for p in likelihood.parameters if p.name == name)
    rule, test = RULES.get(support, RULES["real"])
    if not (np.isfinite(array).all() and np.all(test(array))):
        raise ValueError(f"init: {name!r} must {rule}; got {array.tolist()}")
    return array


def _one_hot(likelihood: Likelihood, labels: Any) -> np.ndarray:
    """Responsibilities (n, K) of 0 and 1 from a component for every row, by its name or its number from 0."""
    numbers = {level_text(k): k for k in range(len(likelihood.components))}
    numbers |= {name: k for k, name in enumerate(likelihood.components)}
    components = [numbers.get(level_text(entry), -1) for entry in labels]
    if -1 in components:
        i = components.index(-1)
        raise ValueError(
            f"init: row {likelihood.data.obs_names[i]} must be one of {', '.join(likelihood.components)}, or a number "
            f"from 0 to {len(likelihood.components) - 1}; got {labels[i]!r}"
        )
    return np.eye(len(likelihood.components))[components]


def _responsibilities(likelihood: Likelihood, values: Any) -> np.ndarray:
    """Responsibilities (n, K); the columns of a table go by the components' names."""
    if isinstance(values, pd.DataFrame):
        names = [str(c) for c in values.columns]
        if set(names) == set(likelihood.components):
            values = values.set_axis(names, axis=1)[list(likelihood.components)]
        elif not all(isinstance(c, int) for c in values.columns):
            raise ValueError(f"init: the columns are {', '.join(names)}; must be {', '.join(likelihood.components)}")
    try:
        r, K = np.asarray(values, dtype=float), len(likelihood.components)
    except (TypeError, ValueError):
        raise ValueError("init: responsibilities must be numbers, one column per component") from None
    if r.shape[1] != K:
        raise ValueError(f"init: responsibilities need one column per component, {K}; got {r.shape[1]}")
    wrong = np.flatnonzero(~((r >= 0).all(axis=1) & (abs(r.sum(axis=1) - 1) < SUM_TO_ONE)))
    if len(wrong):
        raise ValueError(
            f"init: responsibilities must be >= 0 and sum to 1; row {likelihood.data.obs_names[wrong[0]]} is "
            f"{r[wrong[0]].tolist()}"
        )
    return r
