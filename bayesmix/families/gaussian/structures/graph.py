r"""Structured covariance matrices in PyMC, as Cholesky factors.

Shapes are log-normal given that their product is 1: log delta = mu + sigma H'z, z standard normal, H a Helmert matrix.
Where shape and orientation go together Sigma = sigma^2 S R S / \|R\|^(1/d), S = diag(delta), by the Cholesky factor of
R. Axes of their own are the columns that Gram and Schmidt make of vectors x_1, ..., x_(d-1): what is left of x_j
without its parts along the earlier columns has the same density in all directions there are, so that the columns are
those of a matrix drawn uniformly from the orthogonal ones (Stewart 1980, doi:10.1137/0717034), without any Jacobian.
The last column is given by the others up to its sign, on which nothing depends:

    Sigma = sigma^2 [ delta_d^2 I + sum_{j<d} (delta_j^2 - delta_d^2) q_j q_j' ].

The length of what is left makes no difference either. It follows a chi distribution with LONGER degrees of freedom
more than there are dimensions, away from 0, where directions would be so close together that a sampler's steps could
not follow: the polar expansion of Jauch, Hoff and Dunson (2020, arXiv:1906.07684) with another length. Nor do the parts
along earlier columns make a difference; they are standard normal, so that they bend nothing. The signs of x_j, and the
order of the axes, leave Sigma as it is: what is tabled and diagnosed is Sigma. No LAPACK is called, for which a
sampler's threads have too small a stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable
from scipy.linalg import helmert
from scipy.special import gammaln

from bayesmix.families.gaussian.structures.axes import shared_axes, turned_to
from bayesmix.families.gaussian.structures.charts import sizes
from bayesmix.families.gaussian.structures.component import AXIS_VECTORS, SHAPE_CONTRASTS, SIGMA_ENTRIES, Structured
from bayesmix.families.gaussian.structures.structure import RATIOS, VOLUMES
from bayesmix.inputs.prior import Prior
from bayesmix.model.variables import Graph, constant

LONGER = 16
"""Degrees of freedom that lengths have beyond those of normal vectors: about 4, give or take 0.7."""


def numbers(component: Structured, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """mu, with mean 0 along the axes, in the shape of the shapes, and sigma, (... 1), of their prior.

    Raises
    ------
    ValueError
        Where sigma is not one for all axes, or the prior tells axes apart that have no names.
    """
    s = component.structure
    shape = tuple(len(component.coords[dim]) for dim in s.shape_dims)
    mu, sigma = (np.broadcast_to(prior.parameters[name], shape) for name in ("mu", "sigma"))
    if np.ptp(sigma, axis=-1).any() or (s.turned and np.ptp(mu, axis=-1).any()):
        raise ValueError(
            f"priors: {RATIOS!r} must have one sigma for all {'axes' if s.turned else 'features'}"
            f"{', and one mu: axes have no names' if s.turned else ''}; got {prior!r}"
        )
    return mu - mu.mean(axis=-1, keepdims=True), sigma[..., :1]


def factors(graph: Graph, component: Structured, correlation_factor: Any) -> TensorVariable:
    """Creates sizes, shapes and what turns them; C (K, d, d). ``correlation_factor``: that of R, (1 or K, d, d)."""
    s, d = component.structure, component.d
    size = graph.variable(VOLUMES, dims=s.scale_dims)
    mu, sigma = numbers(component, graph.priors[RATIOS])
    z = pm.Normal(SHAPE_CONTRASTS, 0.0, 1.0, dims=(*s.shape_dims[:-1], "contrast"))
    ratios = pt.exp(constant(f"{RATIOS}_mu", mu) + constant(f"{RATIOS}_sigma", sigma) * (z @ pt.as_tensor(helmert(d))))
    _record(component, ratios)
    by_component = ratios if s.shape == "V" else ratios[None, :]
    wide = size[:, None] if s.volume == "V" else size
    if not s.turned:
        diagonal = pt.diagonal(correlation_factor, axis1=-2, axis2=-1)
        scale = wide * by_component * pt.exp(-pt.log(diagonal).mean(axis=-1, keepdims=True))
        return (scale[..., None] * correlation_factor) * pt.ones((component.K, 1, 1))
    v = (wide * by_component) ** 2
    sigma_k = _turned(v, _directions(component), d) * pt.ones((component.K, 1, 1))
    rows, columns = np.tril_indices(d)
    pm.Deterministic(SIGMA_ENTRIES, sigma_k[:, rows, columns], dims=("component", "pair"))
    return cholesky(sigma_k, d)


def _record(component: Structured, ratios: TensorVariable) -> None:
    """The shapes; along axes in the order that ``named`` has, the longest first."""
    s = component.structure
    if s.turned:
        lengths = (ratios**2).mean(axis=0) if s.shape == "V" else ratios
        ratios = ratios[..., pt.argsort(-lengths)]
    pm.Deterministic(RATIOS, ratios, dims=s.shape_dims)


def _directions(component: Structured) -> list[TensorVariable]:
    """q_1, ..., q_(d-1), each (1 or K, d)."""
    s, d = component.structure, component.d
    dims = (*(["component"] if s.orientation == "V" else []), "direction", "feature")
    shape = (*([component.K] if s.orientation == "V" else []), d - 1, d)
    law: dict[str, Any] = {"logp": log_density, "dist": _draw, "signature": "(j,d)->(j,d)"}
    along = np.broadcast_to(lengths(d)[:, None] * np.eye(d - 1, d), shape)
    x = pm.CustomDist(AXIS_VECTORS, np.zeros(shape), dims=dims, initval=along, **law)
    found = [step.direction for step in gram_schmidt(x)]
    return found if s.orientation == "V" else [q[None] for q in found]


@dataclass(frozen=True)
class Step:
    """One vector of several: its parts along those before, (...), what is left, (..., d), and its squared length."""

    along: list[Any]
    rest: Any
    square: Any

    @property
    def direction(self) -> Any:
        """Of what is left, (..., d)."""
        return self.rest / pt.sqrt(self.square)[..., None]


def gram_schmidt(x: Any) -> list[Step]:
    """Vectors (..., d - 1, d), one after the other made orthogonal to those before."""
    steps: list[Step] = []
    for j in range(x.type.shape[-2]):
        one = rest = x[..., j, :]
        along = []
        for q in [step.direction for step in steps]:
            along.append((q * one).sum(axis=-1))
            rest = rest - q * along[-1][..., None]
        steps.append(Step(along, rest, (rest**2).sum(axis=-1)))
    return steps


def lengths(d: int) -> np.ndarray:
    """About as long as what is left of each vector is, (d - 1,)."""
    return np.sqrt(np.arange(d, 1, -1) + LONGER)


def log_density(x: Any, centre: Any) -> TensorVariable:
    """Of vectors (..., d - 1, d), (...): lengths chi-distributed, directions uniform, parts along others normal."""
    d = x.type.shape[-1]
    total = pt.zeros(())
    for j, step in enumerate(gram_schmidt(x)):
        m, nu = d - j, d - j + LONGER
        level = gammaln(m / 2) - gammaln(nu / 2) - nu / 2 * np.log(2) - m / 2 * np.log(np.pi)
        total = total + level + LONGER / 2 * pt.log(step.square) - step.square / 2
        for part in step.along:
            total = total - part**2 / 2 - np.log(2 * np.pi) / 2
    return total


def _draw(centre: Any, size: Any) -> TensorVariable:
    """Such vectors, (..., d - 1, d), in the shape of their centre, 0."""
    normal = pm.Normal.dist(centre, 1.0)
    vectors = []
    for j, step in enumerate(gram_schmidt(normal)):
        longer = step.square + pm.ChiSquared.dist(LONGER, shape=step.square.shape)
        vectors.append(normal[..., j, :] + step.rest * (pt.sqrt(longer / step.square) - 1)[..., None])
    return pt.stack(vectors, axis=-2)


def _turned(v: TensorVariable, directions: list[TensorVariable], d: int) -> TensorVariable:
    """D diag(v) D' from variances v (1 or K, d) and the first columns of D."""
    last = v[:, -1, None, None]
    sigma = last * pt.eye(d)[None]
    for j, q in enumerate(directions):
        sigma = sigma + (v[:, j, None, None] - last) * q[:, :, None] * q[:, None, :]
    return sigma


