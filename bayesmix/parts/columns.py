"""Columns that are independent within a component, each of one canonical family with a mean of its own."""

from __future__ import annotations

from typing import Self

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.parts.canonical import Canonical
from bayesmix.parts.component import Component
from bayesmix.parts.gaps import check_columns, column_means, filled
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Sums
from bayesmix.parts.profile import Profile

ON_BOUNDARY = 1e-8
"""A variance of a column within a component below it is that of a mean on its boundary."""


class Columns(Component):
    """log f(x_i | m_k) = sum_j x_ij eta_kj - b(eta_kj) + h(x_ij) with the means m_kj = b'(eta_kj), (K, d).

    Sums: first (K, d) = sum_i v_i r_ik x_i. A missing cell contributes nothing, and where there are any, each column
    has a mass of its own (K, d), sum_i v_i r_ik over the rows whose cell is there. Coordinates are the natural
    parameters eta.
    """

    def __init__(self, data: Data, components: tuple[str, ...], model: Canonical, means: Parameter) -> None:
        self.data, self.x, self.model, self.means = data, data.x, model, means
        self.K, self.components = len(components), components
        self.names, self.parameters = (means.name,), (means,)
        self.coords = {"component": list(components), "feature": list(data.feature_names)}
        check_columns(data)
        self.average = column_means(self.x, data.row_weights)

    @property
    def profile(self) -> Profile | None:
        """The means."""
        return Profile.of_columns(self.means, self.data)

    @property
    def first(self) -> str:
        """The name of its sums: blocks of columns have different ones."""
        return f"{self.means.name}_first"

    @property
    def there(self) -> str:
        """The name of the masses by column."""
        return f"{self.means.name}_mass"

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
        if self.data.gaps:
            return self._of_observed(eta)
        level = -self.model.b(eta).sum(axis=-1)
        h = self.model.h(self.x).sum(axis=1)
        return np.asarray(level[..., None, :] + self.x @ np.swapaxes(eta, -1, -2) + h[:, None])

    def _of_observed(self, eta: np.ndarray) -> np.ndarray:
        """(..., n, K), over the cells that are there."""
        there, x = ~np.isnan(self.x), filled(self.x, 0.0)
        h = np.where(there, self.model.h(x), 0.0).sum(axis=1)
        return np.asarray(x @ np.swapaxes(eta, -1, -2) - there @ np.swapaxes(self.model.b(eta), -1, -2) + h[:, None])

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """First moments, and the masses by column where cells are missing."""
        if self.data.gaps:
            return {self.first: vr.T @ filled(self.x, 0.0), self.there: vr.T @ ~np.isnan(self.x)}
        return {self.first: vr.T @ self.x}

    def _mass(self, sums: Sums) -> np.ndarray:
        """Of every column (K, d), or of all of them (K, 1)."""
        return np.asarray(sums[self.there] if self.data.gaps else sums["mass"][:, None])

    def step(self, sums: Sums, params: Params) -> Params:
        """m_k = sum_i v_i r_ik x_i / N_k; an empty component keeps its means."""
        mass = self._mass(sums)
        before = params[self.means.name]
        return {self.means.name: np.divide(sums[self.first], mass, out=before.astype(float), where=mass > 0)}

    def start(self, vr: np.ndarray) -> Params:
        """Means with one more row at the average of all."""
        sums = {"mass": vr.sum(axis=0)} | dict(self.sums(vr, {}))
        return {self.means.name: (sums[self.first] + self.average) / (self._mass(sums) + 1)}

    def pack(self, params: Params) -> np.ndarray:
        """Natural parameters."""
        return self.natural(params).ravel()

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        return {self.means.name: self.model.mean(theta.reshape(self.K, -1))}

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """First moments less what the means expect."""
        return np.asarray(sums[self.first] - self._mass(sums) * params[self.means.name]).ravel()

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
        """The columns, each with variance 1; missing cells at their mean."""
        residual = filled(self.x - self.average, 0.0)
        return np.asarray(residual / np.sqrt((residual**2).mean(axis=0)).clip(1e-12))
