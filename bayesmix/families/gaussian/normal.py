"""Normal components in any number of features, with full, tied, diagonal or spherical covariances.

log f(x | mu, Sigma) = -d/2 log 2 pi - sum_j log C_jj - 1/2 z'z,   z = C^-1 (x - mu),   Sigma = C C'.
Sums: mass N_k = sum_i v_i r_ik, first s_k = sum_i v_i r_ik z_ik, second S_k = sum_i v_i r_ik z_ik z_ik'.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.linalg import eigh

from bayesmix.families.gaussian.covariance import COVARIANCES
from bayesmix.families.gaussian.default_priors import default_priors
from bayesmix.families.gaussian.dependence import check_independent
from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import below_diagonal, pair_names
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import HOPELESS
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Point, Sums, remembered
from bayesmix.parts.profile import Profile

MEANS = Parameter("means", ("component", "feature"), "real", r"\mu_k", "means", r"means $\mu$", sorts=True)
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


class Normal(Component):
    """K normal distributions; ``params`` are means (..., K, d) and covariances (..., K, d, d).

    Attributes
    ----------
    kind : Covariance
        What the components share.
    index : ndarray of int, shape (K, d, d)
        The free coordinate of every entry of C_k, -1 where that is zero.
    centre, sd : ndarray, shape (d,)
        Mean and standard deviation of the rows.
    """

    names = ("means", "covariances")

    def __init__(self, data: Data, components: tuple[str, ...], covariance: str) -> None:
        self.covariance, self.kind = covariance, COVARIANCES[covariance]
        self.data, self.x, self.components, self.K = data, data.x, components, len(components)
        share = data.row_weights / data.row_weights.sum()
        self.centre = share @ self.x
        self.sd = np.sqrt(share @ (self.x - self.centre) ** 2)
        used = self.x if data.row_weights.all() else self.x[data.row_weights > 0]
        for name, low, high in zip(data.feature_names, used.min(axis=0), used.max(axis=0), strict=True):
            if low == high:
                raise ValueError(f"X: column {name!r} is constant ({low:g}): its groups cannot be told apart")
        if self.kind.correlated and self.d > 1:
            check_independent(data, covariance, share=VANISHING)
        self.index = self.kind.index(self.K, self.d)
        features = list(data.feature_names)
        self.coords = {"component": list(components), "feature": features, "feature_bis": features}
        self.coords |= {"pair": pair_names(features)} if self.has_correlations else {}
        own = [p for p in self.kind.parameters if p.name != "correlations" or self.has_correlations]
        self.parameters = (MEANS, *own, self._covariances())

    @property
    def profile(self) -> Profile | None:
        """The means."""
        return Profile.of_columns(MEANS, self.data)

    @property
    def d(self) -> int:
        """Number of features."""
        return self.x.shape[1]

    @property
    def has_correlations(self) -> bool:
        """Whether there are correlations to estimate."""
        return self.kind.correlated and self.d > 1

    def _covariances(self) -> Parameter:
        """What follows from scales and correlations; zeros off the diagonal never vary."""
        return Parameter(
            "covariances",
            ("component", "feature", "feature_bis"),
            "covariance",
            r"\Sigma_k",
            "covariance matrices",
            r"covariances $\Sigma$",
            prior=False,
            varies=self.kind.correlated or self.d == 1,
        )

    @property
    def size(self) -> int:
        """K d means and the free entries of the Cholesky factors."""
        return self.K * self.d + int(self.index.max()) + 1

    def aligned(self, data: Data) -> Data:
        """The columns by their names."""
        return data.with_features(self.data.feature_names)

    def over(self, data: Data) -> Self:
        """The same components over other rows."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__ | {"data": data, "x": data.x})
        return new

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative, on the scale of the data."""
        return default_priors(self.kind, self.K, self.centre, self.sd)

    def log_density(self, params: Params) -> np.ndarray:
        """Gaussian log-density, (..., n, K)."""
        C = np.linalg.cholesky(params["covariances"])
        z = self._whiten(C, params["means"])
        log_det = np.log(np.einsum("...jj->...j", C)).sum(axis=-1)
        log_f = -0.5 * (z**2).sum(axis=-2) - log_det[..., None] - 0.5 * self.d * np.log(2 * np.pi)
        return np.swapaxes(log_f, -1, -2)

    def _whiten(self, C: np.ndarray, means: np.ndarray) -> np.ndarray:
        """z = C^-1 (x - mu) by forward substitution, (..., K, d, n)."""
        z = self.x.T - means[..., None]
        for j in range(self.d):
            z[..., j, :] -= np.einsum("...m,...mn->...n", C[..., j, :j], z[..., :j, :])
            z[..., j, :] /= C[..., j, j, None]
        return z

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """first (K, d) and second (K, d, d) moments of z; of uncorrelated features the diagonal alone."""
        z = self._whiten(np.linalg.cholesky(params["covariances"]), params["means"])
        weighted = vr.T[:, None, :]
        second = (weighted * z) @ z.swapaxes(-1, -2)
        if not self.kind.correlated:
            second = second * np.eye(self.d)
        return {"first": (weighted * z).sum(axis=-1), "second": second}

    def step(self, sums: Sums, params: Params) -> Params:
        """mu_k = weighted mean, Sigma_k from the weighted scatter by covariance kind."""
        means, scatter = _moments(sums, params)
        return {"means": means, "covariances": self.kind.estimate(scatter, sums["mass"])}

    def clouds(self) -> np.ndarray:
        """Standardized features."""
        return np.asarray((self.x - self.centre) / self.sd)

    def start(self, vr: np.ndarray) -> Params:
        """Means of the clusters, their scatter shrunk towards the pooled one."""
        mass, means, scatter = self._clusters(vr)
        pooled = np.diag(scatter.sum(axis=0).diagonal() / mass.sum()) + 1e-6 * np.diag(self.sd**2)
        prior_rows = self.d + 2.0
        return {"means": means, "covariances": self.kind.estimate(scatter + prior_rows * pooled, mass + prior_rows)}

    def _clusters(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Masses (K,), means (K, d) and scatter about them (K, d, d) of clusters, by weights of the rows (n, K)."""
        residual, mass = self.x - self.centre, weights.sum(axis=0)
        shift = weights.T @ residual / np.where(mass > 0, mass, 1.0)[:, None]
        second = np.stack([(residual * w[:, None]).T @ residual for w in weights.T])
        return mass, self.centre + shift, second - mass[:, None, None] * shift[:, :, None] * shift[:, None, :]

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
        C, mass = factors(params), sums["mass"]
        inverse_t = np.linalg.inv(C).transpose(0, 2, 1)
        d_cholesky = inverse_t @ (sums["second"] - mass[:, None, None] * np.eye(self.d))
        d_cholesky = np.where(np.eye(self.d, dtype=bool), d_cholesky * C, d_cholesky)
        used = self.index >= 0
        return np.concatenate(
            [
                np.einsum("kij,kj->ki", inverse_t, sums["first"]).ravel(),
                np.bincount(self.index[used], weights=d_cholesky[used]),
            ]
        )

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

    def reasons(self, likelihood: Likelihood, params: Params, r: np.ndarray | None) -> list[str]:
        """A vanishing eigenvalue; with ``r`` also a component on too few rows (no such rule where tied)."""
        if not np.isfinite(params["covariances"]).all():
            return ["a component lost all its rows"]
        scaled = params["covariances"] / (self.sd[:, None] * self.sd)
        if r is None and self._far_from_flat(params):
            return []
        smallest = np.linalg.eigvalsh(scaled)[:, 0]
        reasons = [
            f"{name}: a variance vanishes ({max(value, 0.0):.2g} of the data's)"
            for name, value in zip(self.components, smallest, strict=True)
            if value < VANISHING
        ]
        return reasons or ([] if r is None or self.kind.shared else self._few_rows(likelihood, scaled, r))

    def _far_from_flat(self, params: Params) -> bool:
        """Whether no feature is nearly determined by those before it: a quick look, at every step of EM."""
        try:
            C = factors(params)
        except np.linalg.LinAlgError:
            return False
        return bool((np.einsum("kjj->kj", C) ** 2 > NOT_FLAT * self.sd**2).all())

    def _few_rows(self, likelihood: Likelihood, scaled: np.ndarray, r: np.ndarray) -> list[str]:
        """Components on d + 1 rows or fewer, and those on hardly more that are flat beside the others."""
        reasons, rows = [], r.sum(axis=0)
        labelled = np.exp(likelihood.evidence[likelihood.data.labelled]).sum(axis=0) > 0
        for k, name in enumerate(self.components):
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


def _moments(sums: Sums, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means mu + C s / N, and scatter about them C (S - s s' / N) C'; an empty component keeps its mean."""
    C = factors(params)
    s = sums["first"]
    shift = s / np.where(sums["mass"] > 0, sums["mass"], 1.0)[:, None]
    scatter = C @ (sums["second"] - s[:, :, None] * shift[:, None, :]) @ C.swapaxes(-1, -2)
    return params["means"] + np.einsum("kij,kj->ki", C, shift), (scatter + scatter.swapaxes(-1, -2)) / 2
