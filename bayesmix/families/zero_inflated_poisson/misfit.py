"""How counts can miss a zero-inflated Poisson: their spread, their zeros, and covariates that a part leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from bayesmix.families.zero_inflated_poisson.maths import parts_of
from bayesmix.likelihood.discrepancies import Discrepancies, Measure
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

MOST_LEVELS = 6
"""Of a factor, and how many covariates, are looked at."""
MOST_COVARIATES = 20


class ZeroInflatedPoissonDiscrepancies(Discrepancies):
    """Of counts that are no structural zeros: Pearson residuals; of both parts: the score of covariates left out."""

    measures = (
        Measure(
            "overdispersion",
            "The counts vary more than a Poisson distribution does.",
            "Try a covariate in the rate, or a negative binomial.",
        ),
        Measure(
            "underdispersion",
            "The counts vary less than a Poisson distribution does.",
            "Look at how the counts were made: a largest possible count, or rows that are not independent.",
        ),
        Measure("many zeros", "There are more zeros than the model makes.", "Try a covariate in the zero part."),
        Measure("few zeros", "There are fewer zeros than the model makes.", "Try a covariate in the zero part."),
        Measure(
            "large counts",
            "The largest count is too large for the model.",
            "Try a negative binomial; look at that row.",
        ),
        Measure(
            "zero part",
            "Structural zeros depend on a covariate in another way than the zero part says.",
            "Try the covariate, or its square, in the zero part.",
        ),
        Measure(
            "rate",
            "The rate depends on a covariate in another way than its formula says.",
            "Try the covariate, or its square, in the rate.",
        ),
    )

    def compare(
        self, likelihood: Likelihood, params: Params, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Large where counts are not those of the two parts."""
        poisson, weights = parts_of(likelihood)
        log_rate, logit = poisson.predictor(params), weights.predictor(params)
        rate = np.exp(np.minimum(log_rate, 20.0))
        known, columns = likelihood.evidence[:, 0] - likelihood.evidence[:, 1], _columns(likelihood.data.covariates)
        allowed = expit(logit + known)
        new = np.where(rng.random(rate.shape) < allowed, 0, rng.poisson(rate))
        return _measured(likelihood.data.x[:, 0], rate, allowed, columns), _measured(new, rate, allowed, columns)


def _measured(x: np.ndarray, rate: np.ndarray, zero: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The measures (S, 7) of counts x (n,) or (S, n), with rates and P(structural zero) before x is seen (S, n)."""
    odds = np.divide(zero, 1 - zero, out=np.full_like(zero, np.inf), where=zero < 1)
    r = np.where(x == 0, odds / (odds + np.exp(-rate)), 0.0)
    r[np.isnan(r)] = 1.0
    excess, poisson = x - rate, 1 - r
    squares = (poisson * excess**2 / rate).sum(axis=-1) / np.maximum(poisson.sum(axis=-1), 1.0)
    no_count = zero + (1 - zero) * np.exp(-rate)
    zeros = ((x == 0) - no_count).sum(axis=-1)
    largest = (poisson * excess / np.sqrt(rate)).max(axis=-1)
    return np.stack(
        [
            squares,
            -squares,
            zeros,
            -zeros,
            largest,
            _score(r - zero, zero * (1 - zero), columns),
            _score(poisson * excess, (1 - zero) * rate, columns),
        ],
        axis=-1,
    )


def _score(residual: np.ndarray, variance: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The largest standardized score of a column that a linear predictor may lack, (S,)."""
    if not columns.shape[1]:
        return np.zeros(len(residual))
    return np.asarray((np.abs(residual @ columns) / np.sqrt(np.maximum(variance @ columns**2, 1e-12))).max(axis=-1))


def _columns(covariates: pd.DataFrame) -> np.ndarray:
    """Numeric covariates and their squares, and indicators of levels, all centred, (n, columns)."""
    columns = []
    for name in covariates.columns[:MOST_COVARIATES]:
        column = covariates[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            values = _centred(column.to_numpy(dtype=float))
            columns += [values, _centred(values**2)]
        else:
            text = column.astype(str)
            columns += [_centred((text == level).to_numpy(dtype=float)) for level in text.unique()[:MOST_LEVELS]]
    kept = [c for c in columns if np.isfinite(c).all() and np.abs(c).max() > 1e-9]
    return np.stack(kept, axis=1) if kept else np.empty((len(covariates), 0))


def _centred(x: np.ndarray) -> np.ndarray:
    """With mean 0 and, unless it is constant, variance 1."""
    x = x - x.mean()
    scale = np.sqrt((x**2).mean())
    return x / scale if scale > 1e-12 * (1 + np.abs(x).max()) else np.zeros_like(x)


DISCREPANCIES = ZeroInflatedPoissonDiscrepancies()
