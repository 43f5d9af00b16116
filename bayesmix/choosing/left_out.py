"""Leave-one-out of a candidate: by importance weights, and by a fit without the row where these cannot be relied on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import softmax

from bayesmix import estep
from bayesmix.grouping.occupied import mcse
from bayesmix.mixture.draws import DRAWN
from bayesmix.multimodality.thresholds import MOST_REFITS, PARETO_K
from bayesmix.posterior.leave_one_out import loo
from bayesmix.posterior.record import Record, row_slices
from bayesmix.rows.density import log_density
from bayesmix.sampling.sample import sample

ONE_GO = ("draws", "tune", "chains", "cores", "target_accept")
"""Settings of a candidate that hold for fits without a row, whose chains get one go: there are as many as such rows."""
NORMAL_ERROR, ALWAYS_REFITTED = 1 / 3, 3
"""Weights with a larger k have no third moment, so that their mean is not soon normal, and the stated error too small:
so many of the worst rows are fitted without in any case."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Leave-one-out densities.

    Attributes
    ----------
    elpd : ndarray, shape (n,)
        log p(x_i | other rows).
    error : float
        Monte Carlo standard error of their sum. It is of the draws; the error that rows give the sum is another.
    pareto_k : float
        The largest, of the rows that were not fitted without.
    refitted : int
        For how many rows there is a fit without them.
    """

    elpd: np.ndarray
    error: float
    pareto_k: float
    refitted: int


def left_out(record: Record, **settings: Any) -> LeftOut:
    """By Pareto-smoothed importance weights; rows with a Pareto k above 0.7, where few, by sampling without them.

    And so the three worst rows with a k above 1/3, which decide the error. Left to their weights such rows are off by
    more than any stated error (Vehtari et al. 2017, doi:10.1007/s11222-016-9696-4, section 4.3). ``settings`` are those
    of :func:`bayesmix.sample`.
    """
    by_weights = loo(record)
    elpd, k = by_weights["elpd"].to_numpy().copy(), by_weights["pareto_k"].to_numpy()
    bad = np.flatnonzero(k > PARETO_K)
    worst = np.argsort(-k, kind="stable")[:ALWAYS_REFITTED]
    bad = np.union1d(bad if len(bad) <= MOST_REFITS else bad[:0], worst[k[worst] > NORMAL_ERROR])
    variance = weights_error(record, np.setdiff1d(np.arange(len(k)), bad)) ** 2
    for i in bad:
        elpd[i], error = _without(record, int(i), settings)
        variance += error**2
    return LeftOut(elpd, float(np.sqrt(variance)), float(np.delete(k, bad).max(initial=-np.inf)), len(bad))


def uninterrupted(dt: xr.DataTree) -> xr.DataTree:
    """The draws; KeyboardInterrupt where Ctrl-C cut them short, so that nothing is read off them."""
    if dt.attrs["interrupted"]:
        raise KeyboardInterrupt
    return dt


def _without(record: Record, i: int, settings: dict[str, Any]) -> tuple[float, float]:
    """log p(x_i | other rows) from a fit to those, and its Monte Carlo standard error."""
    others = np.delete(np.arange(len(record.data)), i)
    own = {name: value for name, value in settings.items() if name in ONE_GO} | {"seed": int(record.dt.attrs["seed"])}
    fixed: dict[str, Any] = {"sampler": "nuts", "log_likelihood": False, "progress": False}
    dt = uninterrupted(sample(record.spec, record.data.take(others), **fixed, **own))
    l = log_density(dt, record.data.take([i]), labels=True).to_numpy()[..., 0]
    p = np.exp(l - l.max())
    return float(l.max() + np.log(p.mean())), mcse(p) / float(p.mean())


def weights_error(record: Record, kept: np.ndarray) -> float:
    r"""Monte Carlo standard error of the sum over these rows by importance weights, to first order.

    Row i's is -log of the mean of 1 / p(x_i | draw), so that the sum moves by minus the mean of

    .. math:: h_s = \sum_i \frac{1 / p(x_i \mid \theta_s)}{\frac1S \sum_t 1 / p(x_i \mid \theta_t)}
    """
    likelihood = record.likelihood
    draws = estep.Draws(likelihood, record.params)
    counts = np.isin(np.arange(len(likelihood.data)), kept)
    h = np.zeros(draws.size)
    for rows in row_slices(likelihood, draws.size):
        h += softmax(-draws.pointwise(rows)[:, counts[rows]], axis=0).sum(axis=1) * draws.size
    return mcse(h.reshape([record.posterior.sizes[d] for d in DRAWN]))
