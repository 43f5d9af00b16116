"""New rows: which group, how surely, how dense, how far out; or the response, where that was not observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmix import estep
from bayesmix.drawing.level import LEVEL
from bayesmix.inputs.arguments import probabilities
from bayesmix.inputs.containers import frame_of, has_index
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.expected_error import Errors
from bayesmix.posterior.record import BLOCK_BYTES, row_blocks, row_slices
from bayesmix.posterior.responsibilities import Fit, check_possible
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.simulate import drawn_rows
from bayesmix.rows.tails import Tails

OUTLIER = 0.001
"""A new row with a smaller tail probability is called an outlier: of a thousand rows from the fit one is."""
RESPONSES = 1000
"""Responses that are simulated for a row without one."""


def predict(fit: Fit, new: Any, interval: float = LEVEL, *, outlier: float = OUTLIER, seed: int = 1) -> pd.DataFrame:
    """What a fit says of new rows.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, or a point estimate, which has no intervals.
    new : DataFrame, array or Data
        The rows. Of a table the columns that the fit knows are taken. Labels count for the groups (a hard label settles
        them), not for densities. Where the family explains a response, that column may be missing or empty: then the
        response itself is predicted. It must not be missing in some rows alone.
    interval : float
        Probability of the intervals, between 0 and 1.
    outlier : float
        The tail probability below which a row is called an outlier.
    seed : int
        Of the simulated rows.

    Returns
    -------
    DataFrame
        One row per new row, with its index:

        ``group, probability``
            The component with the largest posterior mean responsibility, and that.
        ``probability[k], lower[k], upper[k]``
            Posterior mean and interval of P(component k | row), for every k. Without a response: P(component k), the
            weight of k in the row.
        ``log_density, lower, upper``
            Log predictive density, and the interval of the log-density over draws.
        ``tail_probability, outlier``
            P(a new row is no denser than this one), as in :func:`bayesmix.outliers`, and whether it is below
            ``outlier``.
        ``response, response_lower, response_upper``
            Instead of these, for rows without a response: mean and interval of its predictive distribution, from 1,000
            simulated ones.

        ``attrs["expected_error"]``: how often ``group`` is expected to be wrong, as
        :class:`bayesmix.posterior.expected_error.ExpectedError` says it: ``error, lower, upper`` and ``by_group``.

    Raises
    ------
    ValueError
        For an impossible interval, and where the columns of ``new`` are not those of the fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmix import Data, Mixture, fit_em
    >>> rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]})
    >>> em = fit_em(Mixture("gaussian", n_components=2), Data(rows), n_starts=1)
    >>> found = predict(em, pd.DataFrame({"x": [2.5, 50.0]}, index=["a", "b"]))
    >>> found["group"].to_dict(), found["outlier"].to_dict()
    ({'a': 'component_1', 'b': 'component_2'}, {'a': False, 'b': True})
    """
    probabilities(interval=interval, outlier=outlier)
    fitted = Fitted.of(fit)
    index, rows, observed = _rows(fitted.likelihood, new)
    likelihood = fitted.over(rows, labels=True)
    if observed:
        table, errors = _groups_and_density(likelihood, fitted, interval)
        table["tail_probability"] = Tails(fitted, seed=seed).means(fitted.over(rows))
        table["outlier"] = table["tail_probability"] < outlier
    else:
        table, errors = _response(likelihood, fitted, interval, seed)
    table = table.set_axis(index, axis=0)
    table.attrs = {"interval": interval, "expected_error": errors.found(interval).to_dict()}
    return table


def _rows(likelihood: Likelihood, new: Any) -> tuple[pd.Index, Any, bool]:
    """The index of new rows, the rows, and whether a response was observed: where not, zeros hold its place."""
    if isinstance(new, Data):
        return new.covariates.index.rename(new.id or None), new, True
    response = likelihood.data.feature_names[0]
    if isinstance(new, pd.DataFrame) and new.shape[1] == 0 and likelihood.family.responds:
        return new.index, Data(np.zeros(len(new))), False
    frame = frame_of(new)
    index = frame.index if has_index(new) else pd.RangeIndex(1, len(frame) + 1)
    explained = likelihood.family.responds and set(likelihood.covariates) <= set(frame.columns)
    gaps = frame[response].isna().to_numpy() if explained and response in frame.columns else np.ones(len(frame), bool)
    if explained and gaps.any() and not gaps.all():
        raise ValueError(
            f"X: column {response!r}, row {index[int(gaps.argmax())]} is missing, and others are not: leave the row "
            "out, or the whole column, which is predicted then"
        )
    if not explained or not gaps.all():
        return index, new, True
    return index, Data(frame.assign(**{response: 0.0}), response=response), False


def _groups_and_density(likelihood: Likelihood, fitted: Fitted, interval: float) -> tuple[pd.DataFrame, Errors]:
    """Responsibilities and densities, from one pass over the rows."""
    draws, n, K = estep.Draws(likelihood, fitted.params), len(likelihood.data), len(likelihood.components)
    bare = draws if not likelihood.data.labelled.any() else estep.Draws(fitted.over(likelihood.data), fitted.params)
    tails = _tails(interval)
    r_found, l_found, errors = np.empty((3, n, K)), np.empty((3, n)), Errors(likelihood, draws.size)
    r: np.ndarray | None = None
    for rows in row_slices(likelihood, draws.size):
        l, r = draws.both(rows, held=r)
        check_possible(likelihood, r, likelihood.data, rows)
        l = l if bare is draws else bare.pointwise(rows)
        r_found[:, rows] = _mean_and_ends(r.reshape(draws.size, -1), tails).reshape(3, -1, K)
        l_found[:, rows] = _mean_and_ends(l, tails)
        l_found[0, rows] = estep.log_mean_exp(l)
        errors.add(rows, r, r_found[0, rows])
    columns = _by_group(likelihood, r_found, fitted)
    columns["log_density"] = l_found[0]
    columns |= {} if fitted.point else {"lower": l_found[1], "upper": l_found[2]}
    return pd.DataFrame(columns), errors


def _response(likelihood: Likelihood, fitted: Fitted, interval: float, seed: int) -> tuple[pd.DataFrame, Errors]:
    """Weights, and the response by simulation: a draw of the parameters each."""
    n, K, tails = len(likelihood.data), len(likelihood.components), _tails(interval)
    weights, errors = np.empty((3, n, K)), Errors(likelihood, fitted.size)
    for rows, block in row_blocks(likelihood, fitted.size):
        w = np.exp(block.log_weights(fitted.params))
        w = np.ascontiguousarray(np.broadcast_to(w, (fitted.size, len(block.data), K)))
        weights[:, rows] = _mean_and_ends(w.reshape(fitted.size, -1), tails).reshape(3, -1, K)
        errors.add(rows, w, weights[0, rows])
    columns = _by_group(likelihood, weights, fitted)
    names = ("response", "response_lower", "response_upper")
    columns |= dict(zip(names, _simulated(likelihood, fitted, tails, np.random.default_rng(seed)), strict=True))
    return pd.DataFrame(columns), errors


def _simulated(likelihood: Likelihood, fitted: Fitted, tails: list[float], rng: np.random.Generator) -> np.ndarray:
    """Mean and ends of simulated responses, (3, n), in blocks of rows."""
    n, width = len(likelihood.data), max(1, int(BLOCK_BYTES / (8 * RESPONSES)))
    out, picked = np.empty((3, n)), rng.permutation(np.arange(RESPONSES) % fitted.size)
    if fitted.size > RESPONSES:
        picked = rng.choice(fitted.size, RESPONSES, replace=False)
    for start in range(0, n, width):
        rows = np.arange(start, min(start + width, n))
        block = likelihood.rebind(likelihood.data.take(rows))
        new = np.stack([drawn_rows(block, fitted.one(s), rng)[0][:, 0] for s in picked])
        out[:, rows] = _mean_and_ends(new, tails)
    return out


def _by_group(likelihood: Likelihood, probabilities: np.ndarray, fitted: Fitted) -> dict[str, Any]:
    """The columns of the groups from mean and ends (3, n, K)."""
    mean, lower, upper = probabilities
    columns: dict[str, Any] = {
        "group": np.array(likelihood.components)[mean.argmax(axis=1)],
        "probability": mean.max(axis=1),
    }
    for k, name in enumerate(likelihood.components):
        columns[f"probability[{name}]"] = mean[:, k]
        columns |= {} if fitted.point else {f"lower[{name}]": lower[:, k], f"upper[{name}]": upper[:, k]}
    return columns


def _tails(interval: float) -> list[float]:
    return [(1 - interval) / 2, (1 + interval) / 2]


def _mean_and_ends(values: np.ndarray, tails: list[float]) -> np.ndarray:
    """Mean and two quantiles of every column, (3, columns)."""
    return estep.summaries(values, tails)[[0, 2, 3]]
