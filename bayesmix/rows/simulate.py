"""Rows that a mixture makes: of its prior, of a point estimate, of a posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmix.families.table import FAMILIES
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.covariates import decoded
from bayesmix.inputs.data import Data
from bayesmix.inputs.tables.words import array_names
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.simulate import one, parameters_from_prior
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.parts.part import Params
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.fitted import Fitted

COMPONENT = "component"
"""The column of simulated rows that says which component made each."""
ROWS_PER_COLUMN = 8
"""Of a placeholder: so many that no column is constant or follows from others."""
MOST_SETS = 200
"""Rows of a posterior come from at most so many different draws: formulas are evaluated anew for the rows of each."""


def simulate(
    spec_or_fit: Mixture | Fit, n: int | None = None, *, data: Any = None, one_draw: bool = False, seed: int = 1
) -> pd.DataFrame:
    """New rows: a component from the weights, then the observations from that component.

    Parameters
    ----------
    spec_or_fit : Mixture, EMFit or DataTree
        Of a mixture the parameters are one draw from its prior (that of ``bayesmix.mixture.simulate.prior_draws`` with
        the same seed): a prior predictive data set. Of a point estimate they are the estimate. Of a posterior rows
        come from 200 different draws in turn: a sample of the posterior predictive distribution of a row.
    n : int, optional
        How many rows; by default as many as the fit, or ``data``, has.
    data : Data, optional
        Rows whose columns and covariates the new ones have (with a fit a DataFrame or array will do); by default those
        of the fit. A mixture needs them for its formulas, for priors that it leaves open and for the names of its
        columns; without them every prior must be given (:func:`bayesmix.resolve`), and there are as many columns as the
        shapes of the priors say, x or x1, x2, ..., or one.
    one_draw : bool
        Of a posterior: all rows from one draw, as a whole data set comes about.
    seed : int
        Same seed, same rows.

    Returns
    -------
    DataFrame
        The columns of the data (answers in words), covariates too, and ``component``, the name of the component that
        made the row. Where n differs from the number of rows that have covariates, these are drawn with replacement.
        Labels do not enter: a new row has none.

    Raises
    ------
    ValueError
        For an impossible n or seed, a mixture without the data that it needs (of answers always), a column called
        ``component``.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, Prior, fit_em
    >>> priors = {"weights": Prior("Dirichlet", a=[2, 2]), "rates": Prior("Gamma", alpha=2, beta=1)}
    >>> rows = simulate(Mixture("poisson", n_components=2, priors=priors), 3)
    >>> list(rows), len(rows)
    (['x', 'component'], 3)
    >>> em = fit_em(Mixture("gaussian", n_components=2), Data([1.0, 2.0, 3.0, 11.0, 12.0, 13.0]), n_starts=1)
    >>> again = simulate(em, 1000)
    >>> again.groupby("component")["x"].mean().round(0).to_dict()
    {'component_1': 2.0, 'component_2': 12.0}
    """
    whole_numbers(seed=seed, **({} if n is None else {"n": n}))
    rng = np.random.default_rng(seed)
    if isinstance(spec_or_fit, Mixture):
        likelihood = _declared(spec_or_fit, n, data)
        sets = parameters_from_prior(likelihood, 1, rng)
        return _rows(_sized(likelihood, n, rng), sets, rng)
    fitted = Fitted.of(spec_or_fit)
    likelihood = _sized(fitted.over(data), n, rng)
    size = 1 if one_draw else min(len(likelihood.data), MOST_SETS, fitted.size)
    picked = rng.choice(fitted.size, size, replace=False)
    return _rows(likelihood, {v: a[picked] for v, a in fitted.params.items()}, rng)


def _rows(likelihood: Likelihood, sets: Params, rng: np.random.Generator) -> pd.DataFrame:
    """A row for every row of ``likelihood``, made in turn by each of these sets of parameters."""
    data, size = likelihood.data, len(next(iter(sets.values())))
    x, z = np.empty_like(data.x), np.empty(len(data), dtype=int)
    for s in range(size):
        mine = slice(s, None, size)
        some = likelihood if size == 1 else likelihood.rebind(data.take(np.arange(len(data))[mine]))
        x[mine], z[mine] = drawn_rows(some, one(sets, s), rng)
    names = list(data.feature_names)
    if COMPONENT in [*names, *data.covariates.columns]:
        raise ValueError(f"data: a column is called {COMPONENT!r}, which is where the component goes; rename it")
    cells = x.astype(int) if likelihood.family.counts else x
    columns = [decoded(x[:, j], own) if own else pd.Series(cells[:, j]) for j, own in enumerate(data.levels)]
    observed = pd.concat(columns, axis=1, keys=names)
    table = pd.concat([observed, data.covariates.reset_index(drop=True)], axis=1)
    return table.assign(**{COMPONENT: np.array(likelihood.components)[z]})


def drawn_rows(likelihood: Likelihood, params: Params, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """New observations (n, n_features) for the rows of ``likelihood``, and the component (n,) that made each."""
    z = likelihood.draw_components(params, rng)
    return likelihood.component.draw(z, params, rng), z


def _sized(likelihood: Likelihood, n: int | None, rng: np.random.Generator) -> Likelihood:
    """The likelihood over n rows: its own, or as many of them drawn with replacement."""
    size = len(likelihood.data)
    if n is None or n == size:
        return likelihood
    return likelihood.rebind(likelihood.data.take(rng.integers(size, size=n)))


def _declared(spec: Mixture, n: int | None, data: Any) -> Likelihood:
    """A mixture bound to the rows that it needs, its priors in numbers."""
    if data is not None:
        likelihood = resolved(spec, data)
        return likelihood.rebind(data.without_labels())
    if n is None:
        raise ValueError("n: how many rows a mixture is to make must be said, or data= given")
    if FAMILIES[spec.family].takes_levels:
        raise ValueError(f"data: a {spec.family} mixture has no answers without data; give data=")
    likelihood = resolved(spec, _placeholder(spec, n))
    table = {p.name: p.in_place_of or p.name for p in likelihood.parameters}
    left_open = [table[v] for v, free in likelihood.free.items() if free.any() and table[v] not in spec.priors]
    if left_open:
        raise ValueError(
            f"data: the prior of {left_open[0]!r} is left open, and its default follows from data: give data=, or "
            "every prior, as bm.resolve(spec, data) writes them out"
        )
    return likelihood


def _placeholder(spec: Mixture, n: int) -> Data:
    """Rows of zeros and ones, as any family may have them, in as many columns as the shapes of the priors say."""
    by_feature = [p.name for p in FAMILIES[spec.family].parameters(spec.options) if p.dims[-1:] == ("feature",)]
    arrays = [a for name in by_feature if name in spec.priors for a in spec.priors[name].parameters.values()]
    d = max((a.shape[-1] for a in arrays if a.ndim), default=1)
    rows = max(n, spec.n_components, ROWS_PER_COLUMN * (d + 1))
    bits = np.random.default_rng(0).integers(2, size=(rows, d))
    return Data(pd.DataFrame(bits, columns=list(array_names(d))))
