"""K factor analysers: x = mu_k + Lambda_k u + e with u ~ N(0, I_q), e ~ N(0, Psi_k), Psi_k diagonal.

Sigma_k = Lambda_k Lambda_k' + Psi_k. Densities and sums over rows are those of :mod:`bayesmix.parts.normal`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.families.factor_analyzers.estimate import loadings_and_noise
from bayesmix.families.factor_analyzers.noise import NOISE_VARIANCES, Noise
from bayesmix.families.factor_analyzers.rotation import lower_triangular
from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import names_of_entries
from bayesmix.inputs.prior import Prior
from bayesmix.parts import normal
from bayesmix.parts.canonical import HOPELESS
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Sums, remembered

MEAN_VECTORS = replace(normal.MEANS, knowable=False)
LOADINGS = Parameter(
    "loadings",
    ("component", "feature", "factor"),
    "real",
    r"\Lambda_k",
    "loadings",
    r"loadings $\Lambda$",
    knowable=False,
)
COMMON = Parameter(
    "common_covariances",
    ("component", "pair"),
    "real",
    r"\Lambda_k \Lambda_k^{\top}",
    "common variances and covariances",
    r"$\Lambda\Lambda^\top$",
    prior=False,
    in_place_of="loadings",
    centred=True,
    nuisance=True,
)
ENTRIES, SQUARES = "loadings_entries", "loadings_squares"
"""Free variables of the model: entries of the triangle L that are normal, and squares of those that are not."""
HEYWOOD = 1e-5
"""A noise variance below this share of its column's variance, within the component and in the data alike, vanishes."""
LEAST_NOISE, NOISE_SHAPE = 0.05, 1.0
"""The default prior of a noise variance is InverseGamma(NOISE_SHAPE, LEAST_NOISE s_j^2)."""


