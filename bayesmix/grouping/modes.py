"""How many modes the density has, draw by draw: components that make up one mode are one cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components

from bayesmix import estep
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params
from bayesmix.posterior.record import Record

MODE_DRAWS = 200
"""Draws whose modes are sought: the error of a probability is then 0.035 at most."""
CLIMB_STEP = 1e-4
"""Of differences, in standard deviations of a column."""
LINE_POINTS = 24
"""Points on a line between two ends of climbs."""
DIP = 1e-4
"""Of the log-density on such a line: a shallower one is that of climbs that ended a step apart."""
ROWS_OF_A_MODE = 1.0
"""A mode counts where at least so many rows are expected in it: an empty component may lie anywhere."""


@dataclass(frozen=True, eq=False)
class DensityModes:
    """Modes of the density of a mixture, over draws.

    Attributes
    ----------
    clusters : ndarray of int, shape (draws, K)
        The mode that each component belongs to, numbered from 0 within a draw.
    numbers : ndarray of int, shape (draws,)
        How many modes have rows.
    """

    clusters: np.ndarray
    numbers: np.ndarray

    @property
    def probability(self) -> pd.DataFrame:
        """P(number of modes | rows), with its Monte Carlo error: index ``modes``, columns ``probability, error``."""
        index = pd.Index(range(1, self.clusters.shape[1] + 1), name="modes")
        p = np.array([(self.numbers == m).mean() for m in index])
        return pd.DataFrame({"probability": p, "error": np.sqrt(p * (1 - p) / len(self.numbers))}, index=index)

    def __str__(self) -> str:
        return self.probability.to_string(float_format=lambda v: f"{v:.3f}")


def density_modes(dt: xr.DataTree, *, draws: int = MODE_DRAWS) -> DensityModes:
    """How many modes the density of the rows has: how many clusters, where several components may make up one.

    In every draw the density is climbed from the centre of each component. Components are of one cluster where it
    nowhere dips on the line between the ends of their climbs. A component whose cluster is expected to have less than
    one row does not count.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`, of measured columns.
    draws : int
        Evenly spaced draws that are looked at.

    Returns
    -------
    DensityModes

    Raises
    ------
    ValueError
        For counts, answers and responses to covariates, whose densities have no modes in this sense; and for too few
        draws.

    References
    ----------
    Li, Ray and Lindsay (2007), Journal of Machine Learning Research 8, 1687-1723; Ray and Lindsay (2005),
    doi:10.1214/009053605000000417.

    Examples
    --------
    >>> import bayesmix as bm
    >>> rows = bm.Data([1.0, 1.2, 1.4, 1.5, 5.0, 5.1, 5.3, 5.6])
    >>> dt = bm.sample(bm.Mixture("gaussian", n_components=2), rows, draws=200, chains=2, progress=False)
    >>> density_modes(dt, draws=50).probability["probability"].idxmax()
    2
    """
    whole_numbers(draws=draws)
    record = Record.of(dt)
    if not has_modes(record.likelihood):
        raise ValueError("dt: modes are of the density of measured columns, without covariates or missing cells")
    return modes_of(record, draws)


def has_modes(likelihood: Likelihood) -> bool:
    """Whether its density is one of measured columns, with a centre for every component."""
    measured = likelihood.family.observation == "measurement" and not likelihood.covariates
    return measured and likelihood.component.profile is not None and not likelihood.data.gaps


def modes_of(record: Record, draws: int = MODE_DRAWS) -> DensityModes:
    """:func:`density_modes` of a posterior that was read."""
    likelihood = record.likelihood
    n_draws = len(next(iter(record.params.values())))
    picked = evenly(n_draws, draws)
    params = {v: a[picked] for v, a in record.params.items()}
    mass = (estep.responsibilities(likelihood, params) * likelihood.row_weights[:, None]).sum(axis=1)
    clusters = np.array([clusters_at(likelihood, {v: a[s] for v, a in params.items()}) for s in range(len(picked))])
    K = clusters.shape[1]
    rows = np.array([np.bincount(c, m, minlength=K) for c, m in zip(clusters, mass, strict=True)])
    return DensityModes(clusters, (rows >= ROWS_OF_A_MODE).sum(axis=1))


def clusters_at(likelihood: Likelihood, params: Params) -> np.ndarray:
    """The mode of every component, (K,), with one set of parameters."""
    profile = likelihood.component.profile
    assert profile is not None
    centres = np.asarray(likelihood.named(params)[profile.parameter.name], dtype=float)
    if len(centres) == 1:
        return np.zeros(1, dtype=int)
    ends = _climbed(likelihood, params, centres)
    K, d = ends.shape
    share = np.linspace(0, 1, LINE_POINTS)[:, None]
    first, second = np.triu_indices(K, 1)
    lines = ends[first, None] + share * (ends[second] - ends[first])[:, None]
    heights = _log_density(likelihood, params, lines.reshape(-1, d)).reshape(-1, LINE_POINTS)
    dips = np.minimum(heights[:, 0], heights[:, -1]) - heights.min(axis=1)
    joined = np.zeros((K, K), dtype=bool)
    joined[first, second] = dips < DIP
    return np.asarray(connected_components(joined, directed=False)[1])


def _climbed(likelihood: Likelihood, params: Params, starts: np.ndarray) -> np.ndarray:
    """Where climbs of the log-density from these points (K, d) end; the sum over points is climbed at once."""
    K, d = starts.shape
    unit = likelihood.data.x.std(axis=0)
    steps = np.vstack([np.zeros((1, d)), CLIMB_STEP * np.eye(d), -CLIMB_STEP * np.eye(d)])

    def downhill(flat: np.ndarray) -> tuple[float, np.ndarray]:
        points = (flat.reshape(K, 1, d) + steps) * unit
        heights = _log_density(likelihood, params, points.reshape(-1, d)).reshape(K, -1)
        slopes = (heights[:, 1 : d + 1] - heights[:, d + 1 :]) / (2 * CLIMB_STEP)
        return -float(heights[:, 0].sum()), -slopes.ravel()

    found = minimize(downhill, (starts / unit).ravel(), jac=True, method="L-BFGS-B")
    return np.asarray(found.x.reshape(K, d) * unit)


def _log_density(likelihood: Likelihood, params: Params, points: np.ndarray) -> np.ndarray:
    """log p(x) at points (m, d)."""
    rows = likelihood.data.without_labels().take(np.zeros(len(points), dtype=int))
    return np.asarray(np.logaddexp.reduce(likelihood.rebind(rows.with_observations(points)).log_joint(params), axis=-1))
