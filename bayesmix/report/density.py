"""Densities in numbers: rows outside the regions, the least dense rows, the density of held-out rows."""

from __future__ import annotations

from typing import Any

from bayesmix.report.fits import Fits
from bayesmix.rows.density import log_predictive_density, predictive_of
from bayesmix.rows.regions import CONTENTS
from bayesmix.rows.tails import Tails


def density_numbers(fits: Fits) -> dict[str, Any]:
    """``regions``: by content, how many rows lie outside. ``outliers``: the table. ``held_out``: mean log densities."""
    table = fits.outliers.rename_axis(index="row").reset_index().to_dict("records")
    return {"regions": _outside(fits), "outliers": table, "held_out": _held_out(fits)}


def _outside(fits: Fits) -> dict[str, dict[str, float]]:
    """Rows outside the highest-density regions, and how many are expected; empty where rows differ in their laws."""
    if not fits.likelihood.alike:
        return {}
    tails, rows = Tails(fits.fitted), fits.fitted.over(None)
    counts = tails.outside(rows, [1 - content for content in CONTENTS])
    return {
        f"{content:g}": {"outside": here, "expected": new}
        for content, (here, new) in zip(CONTENTS, counts, strict=True)
    }


def _held_out(fits: Fits) -> dict[str, float]:
    """Mean log predictive density of the held-out rows, without their labels."""
    if fits.model.test is None:
        return {}
    em = log_predictive_density(fits.comparison.em, fits.model.test)
    posterior = predictive_of(fits.fitted.over(fits.model.test), fits.fitted)
    return {"em": float(em.mean()), "posterior": float(posterior.mean())}
