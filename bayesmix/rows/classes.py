"""Joint draws of the components of all rows, for analyses that must not pretend that these are known."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.likelihood.discrepancies import drawn
from bayesmix.posterior.record import row_slices
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.fitted import Fitted

CLASS_DRAWS = 200
"""Sets of classes where no number is given: the Monte Carlo error of a mean is then 7% of its standard deviation."""


def classes(fit: Fit, draws: int = CLASS_DRAWS, *, data: Data | None = None, seed: int = 1) -> xr.DataArray:
    """Joint draws of the components of all rows: theta from the posterior, then z_i ~ r_i(theta) for every row.

    Whoever goes on with one class per row, the most probable one, treats it as observed: intervals are too short, and
    what differs between classes is blurred. Do the analysis once for each of these draws instead, and put the results
    together: their spread over draws is what the classes' uncertainty adds (Rubin 1987, doi:10.1002/9780470316696: with
    estimates q_d and variances u_d of D draws, mean(u) + (1 + 1/D) var(q)).

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`; of a point estimate the uncertainty of the parameters is left out.
    draws : int
        How many sets of classes; each from another draw of the parameters as long as there are as many.
    data : Data, optional
        New rows; by default those of the fit. Label evidence counts: rows with a hard label keep it.
    seed : int
        Same seed, same classes.

    Returns
    -------
    DataArray
        Dimensions draw, obs: names of components. Coordinates along draw: ``drawn_from``, the number of the draw of the
        parameters, chain by chain.

    Raises
    ------
    ValueError
        Where draws or seed is no whole number, and as :func:`bayesmix.responsibilities`.

    Notes
    -----
    A variable that is no column of the model is taken to say nothing of a row's class beyond the model's columns. Where
    it does, its differences between drawn classes are too small, though less so than between most probable ones where
    groups overlap; put it into the model then (Bolck, Croon and Hagenaars 2004, doi:10.1093/pan/mph001).

    Examples
    --------
    The mean of another column by class, and how far it is known:

    >>> import numpy as np
    >>> from bayesmix import Data, Mixture, fit_em
    >>> x = np.r_[np.linspace(0, 3, 30), np.linspace(2, 5, 30)]
    >>> other = 10 * x
    >>> em = fit_em(Mixture("gaussian", n_components=2, covariance="tied"), Data(x), n_starts=2)
    >>> z = classes(em, draws=50)
    >>> means = [other[row == "component_1"].mean() for row in z.values]
    >>> len(means), bool(np.std(means) > 0)
    (50, True)
    """
    whole_numbers(draws=draws, seed=seed)
    fitted, rng = Fitted.of(fit), np.random.default_rng(seed)
    likelihood = fitted.over(data, labels=True)
    picked = np.sort(rng.choice(fitted.size, draws, replace=draws > fitted.size))
    some = estep.Draws(likelihood, {v: a[picked] for v, a in fitted.params.items()})
    names, out = np.array(likelihood.components, dtype=object), np.empty((draws, len(likelihood.data)), dtype=object)
    for rows in row_slices(likelihood, draws):
        r = some.responsibilities(rows)
        out[:, rows] = names[drawn(r, rng.random(r.shape[:2]))]
    coords = {"draw": np.arange(draws), "obs": list(likelihood.data.obs_names), "drawn_from": ("draw", picked)}
    return xr.DataArray(out, dims=("draw", "obs"), coords=coords, name="class")
