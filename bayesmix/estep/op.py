"""The E-step as a node of a PyTensor graph: the log-likelihood of every row together with the gradient of their sum.

    outputs:  v_i l_i (n,),   dL/dtheta_1, ..., dL/dtheta_m   with L = sum_i v_i l_i

By Fisher's identity the gradient follows from the E-step's statistics, so that value and gradient are one pass over the
rows and one node: the pullback of a cotangent that is one number g for all rows is g times this node's own outputs. For
any other cotangent it is a second node with row weights v_i g_i. Where a graph only needs L, a lowering may ask for it
in place of the rows: ``summed``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type, grad_not_implemented
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from scipy.linalg import solve_triangular
from scipy.special import expit, gammaln, log_expit, logsumexp, softmax


class EStep(Op):
    """Inputs: x, the family's parameters, evidence (n, K), row weights (n,)."""

    __props__: ClassVar[tuple[str, ...]] = ("summed",)
    summed: bool = False

    def make_node(self, *inputs: Any) -> Apply:
        """One vector (its sum), and one variable like each parameter."""
        variables = [pt.as_tensor_variable(v) for v in inputs]
        parameters = variables[1:-2]
        rows = pt.vector(dtype="float64", shape=(variables[-2].type.shape[0],))
        return Apply(
            self, variables, [pt.scalar(dtype="float64") if self.summed else rows, *(p.type() for p in parameters)]
        )

    @abstractmethod
    def total(self) -> EStep:
        """The same node with L as its first output."""

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
            found = self(*inputs[:-1], inputs[-1] * g, return_list=True)[1:]
        else:
            found = [number * gradient for gradient in outputs[1:]]
        constant = (0, len(inputs) - 2, len(inputs) - 1)
        given = {i: grad_not_implemented(self, i, inputs[i], "the E-step knows parameters only") for i in constant}
        return [given[0], *found, given[len(inputs) - 2], given[len(inputs) - 1]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        """The NumPy reference."""
        x, *parameters, evidence, v = inputs
        with np.errstate(divide="ignore", invalid="ignore"):
            log_joint = self.log_joint(x, *parameters) + evidence
            r = v[:, None] * softmax(log_joint, axis=1)
            l = v * logsumexp(log_joint, axis=1)
            found = [l.sum() if self.summed else l, *self.gradient(x, *parameters, r=r)]
        for storage, value in zip(output_storage, found, strict=True):
            storage[0] = np.asarray(value, dtype=float)

    @abstractmethod
    def log_joint(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        """log w_ik + log f(x_i | theta_k), (n, K)."""

    @abstractmethod
    def gradient(self, x: np.ndarray, *parameters: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, ...]:
        """dL/dtheta by Fisher's identity, from v_i r_ik (n, K)."""

    @abstractmethod
    def textbook(self, x: Any, *parameters: Any) -> Any:
        """``log_joint`` as a PyTensor expression."""

    def pointwise(self, x: Any, *rest: Any) -> Any:
        """v_i l_i as a PyTensor expression."""
        *parameters, evidence, v = rest
        return v * pt.logsumexp(self.textbook(x, *parameters) + evidence, axis=-1)


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


class GaussianEStep(EStep):
    """Parameters: weights (K,), means (K, d), Cholesky factors C (K, d, d); ``diagonal``: whether C is."""

    __props__: ClassVar[tuple[str, ...]] = ("n_features", "diagonal", "summed")

    def __init__(self, n_features: int, *, diagonal: bool, summed: bool = False) -> None:
        self.n_features, self.diagonal, self.summed = n_features, diagonal, summed

    def total(self) -> EStep:
        """The same node with L as its first output."""
        return GaussianEStep(self.n_features, diagonal=self.diagonal, summed=True)

    def _whiten(self, x: np.ndarray, means: np.ndarray, C: np.ndarray) -> np.ndarray:
        """C_k^-1 (x_i - mu_k), (K, d, n)."""
        return np.stack([solve_triangular(Ck, (x - m).T, lower=True) for m, Ck in zip(means, C, strict=True)])

    def log_joint(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        """log w_k - d/2 log 2 pi - sum_j log C_jj - z'z / 2."""
        weights, means, C = parameters
        z = self._whiten(x, means, C)
        level = np.log(weights) - np.log(np.einsum("kjj->kj", C)).sum(axis=1) - 0.5 * x.shape[1] * np.log(2 * np.pi)
        return np.asarray((level[:, None] - 0.5 * (z**2).sum(axis=1)).T)

    def gradient(self, x: np.ndarray, *parameters: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, ...]:
        """N_k / w_k, C_k^-T s_k, tril(C_k^-T (S_k - N_k I))."""
        weights, means, C = parameters
        z = self._whiten(x, means, C)
        mass, s = r.sum(axis=0), np.einsum("nk,kjn->kj", r, z)
        S = np.einsum("nk,kin,kjn->kij", r, z, z) - mass[:, None, None] * np.eye(x.shape[1])
        inverse_t = np.linalg.inv(C).transpose(0, 2, 1)
        d_C = np.tril(inverse_t @ S)
        if self.diagonal:
            d_C = d_C * np.eye(x.shape[1])
        return mass / weights, np.einsum("kij,kj->ki", inverse_t, s), d_C

    def textbook(self, x: Any, *parameters: Any) -> Any:
        """Forward substitution written out."""
        weights, means, C = parameters
        d = self.n_features
        diff = x[..., None, :] - means
        z: list[Any] = []
        for j in range(d):
            rest = sum((C[..., j, m] * z[m] for m in range(j)), start=0.0)
            z.append((diff[..., j] - rest) / C[..., j, j])
        log_det = sum(pt.log(C[..., j, j]) for j in range(d))
        quadratic = sum(zj**2 for zj in z)
        return pt.log(weights) - log_det - 0.5 * d * np.log(2 * np.pi) - 0.5 * quadratic


class ZeroInflatedPoissonEStep(EStep):
    """Parameters: log lambda_i (n,), logit P(structural zero)_i (n,)."""

    def __init__(self, *, summed: bool = False) -> None:
        self.summed = summed

    def total(self) -> EStep:
        """The same node with L as its first output."""
        return ZeroInflatedPoissonEStep(summed=True)

    def log_joint(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        """(log pi_i where x_i = 0, log(1 - pi_i) + Poisson log-probability)."""
        log_rate, logit_zero = parameters
        poisson = x * log_rate - np.exp(log_rate) - gammaln(x + 1.0) + log_expit(-logit_zero)
        return np.stack([np.where(x == 0, log_expit(logit_zero), -np.inf), poisson], axis=-1)

    def gradient(self, x: np.ndarray, *parameters: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, ...]:
        """r_i1 (x_i - lambda_i) and r_i0 - v_i pi_i."""
        log_rate, logit_zero = parameters
        return r[:, 1] * (x - np.exp(log_rate)), r[:, 0] - r.sum(axis=1) * expit(logit_zero)

    def textbook(self, x: Any, *parameters: Any) -> Any:
        """The same in PyTensor."""
        log_rate, logit_zero = parameters
        structural = pt.switch(pt.eq(x, 0), -pt.softplus(-logit_zero), -np.inf)
        poisson = x * log_rate - pt.exp(log_rate) - pt.gammaln(x + 1.0) - pt.softplus(logit_zero)
        return pt.stack([structural, poisson], axis=-1)
