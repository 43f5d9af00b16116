"""Normal components whose covariance matrices have a structure of volume, shape and orientation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import helmert

from bayesmix.families.gaussian.normal import VANISHING, Normal, factors
from bayesmix.families.gaussian.structures.axes import shared_axes, turned_to
from bayesmix.families.gaussian.structures.charts import chart_of, sizes
from bayesmix.families.gaussian.structures.estimate import estimate
from bayesmix.families.gaussian.structures.structure import RATIOS, STRUCTURES, VOLUMES
from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import below_diagonal, correlation_matrices, names_of_entries, pair_names
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.dependence import check_independent
from bayesmix.parts import normal
from bayesmix.parts.canonical import HOPELESS
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Known, Params, Point, Sums

KNOWN_MEANS = replace(normal.MEANS, knowable=False)
"""Means of which none can be known: they would share their coordinates with sizes and shapes."""
SIGMA_ENTRIES = "covariance_entries"
"""Variances and covariances, in tables and checks, in place of shapes along axes whose directions are not shown."""
SHAPE_CONTRASTS, AXIS_VECTORS = "shape_contrasts", "directions"
"""Free variables of the model: contrasts of the shapes' logarithms, and vectors that are made the axes."""


class Structured(Normal):
    """K normal distributions; ``params`` are means (..., K, d) and covariances (..., K, d, d) of the structure.

    Attributes
    ----------
    structure : Structure
        What the components share.
    chart : Chart
        The coordinates of their covariance matrices.
    """

    def __init__(self, data: Data, components: tuple[str, ...], covariance: str) -> None:
        self.covariance, self.structure = covariance, STRUCTURES[covariance]
        normal.Measured.__init__(self, data, components)
        if self.structure.correlated:
            check_independent(data, covariance, share=VANISHING)
        self.chart = chart_of(self.structure, self.K, self.d)
        features = list(data.feature_names)
        self.coords = {"component": list(components), "feature": features, "feature_bis": features}
        self.coords |= {"contrast": [f"contrast_{j + 1}" for j in range(self.d - 1)]}
        if self.structure.turned:
            axes = [f"axis_{j + 1}" for j in range(self.d)]
            self.coords |= {"axis": axes, "direction": axes[:-1], "pair": names_of_entries(features)}
            self.mirrors, self.orders = {AXIS_VECTORS: self._signs()}, {SHAPE_CONTRASTS: self._lengths()}
        elif self.structure.correlated:
            self.coords |= {"pair": pair_names(features)}
        entries = (self._entries(),) if self.structure.turned else ()
        self.parameters = (KNOWN_MEANS, *self.structure.parameters, *entries, self._covariances())

    @property
    def correlated(self) -> bool:
        """Whether features depend on each other within components."""
        return self.structure.correlated

    @property
    def in_units(self) -> bool:
        """Where there are axes of their own, which are those of no column."""
        return self.structure.turned

    @property
    def shared(self) -> bool:
        """Whether no component can collapse by itself."""
        return self.structure.shared

    @property
    def has_correlations(self) -> bool:
        """Whether correlations are parameters."""
        return self.structure.correlated and not self.structure.turned

    def _signs(self) -> np.ndarray:
        """A number for each direction, in the shape of all of them: their signs make no difference."""
        own = (self.K,) if self.structure.orientation == "V" else ()
        numbers = np.arange(int(np.prod(own, dtype=int)) * (self.d - 1)).reshape(*own, self.d - 1, 1)
        return np.broadcast_to(numbers, (*own, self.d - 1, self.d))

    def _lengths(self) -> np.ndarray:
        """What makes the average logarithm of every axis' length of the contrasts, all of them in a row."""
        n = self.K if self.structure.shape == "V" else 1
        return np.tile(helmert(self.d), (n, 1)) / n

    @property
    def correlation_dims(self) -> tuple[str, ...]:
        """Dimensions of the correlations."""
        return self.structure.correlation_dims

    def _entries(self) -> Parameter:
        return Parameter(
            SIGMA_ENTRIES,
            ("component", "pair"),
            "real",
            r"\Sigma_k",
            "variances and covariances",
            r"entries of $\Sigma$",
            prior=False,
            in_place_of=RATIOS,
            centred=True,
            nuisance=True,
        )

    @property
    def size(self) -> int:
        """K d means and the coordinates of the covariance matrices."""
        return self.K * self.d + self.chart.size

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative, on the scale of the data."""
        means = Prior("Normal", mu=self.centre, sigma=2.5 * self.sd)
        return {"means": means} | self.structure.default_priors(self.K, self.sd)

    def estimate(self, scatter: np.ndarray, mass: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        """Sigma_k (K, d, d) of maximum likelihood under the structure."""
        return estimate(self.structure, scatter, mass, before)

    def pack(self, params: Params) -> np.ndarray:
        """Means in the data's units, and the coordinates of the chart."""
        return np.concatenate([params["means"].ravel(), self.chart.pack(params["covariances"])])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`; remembers the factors."""
        means, C = theta[: self.K * self.d].reshape(self.K, self.d), self.chart.factors(theta[self.K * self.d :])
        return Point({"means": means, "covariances": C @ C.swapaxes(-1, -2)}, {"factors": C})

    def units(self, params: Params) -> np.ndarray:
        """The components' standard deviations for means, and those of the chart."""
        sd = np.sqrt(np.einsum("kjj->kj", params["covariances"]))
        return np.concatenate([sd.ravel(), self.chart.units(params["covariances"])])

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """dL/dmu_k = C^-T s_k, dL/dC_k = tril(C^-T (S_k - N_k I)), then the chain rule."""
        C = factors(params)
        of_means, of_C = normal.score_of(sums, C)
        return np.concatenate([of_means.ravel(), self.chart.score(C, of_C)])

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """means, scales, shapes, correlations or entries of Sigma, covariances."""
        sigma = np.asarray(params["covariances"])
        size, sd = np.exp(sizes(sigma)), np.sqrt(np.einsum("...jj->...j", sigma))
        ratios = self._ratios(sigma, size, sd)
        named = {
            "means": params["means"],
            VOLUMES: size if self.structure.volume == "V" else size[..., 0],
            RATIOS: ratios if self.structure.shape == "V" else ratios[..., 0, :],
        }
        if self.structure.turned:
            rows, columns = np.tril_indices(self.d)
            named[SIGMA_ENTRIES] = sigma[..., rows, columns]
        elif self.structure.correlated:
            pairs = below_diagonal(sigma / (sd[..., :, None] * sd[..., None, :]))
            named["correlations"] = pairs if self.structure.orientation == "V" else pairs[..., 0, :]
        return named | {"covariances": sigma}

    def _ratios(self, sigma: np.ndarray, size: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """delta_k (..., K, d); along axes the largest first, by the average over components where these share axes."""
        if not self.structure.turned:
            return np.asarray(sd / np.exp(np.log(sd).mean(axis=-1, keepdims=True)))
        if self.structure.orientation == "V":
            return np.asarray(np.sqrt(np.linalg.eigvalsh(sigma)[..., ::-1]) / size[..., None])
        axes = shared_axes(sigma)[..., None, :, :]
        return np.asarray(np.sqrt(turned_to(sigma, axes)) / size[..., None])

    def given(self, named: Params, leading: tuple[int, ...]) -> Params:
        """means and covariances; diagonal ones from sizes and shapes."""
        means, sigma = named["means"], named.get("covariances")
        if sigma is None:
            size, ratios = np.asarray(named[VOLUMES]), np.asarray(named[RATIOS])
            size = size if self.structure.volume == "V" else size[..., None]
            ratios = ratios if self.structure.shape == "V" else ratios[..., None, :]
            sd = np.broadcast_to(size[..., None] * ratios, means.shape)
            sigma = (sd**2)[..., None, :] * np.eye(self.d)
        return {"means": means, "covariances": sigma}

    def of_prior(self, named: Params, rng: np.random.Generator) -> Params:
        """Shapes whose product is 1, and covariance matrices turned by axes that may point anywhere, or correlated."""
        size, ratios = np.asarray(named[VOLUMES]), np.asarray(named[RATIOS])
        ratios = ratios / np.exp(np.log(ratios).mean(axis=-1, keepdims=True))
        if not self.structure.correlated:
            return {**named, RATIOS: ratios}
        size = size if self.structure.volume == "V" else size[..., None]
        sd = size[..., None] * (ratios if self.structure.shape == "V" else ratios[..., None, :])
        if self.structure.turned:
            own = self.K if self.structure.orientation == "V" else 1
            D, _ = np.linalg.qr(rng.standard_normal((len(size), own, self.d, self.d)))  # signs make no difference
            sigma = (D * (sd**2)[..., None, :]) @ np.swapaxes(D, -1, -2)
        else:
            R = correlation_matrices(np.asarray(named["correlations"]))
            R = R if self.structure.orientation == "V" else R[:, None]
            sd = sd * np.exp(-np.linalg.slogdet(R)[1] / (2 * self.d))[..., None]
            sigma = sd[..., :, None] * R * sd[..., None, :]
        shape = (len(size), self.K, self.d, self.d)
        return {**named, RATIOS: ratios, "covariances": np.broadcast_to(sigma, shape).copy()}

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Ten standard deviations for means, ten times sizes, ratios and variances, the whole range of correlations."""
        named, sd = self.named(params), np.sqrt(np.einsum("kjj->kj", params["covariances"]))
        bounds = {"means": HOPELESS * sd, VOLUMES: HOPELESS * named[VOLUMES]}
        if self.structure.turned:
            rows, columns = np.tril_indices(self.d)
            return bounds | {SIGMA_ENTRIES: HOPELESS * sd[:, rows] * sd[:, columns]}
        bounds |= {RATIOS: HOPELESS * named[RATIOS]}
        return bounds | ({"correlations": np.ones_like(named["correlations"])} if self.has_correlations else {})

    def _wholly_known(self, known: Known) -> np.ndarray:
        """None of them: sizes and shapes cannot be known."""
        return np.zeros(self.K, dtype=bool)
