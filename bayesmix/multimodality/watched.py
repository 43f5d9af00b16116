"""Quantities of a draw that do not change when components swap labels: what shows whether chains agree."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import arviz as az
import numpy as np
import xarray as xr
from scipy.special import xlogy

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import by_draw
from bayesmix.parts.part import Params
from bayesmix.parts.weights import WEIGHTS
from bayesmix.posterior.record import stacked

SEPARATED = 1.3
"""Two chains explore different regions where the R-hat of the two, of some invariant quantity, exceeds this."""
WATCHED = 6
SETTLED = 0.01
"""Pairs of rows whose probability to be together moves by less than this over all draws are not watched."""
TOGETHER, INSIDE = "together", "in"
LOG_POSTERIOR = "log posterior"


class Watch:
    """Label-invariant quantities of draws under one data set.

    log p(x) at six data rows and, for measurements, six midpoints; sum_k r_ik r_jk for six pairs of rows; the entropy
    of the weights. Where a model tells apart components that are alike to the likelihood, also in which of them six
    rows are: labellings of one grouping are different regions there. The rows are the same in every session.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        rng = np.random.default_rng(0)
        probes = likelihood.family.probes(likelihood, rng, WATCHED)
        self.probes = likelihood.rebind(probes)
        self.pairs = rng.choice(len(likelihood.data), (WATCHED, 2))
        told = likelihood.exchangeable if likelihood.measured is None else likelihood.measured
        finer = len(np.unique(told)) > len(np.unique(likelihood.exchangeable))
        self.told = [np.flatnonzero(told == g) for g in np.unique(told)] if finer else []
        self.names = [" or ".join(likelihood.components[k] for k in members) for members in self.told]
        self.first, self.second = (likelihood.rebind(likelihood.data.take(rows)) for rows in self.pairs.T)

    def __call__(self, params: Params) -> dict[str, np.ndarray]:
        """Every quantity (S,) of draws with one leading dimension."""
        density = estep.pointwise(self.probes, params)
        columns = {f"log density at probe {i + 1}": density[:, i] for i in range(density.shape[1])}
        first, second = (estep.responsibilities(rows, params) for rows in (self.first, self.second))
        together = (first * second).sum(axis=-1)
        columns |= {
            "rows {} and {} {}".format(*(self.pairs[m] + 1), TOGETHER): together[:, m] for m in range(len(self.pairs))
        }
        for members, names in zip(self.told, self.names, strict=True):
            inside = first[..., members].sum(axis=-1)
            columns |= {f"row {row + 1} {INSIDE} {names}": inside[:, m] for m, row in enumerate(self.pairs[:, 0])}
        if WEIGHTS in params:
            columns["weight entropy"] = -xlogy(params[WEIGHTS], params[WEIGHTS]).sum(axis=-1)
        return columns


def invariants(likelihood: Likelihood, posterior: xr.Dataset, lp: xr.DataArray) -> xr.DataArray:
    """The log-posterior and label-free quantities of every draw, (chain, draw, scalar), but those that stand still.

    Rows and pairs of rows that are hardly ever in doubt stand still too.
    """
    columns = {LOG_POSTERIOR: lp.to_numpy().ravel()} | Watch(likelihood)(stacked(posterior, likelihood))

    def moves(name: str, v: np.ndarray) -> bool:
        of_rows = name.endswith(TOGETHER) or f" {INSIDE} " in name
        return bool(np.ptp(v) > (SETTLED if of_rows else 1e-6 * (1 + np.abs(v).max())))

    varying = {name: v for name, v in columns.items() if name == LOG_POSTERIOR or moves(name, v)}
    return by_draw(np.stack(list(varying.values()), axis=-1), posterior, {"scalar": list(varying)})


def chain_groups(values: xr.DataArray) -> tuple[int, ...]:
    """A number per chain, 1 for the first's; linked chains share one, chains that no link joins differ."""
    return joined(values.sizes["chain"], lambda a, b: not separated(values.isel(chain=[a, b])))


def joined(n: int, linked: Callable[[int, int], bool]) -> tuple[int, ...]:
    """A number per item, from 1 in order of appearance; items that a chain of links joins share one.

    ``linked`` is asked about pairs, the larger number first, that nothing has joined yet.
    """
    group = list(range(n))
    for b, a in combinations(range(n), 2):
        if group[a] != group[b] and linked(a, b):
            group = [min(group[a], group[b]) if g in (group[a], group[b]) else g for g in group]
    numbers = {g: i + 1 for i, g in enumerate(dict.fromkeys(group))}
    return tuple(numbers[g] for g in group)


def separated(pair: xr.DataArray) -> bool:
    """R-hat of two chains; what is constant within both separates them where the constants differ."""
    still = (pair.std("draw") == 0).all("chain").to_numpy()
    if (np.ptp(pair.to_numpy()[:, 0, still], axis=0) > 0).any():
        return True
    if still.all():
        return False
    moving = pair.isel(scalar=~still).to_dataset(name="value")
    with np.errstate(invalid="ignore", divide="ignore"):
        return bool(az.rhat(moving, method="rank")["value"].max() > SEPARATED)
