"""What the rows of a label are like, column by column, and how much every row is like them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NARROWEST = 1e-6
"""Of a column within a label, in units of the column's own."""
RAREST_ANSWER = 1e-6
"""Of an answer within a label: one that none of its rows gave is unlikely there, not impossible."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """Rows as columns that are independent within a label; cells that are missing say nothing.

    Attributes
    ----------
    numbers : ndarray, shape (n, p)
        Columns of numbers, each with its mean subtracted; NaN where a cell is missing. Constant columns are left out.
    answers : ndarray, shape (n, A)
        An indicator of every answer of the columns of answers; NaN where the cell is missing.
    """

    numbers: np.ndarray
    answers: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, levels: Sequence[Sequence[str]] = ()) -> Likeness:
        """From cells (n, d): numbers, or codes of the ``levels`` that a column has.

        Examples
        --------
        >>> rows = Likeness.of(np.array([[1.0, 0.0], [3.0, np.nan]]), [(), ("no", "yes")])
        >>> rows.numbers.ravel().tolist(), rows.answers.tolist()
        ([-1.0, 1.0], [[1.0, 0.0], [nan, nan]])
        """
        sizes = [len(own) for own in levels] or [0] * x.shape[1]
        there = ~np.isnan(x)
        differ = [len(np.unique(own[seen])) > 1 for own, seen in zip(x.T, there.T, strict=True)]
        told = [x[:, j] - x[there[:, j], j].mean() for j, m in enumerate(sizes) if not m and differ[j]]
        coded = [(x[:, [j]], m) for j, m in enumerate(sizes) if m]
        answers = [np.where(np.isnan(code), np.nan, code == np.arange(m)) for code, m in coded]
        none = np.empty((len(x), 0))
        return cls(np.column_stack([none, *told]), np.hstack([none, *answers]))

    def log_density(self, weights: np.ndarray) -> np.ndarray:
        """Of every row in every label, but for a constant, (n, K), from how much each row weighs there, (n, K).

        Independent normals with the moments of the label's rows, and the shares of the answers among them.
        """
        there, x = ~np.isnan(self.numbers), np.nan_to_num(self.numbers)
        mass = np.maximum(weights.T @ there, np.finfo(float).tiny)
        mean = weights.T @ x / mass
        spread = (x**2).sum(axis=0) / there.sum(axis=0)
        variance = np.maximum(weights.T @ x**2 / mass - mean**2, NARROWEST * spread)
        squares = (x[:, None, :] - mean) ** 2 / variance + np.log(variance)
        return self._log_shares(weights) - 0.5 * np.where(there[:, None, :], squares, 0.0).sum(axis=-1)

    def _log_shares(self, weights: np.ndarray) -> np.ndarray:
        given = np.nan_to_num(self.answers)
        mass = np.maximum(weights.T @ ~np.isnan(self.answers), np.finfo(float).tiny)
        return np.asarray(given @ np.log(np.maximum(weights.T @ given / mass, RAREST_ANSWER)).T)
