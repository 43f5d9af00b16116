"""Scores of responsibilities against true classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from bayesmix.inputs.data import Data

BINS = 10
LEAST_PROBABILITY = 1e-12
SCORE_NAMES = ("accuracy", "adjusted_rand", "brier", "log_score", "calibration_error")


def score_table(responsibilities: Mapping[str, np.ndarray], data: Data, components: Sequence[str]) -> pd.DataFrame:
    """One row of scores per set of responsibilities (n, K).

    Scored are the rows whose component is not known (:attr:`bayesmix.Data.known`), or all where all are known.

    ``accuracy``: share of rows whose most probable component is the true class. ``adjusted_rand``: Hubert and Arabie's
    index of that partition. ``brier``: mean of sum_k (r_ik - y_ik)^2. ``log_score``: mean of -log r of the true class
    (r not below 1e-12). ``calibration_error``: expected |confidence - accuracy| over ten bins. Components that carry no
    class name are first matched to classes by the largest common mass.
    """
    if data.truth is None:
        return pd.DataFrame(columns=list(SCORE_NAMES))
    rows = scored_rows(data)
    truth = data.truth[rows]
    classes = np.unique(data.truth)
    return pd.DataFrame(
        {name: _scores(r[rows], truth, components, classes) for name, r in responsibilities.items()},
        index=list(SCORE_NAMES),
    ).T


def scored_rows(data: Data) -> np.ndarray:
    """(n,) bool: the rows whose component is not known, or all where all are known."""
    return np.full(len(data), True) if data.known.all() else ~data.known


def class_of_component(
    r: np.ndarray, truth: np.ndarray, components: Sequence[str], classes: ArrayLike | None = None
) -> list[str]:
    """The class that each component stands for, from the responsibilities (n, K) and true classes (n,) of some rows.

    A component named by a class stands for it. The others are assigned to the remaining classes by the largest common
    mass; one that finds none keeps its name. ``classes`` are by default those that occur among the rows.
    """
    every = np.unique(truth if classes is None else classes)
    names = [str(name) for name in components]
    unnamed = np.flatnonzero(~np.isin(names, every))
    remaining = every[~np.isin(every, names)]
    mass = r[:, unnamed].T @ (truth[:, None] == remaining)
    for k, c in zip(*linear_sum_assignment(mass, maximize=True), strict=True):
        names[unnamed[k]] = str(remaining[c])
    return names


def _scores(r: np.ndarray, truth: np.ndarray, components: Sequence[str], classes: np.ndarray) -> list[float]:
    names = np.array(class_of_component(r, truth, components, classes))
    y = truth[:, None] == names
    best = r.argmax(axis=1)
    right = y[np.arange(len(y)), best]
    missed = ~y.any(axis=1)
    p_true = np.where(missed, 0.0, (r * y).sum(axis=1))
    confidence = r.max(axis=1)
    cell = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(cell, minlength=BINS)
    gaps = np.abs(np.bincount(cell, right - confidence, minlength=BINS))
    return [
        float(right.mean()),
        float(adjusted_rand_score(truth, best)),
        float(((r - y) ** 2).sum(axis=1).mean() + missed.mean()),
        float(-np.log(np.maximum(p_true, LEAST_PROBABILITY)).mean()),
        float(gaps.sum() / counts.sum()),
    ]
