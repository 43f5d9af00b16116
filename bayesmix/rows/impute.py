"""Draws of missing cells: a component from the row's responsibilities, then the cells given the others and it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.arguments import is_whole
from bayesmix.inputs.covariates import decoded
from bayesmix.inputs.data import Data, evenly
from bayesmix.likelihood.discrepancies import drawn
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params
from bayesmix.posterior.record import Record
from bayesmix.posterior.responsibilities import Fit, bound
from bayesmix.rows.fitted import Fitted

IMPUTED_DRAWS = 200


def impute(fit: Fit, *, draws: int = IMPUTED_DRAWS, data: Data | None = None, seed: int = 1) -> xr.DataArray:
    """Draw the missing cells from their posterior predictive distribution, given what was observed of their rows.

    For every draw of the parameters: z_i ~ r_i, then the missing cells of row i from f(x_mis | x_obs, theta_z). The
    draws are multiple imputations (Rubin 1987, doi:10.1002/9780470316696) under this model: their spread is the
    uncertainty about a cell, and an analysis of the completed tables, draw by draw, carries it on. The fit itself needs
    none: it sums the cells out.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, or a point estimate; the latter's draws know nothing of the uncertainty
        of its parameters.
    draws : int
        How many; of a posterior evenly spaced over its own draws.
    data : Data, optional
        New rows; by default those of the fit.
    seed : int
        Of the random numbers.

    Returns
    -------
    DataArray
        Dimensions draw and cell, in the units of the data, answers in words; the coordinates ``obs`` and ``feature`` of
        a cell say which it is. Cells stand row by row.

    Raises
    ------
    ValueError
        Where no cell is missing, and as :func:`bayesmix.responsibilities`.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, fit_em
    >>> rows = Data([[1.0, 2.1], [2.0, 3.9], [3.0, 6.2], [4.0, float("nan")], [5.0, 9.8]])
    >>> cells = impute(fit_em(Mixture("gaussian", n_components=1), rows, n_starts=1), draws=400)
    >>> cells["feature"].values.tolist(), float(cells.mean().round())
    (['x2'], 8.0)
    """
    likelihood, cells = drawn_cells(fit, draws=draws, data=data, seed=seed)
    if not any(likelihood.data.levels):
        return cells
    levels = dict(zip(likelihood.data.feature_names, likelihood.data.levels, strict=True))
    columns = [decoded(own, levels[name]) for own, name in zip(cells.values.T, cells["feature"].values, strict=True)]
    return cells.copy(data=np.column_stack([column.to_numpy(dtype=object) for column in columns]))


def drawn_cells(fit: Fit, *, draws: int, data: Data | None, seed: int) -> tuple[Likelihood, xr.DataArray]:
    """The likelihood over the rows, and :func:`impute` with answers by the codes of their levels."""
    for name, value, least in (("draws", draws, 1), ("seed", seed, 0)):
        if not is_whole(value, least):
            raise ValueError(f"{name}: must be a whole number >= {least}; got {value!r}")
    fit = fit if isinstance(fit, EMFit) else Record.of(fit)
    likelihood, _ = bound(fit, data)
    if not likelihood.data.gaps:
        raise ValueError("data: no cell is missing, so there is nothing to draw")
    rows = np.flatnonzero(np.isnan(likelihood.data.x).any(axis=1))
    some = likelihood.rebind(likelihood.data.take(rows))
    gone = np.argwhere(np.isnan(some.data.x))
    values = np.stack([x[tuple(gone.T)] for x in _completed(some, _taken(Fitted.of(fit).params, draws), seed)])
    names = {"obs": some.data.obs_names, "feature": some.data.feature_names}
    coords = {d: ("cell", [names[d][i] for i in at]) for d, at in zip(names, gone.T, strict=True)}
    return likelihood, xr.DataArray(values, dims=("draw", "cell"), coords=coords, name="x")


def _taken(params: Params, draws: int) -> Params:
    """So many draws of the parameters, evenly spaced; of fewer, and of an estimate, in turn."""
    size = len(next(iter(params.values())))
    which = evenly(size, draws) if size >= draws else np.arange(draws) % size
    return {v: a[which] for v, a in params.items()}


def _completed(likelihood: Likelihood, params: Params, seed: int) -> list[np.ndarray]:
    """The rows without gaps, once for every draw."""
    rng = np.random.default_rng(seed)
    completed = []
    for s in range(len(next(iter(params.values())))):
        one = {v: a[s] for v, a in params.items()}
        z = drawn(estep.responsibilities(likelihood, one), rng.random(len(likelihood.data)))
        completed.append(likelihood.component.completed(likelihood.data.x, z, one, rng))
    return completed
