"""The priors that a Gaussian mixture has where a user gives none, in numbers."""

from __future__ import annotations

import numpy as np

from bayesmix.families.gaussian.covariance import Covariance
from bayesmix.inputs.prior import Prior


def default_priors(kind: Covariance, K: int, centre: np.ndarray, sd: np.ndarray) -> dict[str, Prior]:
    """Means wide against where the rows are; scales around the width of K groups that share the space.

    ``centre`` and ``sd`` (d,): mean and standard deviation of the rows.
    """
    scale = sd / K ** (1 / len(sd))
    if "feature" not in kind.scale_dims:
        scale = np.exp(np.log(scale).mean())
    priors = {
        "means": Prior("Normal", mu=centre, sigma=2.5 * sd),
        "scales": Prior("InverseGamma", alpha=2.0, beta=scale),
    }
    return priors | ({"correlations": Prior("LKJ", eta=2.0)} if kind.correlated else {})
