"""A part whose only parameters are the coefficients of one linear predictor."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from bayesmix.formulas.linear import Linear
from bayesmix.formulas.orthonormal import Orthonormal
from bayesmix.parts.canonical import HOPELESS
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Part, Sums


def hopeless_coefficients(at: Orthonormal) -> np.ndarray:
    """Standard errors of coefficients where every direction of the linear predictor has one of HOPELESS."""
    return np.asarray(HOPELESS * np.linalg.norm(at.inverse, axis=1))


class Predicted(Part):
    """Coordinates, Newton's step and score of the ``coefficients`` of ``linear``, in orthonormal coordinates.

    ``of_constant``: what the response is called where it is one number for all rows.
    """

    def __init__(self, linear: Linear, of_constant: Parameter, coefficients: Parameter) -> None:
        self.linear, self.linears, self.of_constant = linear, (linear,), of_constant
        self.names, self.coords = (linear.coef,), {f"{linear.name}_term": linear.terms}
        self.parameters = (coefficients, *([of_constant] if linear.constant else []))

    @property
    def size(self) -> int:
        """One per term."""
        return len(self.linear.terms)

    def predictor(self, params: Params, rows: slice = slice(None)) -> np.ndarray:
        """X_i beta + o_i of a range of rows, (..., rows)."""
        return self.linear.predictor(params[self.linear.coef], rows)

    @abstractmethod
    def response(self, predictor: np.ndarray) -> np.ndarray:
        """What follows from the predictor of a row."""

    def step(self, sums: Sums, params: Params) -> Params:
        """One step of Newton's method."""
        name, coef = self.linear.name, self.linear.coef
        return {coef: self.linear.newton(sums[f"{name}_gradient"], sums[f"{name}_information"], params[coef])}

    def pack(self, params: Params) -> np.ndarray:
        """Orthonormal coordinates of the coefficients: a step of 1 moves the predictor by 1 in the root mean square."""
        return self.linear.at.coordinates(params[self.linear.coef])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        return {self.linear.coef: self.linear.at.coefficients(theta)}

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """Q' times the derivative of the log-likelihood with respect to the predictor of every row."""
        return sums[f"{self.linear.name}_gradient"]

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """The coefficients, and the response where it is one number."""
        coefficients = super().named(params)
        if not self.linear.constant:
            return coefficients
        return coefficients | {self.of_constant.name: self.response(coefficients[self.linear.coef][..., 0])}

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Coefficients that may move the predictor by ten."""
        return {self.linear.coef: hopeless_coefficients(self.linear.at)}
