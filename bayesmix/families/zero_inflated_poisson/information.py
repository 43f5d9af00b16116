"""What the likelihood of a zero-inflated Poisson says about its coefficients: observed information, and separation.

With eta the linear predictor of the rate, zeta that of the structural zero, r_1 the responsibility of the Poisson part,
minus the second derivatives of l_i are (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x)

    eta eta: r_1 lambda - r_0 r_1 (x - lambda)^2    eta zeta: r_0 r_1 (x - lambda)    zeta zeta: pi (1 - pi) - r_0 r_1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logsumexp

from bayesmix.likelihood.likelihood import Params

if TYPE_CHECKING:
    from bayesmix.families.zero_inflated_poisson.maths import ZeroInflatedPoisson

PARTS = {"rate": "rate_coef", "zero": "zero_coef"}
FLAT = 0.01
"""Information per squared unit of a linear predictor (where it moves most) below which a direction is followed."""
FAR = (5.0, 20.0)
"""It is followed until the linear predictor of some row has moved by so much."""
REFIT = 3
"""EM steps there, before the likelihood is compared."""
FALL = 1e-9
"""A likelihood that falls by less than FALL (1 + |L|) does not fall."""
HOPELESS = 10.0
TERM = 1e-3
"""A term belongs to a direction where its share of the linear predictor is at least this much of the largest."""


def information(family: ZeroInflatedPoisson, params: Params) -> np.ndarray:
    """-d2L/dz2, z the family's orthonormal coordinates, those of the rate first."""
    l = family.log_joint(params)
    r = np.exp(l - logsumexp(l, axis=1, keepdims=True))
    eta, zeta = family.linear_predictors(params)
    rate, pi = np.exp(eta), expit(zeta)
    v, crossed, away = family.row_weights, r[:, 0] * r[:, 1], family.x - rate
    away = np.where(crossed > 0, away, 0.0)
    F, G = (at.basis for at in family.coordinates.values())
    of_rate = (F.T * (v * (r[:, 1] * rate - crossed * away**2))) @ F
    mixed = (F.T * (v * crossed * away)) @ G
    of_zero = (G.T * (v * (pi * (1 - pi) - crossed))) @ G
    return np.block([[of_rate, mixed], [mixed.T, of_zero]])


def moved(family: ZeroInflatedPoisson, params: Params, step: np.ndarray) -> dict[str, np.ndarray]:
    """The parameters after a step in the coordinates of :func:`information`."""
    steps = np.split(step, [family.F.shape[1]])
    by_part = zip(PARTS.items(), family.coordinates.values(), steps, strict=True)
    return {name: params[name] + at.coefficients(own) for (_, name), at, own in by_part}


def spread(family: ZeroInflatedPoisson, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviations of the named estimates, from the covariance of the coordinates of :func:`information`."""
    p = family.F.shape[1]
    blocks = covariance[:p, :p], covariance[p:, p:]
    named = {}
    for (part, name), V in zip(PARTS.items(), blocks, strict=True):
        A = family.coordinates[part].inverse
        named[name] = np.sqrt(np.maximum(((A @ V) * A).sum(axis=1), 0.0))
    estimates = family.named(params)
    if "rate" in estimates:
        named["rate"] = estimates["rate"] * named["rate_coef"][0]
    if "zero_prob" in estimates:
        named["zero_prob"] = estimates["zero_prob"] * (1 - estimates["zero_prob"]) * named["zero_coef"][0]
    return named


def hopeless(family: ZeroInflatedPoisson) -> dict[str, np.ndarray]:
    """Standard errors of the coefficients where every direction of the linear predictor has one of HOPELESS."""
    return {name: HOPELESS * np.linalg.norm(family.coordinates[part].inverse, axis=1) for part, name in PARTS.items()}


def separated(family: ZeroInflatedPoisson, params: Params) -> list[str]:
    """The parts and terms along which the likelihood does not fall, however far the coefficients go: no maximum.

    Directions with little information are followed both ways; a few EM steps there let the other coefficients follow.
    """
    with np.errstate(over="ignore"):
        H = information(family, params)
        found = {part: _recession(family, params, H, part) for part in PARTS}
    return [
        f"{part} part: no finite maximum, the likelihood still rises as {_run_off(terms)} to infinity "
        "(the covariates separate the counts)"
        for part, terms in found.items()
        if terms
    ]


def _run_off(terms: list[str]) -> str:
    one = len(terms) == 1
    return f"the coefficient{'s' * (not one)} of {', '.join(terms)} run{'s' * one} off"


def _recession(family: ZeroInflatedPoisson, params: Params, H: np.ndarray, part: str) -> list[str]:
    """The terms of the part's design in whose direction the likelihood does not fall."""
    X, p = (family.F, family.G)[part == "zero"], family.F.shape[1]
    own = slice(p, None) if part == "zero" else slice(0, p)
    A, size = family.coordinates[part].inverse, np.sqrt((X**2).mean(axis=0))
    terms = np.zeros(X.shape[1], bool)
    values, vectors = np.linalg.eigh(H[own, own])
    for value, b in zip(values, (A @ vectors).T, strict=True):
        reach = np.abs(X[family.row_weights > 0] @ b).max()
        if value < FLAT * reach**2 and any(_rises(family, params, PARTS[part], s * b / reach) for s in (1, -1)):
            terms |= np.abs(b) * size > TERM * (np.abs(b) * size).max()
    return [str(name) for name, there in zip(family.design[part].columns, terms, strict=True) if there]


def _rises(family: ZeroInflatedPoisson, params: Params, name: str, direction: np.ndarray) -> bool:
    """Whether L is as high far along the direction as here."""
    L, _ = _e_step(family, params)
    for far in FAR:
        there: Params = {**params, name: params[name] + far * direction}
        for _ in range(REFIT):
            there = family.m_step(_e_step(family, there)[1], there)
        gone = np.abs((family.F if name == "rate_coef" else family.G) @ (there[name] - params[name])).max()
        if gone < far / 2 or not _e_step(family, there)[0] >= L - FALL * (1 + abs(L)):
            return False
    return True


def _e_step(family: ZeroInflatedPoisson, params: Params) -> tuple[float, Params]:
    joint = family.log_joint(params)
    l = logsumexp(joint, axis=1)
    with np.errstate(invalid="ignore"):
        r = np.exp(joint - l[:, None])
    return float(family.row_weights @ l), family.statistics(r, params)