class FactorAnalyzers(normal.Measured):
    """``params`` are means (..., K, d), loadings (..., K, d, q) and noise variances (..., [K,] [d]) by kind.

    Coordinates are means, the entries of the loadings on and below the diagonal, and logarithms of the noise variances:
    where loadings are lower triangular the information is regular, unless the first q columns load on fewer factors.

    Attributes
    ----------
    noise : Noise
        What components and columns share.
    n_factors : int
        q.
    free : tuple of ndarray
        Rows and columns of the loadings' free entries.
    """

    names = ("means", "loadings", NOISE_VARIANCES)

    def __init__(self, data: Data, components: tuple[str, ...], n_factors: int, noise: Noise) -> None:
        super().__init__(data, components)
        self.n_factors, self.noise = n_factors, noise
        self.free = np.tril_indices(self.d, m=n_factors)
        self.index = noise.index(self.K, self.d)
        self.parameters = (MEAN_VECTORS, LOADINGS, noise.parameter, COMMON, normal.SIGMA)
        features = list(data.feature_names)
        self.coords = {
            "component": list(components),
            "feature": features,
            "factor": [f"factor_{m + 1}" for m in range(n_factors)],
            "pair": names_of_entries(data.feature_names),
            "loading": [f"{features[i]}, {m + 1}" for i, m in self._normal_entries()],
            "pivot": features[: n_factors - 1],
            "feature_bis": features,
        }
        last = np.array([m == n_factors - 1 for _, m in self._normal_entries()])
        self.mirrors = {ENTRIES: np.where(last, np.arange(self.K)[:, None], -1)}

    def _normal_entries(self) -> list[tuple[int, int]]:
        """Rows and columns of the free entries of the loadings, but the first q - 1 of the diagonal."""
        entries = zip(*self.free, strict=True)
        return [(int(i), int(m)) for i, m in entries if i != m or m == self.n_factors - 1]

    @property
    def in_units(self) -> bool:
        """Where the noise of several columns is one."""
        return self.noise.isotropic and self.d > 1

    @property
    def size(self) -> int:
        """K d means, K (d q - q (q - 1) / 2) loadings, and the noise variances."""
        return self.K * (self.d + len(self.free[0])) + int(self.index.max()) + 1

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative, on the scale of the data."""
        variances = self.sd**2
        wide = variances if "feature" in self.noise.dims else np.exp(np.log(variances).mean())
        return {
            "means": Prior("Normal", mu=self.centre, sigma=2.5 * self.sd),
            "loadings": Prior("Normal", mu=0.0, sigma=(self.sd / np.sqrt(self.n_factors))[:, None]),
            NOISE_VARIANCES: Prior("InverseGamma", alpha=NOISE_SHAPE, beta=LEAST_NOISE * wide),
        }

    def psi(self, params: Params) -> np.ndarray:
        """Noise variances of every component and column, (..., K, d)."""
        return self.noise.matrix(params[NOISE_VARIANCES], np.shape(params["means"]))

    def covariances(self, params: Params) -> np.ndarray:
        """Sigma_k, (..., K, d, d)."""
        loadings = params["loadings"]
        return loadings @ np.swapaxes(loadings, -1, -2) + self.psi(params)[..., None] * np.eye(self.d)

    def factors(self, params: Params) -> np.ndarray:
        """Cholesky factors of Sigma_k, (..., K, d, d)."""
        return remembered(params, "factors", lambda: np.linalg.cholesky(self.covariances(params)))

    def log_density(self, params: Params) -> np.ndarray:
        """(..., n, K)."""
        return normal.log_density(self.x, params["means"], self.factors(params))

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """first (K, d) and second (K, d, d) moments of z = C^-1 (x - mu): the same for any rotation of the loadings."""
        return normal.moments(self.x, vr, params["means"], self.factors(params))

    def step(self, sums: Sums, params: Params) -> Params:
        """mu_k = weighted mean; noise one step further, and the best loadings for it, from the weighted scatter."""
        means, scatter = normal.means_and_scatter(sums, params["means"], self.factors(params))
        return self._largest(means, scatter, sums["mass"], self.psi(params))

    def start(self, vr: np.ndarray) -> Params:
        """Means of the clusters; loadings and noise from their scatter shrunk towards the pooled one."""
        mass, means, scatter = normal.clusters(self.x, self.centre, vr)
        variances = scatter.sum(axis=0).diagonal() / mass.sum() + 1e-6 * self.sd**2
        rows = self.d + 2.0
        psi = self.noise.matrix(self.noise.free(np.tile(variances / 2, (self.K, 1))), means.shape)
        return self._largest(means, scatter + rows * np.diag(variances), mass + rows, psi)

    def _largest(self, means: np.ndarray, scatter: np.ndarray, mass: np.ndarray, psi: np.ndarray) -> Params:
        """The M-step from scatter (K, d, d) about the means; NaN where a component has lost all its rows."""
        if not ((mass > 0).all() and np.isfinite(scatter).all()):
            lost = np.full((self.K, self.d, self.n_factors), np.nan)
            return {"means": means, "loadings": lost, NOISE_VARIANCES: self.noise.free(np.full_like(psi, np.nan))}
        loadings, psi = loadings_and_noise(scatter, mass, psi, n_factors=self.n_factors, index=self.index)
        return {"means": means, "loadings": lower_triangular(loadings), NOISE_VARIANCES: self.noise.free(psi)}

    def pack(self, params: Params) -> np.ndarray:
        """Means, loadings in lower triangular form, logarithms of the noise variances."""
        rows, columns = self.free
        entries = lower_triangular(params["loadings"])[:, rows, columns]
        return np.concatenate([params["means"].ravel(), entries.ravel(), np.log(np.ravel(params[NOISE_VARIANCES]))])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        means, entries, noise = np.split(theta, [self.K * self.d, self.K * (self.d + len(self.free[0]))])
        loadings = np.zeros((self.K, self.d, self.n_factors))
        loadings[:, *self.free] = entries.reshape(self.K, -1)
        variances = self.noise.free(np.exp(noise)[self.index])
        return {"means": means.reshape(self.K, self.d), "loadings": loadings, NOISE_VARIANCES: variances}

    def units(self, params: Params) -> np.ndarray:
        """The component's standard deviations for means and loadings, 1 for logarithms."""
        sd = np.sqrt(np.einsum("kjj->kj", self.covariances(params)))
        return np.concatenate([sd.ravel(), sd[:, self.free[0]].ravel(), np.ones(np.size(params[NOISE_VARIANCES]))])

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """dL/dmu_k; dL/dLambda_k = 2 G_k Lambda_k and dL/dpsi_kj = G_kjj with G_k = dL/dSigma_k."""
        C = self.factors(params)
        of_means, of_C = normal.score_of(sums, C)
        G = of_C @ np.linalg.inv(C) / 2
        rows, columns = self.free
        of_loadings = 2 * (G @ params["loadings"])[:, rows, columns]
        of_noise = np.einsum("kjj->kj", G) * self.psi(params)
        return np.concatenate(
            [of_means.ravel(), of_loadings.ravel(), np.bincount(self.index.ravel(), weights=of_noise.ravel())]
        )

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """means, loadings in lower triangular form, noise variances, Lambda Lambda' by entry, Sigma."""
        loadings = np.asarray(params["loadings"])
        common = loadings @ np.swapaxes(loadings, -1, -2)
        rows, columns = np.tril_indices(self.d)
        return {
            "means": params["means"],
            "loadings": lower_triangular(loadings),
            NOISE_VARIANCES: params[NOISE_VARIANCES],
            "common_covariances": common[..., rows, columns],
            "covariances": self.covariances(params),
        }

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Ten standard deviations for means, ten times a variance."""
        sd = np.sqrt(np.einsum("kjj->kj", self.covariances(params)))
        rows, columns = np.tril_indices(self.d)
        common = HOPELESS * sd[:, rows] * sd[:, columns]
        return {
            "means": HOPELESS * sd,
            NOISE_VARIANCES: HOPELESS * np.asarray(params[NOISE_VARIANCES]),
            "common_covariances": common,
        }

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """x_i = mu_z + Lambda_z u + e."""
        u = rng.standard_normal((len(z), self.n_factors))
        e = rng.standard_normal(self.x.shape) * np.sqrt(self.psi(params))[z]
        return np.asarray(params["means"][z] + np.einsum("njm,nm->nj", params["loadings"][z], u) + e)

    def heywood(self, params: Params) -> list[str]:
        """Noise variances that vanish, in words: component, column, share of the column's variance."""
        psi = self.psi(params)
        if not (np.isfinite(psi).all() and np.isfinite(params["loadings"]).all()):
            return ["a component lost all its rows"]
        own = np.einsum("kjj->kj", self.covariances(params))
        share = psi / np.minimum(own, self.sd**2)
        return [
            f"{self.components[k]}: the noise of {self.data.feature_names[j]} vanishes ({share[k, j]:.2g} of its "
            f"variance): a Heywood case"
            for k, j in np.argwhere(share < HEYWOOD)
        ]
