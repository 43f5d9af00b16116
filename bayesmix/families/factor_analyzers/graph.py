"""Mixtures of factor analysers in PyMC.

Loadings are Lambda = D L with D the standard deviations of their prior and L lower triangular: the law of Lambda
Lambda' is that of independent normal loadings (:mod:`bayesmix.families.factor_analyzers.rotation`), and chains have no
rotations to wander through. The first q - 1 diagonal entries are roots of chi-squared variables; the last one, of which
the square would be chi-squared with one degree of freedom, is normal and may be negative: L and its image with the
other sign of the last column are equally likely, and where that entry is near 0 a chain passes from the slopes of one
to those of the other, on which a positive entry would leave it stuck.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.estep.log_densities import log_normal_joint
from bayesmix.families.factor_analyzers.component import ENTRIES, SQUARES, FactorAnalyzers
from bayesmix.families.factor_analyzers.maths import analyzers
from bayesmix.families.factor_analyzers.noise import NOISE_VARIANCES
from bayesmix.families.factor_analyzers.rotation import lower_triangular
from bayesmix.model.variables import Graph, constant, random_variable
from bayesmix.parts.part import Params


class FactorAnalyzersGraph(Graph):
    """Variables weights, means, noise variances, entries and squares of L; deterministics loadings and what follows."""

    signature: ClassVar[str] = "(k),(k,d),(k,d,q),(k,d),(k),()->(d)"

    @property
    def analyzers(self) -> FactorAnalyzers:
        """The components."""
        return analyzers(self.likelihood)

    def x_data(self) -> np.ndarray:
        """(n, d) floats."""
        return self.analyzers.x

    def variables(self) -> list[TensorVariable]:
        """weights (K,), means (K, d), loadings (K, d, q) and noise variances (K, d)."""
        f = self.analyzers
        weights = self.weights()
        means = random_variable("means", self.priors["means"], dims=("component", "feature"))
        noise = random_variable(NOISE_VARIANCES, self.priors[NOISE_VARIANCES], dims=f.noise.dims)
        loadings = constant("loadings_sigma", self.priors["loadings"].parameters["sigma"]) * self._triangle()
        wide = noise if "feature" in f.noise.dims else noise[..., None]
        psi = (wide if "component" in f.noise.dims else wide[None]) * pt.ones((f.K, f.d))
        self._derived(loadings, psi)
        return [weights, means, loadings, psi]

    def _triangle(self) -> TensorVariable:
        """L (K, d, q)."""
        f = self.analyzers
        normal, diagonal = self._places()
        L = pt.zeros((f.K, f.d, f.n_factors))
        entries = pm.Normal(ENTRIES, 0.0, 1.0, dims=("component", "loading"))
        L = L[:, *normal].set(entries)
        if f.n_factors == 1:
            return L
        freedom = f.n_factors - diagonal
        squares = pm.ChiSquared(SQUARES, nu=freedom, dims=("component", "pivot"), shape=(f.K, len(diagonal)))
        return L[:, diagonal, diagonal].set(pt.sqrt(squares))

    def _places(self) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Rows and columns of the entries of L that are normal, and which diagonal entries are not."""
        rows, columns = self.analyzers.free
        squared = (rows == columns) & (rows < self.analyzers.n_factors - 1)
        return (rows[~squared], columns[~squared]), rows[squared]

    def _derived(self, loadings: TensorVariable, psi: TensorVariable) -> None:
        """loadings with a positive diagonal, Lambda Lambda' by entry, Sigma."""
        f = self.analyzers
        last = loadings[:, f.n_factors - 1, f.n_factors - 1]
        shown = pt.concatenate(
            [loadings[:, :, :-1], loadings[:, :, -1:] * pt.switch(last < 0, -1.0, 1.0)[:, None, None]], axis=-1
        )
        pm.Deterministic("loadings", shown, dims=("component", "feature", "factor"))
        common = loadings @ loadings.mT
        rows, columns = np.tril_indices(f.d)
        pm.Deterministic("common_covariances", common[:, rows, columns], dims=("component", "pair"))
        covariances = common + psi[:, :, None] * pt.eye(f.d)
        pm.Deterministic("covariances", covariances, dims=("component", "feature", "feature_bis"))

    def draw(self, *arguments: Any) -> TensorVariable:
        """z_i from w_k exp(a_ik), x_i = mu_z + Lambda_z u + e."""
        weights, means, loadings, psi, evidence, _, _ = arguments
        z = pm.Categorical.dist(logit_p=pt.log(weights) + evidence)
        u = pm.Normal.dist(0.0, 1.0, shape=(evidence.shape[0], self.analyzers.n_factors))
        e = pm.Normal.dist(0.0, 1.0, shape=(evidence.shape[0], self.analyzers.d))
        return means[z] + (loadings[z] * u[:, None, :]).sum(axis=-1) + pt.sqrt(psi)[z] * e

    def start(self, params: Params) -> dict[str, np.ndarray]:
        """Free variables from means, loadings and noise variances."""
        normal, diagonal = self._places()
        L = lower_triangular(params["loadings"] / self.priors["loadings"].parameters["sigma"])
        start = self.start_of_weights(params) | {
            "means": params["means"],
            NOISE_VARIANCES: params[NOISE_VARIANCES],
            ENTRIES: L[:, *normal],
        }
        squares = np.maximum(L[:, diagonal, diagonal] ** 2, LEAST_SQUARE)
        return start | ({SQUARES: squares} if len(diagonal) else {})


LEAST_SQUARE = 1e-6
"""Starts keep the squares of diagonal entries this far from 0, where their density ends."""
GRAPH = FactorAnalyzersGraph


def log_joint(x: Any, weights: Any, means: Any, loadings: Any, psi: Any, *, n_features: int) -> Any:
    """log w_k + log N(x_i | mu_k, Lambda_k Lambda_k' + Psi_k) by the Cholesky factor, (n, K)."""
    covariances = loadings @ loadings.mT + psi[:, :, None] * pt.eye(n_features)
    C = pt.linalg.cholesky(covariances)
    return log_normal_joint(weights, x[..., None, :] - means, C, n_features, n_features)
