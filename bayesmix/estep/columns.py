"""Independent columns of one canonical family as a PyTensor expression (:mod:`bayesmix.parts.columns`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
