"""Independent columns of one canonical family in PyMC: what serves a family that has no facet ``graph``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.model.variables import Graph
from bayesmix.parts.columns import Columns
from bayesmix.parts.part import Params

OFF_BOUNDARY = 1e-6
"""Starts keep this far from where a mean ends."""


class ColumnsGraph(Graph):
    """Variables: the weights and the means of every column."""

    signature: ClassVar[str] = "(k),(k,d),(k),()->(d)"

    @property
    def columns(self) -> Columns:
        """The components."""
        return self.likelihood.made_of(Columns)

    @property
    def settings(self) -> tuple[Any, ...]:
        """Whether cells are missing."""
        return (self.columns.data.gaps,)

    def x_data(self) -> np.ndarray:
        """(n, d) integers; floats where cells are missing, which NaN says."""
        return self.columns.x if self.columns.data.gaps else self.columns.x.astype("int64")

    def variables(self) -> list[TensorVariable]:
        """weights (K,) and means (K, d)."""
        means = self.columns.means
        return [self.weights(), self.variable(means.name, dims=means.dims)]

    def draw(self, *arguments: Any) -> TensorVariable:
        """z_i from w_k exp(a_ik), then every column."""
        weights, means, evidence, _, _ = arguments
        z = pm.Categorical.dist(logit_p=pt.log(weights) + evidence)
        drawn = getattr(pm, self.columns.model.name).dist(means[z])
        return drawn.astype("float64") if self.columns.data.gaps else drawn

    def start(self, params: Params) -> dict[str, np.ndarray]:
        """The means, away from where they end."""
        name = self.columns.means.name
        highest = np.inf if self.columns.means.support == "positive" else 1 - OFF_BOUNDARY
        return self.start_of_weights(params) | {name: np.clip(params[name], OFF_BOUNDARY, highest)}
