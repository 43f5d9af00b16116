"""Gaussian mixtures in PyMC.

Correlations have an LKJ(eta) prior through batched canonical partial correlations (Lewandowski, Kurowicka and Joe 2009,
doi:10.1016/j.jmva.2009.04.008): z_ij ~ Beta(b_j, b_j), b_j = eta + (d - 2 - j) / 2, p = 2 z - 1 and

    L_ij = p_ij prod_{m<j} sqrt(1 - p_im^2),      L_ii = prod_{m<i} sqrt(1 - p_im^2).

Standard variables only: PyMC's LKJCorr breaks ``compute_log_likelihood`` and LKJCholeskyCov does not batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Ordered
from pytensor.tensor import TensorVariable

from bayesmix.estep.log_densities import log_normal_joint
from bayesmix.families.gaussian.maths import normal
from bayesmix.families.gaussian.normal import Normal
from bayesmix.families.gaussian.structures import graph as structured
from bayesmix.families.gaussian.structures.component import Structured
from bayesmix.inputs.pairs import correlation_matrices
from bayesmix.model.partly_known import partly_known
from bayesmix.model.variables import Graph, constant
from bayesmix.parts.part import Params


class OrderedComponents(Ordered):
    """PyMC's ordered transform along the components of a (component, 1) variable.

    ``forward`` serves starts alone; one whose values coincide or descend is spread by ``smallest_step``, where PyMC's
    own would begin at -inf.
    """

    name = "ordered"  # PyMC strips one word: with two, compute_log_likelihood would not find the variable

    def __init__(self, smallest_step: float) -> None:
        super().__init__()
        self.smallest_step = smallest_step

    def backward(self, value: Any, *inputs: Any) -> Any:
        """From the real line to ascending values."""
        return super().backward(value[..., 0], *inputs)[..., None]

    def forward(self, value: Any, *inputs: Any) -> Any:
        """From ascending values to the real line."""
        flat = value[..., 0]
        steps = pt.log(pt.maximum(pt.diff(flat, axis=-1), self.smallest_step))
        return pt.concatenate([flat[..., :1], steps], axis=-1)[..., None]

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Sum of the log-steps, for the whole variable."""
        return pt.sum(value[..., 1:, 0], axis=-1)


