"""A variable over components some of whose values are known: the others alone have a prior, and are sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.distribution import support_point
from pymc.distributions.transforms import log, logodds
from pymc.logprob.transforms import Transform
from pytensor.tensor import TensorVariable

TRANSFORMS = {"Normal": None, "StudentT": None, "Laplace": None, "Logistic": None, "Cauchy": None, "Beta": logodds}
"""PyMC's own, by distribution; all others are of positive variables."""


class FreeComponents(Transform):
    """The values of the free components, each as the distribution's own transform has it."""

    name = "free"

    def __init__(self, known: np.ndarray, within: Transform | None) -> None:
        self.known, self.within = known, within
        self.free = np.isnan(known).reshape(len(known), -1).all(axis=1)

    def forward(self, value: Any, *inputs: Any) -> TensorVariable:
        """From all components to the free ones."""
        some = pt.stack([value[k] for k in np.flatnonzero(self.free)])
        return some if self.within is None else self.within.forward(some, *inputs)

    def backward(self, value: Any, *inputs: Any) -> TensorVariable:
        """From the free components to all."""
        some = value if self.within is None else self.within.backward(value, *inputs)
        return self.filled(some)

    def filled(self, some: Any) -> TensorVariable:
        """All components, from values of the free ones."""
        place = np.cumsum(self.free) - 1
        return pt.stack([some[place[k]] if free else pt.as_tensor(self.known[k]) for k, free in enumerate(self.free)])

    def log_jac_det(self, value: Any, *inputs: Any) -> TensorVariable:
        """For the whole variable."""
        return pt.constant(0.0) if self.within is None else self.within.log_jac_det(value, *inputs).sum()


def partly_known(
    name: str, distribution: Any, parameters: Mapping[str, Any], known: np.ndarray, *, dims: tuple[str, ...]
) -> TensorVariable:
    """The variable in the model at hand; ``known`` (component, ...) is NaN in components that are free."""
    transform = FreeComponents(known, TRANSFORMS.get(distribution.__name__, log))
    free, names = transform.free.reshape(-1, *[1] * (known.ndim - 1)), list(parameters)
    values = np.where(np.isnan(known), 1.0, known)

    def whole(*arguments: Any) -> TensorVariable:
        return distribution.dist(**dict(zip(names, arguments, strict=False)), shape=known.shape)

    def draw(*arguments: Any) -> TensorVariable:
        return pt.switch(free, whole(*arguments), values)

    def density(value: Any, *arguments: Any) -> TensorVariable:
        return pt.switch(free, pm.logp(whole(*arguments), value), 0.0)

    def middle(rv: Any, size: Any, *arguments: Any) -> TensorVariable:
        return pt.switch(free, support_point(whole(*arguments)), values)

    return pm.CustomDist(
        name,
        *parameters.values(),
        dist=draw,
        logp=density,
        support_point=middle,
        default_transform=transform,
        dims=dims,
    )
