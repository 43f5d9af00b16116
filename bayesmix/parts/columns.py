"""Columns that are independent within a component, each of one canonical family with a mean of its own."""

from __future__ import annotations

from typing import Self

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.parts.canonical import Canonical
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Sums
from bayesmix.parts.profile import Profile

ON_BOUNDARY = 1e-8
"""A variance of a column within a component below it is that of a mean on its boundary."""


class Columns(Component):
    """log f(x_i | m_k) = sum_j x_ij eta_kj - b(eta_kj) + h(x_ij) with the means m_kj = b'(eta_kj), (K, d).

    Sums: first (K, d) = sum_i v_i r_ik x_i. Coordinates are the natural parameters eta.
    """

    def __init__(self, data: Data, components: tuple[str, ...], model: Canonical, means: Parameter) -> None:
        self.data, self.x, self.model, self.means = data, data.x, model, means
        self.K, self.components = len(components), components
        self.names, self.parameters = (means.name,), (means,)
        self.coords = {"component": list(components), "feature": list(data.feature_names)}
        self.average = data.row_weights @ self.x / data.row_weights.sum()

    @property
    def profile(self) -> Profile | None:
        """The means."""
        return Profile.of_columns(self.means, self.data)

    @property
    def first(self) -> str:
        """The name of its sums: blocks of columns have different ones."""
        return f"{self.means.name}_first"

    @property
    def size(self) -> int:
        """One for each component and column."""
        return self.K * self.x.shape[1]

    def aligned(self, data: Data) -> Data:
        """The columns by their names."""
        return data.with_features(self.data.feature_names)

    def over(self, data: Data) -> Self:
        """Other rows."""
        new = type(self)(data, self.components, self.model, self.means)
        new.average = self.average
        return new

    def natural(self, params: Params) -> np.ndarray:
        """eta, (..., K, d)."""
        return self.model.natural(params[self.means.name])

    def log_density(self, params: Params) -> np.ndarray:
        """(..., n, K)."""
        eta = self.natural(params)
        level = -self.model.b(eta).sum(axis=-1)
        h = self.model.h(self.x).sum(axis=1)
        return np.asarray(level[..., None, :] + self.x @ np.swapaxes(eta, -1, -2) + h[:, None])

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """First moments."""
        return {self.first: vr.T @ self.x}

    def step(self, sums: Sums, params: Params) -> Params:
        """m_k = sum_i v_i r_ik x_i / N_k; an empty component keeps its means."""
        mass = sums["mass"][:, None]
        before = params[self.means.name]
        return {self.means.name: np.divide(sums[self.first], mass, out=before.astype(float), where=mass > 0)}

    def start(self, vr: np.ndarray) -> Params:
        """Means with one more row at the average of all."""
        mass = vr.sum(axis=0)[:, None]
        return {self.means.name: (vr.T @ self.x + self.average) / (mass + 1)}

    def pack(self, params: Params) -> np.ndarray:
        """Natural parameters."""
        return self.natural(params).ravel()

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        return {self.means.name: self.model.mean(theta.reshape(self.K, -1))}

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """First moments less what the means expect."""
        return np.asarray(sums[self.first] - sums["mass"][:, None] * params[self.means.name]).ravel()

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """The means."""
        return {self.means.name: np.asarray(params[self.means.name])}

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Ten standard deviations of a row."""
        with np.errstate(divide="ignore"):
            return {self.means.name: 10 * np.sqrt(self.model.variance(self.natural(params)))}

    def on_boundary(self, params: Params) -> np.ndarray:
        """Means that leave hardly any variance."""
        return np.asarray(self.model.variance(self.natural(params)) < ON_BOUNDARY).ravel()

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """Every column of every row."""
        return self.model.draw(rng, params[self.means.name][z])

    def clouds(self) -> np.ndarray:
        """The columns, each with variance 1."""
        residual = self.x - self.average
        return np.asarray(residual / np.sqrt((residual**2).mean(axis=0)).clip(1e-12))
