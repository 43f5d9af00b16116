"""How likely a row is to come from each component, before its observations are looked at: log w_ik."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from bayesmix.formulas.linear import Linear
from bayesmix.formulas.orthonormal import newton_step
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.parts.canonical import BERNOULLI
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Part, Sums
from bayesmix.parts.predicted import Predicted, hopeless_coefficients
from bayesmix.parts.regression import regress

WEIGHTS = "weights"
"""The estimate of constant weights."""


class Weights(Part):
    """The mixing weights, bound to rows.

    ``last``: whether their coordinates follow those of the components.
    """

    last: ClassVar[bool] = False

    @abstractmethod
    def log_weights(self, params: Params) -> np.ndarray:
        """log w_ik, (..., 1 or n, K)."""


class Constant(Weights):
    """The same w_k for every row; coordinates log(w_k / w_K), k < K."""

    names = (WEIGHTS,)

    def __init__(self, components: Sequence[str]) -> None:
        self.K, self.coords = len(components), {"component": list(components)}
        self.parameters = (self.parameter(varies=self.K > 1),)

    @staticmethod
    def parameter(*, varies: bool = True) -> Parameter:
        """The entry of the table."""
        return Parameter("weights", ("component",), "simplex", "w", "weights", "weights $w$", varies=varies)

    @property
    def size(self) -> int:
        """K - 1."""
        return self.K - 1

    def over(self, data: Data) -> Self:
        """They know no rows."""
        return self

    def default_priors(self) -> dict[str, Prior]:
        """Two pseudo-rows each."""
        return {"weights": Prior("Dirichlet", a=[2.0] * self.K)}

    def log_weights(self, params: Params) -> np.ndarray:
        """log w_k, (..., 1, K)."""
        return np.asarray(np.log(params["weights"])[..., None, :])

    def step(self, sums: Sums, params: Params) -> Params:
        """w_k = N_k / N."""
        return {"weights": sums["mass"] / sums["mass"].sum()}

    def start(self, vr: np.ndarray) -> Params:
        """Shares with one more row each."""
        mass = vr.sum(axis=0) + 1
        return {"weights": mass / mass.sum()}

    def pack(self, params: Params) -> np.ndarray:
        """log(w_k / w_K), k < K."""
        log_w = np.log(params["weights"])
        return np.asarray(log_w[:-1] - log_w[-1])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        return {"weights": softmax(np.append(theta, 0.0))}

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """N_k - N w_k, k < K."""
        mass = sums["mass"]
        return np.asarray((mass - mass.sum() * params["weights"])[:-1])

    def given(self, named: Params, leading: tuple[int, ...]) -> Params:
        """The only weight is 1 and may be missing."""
        return {"weights": named["weights"]} if self.K > 1 else {"weights": np.ones((*leading, 1))}

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """The whole range."""
        return {"weights": np.ones(self.K)}


class Logit(Predicted, Weights):
    """Two unlike components: logit P(the first)_i = X beta + o, under the formula's own name and sign."""

    last = True

    def over(self, data: Data) -> Self:
        """The formula over other rows."""
        return type(self)(self.linear.over(data), self.of_constant, self.parameters[0])

    def default_priors(self) -> dict[str, Prior]:
        """About uniform on the probability at the average covariates, coefficients finite where rows separate."""
        return {self.linear.coef: self.linear.at.prior(0.0, level=1.5, slope=1.5)}

    def response(self, predictor: np.ndarray) -> np.ndarray:
        """P(the first component)."""
        return np.asarray(expit(predictor))

    def log_weights(self, params: Params) -> np.ndarray:
        """(log pi_i, log(1 - pi_i)), (..., n, 2)."""
        zeta = self.predictor(params)
        return np.stack([log_expit(zeta), log_expit(-zeta)], axis=-1)

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Gradient and information of the logistic regression on the responsibilities."""
        pi, v = expit(self.predictor(params)), vr.sum(axis=1)
        return self.linear.sums(vr[:, 0] - v * pi, v * pi * (1 - pi))

    def start(self, vr: np.ndarray) -> Params:
        """The regression, to its end."""
        v = vr.sum(axis=1)
        share = np.divide(vr[:, 0], v, out=np.zeros(len(v)), where=v > 0)
        zero = np.zeros(self.size)
        return {self.linear.coef: regress(self.linear.at, share, v, BERNOULLI, zero, self.linear.offset)}


class MultinomialLogit(Weights):
    """K like components: log w_ik = X_i beta_k - log sum_j exp(X_i beta_j) with sum_k beta_k = 0, whatever the labels.

    Coordinates are those of beta along an orthonormal basis of the space of contrasts between components.
    """

    def __init__(self, linear: Linear, components: Sequence[str]) -> None:
        self.linear, self.linears, self.K = linear, (linear,), len(components)
        self.names = (linear.coef,)
        term = f"{linear.name}_term"
        symbol, words = r"\delta_k", "coefficients of the log weights"
        dims = ("component", term)
        label = rf"{linear.coef} $\delta$ (log weights)"
        self.parameters = (Parameter(linear.coef, dims, "real", symbol, words, label, centred=True),)
        self.coords = {"component": list(components), term: linear.terms}
        self.contrasts = np.linalg.qr(np.eye(self.K)[:, 1:] - 1 / self.K)[0]

    @property
    def size(self) -> int:
        """K - 1 coordinates for each term."""
        return (self.K - 1) * len(self.linear.terms)

    def over(self, data: Data) -> Self:
        """The formula over other rows."""
        return type(self)(self.linear.over(data), self.coords["component"])

    def default_priors(self) -> dict[str, Prior]:
        """Normal(0, 1.5) for each coefficient."""
        return {self.linear.coef: Prior("Normal", mu=0.0, sigma=1.5)}

    def log_weights(self, params: Params) -> np.ndarray:
        """(..., n, K)."""
        beta = params[self.linear.coef]
        eta = beta @ self.linear.X.T + self.linear.offset
        return np.asarray(log_softmax(np.moveaxis(eta, -2, -1), axis=-1))

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Gradient and information of the multinomial regression, by contrasts."""
        pi, v, H = np.exp(self.log_weights(params)), vr.sum(axis=1), self.contrasts
        Q = self.linear.at.basis
        gradient = np.einsum("nk,nq->kq", (vr - v[:, None] * pi) @ H, Q)
        spread = np.einsum("ka,nk,kb->nab", H, pi, H) - np.einsum("na,nb->nab", pi @ H, pi @ H)
        information = np.einsum("n,nab,np,nq->apbq", v, spread, Q, Q)
        return {
            f"{self.linear.name}_gradient": gradient.ravel(),
            f"{self.linear.name}_information": information.reshape(self.size, self.size),
        }

    def step(self, sums: Sums, params: Params) -> Params:
        """One step of Newton's method."""
        name = self.linear.name
        return self.unpack(self.pack(params) + newton_step(sums[f"{name}_gradient"], sums[f"{name}_information"]))

    def start(self, vr: np.ndarray) -> Params:
        """The shares, whatever the covariates."""
        share = (vr.sum(axis=0) + 1) / (vr.sum() + self.K)
        level = np.log(share) - np.log(share).mean()
        return {self.linear.coef: self.linear.at.coefficients(level[:, None] * self.linear.at.constant)}

    def pack(self, params: Params) -> np.ndarray:
        """Contrasts between components of the orthonormal coordinates."""
        return np.asarray(self.contrasts.T @ self.linear.at.coordinates(params[self.linear.coef])).ravel()

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        z = self.contrasts @ theta.reshape(self.K - 1, -1)
        return {self.linear.coef: self.linear.at.coefficients(z)}

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """By contrasts."""
        return sums[f"{self.linear.name}_gradient"]

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Coefficients that may move the predictor by ten."""
        return {self.linear.coef: np.tile(hopeless_coefficients(self.linear.at), (self.K, 1))}
