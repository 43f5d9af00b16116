"""In how many ways the components can be labelled; what an order makes of them."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, exchange_groups


def check_order(argument: str, spec: Mixture) -> None:
    """An order leaves one labelling of K! where the priors of the means are alike."""
    for name, value in spec.priors[spec.order].parameters.items() if spec.order else ():
        if value.ndim == 2 and np.ptp(value, axis=0).any():
            raise ValueError(
                f"{argument}: with order={spec.order!r} the {spec.order} must share one prior; {name} differs between "
                "components"
            )


def log_labellings(likelihood: Likelihood) -> float:
    """log of the number of ways to label the components: the factorials of the groups that may switch.

    With an order log K!: PyMC's density of ordered means lacks this factor, by which it is normalized.
    """
    if likelihood.spec.order is not None:
        return float(gammaln(1.0 + len(likelihood.components)))
    return float(sum(gammaln(1.0 + n) for n in np.unique(exchange_groups(likelihood), return_counts=True)[1]))
