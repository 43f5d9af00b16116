"""A linear predictor over rows: X beta + o = Q z + o, in coordinates that know neither zero nor unit of a covariate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesmix.formulas.design import Encoder, design_matrix
from bayesmix.formulas.orthonormal import Orthonormal, newton_step
from bayesmix.inputs.data import Data


@dataclass(frozen=True, eq=False)
class Linear:
    """One formula over rows.

    Attributes
    ----------
    name : str
        Of the part of the model: ``rate`` has the coefficients ``rate_coef`` along ``rate_term``.
    matrix : DataFrame
        X, (n, p).
    offset : ndarray, shape (n,)
    encoder : Encoder
        Makes the same columns from other rows.
    row_weights : ndarray, shape (n,)
    covariates : DataFrame
        What the columns were made of: over the same ones they are not made again.
    """

    name: str
    matrix: pd.DataFrame
    offset: np.ndarray
    encoder: Encoder
    row_weights: np.ndarray
    covariates: pd.DataFrame

    @classmethod
    def of(cls, name: str, formula: str | Encoder, data: Data) -> Linear:
        """The formula over the rows of the data; ValueError where its columns are linearly dependent."""
        matrix, offset, encoder = design_matrix(formula, data.covariates, name)
        counted = matrix[data.row_weights > 0]
        scaled = counted / np.sqrt((counted**2).mean()).replace(0.0, 1.0)
        if isinstance(formula, str) and np.linalg.matrix_rank(scaled) < matrix.shape[1]:
            raise ValueError(f"{name}: the columns {', '.join(matrix.columns)} are linearly dependent")
        return cls(name, matrix, offset, encoder, data.row_weights, data.covariates)

    def over(self, data: Data) -> Linear:
        """The same formula over other rows; factor levels stay as they were encoded."""
        if data.covariates is self.covariates and data.row_weights is self.row_weights:
            return self
        return Linear.of(self.name, self.encoder, data)

    @cached_property
    def X(self) -> np.ndarray:
        """The design matrix, (n, p)."""
        return self.matrix.to_numpy(dtype=float)

    @property
    def coef(self) -> str:
        """The name of the coefficients."""
        return f"{self.name}_coef"

    @property
    def terms(self) -> list[str]:
        """The names of the columns."""
        return [str(name) for name in self.matrix.columns]

    @cached_property
    def at(self) -> Orthonormal:
        """The coordinates z = R beta over these rows."""
        return Orthonormal.of(self.X, self.row_weights)

    @property
    def has_offset(self) -> bool:
        """Whether the formula has any."""
        return bool(self.encoder.offsets)

    @property
    def offset_words(self) -> str:
        """The offset as the formula says it."""
        formula = self.encoder.formula
        return " + ".join(map(formula.names.restore, formula.offsets))

    @property
    def constant(self) -> bool:
        """Whether the predictor is one number for all rows."""
        return self.terms == ["Intercept"] and not self.has_offset

    def predictor(self, coefficients: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
        """X beta + o of a range of rows, all by default, (..., rows)."""
        return np.asarray(coefficients @ self.X[rows].T + self.offset[rows])

    def sums(self, slope: np.ndarray, weight: np.ndarray, rows: slice = slice(None)) -> dict[str, np.ndarray]:
        """Q' slope and Q' diag(weight) Q over a range of rows, from derivatives by the predictor of each."""
        Q = self.at.basis[rows]
        return {f"{self.name}_gradient": Q.T @ slope, f"{self.name}_information": (Q.T * weight) @ Q}

    def newton(self, gradient: np.ndarray, information: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Coefficients after one step of Newton's method, in orthonormal coordinates."""
        return np.asarray(coefficients + self.at.coefficients(newton_step(gradient, information)))
