"""How far two sets of parameters allocate the rows alike."""

from __future__ import annotations

import numpy as np

from bayesmix.estep import responsibilities
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


def agreement_with(likelihood: Likelihood, params: Params, pivot: Params) -> np.ndarray:
    """sum_i v_i r_ik q_ij of parameters (..., K, K) with the pivot's responsibilities q."""
    q = responsibilities(likelihood, pivot) * likelihood.row_weights[:, None]
    return np.asarray(np.swapaxes(responsibilities(likelihood, params), -1, -2) @ q)
