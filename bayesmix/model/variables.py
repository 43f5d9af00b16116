"""The PyMC half of a likelihood: its variables, its density, its forward draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.estep.op import EStep
from bayesmix.inputs.distributions import concentrations
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.model.dynamic_weights import dynamic_weights
from bayesmix.model.partly_known import partly_known
from bayesmix.model.pooled import pooled_rates, pooled_scales
from bayesmix.parts.part import Params
from bayesmix.parts.weights import WEIGHTS


class Graph(ABC):
    """Variables and log-density of a likelihood, in PyMC and PyTensor.

    ``signature`` is that of the observed ``pm.CustomDist``: the operands of the family's kernel, then the label
    evidence ``(k)`` and the row weight ``()``. ``settings``: what the kernel takes besides.
    """

    signature: ClassVar[str]

    def __init__(self, likelihood: Likelihood, priors: Mapping[str, Prior], order: str | None) -> None:
        self.likelihood, self.priors, self.order = likelihood, priors, order

    def over(self, likelihood: Likelihood) -> Self:
        """The same variables and priors for a likelihood that knows more, or other rows."""
        return type(self)(likelihood, self.priors, self.order)

    @property
    def settings(self) -> tuple[Any, ...]:
        """None."""
        return ()

    @property
    def e_step(self) -> EStep:
        """The node whose first output is v_i l_i, from x, the operands, evidence and row weights."""
        return EStep(self.likelihood.name, self.likelihood.data.n_features, self.settings)

    @abstractmethod
    def x_data(self) -> np.ndarray:
        """The observations as the model holds them."""

    @abstractmethod
    def variables(self) -> list[TensorVariable]:
        """Create the free variables and deterministics in the model at hand; the operands of the kernel."""

    def weights(self) -> TensorVariable:
        """Constant weights, (K,)."""
        K = len(self.likelihood.components)
        if K == 1:
            return pm.Deterministic(WEIGHTS, pt.ones(1), dims=("component",))
        if WEIGHTS in self.likelihood.known:
            return self.variable(WEIGHTS, dims=("component",))
        prior = self.priors[WEIGHTS]
        if prior.support == "dynamic":
            return random_variable(WEIGHTS, prior, dims=("component",))
        spread = Prior(prior.distribution, a=np.broadcast_to(prior.parameters["a"], K))
        return random_variable(WEIGHTS, spread, dims=("component",))

    def variable(self, name: str, *, dims: tuple[str, ...], **kwargs: Any) -> TensorVariable:
        """An estimate with its prior; what is known of it is constant."""
        known = self.likelihood.known.get(name)
        if known is None:
            return random_variable(name, self.priors[name], dims=dims, **kwargs)
        if not np.isnan(known).any():
            return pm.Deterministic(name, pt.as_tensor(known), dims=dims)
        prior = self.priors[name]
        if prior.support == "pooled":
            raise ValueError(f"fixed: {name} of some components is known, but its prior is of all together")
        return partly_known(name, getattr(pm, prior.distribution), _numbers(name, prior), known, dims=dims)

    def mixture(self, operands: Sequence[Any], **kwargs: Any) -> TensorVariable | None:
        """The same distribution by PyMC's own means, for rows without labels and weights; None where it has none."""
        return None

    @abstractmethod
    def draw(self, *arguments: Any) -> TensorVariable:
        """Forward draws: operands, evidence, row weights, size -> x."""

    @abstractmethod
    def start(self, params: Params) -> dict[str, np.ndarray]:
        """Values of the free variables that give these parameters."""

    def start_of_weights(self, params: Params) -> dict[str, np.ndarray]:
        """Weights away from 0, unless there is but one."""
        if len(self.likelihood.components) == 1:
            return {}
        weights = np.maximum(params[WEIGHTS], 1e-8)
        return {WEIGHTS: weights / weights.sum()}

    def observed(self, parameters: Sequence[Any], evidence: Any, row_weights: Any, **kwargs: Any) -> TensorVariable:
        """The observed variable over the compiled E-step."""
        arguments = (*parameters, evidence, row_weights)
        return self._custom(arguments, lambda value, *rest: self.e_step(value, *rest, return_list=True)[0], **kwargs)

    def textbook(self, parameters: Sequence[Any], evidence: Any, row_weights: Any, **kwargs: Any) -> TensorVariable:
        """The observed variable as textbooks write it; what PyMC's mixtures do not know, in sums.

        That is labels, row weights and missing cells.
        """
        data = self.likelihood.data
        plain = not (data.weighted or data.gaps or self.likelihood.evidence.any())
        mixture = self.mixture(parameters, **kwargs) if plain else None
        if mixture is not None:
            return mixture
        return self._custom((*parameters, evidence, row_weights), self.e_step.pointwise, **kwargs)

    def _custom(self, arguments: Sequence[Any], logp: Callable, **kwargs: Any) -> TensorVariable:
        return pm.CustomDist("x", *arguments, logp=logp, dist=self.draw, signature=self.signature, **kwargs)


def constant(name: str, value: Any) -> TensorVariable:
    """A number of the prior, held as data: one compiled model serves other numbers."""
    number = np.asarray(value, dtype=float)
    return pm.Data(name, number, shape=number.shape)


def random_variable(name: str, prior: Prior, *, dims: tuple[str, ...], **kwargs: Any) -> TensorVariable:
    """The prior as a PyMC variable."""
    if prior.support == "pooled":
        make = pooled_rates if prior.distribution == "PooledRates" else pooled_scales
        return make(name, dims=dims, **_numbers(name, prior))
    if prior.support == "dynamic":
        a, log_weight = concentrations(prior)
        nodes = {"a": constant(f"{name}_a", a), "log_weight": constant(f"{name}_log_weight", log_weight)}
        return dynamic_weights(name, dims=dims, **nodes)
    return getattr(pm, prior.distribution)(name, **_numbers(name, prior), dims=dims, **kwargs)


def _numbers(name: str, prior: Prior) -> dict[str, TensorVariable]:
    return {p: constant(f"{name}_{p}", value) for p, value in prior.parameters.items()}