class GaussianGraph(Graph):
    """Variables weights, means, scales, partial_correlations; deterministics covariances, correlations.

    Of structures also shapes and axes (:mod:`bayesmix.families.gaussian.structures.graph`).
    """

    signature: ClassVar[str] = "(k),(k,d),(k,d,d),(k),()->(d)"

    @property
    def normal(self) -> Normal:
        """The components."""
        return normal(self.likelihood)

    @property
    def settings(self) -> tuple[Any, ...]:
        """Whether C is diagonal, and whether cells are missing."""
        return (self.normal.how,)

    def x_data(self) -> np.ndarray:
        """(n, d) floats."""
        return self.normal.x

    def variables(self) -> list[TensorVariable]:
        """weights (K), means (K, d) and Cholesky factors C (K, d, d)."""
        f = self.normal
        weights = self.weights()
        transform = (
            {"default_transform": OrderedComponents(1e-3 * f.sd[0])} if self.order == "means" and f.K > 1 else {}
        )
        means = self.variable("means", dims=("component", "feature"), **transform)
        C = structured.factors(self, f, self._correlation_factor()) if isinstance(f, Structured) else self._factors()
        covariances = C @ C.mT
        pm.Deterministic("covariances", covariances, dims=("component", "feature", "feature_bis"))
        return [weights, means, C]

    def _factors(self) -> TensorVariable:
        """diag(scales_k) times the factor of the correlation matrix."""
        scales = self.variable("scales", dims=self.normal.kind.scale_dims)
        return self._by_component(scales)[..., None] * self._correlation_factor()

    def _by_component(self, scales: TensorVariable) -> TensorVariable:
        """Scales as (K, d)."""
        dims = self.normal.kind.scale_dims
        wide = scales if "feature" in dims else scales[..., None]
        wide = wide if "component" in dims else wide[None, :]
        return wide * pt.ones((self.normal.K, self.normal.d))

    def _correlation_factor(self) -> TensorVariable:
        """Cholesky factors of the correlation matrices, (1 or K, d, d)."""
        f = self.normal
        if not f.has_correlations:
            return pt.eye(f.d)[None]
        known = self.likelihood.known.get("correlations")
        if known is not None and not np.isnan(known).any():
            pm.Deterministic("correlations", pt.as_tensor(known), dims=f.correlation_dims)
            L = np.linalg.cholesky(correlation_matrices(known))
            return pt.as_tensor(L if f.correlation_dims[0] == "component" else L[None])
        rows, columns = np.tril_indices(f.d, k=-1)
        batch = f.correlation_dims[:-1]
        beta = constant("correlations_eta", self.priors["correlations"].parameters["eta"]) + (f.d - 2 - columns) / 2
        shape = (f.K, len(rows)) if batch else (len(rows),)
        z = self._beta(beta, shape, (*batch, "pair"), known)
        p = 2 * z - 1
        L = self._canonical(p)
        pm.Deterministic("correlations", (L @ L.mT)[..., rows, columns], dims=f.correlation_dims)
        return L if f.correlation_dims[0] == "component" else L[None]

    def _beta(
        self, beta: TensorVariable, shape: tuple[int, ...], dims: tuple[str, ...], known: np.ndarray | None
    ) -> TensorVariable:
        """Partial correlations p as (p + 1) / 2; those of components whose correlations are known are known too."""
        name = "partial_correlations_01"
        if known is None:
            return pm.Beta(name, beta, beta, shape=shape, dims=dims)
        there = ~np.isnan(known).any(axis=1)
        partial = known.copy()
        partial[there] = (_partial_correlations(np.linalg.cholesky(correlation_matrices(known[there]))) + 1) / 2
        return partly_known(name, pm.Beta, {"alpha": beta, "beta": beta}, partial, dims=dims)

    def _canonical(self, p: TensorVariable) -> TensorVariable:
        """L (..., d, d) from partial correlations p (..., pairs): the products as cumulative ones."""
        d = self.normal.d
        if d == 2:  # one pair needs no products: a third of the graph
            first = pt.concatenate([pt.ones_like(p), pt.zeros_like(p)], axis=-1)
            return pt.stack([first, pt.concatenate([p, pt.sqrt(1 - p**2)], axis=-1)], axis=-2)
        rows, columns = np.tril_indices(d, k=-1)
        P = pt.zeros((*p.shape[:-1], d, d))[..., rows, columns].set(p)
        product = pt.cumprod(pt.sqrt(1 - P**2), axis=-1)
        before = pt.concatenate([pt.ones_like(P[..., :1]), product[..., :-1]], axis=-1)
        return (P + pt.eye(d)) * before

    def mixture(self, operands: Sequence[Any], **kwargs: Any) -> TensorVariable:
        """pm.Mixture of multivariate normals."""
        weights, means, C = operands
        components = [pm.MvNormal.dist(mu=means[k], chol=C[k]) for k in range(self.normal.K)]
        return pm.Mixture("x", w=weights, comp_dists=components, **kwargs)

    def draw(self, *arguments: Any) -> TensorVariable:
        """z_i from w_k exp(a_ik), x_i = mu_z + C_z eps."""
        weights, means, C, evidence, _, _ = arguments
        z = pm.Categorical.dist(logit_p=pt.log(weights) + evidence)
        eps = pm.Normal.dist(0.0, 1.0, shape=(evidence.shape[0], self.normal.d))
        return means[z] + (C[z] * eps[:, None, :]).sum(axis=-1)

    def start(self, params: Params) -> dict[str, np.ndarray]:
        """Free variables from weights, means and covariances."""
        named, dims, K = self.likelihood.named(params), self.likelihood.dims, self.normal.K
        start = {"means": params["means"]} | self._start_of_factors(named) | self.start_of_weights(params)
        if self.order == "means":
            by_mean = np.argsort(params["means"][:, 0])
            start = {v: a[by_mean] if len(a) == K and dims[v][0] == "component" else a for v, a in start.items()}
        if self.normal.has_correlations:
            R = correlation_matrices(np.asarray(named["correlations"]))
            p = _partial_correlations(np.linalg.cholesky(R))
            start["partial_correlations_01"] = np.clip((p + 1) / 2, 1e-6, 1 - 1e-6)
        return start

    def _start_of_factors(self, named: Params) -> dict[str, np.ndarray]:
        """Free variables of the covariance matrices, but those of correlations."""
        if isinstance(self.normal, Structured):
            return structured.start(self, self.normal, named["covariances"])
        return {"scales": named["scales"]}


GRAPH = GaussianGraph


def log_joint(x: Any, weights: Any, means: Any, C: Any, how: tuple[bool, bool], *, n_features: int) -> Any:
    """log w_k + log N(x_i | mu_k, C_k C_k') of what is there, (n, K)."""
    diff, there = x[..., None, :] - means, n_features
    if how[1]:
        diff, C, there = _of_observed(diff, C)
    return log_normal_joint(weights, diff, C, n_features, there)


def _of_observed(diff: Any, C: Any) -> tuple[Any, Any, Any]:
    """Where cells are missing: residuals 0 there, factors row by row (n, K, d, d), how many cells there are.

    The factors are those of a matrix with the covariances of the cells that are there, and the identity for the others.
    """
    there = 1.0 - pt.isnan(diff)
    both = there[..., :, None] * there[..., None, :]
    covariance = both * (C @ C.mT) + pt.eye(C.shape[-1]) * (1 - there[..., :, None])
    return pt.where(there, diff, 0.0), pt.linalg.cholesky(covariance), there.sum(axis=-1)


def _partial_correlations(L: np.ndarray) -> np.ndarray:
    """The canonical partial correlations (..., pairs) of Cholesky factors (..., d, d)."""
    d = L.shape[-1]
    columns = []
    for i, j in zip(*np.tril_indices(d, k=-1), strict=True):
        left = np.sqrt(np.maximum(1 - (L[..., i, :j] ** 2).sum(axis=-1), 1e-300))
        columns.append(L[..., i, j] / left)
    return np.stack(columns, axis=-1)
