"""The E-step's node for JAX: its textbook expression, which XLA fuses and differentiates on any device."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.compile import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter

from bayesmix.estep.op import EStep


@node_rewriter([EStep])
def written_out(fgraph: Any, node: Any) -> list[Any]:
    """v_i l_i as an expression; gradients too, where the graph uses them."""
    op: EStep = node.op
    pointwise = op.pointwise(*node.inputs)
    parameters = node.inputs[1:-2]
    used = [bool(fgraph.clients[output]) for output in node.outputs]
    gradients = pt.grad(pointwise.sum(), parameters) if any(used[1:]) else [p.zeros_like() for p in parameters]
    return [pointwise, *gradients]


optdb.register("bayesmix_e_step_written_out", dfs_rewriter(written_out), "jax", position=0.1)
