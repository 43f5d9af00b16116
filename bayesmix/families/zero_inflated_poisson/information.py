"""What the likelihood of a zero-inflated Poisson says about its coefficients: observed information.

With eta the linear predictor of the rate, zeta that of the structural zero, r_1 the responsibility of the Poisson part,
minus the second derivatives of l_i are (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x)

    eta eta: r_1 lambda - r_0 r_1 (x - lambda)^2    eta zeta: r_0 r_1 (x - lambda)    zeta zeta: pi (1 - pi) - r_0 r_1
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from bayesmix.formulas.linear import Linear
from bayesmix.likelihood.curvature import normalized
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


def _linears(likelihood: Likelihood) -> tuple[Linear, Linear]:
    """Those of the rate and of the zero."""
    (rate,), (zero,) = likelihood.component.linears, likelihood.weights.linears
    return rate, zero


def information(likelihood: Likelihood, params: Params) -> np.ndarray:
    """-d2L/dz2, z the orthonormal coordinates of both parts, those of the rate first."""
    _, r = normalized(likelihood.log_joint(params))
    of_rate, of_zero = _linears(likelihood)
    rate, pi = np.exp(of_rate.predictor(params["rate_coef"])), expit(of_zero.predictor(params["zero_coef"]))
    v, crossed, away = likelihood.row_weights, r[:, 0] * r[:, 1], likelihood.data.x[:, 0] - rate
    away = np.where(crossed > 0, away, 0.0)
    F, G = of_rate.at.basis, of_zero.at.basis
    rates = (F.T * (v * (r[:, 1] * rate - crossed * away**2))) @ F
    mixed = (F.T * (v * crossed * away)) @ G
    zeros = (G.T * (v * (pi * (1 - pi) - crossed))) @ G
    return np.block([[rates, mixed], [mixed.T, zeros]])


def missing(likelihood: Likelihood, params: Params) -> float:
    """No bound is known."""
    return float("inf")


def spread(likelihood: Likelihood, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviations of the named estimates, from the covariance of the coordinates of :func:`information`."""
    named, first = {}, 0
    for linear in _linears(likelihood):
        A, own = linear.at.inverse, slice(first, first + len(linear.terms))
        named[linear.coef] = np.sqrt(np.maximum(((A @ covariance[own, own]) * A).sum(axis=1), 0.0))
        first = own.stop
    estimates = likelihood.named(params)
    if "rate" in estimates:
        named["rate"] = estimates["rate"] * named["rate_coef"][0]
    if "zero_prob" in estimates:
        named["zero_prob"] = estimates["zero_prob"] * (1 - estimates["zero_prob"]) * named["zero_coef"][0]
    return named
