"""Weights whose Dirichlet concentration is shared out over the components, and itself drawn, integrated out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import simplex
from pytensor.tensor import TensorVariable

from bayesmix.inputs.distributions import SMALLEST_WEIGHT


def dynamic_weights(
    name: str, *, a: TensorVariable, log_weight: TensorVariable, dims: tuple[str, ...]
) -> TensorVariable:
    """Weights w ~ Dirichlet(a / K), a one of the nodes (:func:`bayesmix.inputs.distributions.concentrations`).

    A variable for the concentration would make a funnel: where it is small, weights are free to vanish.
    """
    K = len(pm.modelcontext(None).coords[dims[0]])

    def draw(a: Any, log_weight: Any, like: Any, _: Any) -> TensorVariable:
        own = a[pm.Categorical.dist(logit_p=log_weight)]
        gammas = pt.maximum(pm.Gamma.dist(own / K * pt.ones_like(like), 1.0), SMALLEST_WEIGHT)
        return gammas / gammas.sum()

    def log_density(value: Any, a: Any, log_weight: Any, like: Any) -> TensorVariable:
        level = log_weight + pt.gammaln(a) - K * pt.gammaln(a / K)
        return pt.logsumexp(level + (a / K - 1) * pt.log(value).sum())

    return pm.CustomDist(
        name,
        a,
        log_weight,
        np.zeros(K),
        logp=log_density,
        dist=draw,
        signature="(q),(q),(k)->(k)",
        default_transform=simplex,
        dims=dims,
    )
