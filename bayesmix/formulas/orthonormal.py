"""Coefficients in coordinates that know neither the zero nor the unit of a covariate.

Over the rows with weights v, <a, b> = sum v a b / sum v. For a design matrix X (n, p)

    X = Q R,    <Q_j, Q_k> = 1 if j = k else 0,    z = R beta,    X beta = Q z

so that a step of 1 in any direction of z moves the linear predictor by 1 in the root mean square over the rows. Two
codings of one column space (other units, other contrasts, a polynomial raw or orthogonal) differ by a rotation of z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from bayesmix.inputs.prior import Prior

IN_THE_SPACE = 1e-10
"""The constant is a combination of the columns where its distance is less than this many of the combination's terms."""
NEWTON_RIDGE = 1e-10
"""Of Newton's step, as a share of the average information of a direction."""


@dataclass(frozen=True, eq=False)
class Orthonormal:
    """The coordinates of one design.

    Attributes
    ----------
    basis : ndarray, shape (n, p)
        Q.
    R, inverse : ndarray, shape (p, p)
        Upper triangular.
    constant : ndarray, shape (p,)
        The coordinates of the constant 1, or of what is nearest to it in the column space.
    has_constant : bool
        Whether the constant is in the column space.
    """

    basis: np.ndarray
    R: np.ndarray
    inverse: np.ndarray
    constant: np.ndarray
    has_constant: bool

    @classmethod
    def of(cls, X: np.ndarray, weights: np.ndarray) -> Orthonormal:
        """From a design matrix (n, p) whose rows with a positive weight have rank p, and row weights (n,)."""
        share = np.sqrt(weights / weights.sum())
        there = share > 0
        Q, R = np.linalg.qr(X[there] * share[there, None])
        sign = np.where(np.diag(R) < 0, -1.0, 1.0)
        Q, R = Q * sign, R * sign[:, None]
        inverse = solve_triangular(R, np.eye(len(R)))
        constant = share[there] @ Q
        distance = float(np.linalg.norm(share[there] - Q @ constant))
        terms = 1 + float(np.abs(inverse @ constant) @ np.linalg.norm(R, axis=0))
        basis = X @ inverse
        basis[there] = Q / share[there, None]
        return cls(basis, R, inverse, constant, distance < IN_THE_SPACE * terms)

    def coordinates(self, coefficients: np.ndarray) -> np.ndarray:
        """z = R beta, (..., p)."""
        return coefficients @ self.R.T

    def coefficients(self, z: np.ndarray) -> np.ndarray:
        """beta = R^-1 z, (..., p)."""
        return z @ self.inverse.T

    def prior(self, centre: float, *, level: float, slope: float) -> Prior:
        """Normal coefficients, the same for every coding of the column space.

        With the constant in the space: its direction, the linear predictor at the average covariates, is
        Normal(centre, level); every direction orthogonal to it moves the predictor by ``slope`` per standard deviation.
        Without it there is no such level: mean 0, sd ``slope`` in every direction, and |centre| + level more along
        what is nearest to the constant, so that the predictor can reach the centre as far as the columns let it.
        """
        p = len(self.constant)
        if self.has_constant:
            unit = self.constant / np.linalg.norm(self.constant)
            mean, spread = centre * self.constant, slope * np.eye(p) + (level - slope) * np.outer(unit, unit)
        else:
            mean = np.zeros(p)
            spread = np.column_stack([slope * np.eye(p), (abs(centre) + level) * self.constant])
        mu, chol = self.coefficients(mean), lower_factor(self.inverse @ spread)
        return Prior("MvNormal", mu=mu, chol=chol) if p > 1 else Prior("Normal", mu=mu, sigma=chol[0])


def newton_step(gradient: np.ndarray, information: np.ndarray) -> np.ndarray:
    """I^-1 g, (p,); a trace of a ridge keeps it a number where rows leave a direction unknown."""
    p = len(gradient)
    ridge = NEWTON_RIDGE * np.trace(information) / p + 1e-300
    return np.linalg.solve(information + ridge * np.eye(p), gradient)


def lower_factor(A: np.ndarray) -> np.ndarray:
    """The lower triangular C, its diagonal positive, with C C' = A A', A (p, m); that product is never formed.

    It has the square of A's condition: of a covariate far from zero nothing would be left.
    """
    C = np.linalg.qr(A.T, mode="r").T
    return np.tril(C * np.where(np.diag(C) < 0, -1.0, 1.0))
