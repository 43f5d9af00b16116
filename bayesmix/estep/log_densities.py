"""Log-densities of a row and its component as PyTensor expressions: of normals, of independent columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt

LOG_DENSITIES: dict[str, Callable[[Any, Any], Any]] = {
    "Poisson": lambda x, m: x * pt.log(m) - m - pt.gammaln(x + 1.0),
    "Bernoulli": lambda x, m: x * pt.log(m) + (1 - x) * pt.log1p(-m),
}
"""By canonical family: log f(x | m) of a mean m."""


def log_joint(family: str, x: Any, weights: Any, means: Any, gaps: bool) -> Any:
    """log w_k + sum_j log f(x_ij | m_kj) over the cells that are there, (n, K)."""
    cells = x[..., None, :]
    if not gaps:
        return pt.log(weights) + LOG_DENSITIES[family](cells, means).sum(axis=-1)
    gone = pt.isnan(cells)
    by_cell = pt.where(gone, 0.0, LOG_DENSITIES[family](pt.where(gone, 0.0, cells), means))
    return pt.log(weights) + by_cell.sum(axis=-1)


def log_normal_joint(weights: Any, diff: Any, C: Any, d: int, there: Any) -> Any:
    """log w_k - d/2 log 2 pi - sum_j log C_jj - z'z / 2 of x - mu, (n, K, d), where ``there`` of d cells are."""
    z: list[Any] = []
    for j in range(d):  # forward substitution, written out
        rest = sum((C[..., j, m] * z[m] for m in range(j)), start=0.0)
        z.append((diff[..., j] - rest) / C[..., j, j])
    log_det = sum(pt.log(C[..., j, j]) for j in range(d))
    return pt.log(weights) - log_det - 0.5 * there * np.log(2 * np.pi) - 0.5 * sum(zj**2 for zj in z)
