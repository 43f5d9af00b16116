"""Latent factors of a fit: their loadings as they are shown, and what each row scores on them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import xarray as xr

from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import Data, evenly
from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import by_draw
from bayesmix.posterior.record import Record
from bayesmix.posterior.responsibilities import Fit, bound

SCORED_DRAWS = 1000
"""Scores are taken of so many draws at most, evenly spaced, ..."""
HELD_DRAWS = 50
"""... so many at a time."""


def factor_loadings(fit: Fit) -> xr.DataArray:
    """Loadings on principal axes: the rotation in which they are shown.

    Loadings are known up to a rotation. Here the columns are orthogonal in units of the noise, the first explaining the
    most, and the sum of each in those units is positive: unlike triangular loadings, these do not depend on the order
    of the data's columns. Draws are all turned towards one such reference, that of their mean (orthogonal Procrustes;
    Papastamoulis and Ntzoufras 2022, doi:10.1007/s11222-022-10084-4), so that they have means and intervals.

    Parameters
    ----------
    fit : DataTree or EMFit
        Of a mixture of factor analysers.

    Returns
    -------
    DataArray
        Dimensions chain, draw, component, feature, factor (without chain and draw for a point estimate).

    Raises
    ------
    ValueError
        Where the family has no factors.

    Examples
    --------
    >>> import bayesmix as bm
    >>> rows = np.outer([-2.0, -1.0, 0.0, 1.0, 2.0], [1.0, 1.0, -1.0]) + 0.1 * np.eye(5, 3)
    >>> em = bm.fit_em(bm.Mixture("factor_analyzers", n_components=1, noise="isotropic"), bm.Data(rows))
    >>> factor_loadings(em).values.squeeze().round(1)
    array([ 1.4,  1.4, -1.4])
    """
    likelihood, params = bound(fit, None)
    loadings = _factors(likelihood).loadings(likelihood, params)
    coords = {d: likelihood.coords[d] for d in ("component", "feature", "factor")}
    if isinstance(fit, EMFit):
        return xr.DataArray(loadings, dims=tuple(coords), coords=coords)
    return by_draw(loadings, Record.of(fit).posterior, coords, name=None)


def factor_scores(fit: Fit, *, data: Data | None = None) -> xr.Dataset:
    """What each row scores on every factor, were it of each component: mean and standard deviation.

    Of a point estimate they are those of the normal distribution of the factors given the row. Of a posterior the sd
    holds the uncertainty of the parameters besides: the variance of the draws' means adds to the mean of their
    variances. Axes are those of :func:`factor_loadings`. Weigh components by :func:`bayesmix.responsibilities`.

    Parameters
    ----------
    fit : DataTree or EMFit
        Of a mixture of factor analysers; of at most 1,000 draws, evenly spaced.
    data : Data, optional
        New rows; by default those of the fit.

    Returns
    -------
    Dataset
        ``mean`` and ``sd``, each (obs, component, factor).

    Raises
    ------
    ValueError
        Where the family has no factors, or the columns of ``data`` are not those of the fit.

    Examples
    --------
    >>> import bayesmix as bm
    >>> rows = np.outer([-2.0, -1.0, 0.0, 1.0, 2.0], [1.0, 1.0, -1.0]) + 0.1 * np.eye(5, 3)
    >>> em = bm.fit_em(bm.Mixture("factor_analyzers", n_components=1, noise="isotropic"), bm.Data(rows))
    >>> factor_scores(em)["mean"].values.squeeze().round(1)
    array([-1.4, -0.7, -0. ,  0.7,  1.4])
    """
    likelihood, params = bound(fit, data)
    own = _factors(likelihood)
    shown = own.loadings(likelihood, params)
    if isinstance(fit, EMFit):
        mean, variance = own.scores(likelihood, params, shown)
        spread = np.broadcast_to(np.sqrt(variance)[:, None], mean.shape)
        return _dataset(likelihood, mean, spread)
    some = evenly(len(shown), SCORED_DRAWS)
    K, n, q = len(likelihood.components), len(likelihood.data), shown.shape[-1]
    total, square, variances = np.zeros((K, n, q)), np.zeros((K, n, q)), np.zeros((K, q))
    for first in range(0, len(some), HELD_DRAWS):
        which = some[first : first + HELD_DRAWS]
        mean, variance = own.scores(likelihood, {v: a[which] for v, a in params.items()}, shown[which])
        total += mean.sum(axis=0)
        square += (mean**2).sum(axis=0)
        variances += variance.sum(axis=0)
    mean = total / len(some)
    return _dataset(likelihood, mean, np.sqrt(square / len(some) - mean**2 + variances[:, None] / len(some)))


def _factors(likelihood: Likelihood) -> ModuleType:
    """The family's facet ``factors``."""
    module: ModuleType | None = facet(likelihood.name, "factors")
    if module is None:
        raise ValueError(f"fit: a {likelihood.name} mixture has no factors")
    return module


def _dataset(likelihood: Likelihood, mean: np.ndarray, sd: np.ndarray) -> xr.Dataset:
    """From arrays (K, n, q)."""
    dims = ("obs", "component", "factor")
    coords = {"obs": list(likelihood.data.obs_names), "component": list(likelihood.components)}
    coords["factor"] = likelihood.coords["factor"]
    return xr.Dataset({v: (dims, np.swapaxes(a, 0, 1)) for v, a in (("mean", mean), ("sd", sd))}, coords=coords)
