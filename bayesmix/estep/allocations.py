"""Components for the rows and for new rows like them, drawn for every draw of the parameters."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from bayesmix.estep.pointwise import responsibilities
from bayesmix.likelihood.discrepancies import drawn
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


def allocations(
    likelihood: Likelihood, params: Params, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Components given the rows, and given their labels alone, each (S, n); the latter's probabilities, (S, n or 1, K).

    These are of all rows at once where no label and no covariate tells rows apart.
    """
    n = len(likelihood.data)
    with np.errstate(divide="ignore"):
        evidence = likelihood.evidence[: n if likelihood.data.labelled.any() else 1]
        shares = softmax(likelihood.log_weights(params) + evidence, axis=-1)
    r = responsibilities(likelihood, params)
    own = drawn(r, rng.random(r.shape[:2]))
    return own, drawn(np.broadcast_to(shares, r.shape), rng.random(r.shape[:2])), shares
