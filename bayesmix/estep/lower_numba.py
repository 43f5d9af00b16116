"""The E-step's node as numba runs it: a call of the compiled kernel; and only L, where the rows are merely summed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable
from pytensor.compile import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key
from pytensor.tensor.math import Sum

from bayesmix.estep.op import EStep, GaussianEStep, ZeroInflatedPoissonEStep
from bayesmix.families.gaussian import kernel as gaussian
from bayesmix.families.zero_inflated_poisson import kernel as zero_inflated_poisson
from bayesmix.kernels.cache import SOURCES


@register_funcify_and_cache_key(GaussianEStep)
def gaussian_e_step(op: GaussianEStep, node: Any, **kwargs: Any) -> tuple[Any, str]:
    """Whether C is diagonal is fixed when the graph is compiled."""
    kernel, diagonal = gaussian.gradient, op.diagonal

    @register_jitable
    def gradient(pointwise, x, weights, means, C, evidence, row_weights):  # type: ignore[no-untyped-def]
        return kernel(x, weights, means, C, evidence, row_weights, diagonal, pointwise)

    return _node(op, gradient), f"bayesmix {op.__class__.__name__} {op._props()} {SOURCES}"


@register_funcify_and_cache_key(ZeroInflatedPoissonEStep)
def zero_inflated_poisson_e_step(op: ZeroInflatedPoissonEStep, node: Any, **kwargs: Any) -> tuple[Any, str]:
    """Counts come as integers."""
    kernel = zero_inflated_poisson.gradient

    @register_jitable
    def gradient(pointwise, x, log_rate, logit_zero, evidence, row_weights):  # type: ignore[no-untyped-def]
        return kernel(x, log_rate, logit_zero, evidence, row_weights, pointwise)

    return _node(op, gradient), f"bayesmix {op.__class__.__name__} {op._props()} {SOURCES}"


def _node(op: EStep, gradient: Any) -> Any:
    """L as a 0-d array, or v_i l_i, before the gradients."""

    @numba_njit
    def summed(x, *rest):  # type: ignore[no-untyped-def]
        found = gradient(np.empty(0), x, *rest)
        return (np.array(found[0]), *found[1:])

    @numba_njit
    def by_row(x, *rest):  # type: ignore[no-untyped-def]
        pointwise = np.empty(x.shape[0])
        return (pointwise, *gradient(pointwise, x, *rest)[1:])

    return summed if op.summed else by_row


@node_rewriter([Sum])
def only_the_sum(fgraph: Any, node: Any) -> dict[Any, Any] | None:
    """sum_i v_i l_i by the node itself, where nothing else reads the rows."""
    (rows,) = node.inputs
    whole = node.op.axis is None or tuple(node.op.axis) == (0,)
    if rows.owner is None or not isinstance(rows.owner.op, EStep) or rows is not rows.owner.outputs[0]:
        return None
    if rows.owner.op.summed or len(fgraph.clients[rows]) > 1 or not whole:
        return None
    L, *gradients = rows.owner.op.total()(*rows.owner.inputs, return_list=True)
    return {node.outputs[0]: L} | dict(zip(rows.owner.outputs[1:], gradients, strict=True))


optdb.register("bayesmix_only_the_sum", dfs_rewriter(only_the_sum), "numba", position=1.9)
