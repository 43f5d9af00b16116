"""Poisson mixtures: constant weights, independent Poisson columns.

log f(x_i | rates_k) = sum_j x_ij log rates_kj - rates_kj - log x_ij!
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.cells import check_counts
from bayesmix.likelihood.family import Family
from bayesmix.parts.canonical import POISSON, Canonical
from bayesmix.parts.columns import Columns
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.weights import Constant, Weights

RATES = Parameter("rates", ("component", "feature"), "positive", r"\lambda_k", "rates", r"rates $\lambda$", sorts=True)
SHAPE = 1.5
"""Of the Gamma prior of the rates, whose mean is the column's: 90% between a tenth and three times that."""


class Poisson(Family):
    """Poisson mixtures; ``params`` are weights (..., K) and rates (..., K, d).

    Counts in one or more columns, independent within a component. Default priors: ``weights`` Dirichlet(2, ..., 2),
    ``rates`` Gamma(1.5, 1.5 / m_j) with m_j the column's mean, which is the prior's too.
    """

    name: ClassVar[str] = "poisson"
    canonical: ClassVar[Canonical | None] = POISSON
    observation: ClassVar[str] = "count"
    models_gaps: ClassVar[bool] = True

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """weights and rates."""
        return (Constant.parameter(), RATES)

    def check(self, options: Mapping[str, Any], data: Data) -> None:
        """Counts."""
        check_counts(data, self.name, one_column=False)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Constant weights, Poisson columns."""
        return Constant(components), Rates(data, components, POISSON, RATES)


class Rates(Columns):
    """Rates with a prior at the mean of each column."""

    def default_priors(self) -> dict[str, Prior]:
        """Gamma(1.5, 1.5 / mean of the column)."""
        return {"rates": Prior("Gamma", alpha=SHAPE, beta=SHAPE / np.maximum(self.average, 1e-3))}


FAMILY = Poisson()
