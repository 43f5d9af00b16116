"""What the PyMC half of a family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pymc as pm
from pytensor.tensor import TensorVariable

from bayesmix.estep.op import EStep
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Family, Params


class Graph(ABC):
    """Variables and log-density of a family, in PyMC and PyTensor.

    ``signature`` is that of the observed ``pm.CustomDist``: the family's own parameters, then the label evidence
    ``(k)`` and the row weight ``()``.
    """

    name: ClassVar[str]
    signature: ClassVar[str]

    def __init__(self, family: Family, priors: Mapping[str, Prior], order: str | None) -> None:
        self.family, self.priors, self.order = family, priors, order

    def over(self, family: Family) -> Self:
        """The same variables and priors for a family that knows more, or other rows."""
        return type(self)(family, self.priors, self.order)

    @abstractmethod
    def x_data(self) -> np.ndarray:
        """The observations as the model holds them."""

    @abstractmethod
    def variables(self) -> list[TensorVariable]:
        """Create the free variables and deterministics in the model at hand; the parameters of the likelihood."""

    @property
    @abstractmethod
    def e_step(self) -> EStep:
        """The node whose first output is v_i l_i, from x, the parameters, evidence and row weights."""

    @abstractmethod
    def mixture(self, *parameters: Any, **kwargs: Any) -> TensorVariable:
        """The same distribution by PyMC's own means, for rows without labels and weights."""

    @abstractmethod
    def draw(self, *arguments: Any) -> TensorVariable:
        """Forward draws: parameters, evidence, row weights, size -> x."""

    @abstractmethod
    def start(self, params: Params) -> dict[str, np.ndarray]:
        """Values of the free variables that give these parameters."""

    def observed(self, parameters: Sequence[Any], evidence: Any, row_weights: Any, **kwargs: Any) -> TensorVariable:
        """The observed variable over the compiled E-step."""
        arguments = (*parameters, evidence, row_weights)
        return self._custom(arguments, lambda value, *rest: self.e_step(value, *rest, return_list=True)[0], **kwargs)

    def textbook(self, parameters: Sequence[Any], evidence: Any, row_weights: Any, **kwargs: Any) -> TensorVariable:
        """The observed variable as textbooks write it; with labels or weights, unknown to PyMC's mixtures, in sums."""
        if self.family.data.weighted or self.family.evidence.any():
            return self._custom((*parameters, evidence, row_weights), self.e_step.pointwise, **kwargs)
        return self.mixture(*parameters, **kwargs)

    def _custom(self, arguments: Sequence[Any], logp: Callable, **kwargs: Any) -> TensorVariable:
        return pm.CustomDist("x", *arguments, logp=logp, dist=self.draw, signature=self.signature, **kwargs)


def constant(name: str, value: Any) -> TensorVariable:
    """A number of the prior, held as data: one compiled model serves other numbers."""
    number = np.asarray(value, dtype=float)
    return pm.Data(name, number, shape=number.shape)


def random_variable(name: str, prior: Prior, *, dims: tuple[str, ...], **kwargs: Any) -> TensorVariable:
    """The prior as a PyMC variable."""
    distribution = getattr(pm, prior.distribution)
    parameters = {p: constant(f"{name}_{p}", value) for p, value in prior.parameters.items()}
    return distribution(name, **parameters, dims=dims, **kwargs)
