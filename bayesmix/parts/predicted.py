"""A part whose only parameters are the coefficients of one linear predictor."""

from __future__ import annotations

import numpy as np

from bayesmix.formulas.linear import Linear
from bayesmix.parts.part import Params, Part, Sums


class Predicted(Part):
    """Coordinates, Newton's step and score of the coefficients of ``linear``, in orthonormal coordinates."""

    linear: Linear

    @property
    def size(self) -> int:
        """One per term."""
        return len(self.linear.terms)

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
