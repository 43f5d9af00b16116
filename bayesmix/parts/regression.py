"""A component whose natural parameter is a linear predictor, and weighted regressions with canonical links."""

from __future__ import annotations

from typing import Self

import numpy as np

from bayesmix.formulas.linear import Linear
from bayesmix.formulas.orthonormal import Orthonormal, newton_step
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.parts.canonical import Canonical
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Sums
from bayesmix.parts.predicted import Predicted


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
        step = newton_step(gradient, information)
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


class Regression(Predicted, Component):
    """One component: y_i has the natural parameter eta_i = X_i beta + o_i.

    ``mean``: what the mean is called where it is one number for all rows.
    """

    K = 1

    def __init__(self, data: Data, linear: Linear, model: Canonical, mean: Parameter, coefficients: Parameter) -> None:
        super().__init__(linear, mean, coefficients)
        self.x, self.row_weights, self.model = data.x[:, 0], data.row_weights, model

    def over(self, data: Data) -> Self:
        """The formula over other rows."""
        return type(self)(data, self.linear.over(data), self.model, self.of_constant, self.parameters[0])

    def response(self, predictor: np.ndarray) -> np.ndarray:
        """The mean."""
        return self.model.mean(predictor)

    def default_priors(self) -> dict[str, Prior]:
        """The level at the mean of the positive observations; a factor e per standard deviation is one sigma."""
        v, some = self.row_weights, self.x > 0
        mass = float((v * self.model.mean(self.linear.offset))[some].sum())
        centre = float(self.model.link(np.array(v @ self.x / mass))) if mass else 0.0
        return {self.linear.coef: self.linear.at.prior(centre, level=1.5, slope=1.0)}

    def log_density(self, params: Params) -> np.ndarray:
        """(..., n, 1)."""
        eta = self.predictor(params)
        return np.asarray(self.x * eta - self.model.b(eta) + self.model.h(self.x))[..., None]

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Gradient and information of the regression."""
        eta = self.predictor(params)
        return self.linear.sums(vr[:, 0] * (self.x - self.model.mean(eta)), vr[:, 0] * self.model.variance(eta))

    def start(self, vr: np.ndarray) -> Params:
        """The regression to its end, from a constant."""
        at, offset = self.linear.at, self.linear.offset
        level = self.model.link(np.array(max(float(self.x.mean()), 1e-3) / float(self.model.mean(offset).mean())))
        first = at.coefficients(level * at.constant)
        return {self.linear.coef: regress(at, self.x, vr[:, 0], self.model, first, offset)}

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """A draw for every row."""
        with np.errstate(over="ignore"):
            return self.model.draw(rng, self.model.mean(self.predictor(params)))[:, None]

    def clouds(self) -> np.ndarray:
        """The observations."""
        return self.x[:, None]
