"""What the prior expects before any data, and how much it matters after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.mixture.draws import by_draw, numbers
from bayesmix.mixture.prior_density import log_prior
from bayesmix.mixture.simulate import data_sets
from bayesmix.parts.part import Params
from bayesmix.posterior.co_clustering import taken
from bayesmix.posterior.record import Posterior, Record

SENSITIVE = 0.05
"""A posterior that moves by more than this, per doubling of the power, is sensitive (Kallioinen et al. 2024)."""
DATA_SETS = 200
REPLICATED_ROWS = 2000
"""Data sets from the prior have so many of the rows, evenly spaced, where there are more."""
"""Variables whose sensitivity is not asked for."""


@dataclass(frozen=True, eq=False)
class PriorPredictive:
    """Data sets that the prior expects.

    ``likelihood``: bound to the rows that they have. ``params``: one draw each, (draws, ...). ``x``: (draws, rows,
    n_features), in the units of the data.
    """

    likelihood: Likelihood
    params: Params
    x: np.ndarray


def prior_data_sets(likelihood: Likelihood, *, seed: int = 1) -> PriorPredictive:
    """200 data sets from a resolved prior, with the covariates and labels of at most 2,000 rows.

    Raises
    ------
    ValueError
        Where rows carry weights, and as :func:`bayesmix.mixture.simulate.parameters_from_prior`.
    """
    rows = likelihood.evenly(REPLICATED_ROWS)
    return PriorPredictive(rows, *data_sets(rows, DATA_SETS, seed=seed))


def sensitivity(dt: Posterior, rows: Sequence[int] | np.ndarray = ()) -> pd.DataFrame:
    """How far the posterior moves when prior or likelihood count for a little more or less.

    Prior (or likelihood) is raised to the powers 0.99 and 1.01 by Pareto-smoothed importance weights; the cumulative
    Jensen-Shannon distance that a quantity's distribution moves is scaled to a doubling of the power (Kallioinen et al.
    2024, doi:10.1007/s11222-023-10366-5). Only the sums of log-prior and log-likelihood enter, so n rows cost no more
    than one. The density of correlations is that of the matrix.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.
    rows : sequence of int
        Positions of rows whose responsibilities are asked about, each of its most probable component.

    Returns
    -------
    DataFrame
        One row per weight, mean or coefficient, and per row asked about; columns ``prior`` and ``likelihood``.
        ``prior`` above 0.05: the prior matters. Then ``likelihood`` above 0.05 says that the two pull in different
        directions or the prior is informative; below it, that the data say little.

    Raises
    ------
    ValueError
        For a user's extension of the model, whose priors are not those of the mixture; for rows that are not there.
    """
    record = Record.of(dt)
    likelihood, posterior, dt = record.likelihood, record.posterior, record.dt
    if dt.attrs.get("extended_model"):
        raise ValueError("sensitivity: the posterior is of the user's extension of the model, not of the mixture")
    values = scalars.of_posterior(likelihood, posterior)
    nuisance = tuple(f"{p.name}[" for p in likelihood.parameters if p.nuisance)
    wanted = [not str(name).startswith(nuisance) for name in values["scalar"].values]
    values = xr.concat([values.isel(scalar=wanted), _responsibilities(record, rows)], dim="scalar")
    prior = log_prior(likelihood.spec, likelihood.named(record.params))
    tree = xr.DataTree.from_dict(
        {
            "posterior": values.to_dataset(name="value"),
            "log_prior": by_draw(prior, posterior, {}, name="prior").to_dataset(),
            "log_likelihood": xr.Dataset({"x": dt["sample_stats"]["log_likelihood"].variable}, numbers(posterior)),
        }
    )
    columns = {group: az.psense(tree, group=group)["value"].to_numpy() for group in ("prior", "likelihood")}
    return pd.DataFrame(columns, index=pd.Index(values["scalar"].values))


def _responsibilities(record: Record, rows: Sequence[int] | np.ndarray) -> xr.DataArray:
    """Log-odds of the most probable component of some rows, (chain, draw, scalar): they have no end to pile up at."""
    likelihood = record.likelihood
    some = taken(likelihood, rows) if len(rows) else likelihood.rebind(likelihood.data.take(np.arange(0)))
    r = estep.responsibilities(some, record.params)
    best = r.mean(axis=0).argmax(axis=-1)
    is_best = np.eye(len(likelihood.components), dtype=bool)[best]
    shares = [np.where(mask, r, 0.0).sum(axis=-1) for mask in (is_best, ~is_best)]
    there, elsewhere = np.log(np.maximum(shares, np.finfo(float).tiny))
    names = [f"responsibilities[row {some.data.obs_names[i]}, {likelihood.components[k]}]" for i, k in enumerate(best)]
    return by_draw(there - elsewhere, record.posterior, {"scalar": names})
