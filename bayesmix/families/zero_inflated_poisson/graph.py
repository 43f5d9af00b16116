"""The zero-inflated Poisson in PyMC, written as the two-component mixture it is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.estep.op import EStep, ZeroInflatedPoissonEStep
from bayesmix.families.zero_inflated_poisson.maths import ZeroInflatedPoisson
from bayesmix.likelihood.likelihood import Params
from bayesmix.model.coefficients import linear_predictor
from bayesmix.model.variables import Graph

LARGEST_START = 50.0
"""Of a coordinate, in units of the linear predictor."""


class ZeroInflatedPoissonGraph(Graph):
    """Variables rate_coef, zero_coef; deterministics rate and zero_prob where constant."""

    name: ClassVar[str] = "zero_inflated_poisson"
    signature: ClassVar[str] = "(),(),(k),()->()"
    family: ZeroInflatedPoisson

    def x_data(self) -> np.ndarray:
        """(n,) integers."""
        return self.family.x.astype("int64")

    def variables(self) -> list[TensorVariable]:
        """log lambda_i and logit P(structural zero)_i, (n,) each."""
        f = self.family
        (rate_coef, log_rate), (zero_coef, logit_zero) = (
            linear_predictor(part, self.priors[f"{part}_coef"], at, f.offsets[part] if f.has_offset[part] else None)
            for part, at in f.coordinates.items()
        )
        if f.constant["rate"]:
            pm.Deterministic("rate", pt.exp(rate_coef[0]))
        if f.constant["zero"]:
            pm.Deterministic("zero_prob", pt.sigmoid(zero_coef[0]))
        return [log_rate, logit_zero]

    @property
    def e_step(self) -> EStep:
        """The E-step."""
        return ZeroInflatedPoissonEStep()

    def mixture(self, *parameters: Any, **kwargs: Any) -> TensorVariable:
        """pm.ZeroInflatedPoisson; its psi is P(poisson)."""
        log_rate, logit_zero = parameters
        return pm.ZeroInflatedPoisson("x", psi=pt.sigmoid(-logit_zero), mu=pt.exp(log_rate), **kwargs)

    def draw(self, *arguments: Any) -> TensorVariable:
        """0 for a structural zero, a Poisson draw otherwise."""
        log_rate, logit_zero, evidence, _, _ = arguments
        logits = pt.stack([-pt.softplus(-logit_zero), -pt.softplus(logit_zero)], axis=-1)
        z = pm.Categorical.dist(logit_p=logits + evidence)
        return pt.switch(pt.eq(z, 0), 0, pm.Poisson.dist(pt.exp(log_rate)))

    def start(self, params: Params) -> dict[str, np.ndarray]:
        """The coefficients, kept where linear predictors are finite."""
        kept = np.clip(self.family.pack(params), -LARGEST_START, LARGEST_START)
        return dict(self.family.unpack(kept))
