"""Columns of measurements that are linear combinations of others: found, and told by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmix.inputs.data import Data, evenly

LOOKED_AT, CLEARLY_POSITIVE = 1000, 1e-4
"""Where so many rows have a smallest eigenvalue above this, no relation holds in all rows."""
LEFT_OUT = 1e-6
"""A term of a relation that moves the column by less than this share of its spread is left out of the words."""


def check_independent(data: Data, covariance: str, *, share: float) -> None:
    """No column follows from others: a direction without variance in all rows has none in any component.

    So that what EM would say of every component (a vanishing variance) is said of the columns, before anything runs.
    Where cells are missing, it is looked for among the rows that are whole, if these are more than there are columns.
    """
    x, weights = data.x, data.row_weights
    if data.gaps:
        whole = ~np.isnan(x).any(axis=1) & (weights > 0)
        x, weights = x[whole], weights[whole]
        if len(x) <= x.shape[1] or (np.ptp(x, axis=0) == 0).any():
            return
    equations = relations(x, data.feature_names, weights, share=share)
    if equations:
        more = f" (and {len(equations) - 3} more)" if len(equations) > 3 else ""
        raise ValueError(
            f"X: columns follow from others, {'; '.join(equations[:3])}{more}: covariance={covariance!r} needs columns "
            "that do not. Leave them out, or take covariance='diag' or 'spherical'"
        )


def relations(x: np.ndarray, names: Sequence[str], weights: np.ndarray, *, share: float) -> list[str]:
    """The columns of which the columns before leave less than this share of the variance, each with its relation.

    Of n rows or fewer than columns every column is a combination of others, which says nothing of what was measured:
    there only columns that are multiples of another are told.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        No column is constant over the rows that have weight.
    names : sequence of str
        Of the columns.
    weights : ndarray, shape (n,)
        Of the rows, not negative.
    share : float
        A part of the variance, between 0 and 1.

    Examples
    --------
    >>> a, b = np.array([1.0, 2.0, 4.0, 7.0, 1.0]), np.array([3.0, 1.0, 2.0, 2.0, 5.0])
    >>> relations(np.column_stack([a, b, 10 - a - 2 * b]), ["a", "b", "c"], np.ones(5), share=1e-10)
    ['c = 10 - a - 2 b']
    """
    few = evenly(len(x), LOOKED_AT + 10 * x.shape[1])
    if _smallest(x[few], weights[few]) > CLEARLY_POSITIVE:
        return []
    x, weights = x[weights > 0], weights[weights > 0]
    z, mean, sd = _standardized(x, weights)
    correlations = z.T @ z
    if np.linalg.eigvalsh(correlations)[0] > share:  # no column is left with less than the smallest eigenvalue
        return []
    several = len(x) > x.shape[1]
    combinations = _combinations(z, share) if several else _multiples(correlations, share) if len(x) > 2 else {}
    return [_words(j, terms, names, mean, sd) for j, terms in combinations.items()]


def _standardized(x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns z of mean 0 and weighted norm 1, so that z'z holds correlations; with the means and sds."""
    mean = weights @ x / weights.sum()
    z = x - mean
    sd = np.sqrt(weights @ z**2 / weights.sum())
    return z * np.sqrt(weights / weights.sum())[:, None] / sd, mean, sd


def _smallest(x: np.ndarray, weights: np.ndarray) -> float:
    """The smallest eigenvalue of the correlations; nan where a column is constant or no row has weight."""
    with np.errstate(invalid="ignore", divide="ignore"):
        z, _, _ = _standardized(x, weights)
    return float(np.linalg.eigvalsh(z.T @ z)[0]) if np.isfinite(z).all() else np.nan


def _combinations(z: np.ndarray, share: float) -> dict[int, dict[int, float]]:
    """Of standardized columns, coefficients on the columns before that are no combinations themselves."""
    R = np.linalg.qr(z, mode="r")
    kept: list[int] = []
    combinations = {}
    for j in range(z.shape[1]):
        basis, column = R[: j + 1, kept], R[: j + 1, j]
        coefficients = np.linalg.lstsq(basis, column)[0] if kept else np.zeros(0)
        if ((column - basis @ coefficients) ** 2).sum() < share:
            combinations[j] = dict(zip(kept, coefficients.tolist(), strict=True))
        else:
            kept.append(j)
    return combinations


def _multiples(correlations: np.ndarray, share: float) -> dict[int, dict[int, float]]:
    multiples: dict[int, dict[int, float]] = {}
    for j in range(1, len(correlations)):
        for k in range(j):
            if j not in multiples and 1 - correlations[j, k] ** 2 < share:
                multiples[j] = {k: float(np.sign(correlations[j, k]))}
    return multiples


def _words(j: int, terms: dict[int, float], names: Sequence[str], mean: np.ndarray, sd: np.ndarray) -> str:
    """``total = 2 + a - 0.5 b``, in the units of the columns."""
    slopes = {k: c * sd[j] / sd[k] for k, c in terms.items() if abs(c) > LEFT_OUT}
    constant = mean[j] - sum(b * mean[k] for k, b in slopes.items())
    parts = [(constant, "")] if abs(constant) > LEFT_OUT * (sd[j] + abs(mean[j])) else []
    parts += [(b, names[k]) for k, b in slopes.items()]
    text = ""
    for value, name in parts:
        size = f"{abs(value):.6g}"
        shown = " ".join(part for part in ("" if name and size == "1" else size, name) if part)
        text += f"{' - ' if value < 0 else ' + ' if text else ''}{shown}"
    return f"{names[j]} = {text.removeprefix(' ').replace('- ', '-', 1) if text.startswith(' -') else text}"
