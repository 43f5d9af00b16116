"""Covariates that separate the counts: coefficients along which the likelihood rises for ever."""

from __future__ import annotations

import numpy as np

from bayesmix.formulas.linear import Linear
from bayesmix.likelihood.curvature import normalized
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums

FLAT = 0.01
"""Information per squared unit of a linear predictor (where it moves most) below which a direction is followed."""
FAR = (5.0, 20.0)
"""It is followed until the linear predictor of some row has moved by so much."""
REFIT = 3
"""EM steps there, before the likelihood is compared."""
FALL = 1e-9
"""A likelihood that falls by less than FALL (1 + |L|) does not fall."""
TERM = 1e-3
"""A term belongs to a direction where its share of the linear predictor is at least this much of the largest."""


def separated(likelihood: Likelihood, params: Params) -> list[str]:
    """The parts and terms along which the likelihood does not fall, however far the coefficients go: no maximum.

    Directions with little information are followed both ways; a few EM steps there let the other coefficients follow.
    """
    with np.errstate(over="ignore"):
        H = likelihood.with_nothing_known().information(params)
        recessions, first = {}, 0
        for linear in (*likelihood.component.linears, *likelihood.weights.linears):
            own = slice(first, first + len(linear.terms))
            if linear.coef not in likelihood.known:
                recessions[linear.name] = _recession(likelihood, params, H[own, own], linear)
            first = own.stop
    return [
        f"{part} part: no finite maximum, the likelihood still rises as {_run_off(terms)} to infinity "
        "(the covariates separate the counts)"
        for part, terms in recessions.items()
        if terms
    ]


def _run_off(terms: list[str]) -> str:
    one = len(terms) == 1
    return f"the coefficient{'s' * (not one)} of {', '.join(terms)} run{'s' * one} off"


def _recession(likelihood: Likelihood, params: Params, H: np.ndarray, linear: Linear) -> list[str]:
    """The terms of the design in whose direction the likelihood does not fall; H of their coordinates."""
    X = linear.X
    A, size = linear.at.inverse, np.sqrt((X**2).mean(axis=0))
    terms = np.zeros(X.shape[1], bool)
    values, vectors = np.linalg.eigh(H)
    for value, b in zip(values, (A @ vectors).T, strict=True):
        reach = np.abs(X[likelihood.row_weights > 0] @ b).max()
        if value < FLAT * reach**2 and any(_rises(likelihood, params, linear, s * b / reach) for s in (1, -1)):
            terms |= np.abs(b) * size > TERM * (np.abs(b) * size).max()
    return [name for name, there in zip(linear.terms, terms, strict=True) if there]


def _rises(likelihood: Likelihood, params: Params, linear: Linear, direction: np.ndarray) -> bool:
    """Whether L is as high far along the direction as here."""
    L, _ = _e_step(likelihood, params)
    for far in FAR:
        there: Params = {**params, linear.coef: params[linear.coef] + far * direction}
        for _ in range(REFIT):
            there = likelihood.m_step(_e_step(likelihood, there)[1], there)
        gone = np.abs(linear.X @ (there[linear.coef] - params[linear.coef])).max()
        if gone < far / 2 or not _e_step(likelihood, there)[0] >= L - FALL * (1 + abs(L)):
            return False
    return True


def _e_step(likelihood: Likelihood, params: Params) -> tuple[float, Sums]:
    l, r = normalized(likelihood.log_joint(params))
    return float(likelihood.row_weights @ l), likelihood.sums(r, params)
