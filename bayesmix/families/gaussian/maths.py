"""Gaussian mixtures with full, tied, diagonal or spherical covariances, in any number of features.

log f(x | mu, Sigma) = -d/2 log 2 pi - sum_j log C_jj - 1/2 z'z,   z = C^-1 (x - mu),   Sigma = C C'.
Statistics: mass N_k = sum_i v_i r_ik, first s_k = sum_i v_i r_ik z_ik, second S_k = sum_i v_i r_ik z_ik z_ik'.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from scipy.linalg import eigh
from scipy.special import softmax

from bayesmix.families.gaussian import information as gaussian_information
from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import below_diagonal, pair_names
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.clusters import CENTRES, known_means, nearest, pinned, whitened
from bayesmix.likelihood.covariance import COVARIANCES
from bayesmix.likelihood.dependence import check_independent
from bayesmix.likelihood.likelihood import Family, Params, Statistics, component_names, exchange_groups

VANISHING = 1e-10
"""A component variance below this share of the data's variance, in some direction, counts as a spike."""
NOT_FLAT = 1e-5
"""Conditional variances above this share of the data's are far from vanishing."""
HOPELESS = 10.0
FEW, SPURIOUS_GAP = 1.2, 0.05
"""A component on fewer than FEW (d + 1) + 1 rows whose variance in some direction is below SPURIOUS_GAP of the others'
owes that to the few rows: Day (1969), McLachlan and Peel (2000, 3.10)."""


class Point(dict[str, np.ndarray]):
    """Parameters of one point, which remember their Cholesky factors: M-step, checks and E-step all need them."""

    @cached_property
    def factors(self) -> np.ndarray:
        """C_k, (K, d, d)."""
        return np.linalg.cholesky(self["covariances"])

    @classmethod
    def of_factors(cls, weights: np.ndarray, means: np.ndarray, factors: np.ndarray) -> Point:
        """From C_k instead of Sigma_k."""
        point = cls(weights=weights, means=means, covariances=factors @ factors.swapaxes(-1, -2))
        point.__dict__["factors"] = factors
        return point


def factors(params: Params) -> np.ndarray:
    """Cholesky factors C_k, (..., K, d, d)."""
    return params.factors if isinstance(params, Point) else np.linalg.cholesky(params["covariances"])


