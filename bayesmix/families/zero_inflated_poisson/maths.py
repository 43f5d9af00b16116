"""Zero-inflated Poisson: a mixture of a structural zero and a Poisson count, with or without covariates.

    P(structural zero)_i = pi_i = logit^-1(b_i + g_i' zero_coef)        lambda_i = e_i exp(a_i + f_i' rate_coef)
    P(x_i = 0) = pi_i + (1 - pi_i) exp(-lambda_i)                 P(x_i = m) = (1 - pi_i) Poisson(m | lambda_i), m > 0

with a_i and b_i the offsets of the formulas (0 without any) and e_i the exposure (1 without any): logit weights times
two unlike components, the zero and the count. Sums: gradient and information of both regressions.

Lambert (1992), doi:10.2307/1269547. PyMC's ``psi`` is 1 - pi.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from bayesmix.families.zero_inflated_poisson.separation import separated
from bayesmix.formulas.design import check_formula
from bayesmix.formulas.exposure import check_exposure, check_exposures, with_exposure
from bayesmix.formulas.linear import Linear
from bayesmix.inputs.data import Data
from bayesmix.likelihood.cells import check_counts
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import POISSON
from bayesmix.parts.component import Component, Unlike, Zero
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params
from bayesmix.parts.regression import Regression
from bayesmix.parts.weights import Logit, Weights

PARTS = ("rate", "zero")
COMPONENTS = ("structural_zero", "poisson")
BOUNDARY = 0.01
"""Where so few structural zeros are expected among all rows, or so few counts, the zero part runs to its boundary."""
SOFT = 0.98, 0.01
"""A start's responsibilities are drawn away from 0 and 1 by so much, or the first regressions would separate."""
RATE_COEF = Parameter(
    "rate_coef",
    ("rate_term",),
    "real vector",
    r"\beta",
    "coefficients of the log rate",
    "rate_coef (log of the rate)",
    centred=True,
)
ZERO_COEF = Parameter(
    "zero_coef",
    ("zero_term",),
    "real vector",
    r"\gamma",
    "coefficients of the logit of P(structural zero)",
    "zero_coef (logit of P(structural zero))",
    centred=True,
)
RATE = Parameter("rate", (), "positive", r"\lambda", "rate", r"rate $\lambda$", prior=False, follows=("rate_coef",))
ZERO_PROB = Parameter(
    "zero_prob",
    (),
    "unit",
    r"\pi",
    "P(structural zero)",
    r"zero_prob $\pi$ = P(structural zero)",
    prior=False,
    follows=("zero_coef",),
)

OPTIONS = """\
rate = "1"                      # of the counts, log scale; with covariates: {example}
zero = "1"                      # of a structural zero, logit scale; with covariates: {example}"""


