"""The E-step's node as numba runs it: a call of the compiled kernel."""

from __future__ import annotations

from typing import Any

from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key

from bayesmix.kernels import gaussian, zero_inflated_poisson
from bayesmix.kernels.cache import SOURCES
from bayesmix.kernels.op import GaussianEStep, ZeroInflatedPoissonEStep


@register_funcify_and_cache_key(GaussianEStep)
def gaussian_e_step(op: GaussianEStep, node: Any, **kwargs: Any) -> tuple[Any, str]:
    """Whether C is diagonal is fixed when the graph is compiled."""
    kernel, diagonal = gaussian.gradient, op.diagonal

    @numba_njit
    def e_step(x, weights, means, C, evidence, row_weights):  # type: ignore[no-untyped-def]
        return kernel(x, weights, means, C, evidence, row_weights, diagonal)

    return e_step, f"bayesmix gaussian {diagonal} {SOURCES}"


@register_funcify_and_cache_key(ZeroInflatedPoissonEStep)
def zero_inflated_poisson_e_step(op: ZeroInflatedPoissonEStep, node: Any, **kwargs: Any) -> tuple[Any, str]:
    """Counts come as integers."""
    kernel = zero_inflated_poisson.gradient

    @numba_njit
    def e_step(x, log_rate, logit_zero, evidence, row_weights):  # type: ignore[no-untyped-def]
        return kernel(x, log_rate, logit_zero, evidence, row_weights)

    return e_step, f"bayesmix zero_inflated_poisson {SOURCES}"
