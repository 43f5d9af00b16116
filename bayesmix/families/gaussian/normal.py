"""Normal components in any number of features, with full, tied, diagonal or spherical covariances.

Densities and sums over rows are those of :mod:`bayesmix.parts.normal`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import eigh

from bayesmix.families.gaussian import restricted
from bayesmix.families.gaussian.covariance import COVARIANCES
from bayesmix.families.gaussian.default_priors import default_priors
from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import below_diagonal, pair_names
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.dependence import check_independent
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts import normal
from bayesmix.parts.canonical import HOPELESS
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Known, Params, Point, Sums, remembered
from bayesmix.parts.profile import Profile

VANISHING = 1e-10
"""A component variance below this share of the data's variance, in some direction, counts as a spike."""
NOT_FLAT = 1e-5
"""Conditional variances above this share of the data's are far from vanishing."""
FEW, SPURIOUS_GAP = 1.2, 0.05
"""A component on fewer than FEW (d + 1) + 1 rows whose variance in some direction is below SPURIOUS_GAP of the others'
owes that to the few rows: Day (1969), McLachlan and Peel (2000, 3.10)."""


def factors(params: Params) -> np.ndarray:
    """Cholesky factors C_k, (..., K, d, d)."""
    return remembered(params, "factors", lambda: np.linalg.cholesky(params["covariances"]))


