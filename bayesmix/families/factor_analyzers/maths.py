"""Mixtures of factor analysers: constant weights, normal components whose covariances are loadings and noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from bayesmix.families.factor_analyzers.component import LOADINGS, MEAN_VECTORS, FactorAnalyzers
from bayesmix.families.factor_analyzers.noise import NOISE_KINDS, NOISE_VARIANCES, Noise
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params
from bayesmix.parts.weights import Constant, Weights

OPTIONS = """\
n_factors = 1                   # columns of the loadings
noise = "diagonal"              # factor analysis; "isotropic" (one for all columns): probabilistic PCA
shared_noise = false            # true: the components have the same noise

# [mixture.priors.loadings]     # every default prior can be replaced; the report shows those in use
# distribution = "Normal"
# mu = 0.0
# sigma = 1.0"""


class FactorAnalyzerMixture(Family):
    r"""Mixtures of factor analysers: Sigma_k = Lambda_k Lambda_k' + Psi_k, loadings Lambda_k (d, q), Psi_k diagonal.

    With one component it is factor analysis, or, where the noise is isotropic, probabilistic PCA (Tipping and Bishop
    1999, doi:10.1111/1467-9868.00196); the mixtures are those of Ghahramani and Hinton (1996) and of McLachlan and Peel
    (2000, ch. 8). ``params`` are weights (..., K), means (..., K, d), loadings (..., K, d, q) and noise variances, with
    a dimension ``component`` unless shared and ``feature`` unless isotropic.

    Options: ``n_factors`` = q; ``noise`` = ``"diagonal"`` (default), ``"isotropic"``; ``shared_noise`` = False
    (default), True. Priors: ``weights, means, loadings, noise_variances``; that of loadings is normal about 0 with one
    sd for all factors.

    Defaults, from the column means m_j and standard deviations s_j of the data; none depends on K:

    ===================  =====================================  ================================================
    ``weights``          Dirichlet(2, ..., 2)                   two pseudo-rows each
    ``means``            Normal(m_j, 2.5 s_j)                   wide against where the rows are
    ``loadings``         Normal(0, s_j / sqrt(q))               what the factors explain of column j is s_j^2 on
                                                                average, however many there are; rotating them
                                                                changes nothing
    ``noise_variances``  InverseGamma(1, s_j^2 / 20)            98% between 0.01 and 5 times s_j^2; vanishes at 0
                                                                faster than any power, so that no Heywood case has
                                                                mass (Martin and McDonald 1975,
                                                                doi:10.1007/BF02291552); isotropic: the geometric
                                                                mean of the s_j
    ===================  =====================================  ================================================

    Notes
    -----
    Lambda_k and Lambda_k Q with Q orthogonal are the same model. What is checked, tabled and compared is therefore
    Lambda Lambda' (``common_covariances``: on the diagonal what the factors explain of a column) and the noise.
    ``loadings`` are lower triangular with a positive diagonal in ``params`` and draws;
    :func:`bayesmix.factor_loadings` turns them to principal axes. Degrees of freedom count what is identified:
    d q - q (q - 1) / 2 for the loadings of a component.
    """

    name: ClassVar[str] = "factor_analyzers"
    options: ClassVar[dict[str, Any]] = {"n_factors": 1, "noise": "diagonal", "shared_noise": False}
    template: ClassVar[str] = OPTIONS

    def check_options(self, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """n_factors a whole number, noise one of two words, shared_noise true or false."""
        checked = dict(self.options) | dict(options)
        if checked["noise"] not in NOISE_KINDS:
            raise ValueError(f"noise: unknown kind {checked['noise']!r}; choose from {', '.join(NOISE_KINDS)}")
        if not isinstance(checked["shared_noise"], bool):
            raise ValueError(f"shared_noise: must be True or False; got {checked['shared_noise']!r}")
        return checked | whole_numbers(n_factors=checked["n_factors"])

    def check_priors(self, priors: Mapping[str, Prior]) -> None:
        """That of loadings must not single out a rotation."""
        prior = priors.get(LOADINGS.name)
        if prior is None:
            return
        parameters = prior.parameters
        alike = prior.distribution == "Normal" and not parameters["mu"].any()
        if not (alike and (parameters["sigma"].ndim == 0 or parameters["sigma"].shape[-1] == 1)):
            raise ValueError(
                f"priors: that of loadings must be the same for any rotation: Normal with mu = 0 and sigma a number or "
                f"of shape (n_features, 1); got {prior!r}"
            )

    def check(self, options: Mapping[str, Any], data: Data) -> None:
        """No more factors than covariances of so many columns can tell."""
        d, q = data.n_features, options["n_factors"]
        if options["noise"] == "isotropic" and q >= d:
            raise ValueError(f"n_factors: isotropic noise needs fewer than there are columns, {d}; got {q}")
        if options["noise"] == "diagonal" and (q >= d or (d - q) ** 2 < d + q):
            most = max((m for m in range(1, d) if (d - m) ** 2 >= d + m), default=0)
            raise ValueError(
                f"n_factors: {d} columns have {d * (d + 1) // 2} variances and covariances, which tell at most {most} "
                f"factors and the noise of each column: (d - q)^2 >= d + q (Ledermann 1937); got {q}"
            )

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """weights, means, loadings, noise variances."""
        return (Constant.parameter(), MEAN_VECTORS, LOADINGS, noise_of(options).parameter)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Constant weights, factor analysers."""
        return Constant(components), FactorAnalyzers(data, components, options["n_factors"], noise_of(options))

    def doubts(self, data: Data, priors: Mapping[str, Prior]) -> list[str]:
        """Heywood cases, where the prior of the noise leaves them unbounded density or a mass of their own."""
        noise = priors[NOISE_VARIANCES]
        if noise.vanishes_at_zero:
            return []
        return [
            f"priors: {noise.distribution} noise variances do not vanish at 0, where factors can explain a column "
            "entirely (a Heywood case). An InverseGamma or LogNormal prior avoids it."
        ]

    def spikes(self, likelihood: Likelihood, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Heywood cases: a noise variance that vanishes."""
        return analyzers(likelihood).heywood(params)


def noise_of(options: Mapping[str, Any]) -> Noise:
    """What components and columns share."""
    return Noise(shared=options["shared_noise"], isotropic=options["noise"] == "isotropic")


def analyzers(likelihood: Likelihood) -> FactorAnalyzers:
    """The components of a mixture of factor analysers."""
    return likelihood.made_of(FactorAnalyzers)


FAMILY = FactorAnalyzerMixture()
