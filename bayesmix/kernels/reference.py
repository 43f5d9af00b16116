"""The E-step in NumPy: what every faster kernel must agree with.

    l_i = logsumexp_k log_joint_ik        r_ik = exp(log_joint_ik - l_i)
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from bayesmix.families import Family, Params


def pointwise(family: Family, params: Params) -> np.ndarray:
    """l_i, shape (..., n): the log-density of every row, without its weight."""
    return np.asarray(logsumexp(family.log_joint(params), axis=-1))


def responsibilities(family: Family, params: Params) -> np.ndarray:
    """r_ik, shape (..., n, n_components); rows sum to 1."""
    log_joint = family.log_joint(params)
    return np.exp(log_joint - logsumexp(log_joint, axis=-1, keepdims=True))


def e_step(family: Family, params: Params) -> tuple[float, np.ndarray]:
    """L = sum_i v_i l_i and r (n, n_components), for one set of parameters."""
    log_joint = family.log_joint(params)
    l = logsumexp(log_joint, axis=-1, keepdims=True)
    return float(family.row_weights @ l[:, 0]), np.exp(log_joint - l)