class Normal(normal.Measured):
    """K normal distributions; ``params`` are means (..., K, d) and covariances (..., K, d, d).

    Attributes
    ----------
    kind : Covariance
        What the components share.
    index : ndarray of int, shape (K, d, d)
        The free coordinate of every entry of C_k, -1 where that is zero.
    """

    names = ("means", "covariances")

    def __init__(self, data: Data, components: tuple[str, ...], covariance: str) -> None:
        self.covariance, self.kind = covariance, COVARIANCES[covariance]
        super().__init__(data, components)
        if self.kind.correlated and self.d > 1:
            check_independent(data, covariance, share=VANISHING)
        self.index = self.kind.index(self.K, self.d)
        features = list(data.feature_names)
        self.coords = {"component": list(components), "feature": features, "feature_bis": features}
        self.coords |= {"pair": pair_names(features)} if self.has_correlations else {}
        own = [p for p in self.kind.parameters if p.name != "correlations" or self.has_correlations]
        self.parameters = (normal.MEANS, *own, self._covariances())

    @property
    def profile(self) -> Profile | None:
        """The means."""
        return Profile.of_columns(normal.MEANS, self.data)

    @property
    def correlated(self) -> bool:
        """Whether the kind lets features depend on each other within components."""
        return self.kind.correlated

    @property
    def in_units(self) -> bool:
        """Of spheres in several columns."""
        return self.d > 1 and "feature" not in self.kind.scale_dims

    @property
    def shared(self) -> bool:
        """Whether all components have one matrix: then none of them can collapse by itself."""
        return self.kind.shared

    @property
    def correlation_dims(self) -> tuple[str, ...]:
        """Dimensions of the correlations."""
        return self.kind.correlation_dims

    @property
    def has_correlations(self) -> bool:
        """Whether there are correlations to estimate."""
        return self.correlated and self.d > 1

    @property
    def how(self) -> tuple[bool, bool]:
        """What the kernel must know of it: whether C is diagonal, and whether cells are missing."""
        return not self.correlated, self.data.gaps

    def _covariances(self) -> Parameter:
        """What follows from scales and correlations; zeros off the diagonal never vary."""
        varies = self.correlated or self.d == 1
        return replace(normal.SIGMA, varies=varies, follows=("scales", "correlations"))

    @property
    def size(self) -> int:
        """K d means and the free entries of the Cholesky factors."""
        return self.K * self.d + int(self.index.max()) + 1

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative, on the scale of the data."""
        return default_priors(self.kind, self.K, self.centre, self.sd)

    def log_density(self, params: Params) -> np.ndarray:
        """Gaussian log-density of the observed cells, (..., n, K)."""
        return normal.log_density(self.x, params["means"], np.linalg.cholesky(params["covariances"]))

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """first (K, d) and second (K, d, d) moments of z; of uncorrelated features the diagonal alone."""
        sums = normal.moments(self.x, vr, params["means"], np.linalg.cholesky(params["covariances"]))
        return sums if self.correlated else {**sums, "second": sums["second"] * np.eye(self.d)}

    def step(self, sums: Sums, params: Params) -> Params:
        """mu_k = weighted mean, Sigma_k from the weighted scatter by covariance kind."""
        means, scatter = normal.means_and_scatter(sums, params["means"], factors(params))
        return {"means": means, "covariances": self.estimate(scatter, sums["mass"], params["covariances"])}

    def estimate(self, scatter: np.ndarray, mass: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        """Sigma_k (K, d, d) of maximum likelihood from scatter (K, d, d) and masses (K,).

        ``before``: matrices at which a search begins, where one is needed.
        """
        return self.kind.estimate(scatter, mass)

    def step_with(self, sums: Sums, params: Params, known: Known) -> Params:
        """mu_k = weighted mean where free, Sigma_k from the scatter about mu_k."""
        means, scatter = normal.means_and_scatter(sums, params["means"], factors(params))
        held = np.where(np.isnan(known["means"]), means, known["means"]) if "means" in known else means
        off = means - held
        scatter = scatter + sums["mass"][:, None, None] * off[:, :, None] * off[:, None, :]
        sigma = restricted.covariances(self.kind, scatter, sums["mass"], params["covariances"], known)
        return {"means": held, "covariances": sigma}

    def start(self, vr: np.ndarray) -> Params:
        """Means of the clusters, their scatter shrunk towards the pooled one."""
        mass, means, scatter = normal.clusters(self.x, self.centre, vr)
        pooled = np.diag(scatter.sum(axis=0).diagonal() / mass.sum()) + 1e-6 * np.diag(self.sd**2)
        prior_rows = self.d + 2.0
        return {"means": means, "covariances": self.estimate(scatter + prior_rows * pooled, mass + prior_rows, None)}

    def pack(self, params: Params) -> np.ndarray:
        """Means and Cholesky coordinates in the data's units (steps are in :meth:`units`)."""
        C = factors(params)
        diagonal = np.broadcast_to(np.eye(self.d, dtype=bool), C.shape)
        entries = np.where(diagonal, np.log(np.where(diagonal, C, 1.0)), C)
        used = self.index >= 0
        cholesky = np.empty(self.index.max() + 1)
        cholesky[self.index[used]] = entries[used]
        return np.concatenate([params["means"].ravel(), cholesky])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`; remembers the factors."""
        means = theta[: self.K * self.d].reshape(self.K, self.d)
        entries = np.where(self.index >= 0, theta[self.K * self.d :][self.index], 0.0)
        diagonal = np.eye(self.d, dtype=bool)
        C = np.where(diagonal, np.exp(np.where(diagonal, entries, 0.0)), entries)
        return Point({"means": means, "covariances": C @ C.swapaxes(-1, -2)}, {"factors": C})

    def units(self, params: Params) -> np.ndarray:
        """1 for logarithms, the component's standard deviations for means and entries of C below the diagonal."""
        sd = np.sqrt(np.einsum("kjj->kj", params["covariances"]))
        used = self.index >= 0
        cholesky = np.ones(self.index.max() + 1)
        rows = np.where(np.eye(self.d, dtype=bool), 1.0, sd[:, :, None])
        cholesky[self.index[used]] = rows[used]
        return np.concatenate([sd.ravel(), cholesky])

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """dL/dmu_k = C^-T s_k, dL/dC_k = tril(C^-T (S_k - N_k I)), then the chain rule."""
        C = factors(params)
        of_means, of_C = normal.score_of(sums, C)
        d_cholesky = np.where(np.eye(self.d, dtype=bool), of_C * C, of_C)
        used = self.index >= 0
        return np.concatenate([of_means.ravel(), np.bincount(self.index[used], weights=d_cholesky[used])])

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """means, scales, correlations and covariances."""
        sd = np.sqrt(np.einsum("...jj->...j", params["covariances"]))
        named = {"means": params["means"], "scales": self.kind.scales(sd)}
        if self.has_correlations:
            pairs = below_diagonal(params["covariances"] / (sd[..., :, None] * sd[..., None, :]))
            named["correlations"] = pairs[..., 0, :] if self.kind.shared else pairs
        return named | {"covariances": params["covariances"]}

    def given(self, named: Params, leading: tuple[int, ...]) -> Params:
        """means and covariances from means, scales and what varies of the rest."""
        means, covariances = named["means"], named.get("covariances")
        if covariances is None:
            covariances = self.kind.matrices(named["scales"], named.get("correlations"), means.shape)
        return {"means": means, "covariances": covariances}

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Ten standard deviations for means, ten times a scale, the whole range of correlations."""
        named, sd = self.named(params), np.sqrt(np.einsum("kjj->kj", params["covariances"]))
        bounds = {"means": HOPELESS * sd, "scales": HOPELESS * named["scales"]}
        return bounds | ({"correlations": np.ones_like(named["correlations"])} if self.has_correlations else {})

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """x_i = mu_z + C_z eps."""
        C = np.linalg.cholesky(params["covariances"])
        eps = rng.standard_normal(self.x.shape)
        return np.asarray(params["means"][z] + np.einsum("nij,nj->ni", C[z], eps))

    def completed(self, x: np.ndarray, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """x_i = mu_z + C_z eps given the cells that were observed."""
        return normal.completed(x, z, params["means"], np.linalg.cholesky(params["covariances"]), rng)

    def reasons(self, likelihood: Likelihood, params: Params, r: np.ndarray | None) -> list[str]:
        """A vanishing eigenvalue; with ``r`` also a component on too few rows (no such rule where tied).

        A covariance matrix that is known cannot run into either.
        """
        if not np.isfinite(params["covariances"]).all():
            return ["a component lost all its rows"]
        if r is None and self._far_from_flat(params):
            return []
        scaled = params["covariances"] / (self.sd[:, None] * self.sd)
        smallest = np.linalg.eigvalsh(scaled)[:, 0]
        known = self._wholly_known(likelihood.known)
        reasons = [
            f"{self.components[k]}: a variance vanishes ({max(smallest[k], 0.0):.2g} of the data's)"
            for k in np.flatnonzero((smallest < VANISHING) & ~known)
        ]
        return reasons or ([] if r is None or self.shared else self._few_rows(likelihood, scaled, r, ~known))

    def _wholly_known(self, known: Known) -> np.ndarray:
        """The components whose covariance matrix is known, (K,) bool."""
        return restricted.wholly_known(self.kind, self.K, self.d, known)

    def _far_from_flat(self, params: Params) -> bool:
        """Whether no feature is nearly determined by those before it: a quick look, at every step of EM."""
        try:
            C = factors(params)
        except np.linalg.LinAlgError:
            return False
        return bool((np.einsum("kjj->kj", C) ** 2 > NOT_FLAT * self.sd**2).all())

    def _few_rows(self, likelihood: Likelihood, scaled: np.ndarray, r: np.ndarray, some: np.ndarray) -> list[str]:
        """Components, of ``some``, on d + 1 rows or fewer, and those on hardly more that are flat beside the others."""
        reasons, rows = [], r.sum(axis=0)
        labelled = np.exp(likelihood.evidence[likelihood.data.labelled]).sum(axis=0) > 0
        for k in np.flatnonzero(some):
            name = self.components[k]
            if rows[k] <= self.d + 1 + 1e-6:
                reasons.append(f"{name}: rests on {rows[k]:.1f} rows (d + 1 = {self.d + 1})")
            elif rows[k] < FEW * (self.d + 1) + 1 and not labelled[k]:
                share = rows * (np.arange(self.K) != k)
                others = np.einsum("k,kij->ij", share / max(share.sum(), 1e-300), scaled)
                flattest = float(eigh(scaled[k], others, eigvals_only=True)[0]) if share.sum() > rows[k] else 1.0
                if flattest < SPURIOUS_GAP:
                    reasons.append(
                        f"{name}: a spurious maximum on {rows[k]:.1f} rows, in some direction "
                        f"{flattest:.2g} of the other components' variance"
                    )
        return reasons