class Gaussian(Family):
    """Gaussian mixture; ``params`` are weights (..., K), means (..., K, d) and covariances (..., K, d, d)."""

    name: ClassVar[str] = "gaussian"
    options: ClassVar[dict[str, Any]] = {"covariance": "full"}
    orders: ClassVar[tuple[str, ...]] = ("means",)
    observed_dims: ClassVar[tuple[str, ...]] = ("obs", "feature")
    parameter_names: ClassVar[tuple[str, ...]] = ("weights", "means", "covariances")

    @classmethod
    def check_options(cls, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """One option, ``covariance``: full, tied, diag or spherical."""
        covariance = options.get("covariance", cls.options["covariance"])
        if covariance not in list(COVARIANCES):
            raise ValueError(f"covariance: unknown kind {covariance!r}; choose from {', '.join(COVARIANCES)}")
        return {"covariance": covariance}

    @classmethod
    def prior_supports(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """weights, means, scales, and correlations where the kind has them."""
        supports = {"weights": "simplex", "means": "real", "scales": "positive"}
        return supports | ({"correlations": "correlation"} if COVARIANCES[options["covariance"]].correlated else {})

    def __init__(self, options: Mapping[str, Any], n_components: int, data: Data) -> None:
        if n_components > len(data):
            raise ValueError(f"n_components: must be at most the number of rows, {len(data)}; got {n_components}")
        self.kind = COVARIANCES[options["covariance"]]
        self.data = data
        self.x = data.x
        self.components = component_names(data, n_components)
        self.evidence = data.evidence(self.components)
        self.row_weights = data.row_weights
        self.groups = exchange_groups(self.evidence)
        share = self.row_weights / self.row_weights.sum()
        self.centre = share @ self.x
        self.sd = np.sqrt(share @ (self.x - self.centre) ** 2)
        used = self.x if self.row_weights.all() else self.x[self.row_weights > 0]
        for name, low, high in zip(data.feature_names, used.min(axis=0), used.max(axis=0), strict=True):
            if low == high:
                raise ValueError(f"X: column {name!r} is constant ({low:g}): its groups cannot be told apart")
        if self.kind.correlated and self.d > 1:
            check_independent(data, options["covariance"], share=VANISHING)
        self.index = self.kind.index(self.K, self.d)

    @property
    def K(self) -> int:
        """Number of components."""
        return len(self.components)

    @property
    def d(self) -> int:
        """Number of features."""
        return self.x.shape[1]

    def rebind(self, data: Data) -> Self:
        """The same components over other rows; nothing is estimated from those rows."""
        data = data.with_features(self.data.feature_names)
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.data, new.x, new.row_weights = data, data.x, data.row_weights
        new.evidence = data.evidence(self.components)
        return new

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative, on the scale of the data (see :func:`bayesmix.resolve`)."""
        scale = self.sd / self.K ** (1 / self.d)
        if "feature" not in self.kind.scale_dims:
            scale = np.exp(np.log(scale).mean())
        priors = {
            "weights": Prior("Dirichlet", a=[2.0] * self.K),
            "means": Prior("Normal", mu=self.centre, sigma=2.5 * self.sd),
            "scales": Prior("InverseGamma", alpha=2.0, beta=scale),
        }
        return priors | ({"correlations": Prior("LKJ", eta=2.0)} if self.kind.correlated else {})

    @property
    def coords(self) -> dict[str, list[str]]:
        """component, feature, feature_bis, and the pairs of features whose correlations are free."""
        features = list(self.data.feature_names)
        coords = {"component": list(self.components), "feature": features, "feature_bis": features}
        return coords | ({"pair": pair_names(features)} if self.has_correlations else {})

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """weights, means, scales, correlations (d > 1 and free), covariances."""
        dims: dict[str, tuple[str, ...]] = {
            "weights": ("component",),
            "means": ("component", "feature"),
            "scales": self.kind.scale_dims,
        }
        if self.has_correlations:
            dims["correlations"] = self.kind.correlation_dims
        return dims | {"covariances": ("component", "feature", "feature_bis")}

    @property
    def has_correlations(self) -> bool:
        """Whether there are correlations to estimate."""
        return self.kind.correlated and self.d > 1

    @property
    def free(self) -> dict[str, np.ndarray]:
        """All weights, means, scales and correlations."""
        sizes = {d: len(names) for d, names in self.coords.items()}
        free = {v: np.ones([sizes[d] for d in dims], dtype=bool) for v, dims in self.dims.items() if v != "covariances"}
        free["weights"] &= self.K > 1
        return free

    @property
    def unvarying(self) -> tuple[str, ...]:
        """The only weight, and covariance matrices that have zeros."""
        zeros = self.d > 1 and not self.kind.correlated
        return (*(["weights"] if self.K == 1 else []), *(["covariances"] if zeros else []))

    @property
    def n_parameters(self) -> int:
        """K - 1 weights, K d means and the free entries of the Cholesky factors."""
        return self.K - 1 + self.K * self.d + int(self.index.max()) + 1

    def log_weights(self, params: Params) -> np.ndarray:
        """log w_k for every row, (..., 1, K)."""
        return np.log(params["weights"])[..., None, :]

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

    def statistics(self, r: np.ndarray, params: Params) -> Statistics:
        """mass (K,), first (K, d) and second (K, d, d) moments of the whitened residuals."""
        z = self._whiten(np.linalg.cholesky(params["covariances"]), params["means"])
        weighted = (self.row_weights[:, None] * r).T[:, None, :]
        return {
            "mass": weighted.sum(axis=(1, 2)),
            "first": (weighted * z).sum(axis=-1),
            "second": (weighted * z) @ z.swapaxes(-1, -2),
        }

    def m_step(self, statistics: Statistics, params: Params) -> Params:
        """w_k = N_k / N, mu_k = weighted mean, Sigma_k from the weighted scatter by covariance kind."""
        mass = statistics["mass"]
        means, scatter = _moments(statistics, params)
        return Point(weights=mass / mass.sum(), means=means, covariances=self.kind.estimate(scatter, mass))

    @property
    def start_kinds(self) -> tuple[str, ...]:
        """Ward's hierarchy first, then k-means++ on standardized and on whitened data, random rows and partitions."""
        return (*CENTRES, "random partition")

    def initial(self, kind: str, rng: np.random.Generator) -> Params:
        """Hard clusters of that kind, labelled rows kept in their classes, scatter shrunk towards the pooled one."""
        if kind == "random partition":
            r = rng.dirichlet(np.full(self.K, 0.5), len(self.x))
        else:
            y = (self.x - self.centre) / self.sd
            y = whitened(y) if "whitened" in kind else y
            known = known_means(y, np.where(self.data.labelled[:, None], np.exp(self.evidence), 0.0))
            r = nearest(y, pinned(CENTRES[kind](y, self.K, rng), *known))
        with np.errstate(divide="ignore"):
            r = softmax(np.where(np.isneginf(self.evidence), -np.inf, np.log(r + 1e-12)), axis=1)
        mass, means, scatter = self._clusters(self.row_weights[:, None] * r)
        pooled = np.diag(scatter.sum(axis=0).diagonal() / mass.sum()) + 1e-6 * np.diag(self.sd**2)
        prior_rows = self.d + 2.0
        return {
            "weights": (mass + 1) / (mass + 1).sum(),
            "means": means,
            "covariances": self.kind.estimate(scatter + prior_rows * pooled, mass + prior_rows),
        }

    def _clusters(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Masses (K,), means (K, d) and scatter about them (K, d, d) of clusters, by weights of the rows (n, K)."""
        residual, mass = self.x - self.centre, weights.sum(axis=0)
        shift = weights.T @ residual / np.where(mass > 0, mass, 1.0)[:, None]
        second = np.stack([(residual * w[:, None]).T @ residual for w in weights.T])
        return mass, self.centre + shift, second - mass[:, None, None] * shift[:, :, None] * shift[:, None, :]

    def spikes(self, params: Params, r: np.ndarray | None = None) -> list[str]:
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
        return reasons or ([] if r is None or self.kind.shared else self._few_rows(scaled, r))

    def _far_from_flat(self, params: Params) -> bool:
        """Whether no feature is nearly determined by those before it: a quick look, at every step of EM."""
        try:
            C = factors(params)
        except np.linalg.LinAlgError:
            return False
        return bool((np.einsum("kjj->kj", C) ** 2 > NOT_FLAT * self.sd**2).all())

    def _few_rows(self, scaled: np.ndarray, r: np.ndarray) -> list[str]:
        """Components on d + 1 rows or fewer, and those on hardly more that are flat beside the others."""
        reasons, rows = [], r.sum(axis=0)
        labelled = np.exp(self.evidence[self.data.labelled]).sum(axis=0) > 0
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

    def pack(self, params: Params) -> np.ndarray:
        """log(w_k / w_K) for k < K, means and Cholesky coordinates in the data's units (steps are in :meth:`units`)."""
        C = factors(params)
        diagonal = np.broadcast_to(np.eye(self.d, dtype=bool), C.shape)
        entries = np.where(diagonal, np.log(np.where(diagonal, C, 1.0)), C)
        used = self.index >= 0
        cholesky = np.empty(self.index.max() + 1)
        cholesky[self.index[used]] = entries[used]
        log_w = np.log(params["weights"])
        return np.concatenate([log_w[:-1] - log_w[-1], params["means"].ravel(), cholesky])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        weights = softmax(np.append(theta[: self.K - 1], 0.0))
        means = theta[self.K - 1 :][: self.K * self.d].reshape(self.K, self.d)
        return Point.of_factors(weights, means, self._cholesky(theta))

    def _cholesky(self, theta: np.ndarray) -> np.ndarray:
        entries = np.where(self.index >= 0, theta[self.K - 1 + self.K * self.d :][self.index], 0.0)
        diagonal = np.eye(self.d, dtype=bool)
        return np.where(diagonal, np.exp(np.where(diagonal, entries, 0.0)), entries)

    def units(self, params: Params) -> np.ndarray:
        """1 for logarithms, the component's standard deviations for means and entries of C below the diagonal."""
        sd = np.sqrt(np.einsum("kjj->kj", params["covariances"]))
        used = self.index >= 0
        cholesky = np.ones(self.index.max() + 1)
        rows = np.where(np.eye(self.d, dtype=bool), 1.0, sd[:, :, None])
        cholesky[self.index[used]] = rows[used]
        return np.concatenate([np.ones(self.K - 1), sd.ravel(), cholesky])

    def score(self, theta: np.ndarray, statistics: Statistics) -> np.ndarray:
        """dL/dlog w = N - N_total w, dL/dmu_k = C^-T s_k, dL/dC_k = tril(C^-T (S_k - N_k I)), then the chain rule."""
        C, mass = self._cholesky(theta), statistics["mass"]
        inverse_t = np.linalg.inv(C).transpose(0, 2, 1)
        d_cholesky = inverse_t @ (statistics["second"] - mass[:, None, None] * np.eye(self.d))
        d_cholesky = np.where(np.eye(self.d, dtype=bool), d_cholesky * C, d_cholesky)
        used = self.index >= 0
        return np.concatenate(
            [
                (mass - mass.sum() * self.unpack(theta)["weights"])[:-1],
                np.einsum("kij,kj->ki", inverse_t, statistics["first"]).ravel(),
                np.bincount(self.index[used], weights=d_cholesky[used]),
            ]
        )

    def information(self, params: Params) -> np.ndarray:
        """In the coordinates of :meth:`pack` and their :meth:`units`."""
        return gaussian_information.information(self, params)

    def missing(self, params: Params) -> float:
        """By the complete rows' information, with z'z for the scores: an upper bound for kinds that share entries."""
        return gaussian_information.missing(self, params)

    def moved(self, params: Params, step: np.ndarray) -> Params:
        """A step of so many units in every coordinate."""
        return self.unpack(self.pack(params) + self.units(params) * step)

    def spread(self, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
        """Of weights, means, scales, correlations and covariances."""
        return gaussian_information.spread(self, params, covariance)

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """The whole range of weights and correlations; ten standard deviations for means, ten times a scale."""
        named, sd = self.named(params), np.sqrt(np.einsum("kjj->kj", params["covariances"]))
        bounds = {"weights": np.ones(self.K), "means": HOPELESS * sd, "scales": HOPELESS * named["scales"]}
        if self.has_correlations:
            bounds["correlations"] = np.ones_like(named["correlations"])
        return bounds

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """weights, means, scales, correlations and covariances."""
        sd = np.sqrt(np.einsum("...jj->...j", params["covariances"]))
        named = {"weights": params["weights"], "means": params["means"], "scales": self.kind.scales(sd)}
        if self.has_correlations:
            pairs = below_diagonal(params["covariances"] / (sd[..., :, None] * sd[..., None, :]))
            named["correlations"] = pairs[..., 0, :] if self.kind.shared else pairs
        return named | {"covariances": params["covariances"]}

    def parameters(self, named: Params) -> Params:
        """weights, means and covariances from means, scales and what varies of the rest."""
        means, covariances = named["means"], named.get("covariances")
        if covariances is None:
            covariances = self.kind.matrices(named["scales"], named.get("correlations"), means.shape)
        weights = named["weights"] if "weights" in named else np.ones(means.shape[:-1])
        return {"weights": weights, "means": means, "covariances": covariances}

    def probes(self, rng: np.random.Generator, n: int = 6) -> Data:
        """Rows, and midpoints between pairs of rows."""
        rows = super().probes(rng, n).x
        pairs = rng.choice(len(self.x), (n, 2))
        return Data(np.vstack([rows, self.x[pairs].mean(axis=1)]))

    def simulate(self, params: Params, rng: np.random.Generator) -> np.ndarray:
        """x_i = mu_z + C_z eps."""
        z = self.draw_components(params, rng)
        C = np.linalg.cholesky(params["covariances"])
        eps = rng.standard_normal(self.x.shape)
        return params["means"][z] + np.einsum("nij,nj->ni", C[z], eps)


def _moments(statistics: Statistics, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means mu + C s / N, and scatter about them C (S - s s' / N) C'; an empty component keeps its mean."""
    C = factors(params)
    s = statistics["first"]
    shift = s / np.where(statistics["mass"] > 0, statistics["mass"], 1.0)[:, None]
    scatter = C @ (statistics["second"] - s[:, :, None] * shift[:, None, :]) @ C.swapaxes(-1, -2)
    return params["means"] + np.einsum("kij,kj->ki", C, shift), (scatter + scatter.swapaxes(-1, -2)) / 2
