"""The M-step: loadings and noise variances from the scatter of every component.

Given the noise variances, the loadings are known: with S* = Psi^-1/2 S Psi^-1/2 of eigenvalues l_1 >= l_2 >= ... and
eigenvectors o_m, Lambda = Psi^1/2 (o_1 ... o_q) diag(l_m - 1)^1/2, an eigenvalue below 1 leaving a column of zeros
(Lawley 1940; Tipping and Bishop 1999, doi:10.1111/1467-9868.00196, where the noise is isotropic). What remains is a
function of log Psi alone,

    -2 L / N = sum_j log psi_j + sum_m used: (log l_m + 1) + sum_m unused: l_m,

with the gradient sum_m unused: (1 - l_m) o_jm^2 and, near the maximum, the curvature (sum_m unused: o_im o_jm)^2
(Joereskog 1967, doi:10.1007/BF02289658). The noise takes one step of Newton's method, halved until the likelihood does
not fall. Noise that components or columns share is the same with sums over what is shared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHORTER_STEPS = 10
WORTH_A_STEP = 1e-14
"""No step is taken that promises to gain less than this for each row."""
LONGEST_STEP = 0.5
"""A step changes no logarithm of a variance by more: with rows shared out as they are at a start, many components have
their best fit at a Heywood case, from which there is no way back once they are there."""
LEAST_SHARE_OF_NOISE = 1e-10
"""No variance falls below this share of its column's in the component: such fits are Heywood cases, and flagged."""
LEAST_CURVATURE = 1e-9


@dataclass(frozen=True)
class _Profile:
    """The likelihood at noise variances (K, d) with the best loadings for them."""

    psi: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    used: np.ndarray

    @classmethod
    def at(cls, psi: np.ndarray, covariances: np.ndarray, q: int) -> _Profile:
        """Eigenvalues (K, d), ascending, and eigenvectors in the columns of (K, d, d)."""
        root = np.sqrt(psi)
        values, vectors = np.linalg.eigh(covariances / (root[:, :, None] * root[:, None, :]))
        d = psi.shape[1]
        return cls(psi, values, vectors, (np.arange(d) >= d - q) & (values > 1))

    @property
    def deviance(self) -> np.ndarray:
        """-2 L / N of every component, (K,), but for a constant."""
        explained = np.where(self.used, np.log(np.where(self.used, self.values, 1.0)) + 1, self.values)
        return np.asarray(np.log(self.psi).sum(axis=1) + explained.sum(axis=1))

    @property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (K, d) and curvature (K, d, d) of the deviance in log psi."""
        rest = np.where(self.used, 0.0, 1.0)
        gradient = np.einsum("km,kjm->kj", rest * (1 - self.values), self.vectors**2)
        projection = np.einsum("km,kim,kjm->kij", rest, self.vectors, self.vectors)
        return gradient, projection**2

    def loadings(self, q: int) -> np.ndarray:
        """(K, d, q)."""
        size = np.sqrt(np.where(self.used, self.values - 1, 0.0))[:, None, -q:]
        return np.asarray(np.sqrt(self.psi)[:, :, None] * self.vectors[:, :, -q:] * size)


@dataclass(frozen=True)
class _Problem:
    """What is held fixed: covariances (K, d, d), masses (K,), which of the variances (K, d) are one, the least ones."""

    covariances: np.ndarray
    mass: np.ndarray
    index: np.ndarray
    floor: np.ndarray
    n_factors: int

    def profile(self, x: np.ndarray) -> _Profile:
        """At free logarithms of variances."""
        return _Profile.at(np.exp(x)[self.index], self.covariances, self.n_factors)

    def newton(self, here: _Profile) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and Newton's step of the weighted deviance in the free logarithms."""
        by_entry, curvature = here.slopes
        gradient = np.bincount(self.index.ravel(), weights=(self.mass[:, None] * by_entry).ravel())
        H = np.zeros((len(gradient), len(gradient)))
        np.add.at(H, (self.index[:, :, None], self.index[:, None, :]), self.mass[:, None, None] * curvature)
        H[np.diag_indices_from(H)] += LEAST_CURVATURE * self.mass.sum()
        return gradient, np.clip(-np.linalg.solve(H, gradient), -LONGEST_STEP, LONGEST_STEP)

    def lower(self, x: np.ndarray, here: _Profile, step: np.ndarray) -> _Profile:
        """Where the step leads, halved until the deviance is lower; where it never is, back."""
        before = self.mass @ here.deviance
        for halving in range(SHORTER_STEPS):
            there = self.profile(np.maximum(x + step / 2**halving, self.floor))
            if self.mass @ there.deviance < before:
                return there
        return here


def loadings_and_noise(
    scatter: np.ndarray, mass: np.ndarray, psi: np.ndarray, *, n_factors: int, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Noise variances (K, d) one step from ``psi`` towards the largest likelihood, and the best loadings for them.

    Parameters
    ----------
    scatter : ndarray, shape (K, d, d)
        About the means.
    mass : ndarray, shape (K,)
        N_k, positive.
    psi : ndarray, shape (K, d)
        Noise variances before.
    n_factors : int
    index : ndarray of int, shape (K, d)
        Which variances are one (:meth:`Noise.index`).
    """
    covariances = scatter / mass[:, None, None]
    least = np.log(LEAST_SHARE_OF_NOISE * np.maximum(np.einsum("kjj->kj", covariances), np.finfo(float).tiny))
    floor = np.full(int(index.max()) + 1, -np.inf)
    np.maximum.at(floor, index, least)
    x = np.empty(len(floor))
    x[index] = np.log(psi)
    problem, x = _Problem(covariances, mass, index, floor, n_factors), np.maximum(x, floor)
    here = problem.profile(x)
    gradient, step = problem.newton(here)
    if -(gradient @ step) > WORTH_A_STEP * mass.sum():
        here = problem.lower(x, here, step)
    return here.loadings(n_factors), here.psi
