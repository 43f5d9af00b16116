"""One-parameter exponential families in canonical form: log f(y | eta) = y eta - b(eta) + h(y)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, logit

LARGEST_PREDICTOR = 600.0
"""Natural parameters are kept within it: a mean on its boundary, as latent classes have them, stays a number."""
HOPELESS = 10.0
"""A standard error by which a linear predictor may move by so much says nothing."""


@dataclass(frozen=True)
class Canonical:
    """Mean b', variance b'', the link that leads from the mean to eta, and h."""

    name: str
    b: Callable[[np.ndarray], np.ndarray]
    mean: Callable[[np.ndarray], np.ndarray]
    variance: Callable[[np.ndarray], np.ndarray]
    link: Callable[[np.ndarray], np.ndarray]
    h: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[np.random.Generator, np.ndarray], np.ndarray]

    def natural(self, mean: np.ndarray) -> np.ndarray:
        """Eta at a mean, within ``LARGEST_PREDICTOR``."""
        with np.errstate(divide="ignore"):
            return np.clip(self.link(mean), -LARGEST_PREDICTOR, LARGEST_PREDICTOR)


def _no_base(y: np.ndarray) -> np.ndarray:
    return np.zeros(np.shape(y))


def _minus_log_factorial(y: np.ndarray) -> np.ndarray:
    return np.asarray(-gammaln(y + 1.0))


def _logistic_variance(eta: np.ndarray) -> np.ndarray:
    return np.asarray(expit(eta) * expit(-eta))


def _softplus(eta: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, eta)


def _poisson(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return rng.poisson(np.minimum(mean, np.exp(20.0))).astype(float)


def _bernoulli(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return (rng.random(np.shape(mean)) < mean).astype(float)


POISSON = Canonical("Poisson", np.exp, np.exp, np.exp, np.log, _minus_log_factorial, _poisson)
BERNOULLI = Canonical("Bernoulli", _softplus, expit, _logistic_variance, logit, _no_base, _bernoulli)
