"""The covariance kinds that state which entries of the Cholesky factors are free and which are shared.

Sigma_k = C_k C_k' with C_k = diag(scales_k) L_k and L_k the Cholesky factor of the correlation matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.inputs.pairs import correlation_matrices
from bayesmix.parts.parameter import Parameter


@dataclass(frozen=True)
class Covariance:
    """One covariance kind.

    ``shared``: one matrix for all components. ``scale_dims``: dimensions of the free scales. ``correlated``: whether
    correlations are free.
    """

    shared: bool
    scale_dims: tuple[str, ...]
    correlated: bool

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Scales, and correlations where they are free."""
        k = "" if self.shared else "_k"
        label = r"scales $\sigma$"
        scales = Parameter(
            "scales", self.scale_dims, "positive", rf"\sigma{k}", "standard deviations", label, nuisance=True
        )
        correlations = Parameter(
            "correlations",
            self.correlation_dims,
            "correlation",
            f"R{k}",
            "correlations",
            r"correlations $\rho$",
            centred=True,
            nuisance=True,
        )
        return (scales, correlations) if self.correlated else (scales,)

    @property
    def correlation_dims(self) -> tuple[str, ...]:
        """Dimensions of the correlations, which are those of every pair of features."""
        return ("pair",) if self.shared else ("component", "pair")

    def matrices(self, scales: np.ndarray, pairs: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
        """diag(s_k) R_k diag(s_k), (..., K, d, d), where ``shape`` is that of the means, (..., K, d).

        ``scales`` as :meth:`scales` gives them; ``pairs``: the correlations where there are any.
        """
        scales = scales if "feature" in self.scale_dims else scales[..., None]
        s = np.broadcast_to(scales if "component" in self.scale_dims else scales[..., None, :], shape)
        R = np.eye(shape[-1]) if pairs is None else correlation_matrices(pairs)
        R = R[..., None, :, :] if self.shared and pairs is not None else R
        return np.asarray(s[..., :, None] * s[..., None, :] * R)

    def estimate(self, scatter: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Maximum likelihood covariances (K, d, d) from scatter matrices (K, d, d) and component masses N_k (K,)."""
        K, d, _ = scatter.shape
        if self.shared:
            scatter, mass = scatter.sum(axis=0, keepdims=True), mass.sum(keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            sigma = scatter / mass[:, None, None]
        if not self.correlated:
            variances = np.einsum("kjj->kj", sigma)
            if "feature" not in self.scale_dims:
                variances = variances.mean(axis=1, keepdims=True)
            sigma = np.broadcast_to(variances, (len(sigma), d))[:, :, None] * np.eye(d)
        return np.broadcast_to(sigma, (K, d, d)).copy()

    def index(self, n_components: int, n_features: int) -> np.ndarray:
        """Which free coordinate sits at C_k[i, j]: integers (K, d, d), -1 where C_k is zero.

        Coordinates are log C_ii on the diagonal and C_ij below it.
        """
        K, d = n_components, n_features
        matrices = 1 if self.shared else K
        lower = np.tri(d, dtype=bool) if self.correlated else np.eye(d, dtype=bool)
        one = np.full((matrices, d, d), -1)
        if "feature" in self.scale_dims:
            one[:, lower] = np.arange(matrices * lower.sum()).reshape(matrices, -1)
        else:
            one[:, lower] = np.arange(matrices)[:, None]
        return np.broadcast_to(one, (K, d, d)).copy()

    def scales(self, sd: np.ndarray) -> np.ndarray:
        """Free scales from standard deviations (..., K, d)."""
        if self.shared:
            sd = sd[..., 0, :]
        return sd if "feature" in self.scale_dims else sd[..., 0]


COVARIANCES = {
    "full": Covariance(shared=False, scale_dims=("component", "feature"), correlated=True),
    "tied": Covariance(shared=True, scale_dims=("feature",), correlated=True),
    "diag": Covariance(shared=False, scale_dims=("component", "feature"), correlated=False),
    "spherical": Covariance(shared=False, scale_dims=("component",), correlated=False),
    "EII": Covariance(shared=True, scale_dims=(), correlated=False),
    "EEI": Covariance(shared=True, scale_dims=("feature",), correlated=False),
}
