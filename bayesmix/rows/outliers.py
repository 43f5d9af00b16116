"""The rows that the fit finds least dense, with what is not known of their ranks, and how odd each one is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from bayesmix import estep
from bayesmix.drawing.level import LEVEL
from bayesmix.inputs.arguments import probabilities, whole_numbers
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.record import BLOCK_BYTES
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.density import predictive_of
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.tails import Tails, up_to_ties

RANK_DRAWS = 1000
"""Draws in which rows are ranked."""
LOOKED_AT_AGAIN, FEWEST_LOOKED_AT_AGAIN = 5, 50
"""Of rows with gaps so many times as many as are asked for, and at least so many, are held against more rows."""
LISTED_OUTLIERS = 10
"""The rows that are listed where nothing else is asked for."""


def outliers(
    fit: Fit, n: int | None = None, *, share: float | None = None, interval: float = LEVEL, seed: int = 1
) -> pd.DataFrame:
    """The least dense rows of a fit.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, or a point estimate.
    n : int, optional
        How many rows; 10 by default.
    share : float, optional
        Instead of n: this share of the rows, between 0 and 1.
    interval : float
        Probability of the intervals, between 0 and 1.
    seed : int
        Of the simulated rows.

    Returns
    -------
    DataFrame
        One row per outlier, the least dense first; its index is the row's name. Labels do not enter.

        ``rank``
            By the log predictive density, from 1. Where cells are missing, by the tail probability, for a row of which
            less was observed has a higher density just for that.
        ``rank_lower, rank_upper, among``
            Interval of the rank over draws of the parameters, and the probability to be among the rows listed here. A
            draw ranks rows by their densities; where cells are missing, by the tail probabilities under that draw.
        ``log_density, lower, upper``
            Log predictive density (:func:`bayesmix.log_predictive_density`), and the interval of the log-density over
            draws. The former is led by the draws in which the row is densest: of a row far out it may lie above the
            interval.
        ``tail_probability``
            P(a new row is no denser than this one), by simulation from the fit: draws of the parameters, rows of each,
            their densities under the same draw, t_i = mean over s of P(p(x_new | theta_s) <= p(x_i | theta_s)). A row
            with gaps is held against new rows with the same cells missing, one with covariates against new rows with
            the same ones; only this column compares rows with different covariates. Of rows that are less dense than
            all simulated ones, those further below them come first; theirs is the least that is seen. The row took part
            in the fit, so the truth is smaller.
        ``expected``
            How many of as many new rows as there are lie so far out: 1 is nothing odd in the first row of the list.

    A point estimate has no intervals and no ``among``.

    Raises
    ------
    ValueError
        For an impossible n, share or interval, or both n and share.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, fit_em
    >>> em = fit_em(Mixture("gaussian", n_components=1), Data([1.0, 2.0, 2.5, 3.0, 4.0, 30.0]), n_starts=1)
    >>> outliers(em, 1).index.to_list()
    ['6']
    """
    fitted = Fitted.of(fit)
    return outliers_of(fitted, _how_many(n, share, len(fitted.likelihood.data)), interval=interval, seed=seed)


def outliers_of(fitted: Fitted, n: int, *, interval: float = LEVEL, seed: int = 1) -> pd.DataFrame:
    """:func:`outliers` of a fit that was read."""
    probabilities(interval=interval)
    likelihood, tails = fitted.over(None), Tails(fitted, seed=seed)
    density = predictive_of(likelihood, fitted)
    score = density
    if likelihood.data.gaps:
        rough, tails = tails, Tails(fitted, seed=seed)
        score = _again(likelihood, tails, _by_tails(likelihood, rough), n)
    rows = np.argsort(score, kind="stable")[:n]
    some = likelihood.rebind(likelihood.data.take(rows))
    table = pd.DataFrame(index=pd.Index([likelihood.data.obs_names[i] for i in rows], name=likelihood.data.id or "row"))
    table["rank"] = _below(np.sort(score), score[rows]) + 1
    if not fitted.point:
        heights = (
            _depths(likelihood, rough) if likelihood.data.gaps else _densities(likelihood, fitted.some(RANK_DRAWS))
        )
        ranks = _ranks(heights, rows)
        table["rank_lower"], table["rank_upper"] = _ends(ranks, interval, method="inverted_cdf").astype(int)
        table["among"] = (ranks <= len(rows)).mean(axis=0)
    table["log_density"] = density[rows]
    if not fitted.point:
        table["lower"], table["upper"] = _ends(estep.pointwise(some, fitted.params), interval)
    table["tail_probability"] = tails.means(some)
    if likelihood.data.gaps:  # of rare patterns fewer rows are simulated
        table["tail_probability"] = table["tail_probability"].clip(lower=tails.least(some).max())
    table["expected"] = len(likelihood.data) * table["tail_probability"]
    return table


def _how_many(n: int | None, share: float | None, rows: int) -> int:
    if n is not None and share is not None:
        raise ValueError(f"n: give n or share, not both; got {n} and {share}")
    if share is not None:
        if not 0 < share <= 1:
            raise ValueError(f"share: must be above 0 and at most 1; got {share}")
        return max(1, round(share * rows))
    return min(whole_numbers(n=LISTED_OUTLIERS if n is None else n)["n"], rows)


def _ends(values: np.ndarray, interval: float, **options: str) -> np.ndarray:
    """Equal-tailed interval of every column, (2, columns)."""
    return np.quantile(values, [(1 - interval) / 2, (1 + interval) / 2], axis=0, **options)  # type: ignore[call-overload]


def _blocks(likelihood: Likelihood, n_draws: int) -> Iterator[slice]:
    """Draws in ranges small enough for all rows at once."""
    width = max(1, int(BLOCK_BYTES / (8 * len(likelihood.data))))
    return (slice(start, start + width) for start in range(0, n_draws, width))


def _densities(likelihood: Likelihood, fitted: Fitted) -> Iterator[np.ndarray]:
    """Log-densities of all rows, (draws, n), by blocks of draws."""
    for block in _blocks(likelihood, fitted.size):
        yield estep.pointwise(likelihood, {v: a[block] for v, a in fitted.params.items()})


def _depths(likelihood: Likelihood, tails: Tails) -> Iterator[np.ndarray]:
    """How far out all rows lie, as :meth:`bayesmix.rows.tails.Tails.depths` says it, by blocks of draws."""
    for block in _blocks(likelihood, tails.fitted.size):
        yield tails.depths(likelihood, block)


def _by_tails(likelihood: Likelihood, tails: Tails) -> np.ndarray:
    """Places of the rows, (n,), by their mean tail probability, then by how far they lie below all simulated rows."""
    t, below = np.zeros((2, len(likelihood.data)))
    for depths in _depths(likelihood, tails):
        t += np.maximum(depths, 0.0).sum(axis=0)
        below += np.minimum(depths, 0.0).sum(axis=0)
    places: np.ndarray = np.unique(np.column_stack([t, below]), axis=0, return_inverse=True)[1]
    return places


def _again(likelihood: Likelihood, tails: Tails, places: np.ndarray, n: int) -> np.ndarray:
    """Places of the rows where the first are told apart by more simulated rows: there are fewer patterns of gaps."""
    first = np.argsort(places, kind="stable")[: max(LOOKED_AT_AGAIN * n, FEWEST_LOOKED_AT_AGAIN)]
    again = places + len(places)
    again[first] = _by_tails(likelihood.rebind(likelihood.data.take(first)), tails)
    return again


def _ranks(blocks: Iterable[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Ranks, from 1 for the least, of some rows among all, (draws, rows), by what every draw says of all (draws, n)."""
    ranks = []
    for every in blocks:
        own = every[:, rows]
        every.sort(axis=1)
        ranks += [_below(heights, at) + 1 for heights, at in zip(every, own, strict=True)]
    return np.array(ranks)


def _below(every: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How many of these sorted heights are below each of those, those that tie left out."""
    return np.searchsorted(every, up_to_ties(at, -1))
