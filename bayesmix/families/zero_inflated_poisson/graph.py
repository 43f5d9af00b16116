"""The zero-inflated Poisson in PyMC, written as the two-component mixture it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.families.zero_inflated_poisson.maths import parts_of
from bayesmix.model.coefficients import linear_predictor
from bayesmix.model.variables import Graph
from bayesmix.parts.part import Params

LARGEST_START = 50.0
"""Of a coordinate, in units of the linear predictor."""


class ZeroInflatedPoissonGraph(Graph):
    """Variables rate_coef, zero_coef; deterministics rate and zero_prob where constant."""

    signature: ClassVar[str] = "(),(),(k),()->()"

    def x_data(self) -> np.ndarray:
        """(n,) integers."""
        return self.likelihood.data.x[:, 0].astype("int64")

    def variables(self) -> list[TensorVariable]:
        """log lambda_i and logit P(structural zero)_i, (n,) each."""
        poisson, weights = parts_of(self.likelihood)
        (rate_coef, log_rate), (zero_coef, logit_zero) = (
            linear_predictor(linear, self.priors.get(linear.coef), self.likelihood.known.get(linear.coef))
            for linear in (poisson.linear, weights.linear)
        )
        if poisson.linear.constant:
            pm.Deterministic("rate", pt.exp(rate_coef[0]))
        if weights.linear.constant:
            pm.Deterministic("zero_prob", pt.sigmoid(zero_coef[0]))
        return [log_rate, logit_zero]

    def mixture(self, operands: Sequence[Any], **kwargs: Any) -> TensorVariable:
        """pm.ZeroInflatedPoisson; its psi is P(poisson)."""
        log_rate, logit_zero = operands
        return pm.ZeroInflatedPoisson("x", psi=pt.sigmoid(-logit_zero), mu=pt.exp(log_rate), **kwargs)

    def draw(self, *arguments: Any) -> TensorVariable:
        """0 for a structural zero, a Poisson draw otherwise."""
        log_rate, logit_zero, evidence, _, _ = arguments
        logits = pt.stack([-pt.softplus(-logit_zero), -pt.softplus(logit_zero)], axis=-1)
        z = pm.Categorical.dist(logit_p=logits + evidence)
        return pt.switch(pt.eq(z, 0), 0, pm.Poisson.dist(pt.exp(log_rate)))

    def start(self, params: Params) -> dict[str, np.ndarray]:
        """The coefficients, kept where linear predictors are finite."""
        whole = self.likelihood.with_nothing_known()
        kept = np.clip(whole.pack(params), -LARGEST_START, LARGEST_START)
        return dict(whole.unpack(kept))


GRAPH = ZeroInflatedPoissonGraph


def log_joint(x: Any, log_rate: Any, logit_zero: Any, *, n_features: int) -> Any:
    """(log pi_i where x_i = 0, log(1 - pi_i) + Poisson log-probability), (n, 2)."""
    structural = pt.switch(pt.eq(x, 0), -pt.softplus(-logit_zero), -np.inf)
    poisson = x * log_rate - pt.exp(log_rate) - pt.gammaln(x + 1.0) - pt.softplus(logit_zero)
    return pt.stack([structural, poisson], axis=-1)
