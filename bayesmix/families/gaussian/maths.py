"""Gaussian mixtures: constant weights, normal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from bayesmix.families.gaussian.covariance import COVARIANCES
from bayesmix.families.gaussian.normal import MEANS, Normal
from bayesmix.inputs.data import Data
from bayesmix.likelihood.component import Component
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.parameter import Parameter
from bayesmix.likelihood.part import Params
from bayesmix.likelihood.weights import Constant, Weights


class Gaussian(Family):
    """Gaussian mixtures; ``params`` are weights (..., K), means (..., K, d) and covariances (..., K, d, d)."""

    name: ClassVar[str] = "gaussian"
    options: ClassVar[dict[str, Any]] = {"covariance": "full"}
    orders: ClassVar[tuple[str, ...]] = ("means",)

    def check_options(self, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """One option, ``covariance``: full, tied, diag or spherical."""
        covariance = options.get("covariance", self.options["covariance"])
        if covariance not in list(COVARIANCES):
            raise ValueError(f"covariance: unknown kind {covariance!r}; choose from {', '.join(COVARIANCES)}")
        return {"covariance": covariance}

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """weights, means, scales, and correlations where the kind has them."""
        return (Constant.parameter(), MEANS, *COVARIANCES[options["covariance"]].parameters)

    def component_names(self, data: Data, n_components: int) -> tuple[str, ...]:
        """As everywhere; no more than there are rows."""
        if n_components > len(data):
            raise ValueError(f"n_components: must be at most the number of rows, {len(data)}; got {n_components}")
        return super().component_names(data, n_components)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Constant weights, normal components."""
        return Constant(components), Normal(data, components, options["covariance"])

    def spikes(self, likelihood: Likelihood, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Where the density of a component is unbounded, or rests on hardly any rows."""
        return normal(likelihood).reasons(likelihood, params, r)

    def probes(self, likelihood: Likelihood, rng: np.random.Generator, n: int = 6) -> Data:
        """Rows, and midpoints between pairs of rows."""
        rows, x = super().probes(likelihood, rng, n).x, likelihood.data.x
        pairs = rng.choice(len(x), (n, 2))
        return Data(np.vstack([rows, x[pairs].mean(axis=1)]))


def normal(likelihood: Likelihood) -> Normal:
    """The normal components of a Gaussian mixture."""
    component = likelihood.component
    assert isinstance(component, Normal)
    return component


FAMILY = Gaussian()
