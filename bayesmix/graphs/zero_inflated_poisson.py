"""The zero-inflated Poisson in PyMC, written as the two-component mixture it is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.families import Params, ZeroInflatedPoisson
from bayesmix.graphs.base import Graph, random_variable
from bayesmix.kernels.op import EStep, ZeroInflatedPoissonEStep


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
        rate_design = pm.Data("rate_design", f.F, dims=("obs", "rate_term"))
        zero_design = pm.Data("zero_design", f.G, dims=("obs", "zero_term"))
        rate_coef = random_variable("rate_coef", self.priors["rate_coef"], dims=("rate_term",))
        zero_coef = random_variable("zero_coef", self.priors["zero_coef"], dims=("zero_term",))
        if f.constant["rate"]:
            pm.Deterministic("rate", pt.exp(rate_coef[0]))
        if f.constant["zero"]:
            pm.Deterministic("zero_prob", pt.sigmoid(zero_coef[0]))
        return [rate_design @ rate_coef, zero_design @ zero_coef]

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
        """The coefficients, kept finite."""
        return {v: np.clip(params[v], -50.0, 50.0) for v in ("rate_coef", "zero_coef")}
