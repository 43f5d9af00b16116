"""Coefficients of a formula in PyMC: their joint normal prior, and the coordinates in which samplers see them.

The free variable is the vector of coefficients itself, in the user's coding; its value variable is z = R beta
(:mod:`bayesmix.formulas.orthonormal`), so that NUTS, ``find_MAP`` and climbs move in units of the linear predictor.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.distribution import SymbolicRandomVariable
from pymc.distributions.shape_utils import rv_size_is_none
from pymc.logprob.transforms import Transform
from pymc.pytensorf import normalize_rng_param
from pytensor.tensor import TensorVariable
from pytensor.tensor.random.utils import normalize_size_param
from scipy.linalg import solve_triangular

from bayesmix.formulas.linear import Linear
from bayesmix.inputs.prior import Prior
from bayesmix.model.variables import constant, random_variable


class WhitenedNormalRV(SymbolicRandomVariable):
    """Draws mu + W^-1 e with e standard normal."""

    name = "MvNormal"
    extended_signature = "[rng],[size],(k),(k,k)->[rng],(k)"
    _print_name: ClassVar[tuple[str, str]] = ("MvNormal", "\\operatorname{MvNormal}")

    @classmethod
    def rv_op(cls, mu: Any, whiten: Any, *, size: Any = None, rng: Any = None) -> TensorVariable:
        """The node; one draw where ``size`` is not given."""
        mu, whiten = pt.as_tensor(mu), pt.as_tensor(whiten)
        rng, size = normalize_rng_param(rng), normalize_size_param(size)
        batch = () if rv_size_is_none(size) else tuple(size)
        next_rng, e = pm.Normal.dist(shape=(*batch, whiten.shape[0]), rng=rng, return_next_rng=True)
        draws = mu + pt.linalg.solve_triangular(whiten, e, lower=True, b_ndim=1)
        return cls(inputs=[rng, size, mu, whiten], outputs=[next_rng, draws])(rng, size, mu, whiten)


class WhitenedNormal(pm.Continuous):
    """The normal vector beta for which W (beta - mu) is standard normal, W lower triangular (k, k).

    PyMC's own MvNormal forms the covariance matrix before it draws, and factors it anew: where a covariate is far from
    zero, that matrix is singular to rounding. By W the density needs no linear system, which compiles in half the time.
    """

    rv_type = WhitenedNormalRV
    rv_op = WhitenedNormalRV.rv_op

    @classmethod
    def dist(cls, mu: Any, whiten: Any, **kwargs: Any) -> TensorVariable:
        """The variable outside a model."""
        return super().dist([pt.as_tensor(mu), pt.as_tensor(whiten)], **kwargs)

    def support_point(rv: Any, size: Any, mu: Any, whiten: Any) -> TensorVariable:  # noqa: N805 - as PyMC calls it
        """The mean."""
        return mu if rv_size_is_none(size) else pt.full((*tuple(size), mu.shape[-1]), mu)

    def logp(value: Any, mu: Any, whiten: Any) -> TensorVariable:  # noqa: N805 - as PyMC calls it
        """The log-density."""
        e = whiten @ (value - mu)
        return -0.5 * (e**2).sum() - 0.5 * np.log(2 * np.pi) * mu.shape[0] + pt.log(pt.diagonal(whiten)).sum()


class OrthonormalCoordinates(Transform):
    """z = R beta and back; ``matrices`` (2, p, p) holds R and its inverse."""

    name = "orthonormal"
    ndim_supp = 1

    def __init__(self, matrices: TensorVariable) -> None:
        self.matrices = matrices

    def forward(self, value: Any, *inputs: Any) -> TensorVariable:
        """Coordinates of coefficients."""
        return self.matrices[0] @ value

    def backward(self, value: Any, *inputs: Any) -> TensorVariable:
        """Coefficients at coordinates."""
        return self.matrices[1] @ value

    def log_jac_det(self, value: Any, *inputs: Any) -> TensorVariable:
        """The same everywhere: minus the log-determinant of R."""
        return pt.log(pt.diagonal(self.matrices[1])).sum()


def linear_predictor(
    linear: Linear, prior: Prior | None, known: np.ndarray | None = None
) -> tuple[TensorVariable, TensorVariable]:
    """The free vector ``<part>_coef`` and X beta = Q (R beta), (n,), plus the offset where there is one.

    Q, R and its inverse are data: one compiled model serves other designs. R and its inverse are one array because
    PyMC lets a transform read only what is an input of the model's graph. ``known``: the coefficients, where they have
    no prior.
    """
    part, name, dims, at = linear.name, linear.coef, (f"{linear.name}_term",), linear.at
    basis = pm.Data(f"{part}_basis", at.basis, dims=("obs", *dims))
    matrices = constant(f"{part}_coordinates", np.stack([at.R, at.inverse]))
    transform = OrthonormalCoordinates(matrices)
    if prior is None:
        coefficients = pm.Deterministic(name, pt.as_tensor(known), dims=dims)
    elif prior.support == "real vector":
        chol = prior.parameters["chol"]
        whiten = constant(f"{name}_whiten", solve_triangular(chol, np.eye(len(chol)), lower=True))
        mu = constant(f"{name}_mu", np.broadcast_to(prior.parameters["mu"], len(chol)))
        coefficients = WhitenedNormal(name, mu, whiten, dims=dims, default_transform=transform)
    else:
        coefficients = random_variable(name, prior, dims=dims, default_transform=transform)
    predictor = basis @ (matrices[0] @ coefficients)
    if not linear.has_offset:
        return coefficients, predictor
    return coefficients, predictor + pm.Data(f"{part}_offset", linear.offset, dims=("obs",))
