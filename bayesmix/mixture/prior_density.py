"""The density of a mixture's priors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.inputs.distributions import log_density
from bayesmix.mixture.spec import Mixture


def log_prior(spec: Mixture, named: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log-density of the priors at every draw (S,), but for constants."""
    parts = [log_density(prior, named[v]) for v, prior in spec.priors.items() if v in named]
    return np.sum([part.reshape(len(part), -1).sum(axis=1) for part in parts], axis=0)
