"""Where draws are kept: ``posterior`` holds what varies; variables with constant entries are whole in ``derived``.

Constants have no R-hat, no density and no rank: ArviZ, which is handed ``posterior``, would stumble over them.
"""

from __future__ import annotations

import json

import xarray as xr

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import by_draw
from bayesmix.posterior.record import RAW, Record, stacked

DERIVED = "derived"
LAYOUT = 1
"""The number of this layout, an attribute of every posterior; those before had none."""


def by_variation(dt: xr.DataTree, likelihood: Likelihood) -> xr.DataTree:
    """The posterior without variables that have constant entries, which ``derived`` then holds anew.

    They are computed from the rest, so that permuted or resampled draws have theirs.
    """
    result = dt.copy()
    result.attrs["layout"] = LAYOUT
    if not likelihood.unvarying:
        return result
    for name in ("posterior", RAW + "posterior"):
        if name in dt.children:
            draws = dt[name].to_dataset()
            result[name] = xr.DataTree(draws[[v for v in draws if v not in likelihood.unvarying]])
    result[DERIVED] = xr.DataTree(derived(result["posterior"].to_dataset(), likelihood))
    return result


def derived(posterior: xr.Dataset, likelihood: Likelihood) -> xr.Dataset:
    """The variables with constant entries, (chain, draw, ...), from what varies."""
    named = likelihood.named(stacked(posterior, likelihood))
    coords = {v: {d: likelihood.coords[d] for d in likelihood.dims[v]} for v in likelihood.unvarying}
    return xr.Dataset({v: by_draw(named[v], posterior, own, name=None) for v, own in coords.items()})


def converted(dt: xr.DataTree) -> xr.DataTree:
    """A posterior of an older bayesmix, which kept whole correlation matrices and every constant, in today's layout."""
    if "modes" in dt.children and "group" in dt["modes"]:  # what a region was called
        dt = dt.assign({"modes": xr.DataTree(dt["modes"].to_dataset().rename(group="region"))})
    if dt.attrs.get("layout") == LAYOUT or "family" not in json.loads(dt.attrs["spec"]):
        return dt
    likelihood, result = Record.of(dt).likelihood, dt.copy()
    old = any(name in dt["posterior"] for name in likelihood.unvarying)
    for name, group in dt.children.items():
        held = group.to_dataset()
        renewed = likelihood.family.renewed(held, likelihood.coords)
        if renewed is not held:
            result[name], old = xr.DataTree(renewed), True
    return by_variation(result, likelihood) if old else dt
