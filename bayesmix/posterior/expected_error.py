"""How often the most probable component is expected to be the wrong one: what must stand beside every modal class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood


@dataclass(frozen=True, eq=False)
class ExpectedError:
    """The expected error rate of taking every row for its most probable component.

    A row whose posterior mean responsibilities are r_ik goes to component m_i = argmax_k r_ik and belongs elsewhere
    with probability 1 - r_i,m. The rate is the mean of that over the rows whose component no label settles, and its
    interval is that of the same mean under single draws: how far the rate itself is known. It is right as far as the
    model is; true classes have no part in it.

    Attributes
    ----------
    error : float
        0 where labels settle every row.
    lower, upper : float
        NaN of a point estimate, which does not say how far it is known.
    by_group : DataFrame
        One row per component: ``rows`` that are assigned to it, and their ``error, lower, upper`` (NaN without rows).
    confusion : DataFrame
        Of the rows assigned to a component (index), the share that is expected to belong to each (columns).
    """

    error: float
    lower: float
    upper: float
    by_group: pd.DataFrame
    confusion: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers: error, lower, upper, and the same by group."""
        groups = {str(k): row for k, row in self.by_group.to_dict("index").items()}
        return {"error": self.error, "lower": self.lower, "upper": self.upper, "by_group": groups}

    def __str__(self) -> str:
        interval = "" if np.isnan(self.lower) else f" ({self.lower:.2%} to {self.upper:.2%})"
        return f"{self.error:.2%}{interval}"


class Errors:
    """Adds up, block of rows by block, what :class:`ExpectedError` needs of the responsibilities of all draws."""

    def __init__(self, likelihood: Likelihood, n_draws: int) -> None:
        K = len(likelihood.components)
        self.likelihood, self.counted = likelihood, ~likelihood.data.known
        self.sums, self.rows = np.zeros((n_draws, K, K)), np.zeros(K)

    def add(self, rows: slice, r: np.ndarray, mean: np.ndarray) -> None:
        """The responsibilities r (draws, rows, K) of some rows, and their means over draws (rows, K)."""
        group = np.where(self.counted[rows], mean.argmax(axis=1), -1)
        self.rows += np.bincount(group[group >= 0], minlength=len(self.rows))
        estep.sums_by_group(r, group, self.sums)

    def found(self, prob: float) -> ExpectedError:
        """The rates, with equal-tailed intervals of this probability."""
        names = pd.Index(self.likelihood.components, name="group")
        wrong = self.rows - np.einsum("skk->sk", self.sums)
        with np.errstate(invalid="ignore"):
            by_group, confusion = wrong / self.rows, self.sums.mean(axis=0) / self.rows[:, None]
        total = wrong.sum(axis=1) / max(self.rows.sum(), 1.0)
        columns = np.column_stack([total, by_group])
        ends = np.full((2, columns.shape[1]), np.nan)
        if len(columns) > 1:
            ends = np.quantile(columns, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
        table = np.stack([columns.mean(axis=0), *ends])
        groups = pd.DataFrame(table[:, 1:].T, columns=["error", "lower", "upper"], index=names)
        groups.insert(0, "rows", self.rows.astype(int))
        error, lower, upper = (float(v) for v in table[:, 0])
        return ExpectedError(error, lower, upper, groups, pd.DataFrame(confusion, names, list(names)))


def point_error(likelihood: Likelihood, r: np.ndarray) -> ExpectedError:
    """The expected error of a point estimate, from its responsibilities (n, K)."""
    errors = Errors(likelihood, 1)
    errors.add(slice(None), r[None], r)
    return errors.found(0.5)