def cholesky(sigma: Any, d: int) -> TensorVariable:
    """Cholesky factors of matrices (K, d, d), column by column."""
    columns: list[Any] = []
    for j in range(d):
        rest = sigma[:, :, j]
        for column in columns:
            rest = rest - column * column[:, j, None]
        below = (np.arange(d) >= j).astype(float)
        columns.append(below * rest / pt.sqrt(rest[:, j, None]))
    return pt.stack(columns, axis=-1)


def start(graph: Graph, component: Structured, covariances: np.ndarray) -> dict[str, np.ndarray]:
    """Values of the free variables, but those of correlations, from matrices (K, d, d) of the structure."""
    s, d = component.structure, component.d
    size = np.exp(sizes(covariances))
    values = {VOLUMES: size if s.volume == "V" else size[0]}
    if s.turned:
        axes = shared_axes(covariances)[None] if s.orientation == "E" else np.linalg.eigh(covariances)[1][:, :, ::-1]
        sd = np.sqrt(turned_to(covariances, axes))
        x = lengths(d)[:, None] * np.swapaxes(axes, -1, -2)[:, : d - 1]
        values[AXIS_VECTORS] = x if s.orientation == "V" else x[0]
    else:
        sd = np.sqrt(np.einsum("kjj->kj", covariances))
    mu, sigma = numbers(component, graph.priors[RATIOS])
    log_ratios = np.log(sd) if s.shape == "V" else np.log(sd[0])
    return values | {SHAPE_CONTRASTS: (log_ratios - mu) @ helmert(d).T / sigma}
