"""How much of the posterior each region holds, from the integrals of its density."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.multimodality.bridge import UNKNOWN, LogIntegral
from bayesmix.multimodality.cell import local_integral
from bayesmix.multimodality.labellings import log_labellings
from bayesmix.multimodality.maxima import NEGLIGIBLE
from bayesmix.parts.part import Params


@dataclass(frozen=True)
class Mass:
    """Share of the posterior, its error, the log-integral behind it and whether it is established."""

    share: float
    error: float
    integral: LogIntegral

    @property
    def established(self) -> bool:
        """Whether the share can be relied on."""
        return bool(np.isfinite(self.error)) and self.integral.established

    @property
    def matters(self) -> bool:
        """Whether it cannot be said to be negligible."""
        return not self.established or self.share + 2 * self.error >= NEGLIGIBLE


def masses(integrals: Mapping[int, LogIntegral]) -> dict[int, Mass]:
    """Shares of the regions from their integrals: exp(value) over the sum of all.

    A share p_g with relative errors e has the variance p_g^2 ((1 - 2 p_g) e_g^2 + sum_h p_h^2 e_h^2).
    """
    values = np.array([e.value for e in integrals.values()])
    errors = np.array([e.standard_error for e in integrals.values()])
    known = np.isfinite(values)
    p = np.where(known, np.exp(values - np.max(values[known], initial=-np.inf)), np.nan)
    p = p / np.nansum(p)
    sure = all(e.established for e, share in zip(integrals.values(), p, strict=True) if not share < NEGLIGIBLE)
    with np.errstate(invalid="ignore"):
        variance = p**2 * ((1 - 2 * p) * errors**2 + np.nansum(p**2 * errors**2))
    error = np.sqrt(np.maximum(variance, 0.0)) if sure else np.full(len(p), np.nan)
    return {
        g: Mass(float(share), float(e), integral)
        for (g, integral), share, e in zip(integrals.items(), p, error, strict=True)
    }


def weigh(
    compiled: CompiledModel,
    likelihood: Likelihood,
    draws: Mapping[int, tuple[xr.Dataset, xr.DataArray]],
    inside: Callable[[int], Callable[[Params], np.ndarray]] | None,
) -> dict[int, LogIntegral]:
    """The log-integral of the posterior over every region, over all labellings, from draws (posterior, lp) in it.

    ``inside``: of a region's number, which points are in it; None where there is one region.
    """
    labellings = log_labellings(likelihood)
    integrals = {}
    for g, (posterior, lp) in draws.items():
        region = None if inside is None else inside(g)
        one = local_integral(compiled, likelihood, posterior, lp.to_numpy(), region=region)
        integrals[g] = LogIntegral(one.value + labellings, one.standard_error, one.established)
    return integrals


def total(parts: Sequence[LogIntegral]) -> LogIntegral:
    """The log-integral over several regions together; unknown where one is."""
    if any(np.isnan(e.value) for e in parts):
        return UNKNOWN
    values, errors = (np.array([getattr(e, name) for e in parts]) for name in ("value", "standard_error"))
    value = float(np.logaddexp.reduce(values))
    relative = float(np.sqrt((np.exp(2 * (values - value)) * errors**2).sum()))
    return LogIntegral(value, relative, all(e.established for e in parts))
