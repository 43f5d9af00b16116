"""Scales or rates of all components with one joint prior: gamma variables with a common level, integrated out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import LogTransform
from pytensor.tensor import TensorVariable


class LogOfAll(LogTransform):
    """The logarithm of every entry of a variable that has one density."""

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Of all entries together."""
        return pt.sum(value)


def pooled_scales(
    name: str, *, alpha: TensorVariable, level_shape: TensorVariable, level_rate: TensorVariable, dims: tuple[str, ...]
) -> TensorVariable:
    """Scales sigma_k, the first of ``dims`` that of components; one that all share has none.

    sigma_k^2 ~ InverseGamma(alpha, C) and C ~ Gamma(level_shape, level_rate). C, one for every entry of the other
    dimensions, is integrated out (:func:`bayesmix.inputs.distributions.log_density`): a further variable would have to
    be started and explained.
    """
    size = _size(dims)

    def draw(alpha: Any, shape: Any, rate: Any, _: Any) -> TensorVariable:
        level = pm.Gamma.dist(shape, rate, shape=size[1:])
        return pt.sqrt(pm.InverseGamma.dist(alpha, level * pt.ones(size), shape=size))

    def log_density(value: Any, alpha: Any, shape: Any, rate: Any) -> TensorVariable:
        value = pt.atleast_1d(value)
        precisions = value**-2
        powers = pt.log(2 * value).sum(axis=0) + (alpha + 1) * pt.log(precisions).sum(axis=0)
        return _log_density(precisions.sum(axis=0), powers, alpha, shape, rate, size)

    return _variable(name, (alpha, level_shape, level_rate), log_density, draw, dims)


def pooled_rates(
    name: str, *, alpha: TensorVariable, level_shape: TensorVariable, level_rate: TensorVariable, dims: tuple[str, ...]
) -> TensorVariable:
    """Rates r_k ~ Gamma(alpha, C) and C ~ Gamma(level_shape, level_rate), as :func:`pooled_scales`."""
    size = _size(dims)

    def draw(alpha: Any, shape: Any, rate: Any, _: Any) -> TensorVariable:
        level = pm.Gamma.dist(shape, rate, shape=size[1:])
        return pm.Gamma.dist(alpha, level * pt.ones(size), shape=size)

    def log_density(value: Any, alpha: Any, shape: Any, rate: Any) -> TensorVariable:
        powers = (alpha - 1) * pt.log(value).sum(axis=0)
        return _log_density(value.sum(axis=0), powers, alpha, shape, rate, size)

    return _variable(name, (alpha, level_shape, level_rate), log_density, draw, dims)


def _size(dims: tuple[str, ...]) -> tuple[int, ...]:
    coords = pm.modelcontext(None).coords
    return tuple(len(coords[d]) for d in dims)


def _log_density(
    total_rate: Any, powers: Any, alpha: Any, shape: Any, rate: Any, size: tuple[int, ...]
) -> TensorVariable:
    """From the sums of rates over components, and powers of them: of all entries together."""
    together = size[0] if size else 1
    total = together * alpha + shape
    constants = shape * pt.log(rate) - pt.gammaln(shape) + pt.gammaln(total) - together * pt.gammaln(alpha)
    return pt.sum(constants + powers - total * pt.log(total_rate + rate))


def _variable(
    name: str, numbers: tuple[TensorVariable, ...], log_density: Callable, draw: Callable, dims: tuple[str, ...]
) -> TensorVariable:
    size = _size(dims)
    of_column = "d"[: len(size) - 1]
    return pm.CustomDist(
        name,
        *(number * pt.ones(size[1:]) for number in numbers),
        logp=log_density,
        dist=draw,
        signature=f"({of_column}),({of_column}),({of_column})->({','.join('kd'[: len(dims)])})",
        default_transform=LogOfAll(),
        dims=dims,
    )
