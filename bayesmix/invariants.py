"""Quantities of a draw that do not change when components swap labels: what shows whether chains agree."""

from __future__ import annotations

import arviz as az
import numpy as np
import xarray as xr
from scipy.special import xlogy

from bayesmix import kernels
from bayesmix.families import Family
from bayesmix.predict import stacked

SEPARATED = 1.3
"""Two chains explore different regions where the R-hat of the two, of some invariant quantity, exceeds this."""
WATCHED = 6
SETTLED = 0.01
"""Pairs of rows whose probability to be together moves by less than this over all draws are not watched."""


def invariants(family: Family, posterior: xr.Dataset, lp: xr.DataArray) -> xr.DataArray:
    """Label-invariant quantities of every draw, (chain, draw, scalar).

    log p(x) at six data rows and, for measurements, six midpoints; sum_k r_ik r_jk for six pairs of rows; the entropy
    of the weights; the log-posterior. The rows are the same for every posterior of these data; what does not vary is
    left out.
    """
    rng = np.random.default_rng(0)
    params = stacked(posterior, family)
    probes = family.probes(rng, WATCHED)
    density = kernels.pointwise(family.rebind(probes), params)
    columns = {"log posterior": lp.to_numpy().ravel()}
    columns |= {f"log density at probe {i + 1}": density[:, i] for i in range(len(probes))}
    pairs = rng.choice(len(family.data), (WATCHED, 2))
    first, second = (kernels.responsibilities(family.rebind(family.data.take(rows)), params) for rows in pairs.T)
    together = (first * second).sum(axis=-1)
    open_pairs = np.flatnonzero(np.ptp(together, axis=0) > SETTLED)
    columns |= {"rows {} and {} together".format(*(pairs[m] + 1)): together[:, m] for m in open_pairs}
    if "weights" in params:
        columns["weight entropy"] = -xlogy(params["weights"], params["weights"]).sum(axis=-1)
    varying = {name: v for name, v in columns.items() if np.ptp(v) > 1e-6 * (1 + np.abs(v).max())}
    shape = posterior.sizes["chain"], posterior.sizes["draw"]
    values = np.stack(list(varying.values()), axis=-1).reshape(*shape, -1)
    coords = {d: posterior[d].values for d in ("chain", "draw")} | {"scalar": list(varying)}
    return xr.DataArray(values, dims=("chain", "draw", "scalar"), coords=coords, name="value")


def chain_groups(values: xr.DataArray) -> tuple[int, ...]:
    """A number per chain, 1 for the first's; linked chains share one, chains that no link joins differ."""
    n = values.sizes["chain"]
    group = list(range(n))
    for a in range(n):
        for b in range(a):
            if group[a] != group[b] and not _separated(values.isel(chain=[a, b])):
                group = [group[b] if g == group[a] else g for g in group]
    numbers = {g: i + 1 for i, g in enumerate(dict.fromkeys(group))}
    return tuple(numbers[g] for g in group)


def _separated(pair: xr.DataArray) -> bool:
    """R-hat of two chains; what is constant within both separates them where the constants differ."""
    still = (pair.std("draw") == 0).all("chain").to_numpy()
    if (np.ptp(pair.to_numpy()[:, 0, still], axis=0) > 0).any():
        return True
    moving = pair.isel(scalar=~still).to_dataset(name="value")
    with np.errstate(invalid="ignore", divide="ignore"):
        return bool(az.rhat(moving, method="rank")["value"].max() > SEPARATED)
