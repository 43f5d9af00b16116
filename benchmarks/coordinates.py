"""Between the unconstrained coordinates of ``bm.build`` and of a textbook model, written out in NumPy.

Ours are (simplex, means, log scales, logits of partial correlations); the textbook's LKJCholeskyCov has the rows of
each Cholesky factor with logarithms on the diagonal instead of the last two. With u' = T(u),

    log p_ours(u) = log p_textbook(T(u)) + log |det dT/du|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Coordinates:
    """The layout for K components in d features, full covariances."""

    K: int
    d: int
    ordered: bool = False

    @property
    def pairs(self) -> int:
        """Partial correlations per component."""
        return self.d * (self.d - 1) // 2

    def parameters(self, u: np.ndarray) -> dict[str, np.ndarray]:
        """weights (K,), means (K, d) and covariances (K, d, d)."""
        log_w = np.append(u[: self.K - 1], -u[: self.K - 1].sum())
        w = np.exp(log_w - log_w.max())
        means = u[self.K - 1 : self._covariances]
        if self.ordered:
            means = np.cumsum(np.append(means[0], np.exp(means[1:])))
        C = self.factors(u)
        return {
            "weights": w / w.sum(),
            "means": means.reshape(self.K, self.d),
            "covariances": C @ C.transpose(0, 2, 1),
        }

    def factors(self, u: np.ndarray) -> np.ndarray:
        """C_k = diag(s_k) L_k with L_ij = p_ij prod_{m<j} sqrt(1 - p_im^2), (K, d, d); complex where u is."""
        scales, p = np.split(u[self._covariances :], [self.K * self.d])
        s, p = np.exp(scales).reshape(self.K, self.d), np.tanh(p / 2).reshape(self.K, self.pairs)
        L = np.zeros((self.K, self.d, self.d), dtype=u.dtype)
        for i in range(self.d):
            left = np.ones(self.K, dtype=u.dtype)
            for j in range(i):
                pij = p[:, i * (i - 1) // 2 + j]
                L[:, i, j] = pij * left
                left = left * np.sqrt(1 - pij**2)
            L[:, i, i] = left
        return s[:, :, None] * L

    def textbook(self, u: np.ndarray) -> np.ndarray:
        """The same point in the textbook's coordinates; in one feature they are ours."""
        if self.d == 1:
            return u
        C = self.factors(u)
        diagonal = np.arange(self.d)
        C[:, diagonal, diagonal] = np.log(C[:, diagonal, diagonal])
        rows, columns = np.tril_indices(self.d)
        return np.concatenate([u[: self._covariances], C[:, rows, columns].ravel()])

    def log_jacobian(self, u: np.ndarray) -> float:
        """log |det dT/du|, column by column with complex steps: exact to rounding."""
        if self.d == 1:
            return 0.0
        columns = []
        for j in range(len(u)):
            step = u.astype(complex)
            step[j] += 1e-30j
            columns.append(self.textbook(step).imag / 1e-30)
        return float(np.linalg.slogdet(np.array(columns))[1])

    @property
    def _covariances(self) -> int:
        """Where the coordinates of the covariances begin."""
        return self.K - 1 + self.K * self.d
