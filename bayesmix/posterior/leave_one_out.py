"""Leave-one-out by Pareto-smoothed importance weights."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.posterior.record import Posterior, Record, row_slices
from bayesmix.posterior.responsibilities import array_of


def loo(dt: Posterior) -> xr.Dataset:
    """Pareto-smoothed leave-one-out in blocks of rows (Vehtari et al. 2017, doi:10.1007/s11222-016-9696-4).

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.

    Returns
    -------
    Dataset
        ``elpd``, ``pareto_k`` and ``p``, each (obs); rows with ``pareto_k`` above 0.7 are not estimated well. ``p``, by
        how much a row's log-density is better with itself among the data, sums to the effective number of parameters.
        With labels the density is the joint one of (x, y).

    Raises
    ------
    ValueError
        Where row weights are not 1: leaving a weighted row out is not defined here.
    """
    record = Record.of(dt)
    likelihood = record.likelihood
    if likelihood.data.weighted:
        raise ValueError("loo: is defined for row weights of 1 only")
    draws, tail = estep.Draws(likelihood, record.params), tail_size(record.posterior)
    by_row = np.empty((3, len(likelihood.data)))
    for rows in row_slices(likelihood, draws.size):
        by_row[:, rows] = estep.leave_one_out(draws.pointwise(rows), tail)
    elpd, k, known = by_row
    columns = {"elpd": elpd, "pareto_k": k, "p": known - elpd}
    return xr.Dataset({name: array_of(likelihood, values, ("obs",)) for name, values in columns.items()})


def tail_size(posterior: xr.Dataset) -> int:
    """How many of the S weights of a row are smoothed: 3 sqrt(S / e), S e the mean effective size of the parameters."""
    import arviz as az  # its own import takes a second, which nothing else here needs

    S, share = posterior.sizes["chain"] * posterior.sizes["draw"], 1.0
    if posterior.sizes["chain"] > 1:
        ess = az.ess(posterior, method="mean")
        share = float(np.concatenate([ess[v].to_numpy().ravel() for v in ess.data_vars]).mean()) / S
    return min(int(3 * np.sqrt(S / share)), S - 1) if S * share > 225 else S // 5
