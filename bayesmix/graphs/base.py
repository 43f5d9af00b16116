"""What the PyMC half of a family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.families import Family, Params
from bayesmix.prior import Prior


class Graph(ABC):
    """Variables and textbook log-density of a family, in PyMC and PyTensor.

    ``signature`` is that of the observed ``pm.CustomDist``: the family's own parameters, then the label evidence
    ``(k)`` and the row weight ``()``.
    """

    name: ClassVar[str]
    signature: ClassVar[str]

    def __init__(self, family: Family, priors: Mapping[str, Prior], order: str | None) -> None:
        self.family, self.priors, self.order = family, priors, order

    @abstractmethod
    def x_data(self) -> np.ndarray:
        """The observations as the model holds them."""

    @abstractmethod
    def variables(self) -> list[TensorVariable]:
        """Create the free variables and deterministics in the model at hand; the parameters of the likelihood."""

    @abstractmethod
    def log_joint(self, value: Any, *parameters: Any) -> TensorVariable:
        """log w_ik + log f(x_i | theta_k), (n, K), without the evidence."""

    @abstractmethod
    def draw(self, *arguments: Any) -> TensorVariable:
        """Forward draws: parameters, evidence, row weights, size -> x."""

    @abstractmethod
    def start(self, params: Params) -> dict[str, np.ndarray]:
        """Values of the free variables that give these parameters."""

    def logp(self, value: Any, *arguments: Any) -> TensorVariable:
        """v_i l_i for every row."""
        *parameters, evidence, row_weights = arguments
        return row_weights * pt.logsumexp(self.log_joint(value, *parameters) + evidence, axis=-1)


def random_variable(name: str, prior: Prior, *, dims: tuple[str, ...], **kwargs: Any) -> TensorVariable:
    """The prior as a PyMC variable."""
    distribution = getattr(pm, prior.distribution)
    return distribution(name, **prior.parameters, dims=dims, **kwargs)
