"""Latent classes: constant weights, independent Bernoulli columns.

log f(x_i | probs_k) = sum_j x_ij log probs_kj + (1 - x_ij) log(1 - probs_kj)

Lazarsfeld and Henry (1968); Goodman (1974), doi:10.1093/biomet/61.2.215.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import BERNOULLI, Canonical
from bayesmix.parts.columns import Columns
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.weights import Constant, Weights

PROBS = Parameter("probs", ("component", "feature"), "unit", r"p_k", "probabilities of 1", r"probs $p$", sorts=True)


class Bernoulli(Family):
    """Latent classes; ``params`` are weights (..., K) and probs (..., K, d).

    Columns of 0 and 1, independent within a class. Default priors: ``weights`` Dirichlet(2, ..., 2), ``probs``
    Beta(1, 1), uniform.
    """

    name: ClassVar[str] = "bernoulli"
    canonical: ClassVar[Canonical | None] = BERNOULLI
    observation: ClassVar[str] = "answer"
    models_gaps: ClassVar[bool] = True

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """weights and probs."""
        return (Constant.parameter(), PROBS)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Constant weights, Bernoulli columns."""
        return Constant(components), Probabilities(data, components, BERNOULLI, PROBS)

    def suits(self, x: np.ndarray) -> bool:
        """Columns of 0 and 1 alone."""
        return bool(((x == 0) | (x == 1) | np.isnan(x)).all())

    def free_cells(self, likelihood: Likelihood) -> float:
        """Of the table of answers."""
        return float(2.0**likelihood.data.n_features - 1)

    def check(self, options: Mapping[str, Any], data: Data) -> None:
        """Every cell that is there is 0 or 1."""
        for name, x in zip(data.feature_names, data.x.T, strict=True):
            bad = np.flatnonzero((x != 0) & (x != 1) & ~np.isnan(x))
            if len(bad):
                row = bad[0]
                raise ValueError(f"X: column {name!r}, row {data.obs_names[row]}: must be 0 or 1; got {x[row]:g}")


class Probabilities(Columns):
    """Probabilities with a uniform prior."""

    def default_priors(self) -> dict[str, Prior]:
        """Beta(1, 1)."""
        return {"probs": Prior("Beta", alpha=1.0, beta=1.0)}


FAMILY = Bernoulli()
