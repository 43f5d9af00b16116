"""The kinds of noise variances, each a statement of what components and columns share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.parts.parameter import Parameter

NOISE_VARIANCES = "noise_variances"
"""The estimate of the noise variances."""
NOISE_KINDS = ("diagonal", "isotropic")
"""What ``noise=`` may say."""


@dataclass(frozen=True)
class Noise:
    """One kind: ``shared`` by all components; ``isotropic``, one for all columns."""

    shared: bool
    isotropic: bool

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the free variances."""
        return (*(() if self.shared else ("component",)), *(() if self.isotropic else ("feature",)))

    @property
    def parameter(self) -> Parameter:
        """The entry of the table."""
        k = "" if self.shared else "_k"
        words, label = "noise variances", r"noise variances $\Psi$"
        return Parameter(
            NOISE_VARIANCES, self.dims, "positive", rf"\psi{k}", words, label, nuisance=True, knowable=False
        )

    def matrix(self, variances: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Free variances as those of every component and column: ``shape`` is (..., K, d)."""
        wide = variances if "feature" in self.dims else variances[..., None]
        return np.broadcast_to(wide if "component" in self.dims else wide[..., None, :], shape)

    def free(self, matrix: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`matrix`."""
        rows = matrix[..., 0, :] if self.shared else matrix
        return rows[..., 0] if self.isotropic else rows

    def index(self, K: int, d: int) -> np.ndarray:
        """Which free variance that of every component and column is, integers (K, d)."""
        size = (1 if self.shared else K) * (1 if self.isotropic else d)
        free = np.arange(size).reshape([K if name == "component" else d for name in self.dims])
        return np.array(self.matrix(free, (K, d)))
