"""What components are like, column by column: the estimate that says it, and what its entries stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params

BOUNDED = ("unit", "simplexes")
"""Supports on which differences need no scale: they are differences of probabilities."""


@dataclass(frozen=True, eq=False)
class Profile:
    """The estimate (component, entry) that is a component's centre, and how its entries belong to columns.

    Attributes
    ----------
    parameter : Parameter
    columns : tuple of str
    column : ndarray of int, shape (entries,)
        The column of every entry: one entry for each, or one for each of its levels.
    entries : tuple of str
        What an entry is called within its column; empty texts where it is the only one.
    average, scale : ndarray, shape (entries,)
        Of all rows: the mean of a column or the share of an answer; the unit of differences, a standard deviation of
        the column or, for probabilities, 1.
    missing : ndarray of int, shape (columns,)
        Cells that are missing.
    """

    parameter: Parameter
    columns: tuple[str, ...]
    column: np.ndarray
    entries: tuple[str, ...]
    average: np.ndarray
    scale: np.ndarray
    missing: np.ndarray

    @classmethod
    def of_columns(cls, parameter: Parameter, data: Data) -> Self:
        """Of an estimate with one entry for each column."""
        there = np.isfinite(data.x)
        x, v = np.where(there, data.x, 0.0), data.row_weights[:, None] * there
        mass = np.maximum(v.sum(axis=0), np.finfo(float).tiny)
        mean = (v * x).sum(axis=0) / mass
        sd = np.sqrt((v * (x - mean) ** 2).sum(axis=0) / mass)
        d = data.n_features
        scale = np.ones(d) if parameter.support in BOUNDED else np.where(sd > 0, sd, 1.0)
        return cls(parameter, data.feature_names, np.arange(d), ("",) * d, mean, scale, (~there).sum(axis=0))

    @property
    def by_level(self) -> bool:
        """Whether columns have an entry for each of their levels."""
        return any(self.entries)

    def contrasts(self, params: Params, weights: np.ndarray) -> np.ndarray:
        """Every component less the weighted mean of the others, in units of ``scale``, (..., K, entries).

        weights (..., K): shares of the components.
        """
        values = np.asarray(params[self.parameter.name]) / self.scale
        w = weights[..., None]
        rest = np.maximum(1 - w, np.finfo(float).tiny)
        return np.asarray(values - ((w * values).sum(axis=-2, keepdims=True) - w * values) / rest)

    def effects(self, params: Params, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far a component lies from the others, never negative: by columns (..., K, columns) and entries.

        The root of the weighted mean of squared distances to each: a component between two others is told from both,
        though it is like their mean. A distance is that of the entries in units of ``scale``; where a column has
        levels, the total variation distance: half the sum of absolute differences.
        """
        values = np.asarray(params[self.parameter.name]) / self.scale
        first = np.flatnonzero(np.diff(self.column, prepend=-1))
        columns, entries = np.zeros((*values.shape[:-1], len(first))), np.zeros_like(values)
        for other in range(values.shape[-2]):
            apart, w = np.abs(values - values[..., other : other + 1, :]), weights[..., other, None, None]
            entries += w * apart**2
            columns += w * (np.add.reduceat(apart, first, axis=-1) / 2 if self.by_level else apart) ** 2
        rest = np.maximum(1 - weights, np.finfo(float).tiny)[..., None]
        return np.asarray(np.sqrt(columns / rest)), np.asarray(np.sqrt(entries / rest))
