"""The E-step as a node of a PyTensor graph: the log-likelihood of every row together with the gradient of their sum.

    outputs:  v_i l_i (n,),   dL/dtheta_1, ..., dL/dtheta_m   with L = sum_i v_i l_i

By Fisher's identity the gradient follows from the E-step's sums, so that value and gradient are one pass over the
rows and one node: the pullback of a cotangent that is one number g for all rows is g times this node's own outputs. For
any other cotangent it is a second node with row weights v_i g_i. Where a graph only needs L, a lowering may ask for it
in place of the rows: ``summed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type, grad_not_implemented
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from bayesmix.estep import log_densities
from bayesmix.likelihood.facets import facet


class EStep(Op):
    """Inputs: x, the operands of the family's kernel, evidence (n, K), row weights (n,).

    ``settings``: what the kernel takes besides, fixed when a graph is compiled. ``n_features``: columns of x.
    """

    __props__: ClassVar[tuple[str, ...]] = ("family", "n_features", "settings", "summed")

    def __init__(self, family: str, n_features: int, settings: tuple[Any, ...] = (), *, summed: bool = False) -> None:
        self.family, self.n_features, self.settings, self.summed = family, n_features, settings, summed

    def make_node(self, *inputs: Any) -> Apply:
        """One vector (its sum), and one variable like each parameter."""
        variables = [pt.as_tensor_variable(v) for v in inputs]
        parameters = variables[1:-2]
        rows = pt.vector(dtype="float64", shape=(variables[-2].type.shape[0],))
        return Apply(
            self, variables, [pt.scalar(dtype="float64") if self.summed else rows, *(p.type() for p in parameters)]
        )

    def total(self) -> EStep:
        """The same node with L as its first output."""
        return EStep(self.family, self.n_features, self.settings, summed=True)

    def infer_shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        """(n,), then the shapes of the parameters."""
        return [() if self.summed else (shapes[0][0],), *shapes[1:-2]]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Scale this node's gradients, or weigh its rows anew.

        Raises
        ------
        NotImplementedError
            For second derivatives: the textbook form has them.
        """
        if not all(isinstance(c.type, DisconnectedType) for c in cotangents[1:]):
            raise NotImplementedError(
                "the compiled E-step has no second derivatives; build the model with likelihood='textbook'"
            )
        g = cotangents[0]
        if isinstance(g.type, DisconnectedType):
            return [disconnected_type() for _ in inputs]
        number = one_number(g)
        if number is None:
            gradients = self(*inputs[:-1], inputs[-1] * g, return_list=True)[1:]
        else:
            gradients = [number * gradient for gradient in outputs[1:]]
        constant = (0, len(inputs) - 2, len(inputs) - 1)
        given = {i: grad_not_implemented(self, i, inputs[i], "the E-step knows parameters only") for i in constant}
        return [given[0], *gradients, given[len(inputs) - 2], given[len(inputs) - 1]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        """The compiled kernel, as everywhere."""
        x, *rest = inputs
        pointwise = np.empty(0 if self.summed else len(x))
        L, *gradients = facet(self.family, "kernel").gradient(x, *rest, *self.settings, pointwise)
        for storage, value in zip(output_storage, [L if self.summed else pointwise, *gradients], strict=True):
            storage[0] = np.asarray(value, dtype=float)

    def log_joint(self, x: Any, *operands: Any) -> Any:
        """log w_ik + log f(x_i | theta_k) as a PyTensor expression, (n, K)."""
        graph = facet(self.family, "graph")
        if graph is None:
            canonical = facet(self.family, "maths").FAMILY.canonical
            return log_densities.log_joint(canonical.name, x, *operands, *self.settings)
        return graph.log_joint(x, *operands, *self.settings, n_features=self.n_features)

    def pointwise(self, x: Any, *rest: Any) -> Any:
        """v_i l_i as a PyTensor expression."""
        *operands, evidence, v = rest
        return v * pt.logsumexp(self.log_joint(x, *operands) + evidence, axis=-1)


def one_number(g: Variable) -> Variable | None:
    """The scalar that a vector repeats, where the way it was built says so: the pullback of a sum does."""
    while g.type.ndim:
        node = g.owner
        if node is None:
            return None
        if isinstance(node.op, Elemwise) and str(node.op.scalar_op) == "second":
            g = node.inputs[1]
        elif isinstance(node.op, DimShuffle | Alloc) and all(node.inputs[0].type.broadcastable):
            g = node.inputs[0]
        else:
            return None
    return g
