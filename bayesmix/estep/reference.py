"""The E-step in NumPy: what every faster kernel must agree with.

l_i = logsumexp_k log_joint_ik        r_ik = exp(log_joint_ik - l_i)
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from bayesmix.likelihood.likelihood import Family, Params, Statistics


def both(family: Family, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """l_i (..., n), without its weight, and r_ik (..., n, n_components).

    Reductions run component by component: NumPy is several times slower along a short last axis.
    """
    log_joint = family.log_joint(params)
    top = reduce(np.maximum, np.moveaxis(log_joint, -1, 0))
    e = np.exp(log_joint - np.where(np.isfinite(top), top, 0.0)[..., None])
    total = reduce(np.add, np.moveaxis(e, -1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(total) + top, e / total[..., None]


def pointwise(family: Family, params: Params) -> np.ndarray:
    """l_i, shape (..., n): the log-density of every row, without its weight."""
    return both(family, params)[0]


def responsibilities(family: Family, params: Params) -> np.ndarray:
    """r_ik, shape (..., n, n_components); rows sum to 1."""
    return both(family, params)[1]


def e_step(family: Family, params: Params) -> tuple[float, Statistics]:
    """L = sum_i v_i l_i and the expected sufficient statistics, for one set of parameters."""
    l, r = both(family, params)
    return float(family.row_weights @ l), family.statistics(r, params)
