"""Observed information of a likelihood, and what it says of named estimates: in closed form where a family has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from bayesmix.likelihood.facets import facet
from bayesmix.parts.held import slopes
from bayesmix.parts.part import Params

if TYPE_CHECKING:
    from bayesmix.likelihood.likelihood import Likelihood


def information(likelihood: Likelihood, params: Params) -> np.ndarray:
    """-d2L/du2 in the coordinates of ``pack`` in their units: by the family's facet, or differences of the score."""
    closed = facet(likelihood.name, "information")
    if closed is None:
        return information_by_differences(likelihood, params)
    if likelihood.known:
        return _of_free(likelihood, params)
    matrix: np.ndarray = closed.information(likelihood, params)
    return matrix


def _of_free(likelihood: Likelihood, params: Params) -> np.ndarray:
    """Where some parameters are known: J' I J less the bend of the map to all coordinates theta, along the score."""
    whole = likelihood.with_nothing_known()
    theta, units = likelihood.pack(params), likelihood.units(params)
    of_theta = whole.units(params)
    g = score_at(whole, whole.pack(params))

    def pulled(u: np.ndarray) -> np.ndarray:
        return units * (likelihood.jacobian(likelihood.unpack(theta + units * u)).T @ g)

    J = likelihood.jacobian(params) * units / of_theta[:, None]
    bend = slopes(pulled, len(theta))
    return np.asarray(J.T @ whole.information(params) @ J - (bend + bend.T) / 2)


def information_by_differences(likelihood: Likelihood, params: Params) -> np.ndarray:
    """From the score."""
    theta, units = likelihood.pack(params), likelihood.units(params)
    H = -slopes(lambda u: units * score_at(likelihood, theta + units * u), len(theta))
    return (H + H.T) / 2


def missing(likelihood: Likelihood, params: Params) -> float:
    """A bound on trace(I_complete^-1 I_missing), by the family's facet; infinite without."""
    closed = facet(likelihood.name, "information")
    return float("inf") if closed is None or likelihood.known else float(closed.missing(likelihood, params))


def spread(likelihood: Likelihood, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviations of the named estimates from the covariance of the coordinates of :func:`information`."""
    closed = facet(likelihood.name, "information")
    if closed is not None and not likelihood.known:
        deviations: dict[str, np.ndarray] = closed.spread(likelihood, params, covariance)
        return deviations
    return spread_by_differences(likelihood, params, covariance)


def spread_by_differences(likelihood: Likelihood, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """By the delta method, with differences of the named estimates."""
    named, theta, units = likelihood.named(params), likelihood.pack(params), likelihood.units(params)

    def flat(u: np.ndarray) -> np.ndarray:
        values = likelihood.named(likelihood.unpack(theta + units * u))
        return np.concatenate([np.ravel(a) for a in values.values()])

    J = slopes(flat, len(theta)).T
    sd = np.sqrt(np.maximum(((J @ covariance) * J).sum(axis=1), 0.0))
    cuts = np.cumsum([np.size(a) for a in named.values()])[:-1]
    pieces = zip(named.items(), np.split(sd, cuts), strict=True)
    return {v: own.reshape(np.shape(a)) for (v, a), own in pieces}


def normalized(joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihoods l_i, (n,), and responsibilities r_ik, (n, K), from the log-joint densities of rows."""
    l = logsumexp(joint, axis=1)
    with np.errstate(invalid="ignore"):
        return l, np.exp(joint - l[:, None])


def score_at(likelihood: Likelihood, theta: np.ndarray) -> np.ndarray:
    """dL/dtheta, from expected statistics of all rows."""
    params = likelihood.unpack(theta)
    _, r = normalized(likelihood.log_joint(params))
    return likelihood.score(theta, likelihood.sums(r, params))
