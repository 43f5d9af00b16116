"""Responsibilities, and what else a fit says of its own rows or new ones: log-likelihoods, replicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.arguments import probabilities
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import by_draw
from bayesmix.parts.part import Params
from bayesmix.posterior.expected_error import Errors, ExpectedError
from bayesmix.posterior.record import Posterior, Record, row_slices

type Fit = EMFit | Posterior


def bound(fit: Fit, data: Data | None) -> tuple[Likelihood, Params]:
    """The likelihood over the rows of the fit, or over new ones, and its parameters."""
    if isinstance(fit, EMFit):
        return _over(fit.likelihood, data), fit.arrays
    record = Record.of(fit)
    return _over(record.likelihood, data), record.params


def _over(likelihood: Likelihood, data: Data | None) -> Likelihood:
    """The likelihood over new rows, where there are any."""
    if not isinstance(data, Data | None):
        raise ValueError(f"data: must be a bm.Data, as bm.Data(frame) makes one; got a {type(data).__name__}")
    return likelihood if data is None else likelihood.rebind(data)


def check_possible(likelihood: Likelihood, r: np.ndarray, new: Any, rows: slice = slice(None)) -> None:
    """ValueError naming the first of new rows, of r (draws, rows, K), that no component can have made."""
    bad = np.flatnonzero(np.isnan(r[..., 0]).any(axis=0))
    if new is not None and len(bad):
        raise ValueError(
            f"data: row {likelihood.data.obs_names[rows][bad[0]]} has density 0 in every component: its values are too "
            "far from those of the fit"
        )


def open_rows(likelihood: Likelihood, params: Params) -> np.ndarray:
    """Which rows, (n,) bool, can belong to more than one component: neither their label nor their value settles it."""
    return np.isfinite(likelihood.log_joint(params)).sum(axis=1) > 1


def responsibilities(fit: Fit, *, data: Data | None = None) -> xr.DataArray:
    """Responsibilities r_ik = P(component k | x_i, parameters).

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, or a point estimate.
    data : Data, optional
        New rows; by default those of the fit, with their label evidence.

    Returns
    -------
    DataArray
        Dimensions chain, draw, obs, component (obs, component for a point estimate). All draws at once: for many rows
        prefer :func:`responsibility_summary`.

    Raises
    ------
    ValueError
        Where the columns of ``data`` are not those of the fit (another order is put right; an array's columns are
        taken by position), or a covariate has a level that the fit never saw.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, fit_em
    >>> em = fit_em(Mixture("gaussian", n_components=2), Data([1.0, 2.0, 3.0, 11.0, 12.0, 13.0]), n_starts=1)
    >>> r = responsibilities(em, data=Data([2.0, 12.0]))
    >>> r.dims
    ('obs', 'component')
    >>> r.values.round(3).max(axis=1)
    array([1., 1.])
    """
    fit = fit if isinstance(fit, EMFit) else Record.of(fit)
    likelihood, params = bound(fit, data)
    if isinstance(fit, EMFit):
        single = estep.responsibilities(likelihood, params)
        check_possible(likelihood, single[None], data)
        return array_of(likelihood, single, ("obs", "component"))
    draws = estep.Draws(likelihood, params)
    r = np.empty((draws.size, len(likelihood.data), len(likelihood.components)))
    for rows in row_slices(likelihood, draws.size):
        r[:, rows] = draws.responsibilities(rows)
    check_possible(likelihood, r, data)
    coords = {"obs": likelihood.data.obs_names, "component": likelihood.components}
    return by_draw(r, fit.posterior, coords, name=None)


def responsibility_summary(dt: xr.DataTree, *, data: Data | None = None, prob: float = 0.9) -> xr.Dataset:
    """Posterior mean, sd and equal-tailed interval of every responsibility, in bounded memory.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.
    data : Data, optional
        New rows; by default those of the fit, with their label evidence.
    prob : float
        Probability of the interval, between 0 and 1.

    Returns
    -------
    Dataset
        ``mean, sd, lower, upper``, each (obs, component). Who takes rows for their most probable component finds in the
        attributes ``expected_error, expected_error_lower, expected_error_upper`` how often that is expected to be wrong
        (:class:`bayesmix.posterior.expected_error.ExpectedError`).

    Raises
    ------
    ValueError
        For a ``prob`` outside (0, 1), and as :func:`responsibilities`.
    """
    probabilities(prob=prob)
    summary, error = summary_of(Record.of(dt), data=data, prob=prob)
    rates = {"": error.error, "_lower": error.lower, "_upper": error.upper}
    return summary.assign_attrs({f"expected_error{end}": rate for end, rate in rates.items()})


def summary_of(record: Record, *, data: Data | None = None, prob: float = 0.9) -> tuple[xr.Dataset, ExpectedError]:
    """:func:`responsibility_summary` of a posterior that was read, and the error of the most probable components."""
    likelihood = _over(record.likelihood, data)
    draws = estep.Draws(likelihood, record.params)
    tails = [(1 - prob) / 2, (1 + prob) / 2]
    out, errors = np.empty((4, len(likelihood.data), len(likelihood.components))), Errors(likelihood, draws.size)
    r: np.ndarray | None = None
    for rows in row_slices(likelihood, draws.size):
        r = draws.responsibilities(rows, held=r)
        check_possible(likelihood, r, data, rows)
        out[:, rows] = estep.summaries(r.reshape(draws.size, -1), tails).reshape(4, *r.shape[1:])
        errors.add(rows, r, out[0, rows])
    names = ("mean", "sd", "lower", "upper")
    summary = xr.Dataset({v: array_of(likelihood, a, ("obs", "component")) for v, a in zip(names, out, strict=True)})
    return summary, errors.found(prob)


def pointwise_of(likelihood: Likelihood, params: Params) -> np.ndarray:
    """l_i of every draw, without row weights, (draws, n)."""
    draws = estep.Draws(likelihood, params)
    out = np.empty((draws.size, len(likelihood.data)))
    for rows in row_slices(likelihood, draws.size):
        out[:, rows] = draws.pointwise(rows)
    return out


def replicate(dt: Posterior, n: int = 200, *, seed: int | None = None) -> np.ndarray:
    """New data from the posterior predictive distribution; rows keep their covariates and label evidence.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.
    n : int
        How many data sets, each from a draw taken at random with replacement.
    seed : int, optional
        Of the random numbers; by default the fit's own, so that whatever is said of its replicates is of the same ones.

    Returns
    -------
    ndarray, shape (n, n_obs, n_features)
        In the units of the data.

    Raises
    ------
    ValueError
        Where row weights are not 1: what a weighted row would look like anew is not defined here.
    """
    record = Record.of(dt)
    likelihood, params = record.likelihood, record.params
    if likelihood.data.weighted:
        raise ValueError("replicate: is defined for row weights of 1 only")
    rng = np.random.default_rng(int(record.dt.attrs.get("seed", 1)) if seed is None else seed)
    draws = rng.choice(len(next(iter(params.values()))), n, replace=True)
    return np.stack([likelihood.simulate({v: a[s] for v, a in params.items()}, rng) for s in draws])


def log_likelihood(dt: xr.DataTree) -> xr.DataArray:
    """Pointwise v_i l_i as (chain, draw, obs): stored, or computed where it was too large to store."""
    if "log_likelihood" in dt.children:
        return dt["log_likelihood"].to_dataset()["x"]
    record = Record.of(dt)
    values = record.likelihood.row_weights * pointwise_of(record.likelihood, record.params)
    return by_draw(values, record.posterior, {"obs": record.data.obs_names}, name=None)


def array_of(likelihood: Likelihood, values: np.ndarray, dims: tuple[str, ...]) -> xr.DataArray:
    """An array over the rows, with the names of its dimensions."""
    known = {"obs": list(likelihood.data.obs_names), "component": list(likelihood.components)}
    return xr.DataArray(values, dims=dims, coords={d: known[d] for d in dims})
