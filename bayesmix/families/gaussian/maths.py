"""Gaussian mixtures: constant weights, normal components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from bayesmix.families.gaussian.normal import Normal
from bayesmix.families.gaussian.structures.names import COVARIANCE_KINDS, canonical, normal_components
from bayesmix.families.gaussian.structures.structure import RATIOS
from bayesmix.inputs.data import Data
from bayesmix.inputs.pairs import below_diagonal
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.component import Component
from bayesmix.parts.normal import MEANS
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params
from bayesmix.parts.weights import Constant, Weights

OPTIONS = """\
covariance = "full"             # full, tied (one for all), diag (no correlations), spherical (one width), or "VEV" ...
# order = "means"               # one column only: order the groups by their means

# [mixture.priors.means]        # every default prior can be replaced; the report shows those in use
# distribution = "Normal"
# mu = 0.0
# sigma = 10.0"""


class Gaussian(Family):
    r"""Gaussian mixtures; ``params`` are weights (..., K), means (..., K, d) and covariances (..., K, d, d).

    Options: ``covariance`` = ``"full"`` (default), ``"tied"``, ``"diag"``, ``"spherical"``, or one of the other ten of
    mclust's structures by its name, ``"EII"``, ``"EEI"``, ``"VEI"``, ``"EVI"``, ``"VEE"``, ``"EVE"``, ``"VVE"``,
    ``"EEV"``, ``"VEV"``, ``"EVV"``: volume, shape and orientation equal, variable, or along the columns (I). Mclust's
    names of the four (``VVV, EEE, VVI, VII``; ``V, E`` in one column) are taken too. ``order="means"`` in one
    feature. Priors: ``weights, means, scales, correlations, shapes``, of which a kind has some.

    Defaults of a Gaussian mixture, from the column means m_j and standard deviations s_j of the data:

    ==================  ==================================  ====================================================
    ``weights``         Dirichlet(2, ..., 2)                two pseudo-rows each: no component is empty, none favoured
    ``means``           Normal(m_j, 2.5 s_j)                wide against where the rows are
    ``scales``          InverseGamma(2, s_j / K^(1/d))      98% within 0.15 and 6.7 times s_j / K^(1/d), the width of
                                                            K groups that share the space (Fraley and Raftery 2007,
                                                            doi:10.1007/s00357-007-0004-5); vanishes at 0 faster
                                                            than any power, so no spike on tied values of
                                                            one column has mass
    ``correlations``    LKJ(2)                              mildly towards none (doi:10.1016/j.jmva.2009.04.008)
    ``shapes``          LogNormal(log s_j - mean, 0.8)      as far from the columns' own ratios as independent scales
                                                            are; given that their product is 1
    ==================  ==================================  ====================================================

    ``scales`` of ``EII`` and of the eight structures with shapes are sizes, sigma_k = \|Sigma_k\|^(1/2d), with the
    prior of ``spherical``. Axes that are no columns' (``EVE, VVE, EEV, VEV``) are uniform over all orthogonal matrices,
    and their shapes LogNormal(0, sqrt(0.8^2 + var_j log s_j)); these four depend on the units of the columns.

    Notes
    -----
    Full covariances in d > 1 features have one more way to collapse, on which the prior of the scales has no hold: a
    correlation matrix that becomes singular. LKJ(2) does not vanish there fast enough where a component lies exactly
    in an oblique hyperplane that holds d + 4 rows or more, as rounded measurements can (in iris 22 rows have
    x1 - x2 - x3 + x4 = 0.4). Formally the posterior mass there is unbounded, as in every mixture of full covariances
    whose prior does not, as an inverse Wishart would, vanish exponentially at singular ones. Chains do not find it;
    EM that runs into it is flagged as a spike, and a climb to a posterior mode that does is discarded.
    ``covariance="diag"`` or ``"spherical"`` excludes it.
    """

    name: ClassVar[str] = "gaussian"
    options: ClassVar[dict[str, Any]] = {"covariance": "full"}
    orders: ClassVar[tuple[str, ...]] = ("means",)
    models_gaps: ClassVar[bool] = True
    template: ClassVar[str] = OPTIONS

    def check_options(self, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """One option, ``covariance``, by its name here or by mclust's."""
        return {"covariance": canonical(options.get("covariance", self.options["covariance"]))}

    def check_priors(self, priors: Mapping[str, Prior]) -> None:
        """That of shapes is log-normal."""
        prior = priors.get(RATIOS)
        if prior is not None and prior.distribution != "LogNormal":
            raise ValueError(f"priors: {RATIOS!r} needs a LogNormal prior, given that its product is 1; got {prior!r}")

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """weights, means, scales, and correlations where the kind has them."""
        return (Constant.parameter(), MEANS, *COVARIANCE_KINDS[options["covariance"]].parameters)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Constant weights, normal components."""
        return Constant(components), normal_components(data, components, options["covariance"])

    def doubts(self, data: Data, priors: Mapping[str, Prior]) -> list[str]:
        """Ties, where the prior of the scales leaves a component that sits on them unbounded density."""
        scales = priors.get("scales")
        if scales is None or scales.vanishes_at_zero:
            return []
        ties = []
        for name, values in zip(data.feature_names, data.x.T, strict=True):
            cells = np.unique(values[~np.isnan(values)], return_counts=True)
            value, count = max(zip(*cells, strict=True), key=lambda pair: pair[1])
            if count >= _unbounded_from(scales):
                ties.append(
                    f"priors: {scales.distribution} scales do not vanish at 0, and {count} rows tie at {name} = "
                    f"{value:g}: the posterior is unbounded there. An InverseGamma or LogNormal prior avoids it."
                )
        return ties

    def renewed(self, held: xr.Dataset, coords: Mapping[str, list[str]]) -> xr.Dataset:
        """Correlations by pair, where they were whole matrices."""
        if "correlations" not in held or "feature_bis" not in held["correlations"].dims:
            return held
        matrices = held["correlations"].transpose(..., "feature", "feature_bis")
        pairs = (*matrices.dims[:-2], "pair"), below_diagonal(matrices.to_numpy()), matrices.attrs
        return held.drop_vars("correlations").assign_coords(pair=coords["pair"]).assign(correlations=pairs)

    def spikes(self, likelihood: Likelihood, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Where the density of a component is unbounded, or rests on hardly any rows."""
        return normal(likelihood).reasons(likelihood, params, r)

    def probes(self, likelihood: Likelihood, rng: np.random.Generator, n: int = 6) -> Data:
        """Rows, and midpoints between pairs of rows."""
        rows, x = super().probes(likelihood, rng, n).x, likelihood.data.x
        pairs = rng.choice(len(x), (n, 2))
        return Data(np.vstack([rows, x[pairs].mean(axis=1)]))


def normal(likelihood: Likelihood) -> Normal:
    """The normal components of a Gaussian mixture."""
    return likelihood.made_of(Normal)


def _unbounded_from(scales: Prior) -> float:
    """How many rows that tie at a value make the posterior of two components or more unbounded.

    Of the logarithm of a variance v that vanishes beside the others, scales with a common level have the density
    v^(alpha + level_shape) or less, and m tied rows a likelihood of v^(-(m - 1) / 2): the posterior is proper where m
    is below; at the bound itself the integral over log v diverges already.
    """
    if scales.support != "pooled":
        return 2.0
    return 1 + 2 * float((scales.parameters["alpha"] + scales.parameters["level_shape"]).min())


FAMILY = Gaussian()
