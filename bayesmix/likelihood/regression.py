"""Weighted regressions with canonical links: the M-step of a mixture whose parts depend on covariates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bayesmix.formulas.orthonormal import Orthonormal


@dataclass(frozen=True)
class Canonical:
    """A regression with canonical link: log-likelihood y eta - b(eta), mean b', variance b''."""

    b: Callable[[np.ndarray], np.ndarray]
    mean: Callable[[np.ndarray], np.ndarray]
    variance: Callable[[np.ndarray], np.ndarray]


POISSON = Canonical(np.exp, np.exp, np.exp)
LOGISTIC = Canonical(lambda eta: np.logaddexp(0, eta), expit, lambda eta: expit(eta) * expit(-eta))


def regress(
    at: Orthonormal, y: np.ndarray, w: np.ndarray, model: Canonical, beta: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    """Weighted maximum likelihood by Newton's method from ``beta``, halving any step that does not go up.

    In orthonormal coordinates: a covariate far from zero (a year, an identity number) would otherwise drown the others
    in rounding. ``offset`` (n,) is added to the linear predictor.
    """
    return at.coefficients(_newton(at.basis, y, w, model, at.coordinates(beta), offset))


def _newton(
    X: np.ndarray, y: np.ndarray, w: np.ndarray, model: Canonical, beta: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    def value(beta: np.ndarray) -> float:
        with np.errstate(over="ignore"):
            eta = X @ beta + offset
            return float(w @ (y * eta - model.b(eta)))

    current = value(beta)
    for _ in range(50):
        eta = X @ beta + offset
        gradient = X.T @ (w * (y - model.mean(eta)))
        information = (X.T * (w * model.variance(eta))) @ X
        ridge = 1e-10 * np.trace(information) / len(beta) + 1e-300
        step = np.linalg.solve(information + ridge * np.eye(len(beta)), gradient)
        gain = float(gradient @ step)
        if gain < 1e-14 * (1 + abs(current)):
            break
        for _ in range(40):
            proposed = value(beta + step)
            if proposed >= current:
                break
            step = step / 2
        else:
            break
        beta, current = beta + step, proposed
    return beta
