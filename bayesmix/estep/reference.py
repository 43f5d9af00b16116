"""The E-step in NumPy: what every faster kernel must agree with.

l_i = logsumexp_k log_joint_ik        r_ik = exp(log_joint_ik - l_i)
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums


def both(likelihood: Likelihood, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """l_i (..., n), without its weight, and r_ik (..., n, n_components).

    Reductions run component by component: NumPy is several times slower along a short last axis.
    """
    log_joint = likelihood.log_joint(params)
    top = reduce(np.maximum, np.moveaxis(log_joint, -1, 0))
    e = np.exp(log_joint - np.where(np.isfinite(top), top, 0.0)[..., None])
    total = reduce(np.add, np.moveaxis(e, -1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(total) + top, e / total[..., None]


def pointwise(likelihood: Likelihood, params: Params) -> np.ndarray:
    """l_i, shape (..., n): the log-density of every row, without its weight."""
    return both(likelihood, params)[0]


def responsibilities(likelihood: Likelihood, params: Params) -> np.ndarray:
    """r_ik, shape (..., n, n_components); rows sum to 1."""
    return both(likelihood, params)[1]


def e_step(likelihood: Likelihood, params: Params) -> tuple[float, Sums]:
    """L = sum_i v_i l_i and the expected sufficient statistics, for one set of parameters."""
    l, r = both(likelihood, params)
    return float(likelihood.row_weights @ l), likelihood.sums(r, params)
