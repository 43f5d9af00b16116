"""What is compared: four statistics of every parameter, each with its Monte Carlo error."""

from __future__ import annotations

from collections.abc import Mapping

import arviz as az
import numpy as np
import xarray as xr

type Estimate = tuple[float, float]
"""A value and its Monte Carlo standard error."""
type Summary = Mapping[str, Mapping[str, Estimate]]
"""By parameter and statistic."""

STATISTICS = ("mean", "sd", "5%", "95%")
LIMIT = 4.0
"""Two runs agree where every statistic does within so many combined Monte Carlo errors."""


def summarise(values: xr.DataArray) -> Summary:
    """Mean, sd, 5% and 95% quantile of every scalar of a (chain, draw, scalar) array, with ArviZ' errors."""
    draws = values.to_dataset(name="value")
    every = ("chain", "draw")
    estimates = {
        "mean": (values.mean(every), az.mcse(draws, method="mean")),
        "sd": (values.std(every, ddof=1), az.mcse(draws, method="sd")),
        "5%": (values.quantile(0.05, every), az.mcse(draws, method="quantile", prob=0.05)),
        "95%": (values.quantile(0.95, every), az.mcse(draws, method="quantile", prob=0.95)),
    }
    return {
        str(name): {s: (float(value[i]), float(error["value"][i])) for s, (value, error) in estimates.items()}
        for i, name in enumerate(values["scalar"].to_numpy())
    }


def distances(a: Summary, b: Summary) -> dict[tuple[str, str], float]:
    """(a - b) / hypot(their errors), by parameter and statistic; ValueError where they hold different parameters."""
    if set(a) != set(b):
        raise ValueError(f"distances: parameters {sorted(a)} against {sorted(b)}")
    return {
        (name, s): (a[name][s][0] - b[name][s][0]) / float(np.hypot(a[name][s][1], b[name][s][1]))
        for name in a
        for s in STATISTICS
    }


def farthest(a: Summary, b: Summary) -> tuple[float, str]:
    """The largest distance and where it is."""
    found = distances(a, b)
    where = max(found, key=lambda key: abs(found[key]))
    return abs(found[where]), f"{where[1]} of {where[0]}"
