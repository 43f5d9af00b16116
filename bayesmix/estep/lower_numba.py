"""The E-step's node as numba runs it: a call of the compiled kernel; and only L, where the rows are merely summed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable
from pytensor.compile import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key
from pytensor.tensor.math import Sum

from bayesmix.estep.op import EStep
from bayesmix.kernels.cache import SOURCES
from bayesmix.likelihood.facets import facet


@register_funcify_and_cache_key(EStep)
def e_step(op: EStep, node: Any, **kwargs: Any) -> tuple[Any, str]:
    """The gradient of the family's kernel; its settings are fixed when the graph is compiled."""
    kernel, settings = facet(op.family, "kernel").gradient, op.settings

    @register_jitable
    def gradient(pointwise, rest):  # type: ignore[no-untyped-def]
        return kernel(*(rest + settings + (pointwise,)))  # numba adds tuples, and unpacks one

    @numba_njit
    def summed(*rest):  # type: ignore[no-untyped-def]
        outputs = gradient(np.empty(0), rest)
        return (np.array(outputs[0]), *outputs[1:])

    @numba_njit
    def by_row(*rest):  # type: ignore[no-untyped-def]
        pointwise = np.empty(rest[0].shape[0])
        return (pointwise, *gradient(pointwise, rest)[1:])

    return (summed if op.summed else by_row), f"bayesmix EStep {op._props()} {SOURCES}"


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
