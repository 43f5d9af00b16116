"""Posterior predictive checks in numbers: statistics of the data among those of replicated data."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import numpy as np
from scipy import stats

from bayesmix.drawing.level import TAILS
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.gaps import seen

type Statistic = Callable[[np.ndarray], np.ndarray]

MEASUREMENTS: dict[str, Statistic] = {
    "mean": lambda x: x.mean(axis=-1),
    "standard deviation": lambda x: x.std(axis=-1),
    "skewness": lambda x: stats.skew(x, axis=-1),
    "excess kurtosis": lambda x: stats.kurtosis(x, axis=-1),
    "smallest": lambda x: x.min(axis=-1),
    "largest": lambda x: x.max(axis=-1),
}
COUNTS: dict[str, Statistic] = {
    "zeros": lambda x: (x == 0).sum(axis=-1),
    "ones": lambda x: (x == 1).sum(axis=-1),
    "mean": lambda x: x.mean(axis=-1),
    "variance / mean": lambda x: x.var(axis=-1) / np.maximum(x.mean(axis=-1), 1e-12),
    "largest": lambda x: x.max(axis=-1),
}


PRIOR_STATISTICS = ("mean", "standard deviation", "smallest", "largest", "zeros", "variance / mean")
"""What is asked of data sets from the prior."""


def _statistics(likelihood: Likelihood, j: int, only: Container[str] | None) -> dict[str, Statistic]:
    """Those that suit a column, by name: of answers the share of each, as ``share of 'yes' in smokes``."""
    data, observation = likelihood.data, likelihood.family.observation
    column, levels = data.feature_names[j], data.levels[j]
    if levels:
        return {f"share of {level!r} in {column}": _share(code) for code, level in enumerate(levels)}
    if observation == "answer":
        return {f"share of 1 in {column}": _share(1)}
    table = COUNTS if observation == "count" else MEASUREMENTS
    alone = observation == "count" and data.n_features == 1
    return {name if alone else f"{name} of {column}": f for name, f in table.items() if only is None or name in only}


def _share(code: int) -> Statistic:
    return lambda x: (x == code).mean(axis=-1)


def predictive_checks(
    likelihood: Likelihood, replicates: np.ndarray, only: Container[str] | None = None
) -> dict[str, Any]:
    """Every statistic of every column: observed, mean and 90% interval of replicates, predictive p-value.

    p = P(T_rep >= T_obs), ties counted half; 0.5 where the data look like replicated data, near 0 or 1 where they do
    not. ``replicates``: (S, n, n_features), of which the cells count that are there in the data. ``only``: these
    statistics, where given.
    """
    out: dict[str, Any] = {}
    for j in range(likelihood.data.n_features):
        rows, there = seen(likelihood.data, j)
        for words, statistic in _statistics(likelihood, j, only).items():
            observed = float(statistic(rows.x[:, j]))
            replicated = np.asarray(statistic(replicates[:, there, j]), dtype=float)
            out[words] = {
                "observed": observed,
                "mean": replicated.mean(),
                "lower": np.quantile(replicated, TAILS[0]),
                "upper": np.quantile(replicated, TAILS[1]),
                "p_value": (replicated > observed).mean() + 0.5 * (replicated == observed).mean(),
            }
    return out
