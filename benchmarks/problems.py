"""Simulated mixtures with known parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import bayesmix as bm
from benchmarks.coordinates import Coordinates
from benchmarks.environment import SEED


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows X (n, d) drawn from K Gaussians; ``theta``: the true parameters in the model's unconstrained coordinates."""

    X: np.ndarray
    theta: np.ndarray
    coordinates: Coordinates
    order: str | None = None

    @cached_property
    def data(self) -> bm.Data:
        """The rows as bayesmix takes them."""
        return bm.Data(self.X)

    @cached_property
    def spec(self) -> bm.Mixture:
        """Full covariances, every prior in numbers."""
        spec = bm.Mixture("gaussian", n_components=self.coordinates.K, covariance="full", order=self.order)
        return bm.resolve(spec, self.data)

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The true weights, means and covariances."""
        return self.coordinates.parameters(self.theta)

    @property
    def name(self) -> str:
        """As tables name it."""
        n, d = self.X.shape
        return f"{d}-D, n = {n:,}, K = {self.coordinates.K}"


def simulated(n: int, d: int, K: int, *, apart: float = 3.0) -> Problem:
    """K groups of n rows in all with random covariances; the means' coordinates have standard deviation ``apart``."""
    rng = np.random.default_rng([SEED, n, d, K])
    c = Coordinates(K, d)
    theta = np.concatenate(
        [
            rng.normal(0, 0.3, K - 1),
            rng.normal(0, apart, K * d),
            rng.normal(0, 0.2, K * d),
            rng.normal(0, 0.3 if d < 10 else 0.15, K * c.pairs),
        ]
    )
    return Problem(_rows(c.parameters(theta), n, rng), theta, c)


def three_on_a_line(n: int) -> Problem:
    """Means 2, 5, 10; sd 0.6, 0.8, 0.5; weights 0.4, 0.2, 0.4; ordered means."""
    w, mu, sd = np.array([0.4, 0.2, 0.4]), np.array([2.0, 5.0, 10.0]), np.array([0.6, 0.8, 0.5])
    c = Coordinates(3, 1, ordered=True)
    steps = np.append(mu[0], np.log(np.diff(mu)))
    theta = np.concatenate([(np.log(w) - np.log(w).mean())[:-1], steps, np.log(sd)])
    return Problem(_rows(c.parameters(theta), n, np.random.default_rng(SEED)), theta, c, order="means")


def _rows(params: dict[str, np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    z = rng.choice(len(params["weights"]), n, p=params["weights"])
    C = np.linalg.cholesky(params["covariances"])
    return params["means"][z] + np.einsum("nij,nj->ni", C[z], rng.standard_normal((n, C.shape[-1])))