class ZeroInflatedPoisson(Family):
    """Zero-inflated Poisson; ``params`` are rate_coef (..., p) and zero_coef (..., q).

    Options: ``rate`` and ``zero``, right-hand sides of formulas (``"1"`` by default), and ``exposure``, the name of a
    column of positive numbers: ``exposure="effort"`` adds ``offset(log(effort))`` to the rate, so that its coefficients
    describe counts per unit of effort. Two components. Priors: ``rate_coef`` (log scale), ``zero_coef`` (logit scale
    of P(structural zero)).

    Defaults of a zero-inflated Poisson are on the linear predictor, not on this or that coefficient: every coding of
    the same column space (raw, centred, other units, orthogonal polynomials, other contrasts) has the same posterior.

    ==============  ========================================  ==================================================
    ``rate_coef``   level Normal(log mean positive, 1.5)      the log rate at the average covariates
                    any direction of slopes, Normal(0, 1)     a factor e per standard deviation is one sigma
    ``zero_coef``   level Normal(0, 1.5)                      about uniform on the probability
                    any direction of slopes, Normal(0, 1.5)   keeps coefficients finite where zeros separate
    ==============  ========================================  ==================================================

    A direction of slopes is a combination of columns that averages to 0 over the rows and has standard deviation 1
    there (row weights count): the coefficient of one standardized covariate, or of any column of an orthonormal basis
    of several. In the user's coefficients it is one ``MvNormal``, by its mean and Cholesky factor. With exposures e or
    an offset log e, "mean positive" is the sum of the positive counts over the sum of their e. Where no combination of
    the columns is constant (``0 + x``) there is no level: every direction is Normal(0, 1) or Normal(0, 1.5), and along
    the combination nearest to the constant the variance is (abs(c) + 1.5)^2 q^2 more, c the level above and q^2 the
    share of the constant's square that the columns reach.
    """

    name: ClassVar[str] = "zero_inflated_poisson"
    options: ClassVar[dict[str, Any]] = {"rate": "1", "zero": "1", "exposure": None}
    default_components: ClassVar[int | None] = 2
    observed_dims: ClassVar[tuple[str, ...]] = ("obs",)
    observation: ClassVar[str] = "count"
    responds: ClassVar[bool] = True
    template: ClassVar[str] = OPTIONS

    def check_options(self, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """``rate`` and ``zero``: right-hand sides of formulas; ``exposure``: a column; n_components is always 2."""
        if n_components != 2:
            raise ValueError(
                f"n_components: a zero_inflated_poisson has 2 (structural zero, Poisson); got {n_components}"
            )
        formulas = {part: check_formula(options.get(part, self.options[part]), part) for part in PARTS}
        exposure = options.get("exposure")
        return formulas if exposure is None else formulas | {"exposure": check_exposure(exposure, formulas["rate"])}

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """rate_coef (log scale) and zero_coef (logit scale)."""
        return (RATE_COEF, ZERO_COEF)

    def component_names(self, data: Data, n_components: int) -> tuple[str, ...]:
        """Always the two."""
        return COMPONENTS

    def check(self, options: Mapping[str, Any], data: Data) -> None:
        """One column of counts, labels that they do not contradict, positive exposures."""
        check_counts(data, self.name)
        self.evidence(data, COMPONENTS)
        if options.get("exposure") is not None:
            check_exposures(options["exposure"], data.covariates)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Logit weights; a zero beside a Poisson regression."""
        rate = Linear.of("rate", with_exposure(options["rate"], options.get("exposure")), data)
        zero = Linear.of("zero", options["zero"], data)
        poisson = Regression(data, rate, POISSON, RATE, RATE_COEF)
        return Logit(zero, ZERO_PROB, ZERO_COEF), Unlike([Zero(data), poisson])

    def evidence(self, data: Data, components: tuple[str, ...]) -> np.ndarray:
        """Of labels, which a count above zero may contradict."""
        evidence = data.evidence(components)
        impossible = np.flatnonzero((data.x[:, 0] > 0) & np.isneginf(evidence[:, 1]))
        if len(impossible):
            row = impossible[0]
            raise ValueError(
                f"labels: row {data.obs_names[row]} is labelled structural_zero, but its count is {data.x[row, 0]:g}"
            )
        return evidence

    @property
    def start_kinds(self) -> tuple[str, ...]:
        """The moments of the counts, then random responsibilities of the zeros."""
        return ("moments", "random partition")

    def allocation(self, likelihood: Likelihood, kind: str, rng: np.random.Generator) -> np.ndarray:
        """A share of the zeros is taken as structural: that in excess of Poisson's, or a random one."""
        x = likelihood.data.x[:, 0]
        at_zero = x == 0
        if kind == "moments":
            rate = max(float(x.mean()), 1e-3)
            excess = np.clip(1 - np.exp(-2 * rate) / max(at_zero.mean(), 1e-12), 0.05, 0.95)
            r_zero = np.where(at_zero, excess, 0.0)
        else:
            r_zero = np.where(at_zero, rng.beta(0.5, 0.5, len(x)), 0.0)
        b = np.exp(likelihood.evidence) * np.stack([r_zero, 1 - r_zero], axis=1)
        r = b / np.maximum(b.sum(axis=1, keepdims=True), 1e-300)
        structural = SOFT[0] * r[:, 0] + SOFT[1]
        return np.stack([structural, 1 - structural], axis=1)

    def spikes(self, likelihood: Likelihood, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Coefficients that run off: the zero part at its boundary for all rows, or separated."""
        if not all(np.isfinite(params[v]).all() for v in ("rate_coef", "zero_coef")):
            return ["coefficients are not finite"]
        if r is None:
            return []
        if not likelihood.data.x.any():
            return ["all counts are 0: nothing tells structural zeros from a rate of 0"]
        v, zeta = likelihood.row_weights, parts_of(likelihood)[1].predictor(params)
        if v @ expit(zeta) < BOUNDARY:
            return ["zero part: P(structural zero) runs to 0, the counts show no excess of zeros"]
        if v @ expit(-zeta) < BOUNDARY:
            return ["zero part: P(structural zero) runs to 1"]
        return separated(likelihood, params)


def parts_of(likelihood: Likelihood) -> tuple[Regression, Logit]:
    """The Poisson regression and the logit weights."""
    assert isinstance(likelihood.component, Unlike)
    poisson, weights = likelihood.component.members[1], likelihood.weights
    assert isinstance(poisson, Regression)
    assert isinstance(weights, Logit)
    return poisson, weights


FAMILY = ZeroInflatedPoisson()
