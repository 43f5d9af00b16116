"""Where the prior, not the data, decides: what the verdict says of power scaling, and of the distance to EM."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bayesmix.checks.prior import SENSITIVE
from bayesmix.report.text import listed

MOVED = 3.0
"""Posterior standard deviations between EM's estimate and the posterior mean, from which on the prior has moved it."""
MOST_LISTED = 6


def pulled_by_prior(parameters: pd.DataFrame, sensitivity: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """A caution that names the quantities that the prior has moved away from what the data alone say; none, no caution.

    Parameters
    ----------
    parameters : DataFrame
        Rows by quantity, with the columns ``em``, ``mean``, ``sd`` of a comparison.
    sensitivity : mapping
        Of the same quantities, ``prior`` and ``likelihood`` of :func:`bayesmix.checks.prior.sensitivity`.
    """
    distance = (parameters["em"] - parameters["mean"]).abs() / parameters["sd"]
    far = {str(name): float(d) for name, d in distance.items() if d > MOVED}
    pulled = {name: d for name, d in far.items() if _at_least(sensitivity.get(name, {}), "prior")}
    if not pulled:
        return []
    return [
        f"The prior, not the data, places {listed(list(pulled), most=MOST_LISTED)}: the posterior mean is up to "
        f"{max(pulled.values()):.0f} posterior standard deviations from the maximum-likelihood estimate, and moves "
        "with the prior. If you did not mean to say so much, widen that prior or leave it out: the default does not "
        "depend on the units and the coding of covariates."
    ]


def left_to_prior(sensitivity: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """A note that names the quantities of which the data say little, so that the prior decides."""
    alone = [n for n, entry in sensitivity.items() if _at_least(entry, "prior") and not _at_least(entry, "likelihood")]
    return [f"The data say little of {listed(alone, most=MOST_LISTED)}: there the prior decides."] if alone else []


def _at_least(entry: Mapping[str, float | None], which: str) -> bool:
    value = entry.get(which)
    return value is not None and value >= SENSITIVE
