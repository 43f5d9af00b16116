"""The density that a fit gives to rows: of every draw, and averaged over the posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.record import row_slices
from bayesmix.posterior.responsibilities import Fit, array_of, pointwise_of
from bayesmix.rows.fitted import Fitted


def log_density(fit: Fit, data: Any = None, *, labels: bool = False) -> xr.DataArray:
    """Log-density of rows under every draw, log p(x_i | theta) = log sum_k w_ik exp(a_ik) f(x_i | theta_k).

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, or a point estimate.
    data : Data, DataFrame or array, optional
        New rows; by default those of the fit. Of a table the columns that the fit knows are taken.
    labels : bool
        Whether the label evidence a_ik counts: then it is the joint density of a row and its label. By default it is
        left out, of the fit's own rows too, for densities answer where a row lies among the others, and only those of x
        alone can be compared between rows with and without a label. (``dt["log_likelihood"]`` is v_i times the joint.)

    Returns
    -------
    DataArray
        Dimensions chain, draw, obs; obs alone for a point estimate. In log(1 / unit of x) per column; of counts it is
        the log-probability. Row weights do not enter. All draws at once: for many rows prefer
        :func:`log_predictive_density` or :func:`bayesmix.predict`, which take bounded memory.

    Raises
    ------
    ValueError
        Where the columns of ``data`` are not those of the fit (another order is put right), or a covariate has a level
        that the fit never saw.

    Examples
    --------
    One component on four rows is the normal density with their mean 3 and variance 2.5:

    >>> from bayesmix import Data, Mixture, fit_em
    >>> em = fit_em(Mixture("gaussian", n_components=1), Data([1.0, 2.0, 4.0, 5.0]), n_starts=1)
    >>> log_density(em, [3.0]).values.round(4)
    array([-1.3771])
    """
    fitted = Fitted.of(fit)
    likelihood = fitted.over(data, labels=labels)
    return fitted.array(likelihood, pointwise_of(likelihood, fitted.params), "log_density")


def log_predictive_density(fit: Fit, data: Any = None, *, labels: bool = False) -> xr.DataArray:
    """Log predictive density of rows, log p(x_i | data) = log of the mean of p(x_i | theta_s) over the draws.

    Of held-out rows its mean is the score of a fit as a density (Vehtari, Gelman and Gabry 2017,
    doi:10.1007/s11222-016-9696-4); a point estimate plugs its parameters in. Of rows that took part in the fit it is
    too good: use :func:`bayesmix.loo` for those.

    Parameters
    ----------
    fit, data, labels
        As for :func:`log_density`.

    Returns
    -------
    DataArray
        Dimension obs.

    Raises
    ------
    ValueError
        As :func:`log_density`.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmix import Data, Mixture, fit_em
    >>> x = np.r_[np.linspace(1, 3, 30), np.linspace(11, 13, 30)]
    >>> one, two = (fit_em(Mixture("gaussian", n_components=K), Data(x[::2]), n_starts=5) for K in (1, 2))
    >>> bool(log_predictive_density(two, x[1::2]).mean() > log_predictive_density(one, x[1::2]).mean())
    True
    """
    fitted = Fitted.of(fit)
    likelihood = fitted.over(data, labels=labels)
    return array_of(likelihood, predictive_of(likelihood, fitted), ("obs",)).rename("log_predictive_density")


def predictive_of(likelihood: Likelihood, fitted: Fitted) -> np.ndarray:
    """Log predictive densities of the rows of ``likelihood``, (n,), in blocks of rows."""
    draws, out = estep.Draws(likelihood, fitted.params), np.empty(len(likelihood.data))
    for rows in row_slices(likelihood, draws.size):
        out[rows] = estep.log_mean_exp(draws.pointwise(rows))
    return out
