"""Scales of all components with one joint prior: squares are inverse gamma with a common level, integrated out."""

from __future__ import annotations

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
    """Scales sigma_k, the first of ``dims`` that of components.

    sigma_k^2 ~ InverseGamma(alpha, C) and C ~ Gamma(level_shape, level_rate). C, one for every entry of the other
    dimensions, is integrated out (:func:`bayesmix.inputs.distributions.log_density`): a further variable would have to
    be started and explained.
    """
    coords = pm.modelcontext(None).coords
    size = tuple(len(coords[d]) for d in dims)

    def draw(alpha: Any, shape: Any, rate: Any, _: Any) -> TensorVariable:
        level = pm.Gamma.dist(shape, rate, shape=size[1:])
        return pt.sqrt(pm.InverseGamma.dist(alpha, level * pt.ones(size), shape=size))

    def log_density(value: Any, alpha: Any, shape: Any, rate: Any) -> TensorVariable:
        precisions, total = value**-2, size[0] * alpha + shape
        constants = shape * pt.log(rate) - pt.gammaln(shape) + pt.gammaln(total) - size[0] * pt.gammaln(alpha)
        powers = pt.log(2 * value).sum(axis=0) + (alpha + 1) * pt.log(precisions).sum(axis=0)
        return pt.sum((constants + powers - total * pt.log(precisions.sum(axis=0) + rate)) * pt.ones(size[1:]))

    signature = f"(),(),()->({','.join('kd'[: len(size)])})"
    return pm.CustomDist(
        name,
        alpha,
        level_shape,
        level_rate,
        logp=log_density,
        dist=draw,
        signature=signature,
        default_transform=LogOfAll(),
        dims=dims,
    )
