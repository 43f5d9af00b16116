"""Scores of probabilities against known groups, and of intervals against known parameters."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm

from bayesmix.checks.scores import LEAST_PROBABILITY

EDGES = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])
"""Bins of the probability of the more probable group."""
LEVELS = np.array([0.5, 0.8, 0.95])
TAILS = np.concatenate([(1 - LEVELS) / 2, (1 + LEVELS) / 2])
"""Lower ends of the intervals, then upper ends."""


def log_score(r: np.ndarray, groups: np.ndarray) -> float:
    """Mean of -log r of the true group (r not below 1e-12); r (n, K), groups (n,)."""
    return float(-np.log(np.maximum(r[np.arange(len(r)), groups], LEAST_PROBABILITY)).mean())


def brier(r: np.ndarray, groups: np.ndarray) -> float:
    """Mean of sum_k (r_ik - y_ik)^2."""
    return float(((r - np.eye(r.shape[1])[groups]) ** 2).sum(axis=1).mean())


def reliability(r: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """By bin of confidence: rows, sum of confidences, rows whose more probable group is the true one; (3, bins)."""
    confidence, right = r.max(axis=1), r.argmax(axis=1) == groups
    where = np.clip(np.searchsorted(EDGES, confidence, side="right") - 1, 0, len(EDGES) - 2)
    bins = len(EDGES) - 1
    return np.array([np.bincount(where, w, minlength=bins) for w in (np.ones(len(r)), confidence, right)])


def calibration_error(table: np.ndarray) -> float:
    """Expected |confidence - share right| of a :func:`reliability` table, or of a sum of several."""
    return float(np.abs(table[1] - table[2]).sum() / table[0].sum())


def matching(r: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The order of the components of ``r`` (n, K) that agrees best with the reference's."""
    return np.asarray(linear_sum_assignment(reference.T @ r, maximize=True)[1])


def normal_ends(estimate: np.ndarray, standard_error: np.ndarray) -> np.ndarray:
    """Ends of the intervals estimate + z se, (P, 6): see :data:`TAILS`."""
    return np.asarray(estimate)[:, None] + norm.ppf(TAILS) * np.asarray(standard_error)[:, None]


def covered(ends: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each interval holds the truth, (..., P, levels); ends (..., P, 6), truth (..., P)."""
    lower, upper = np.split(ends, 2, axis=-1)
    return (lower <= truth[..., None]) & (truth[..., None] <= upper)


def lengths(ends: np.ndarray) -> np.ndarray:
    """Lengths of the intervals, (..., P, levels)."""
    lower, upper = np.split(ends, 2, axis=-1)
    return upper - lower
