"""Regions of the posterior that chains do not leave: which draws belong to which, and how much of the mass each holds.

A region is a set of parameters, whatever their labels. Which one a point belongs to is told by its nearest neighbours
among draws of chains that are known to be apart, in quantities that labels do not change. Every point belongs to one
region, so that the integrals of the posterior over the regions add up and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from scipy.special import gammaln
from sklearn.neighbors import KNeighborsClassifier

from bayesmix.compiled.log_posterior import Target
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, exchange_groups
from bayesmix.multimodality.bridge import Evidence
from bayesmix.multimodality.cell import local_evidence
from bayesmix.multimodality.maxima import NEGLIGIBLE
from bayesmix.multimodality.watched import Watch, chain_groups, invariants, separated
from bayesmix.parts.part import Params

NEIGHBOURS = 5
REMEMBERED = 500
"""Draws of every region that are kept to tell others by."""
BEYOND = 1e100


@dataclass(frozen=True, eq=False)
class Regions:
    """A partition of the parameter space by remembered draws.

    ``features`` (draws, quantities) in units of ``scale``; ``labels``: the region of each, from 1.
    """

    watch: Watch
    features: np.ndarray
    scale: np.ndarray
    labels: np.ndarray

    @classmethod
    def remember(cls, watch: Watch, features: Sequence[np.ndarray], regions: Sequence[int]) -> Regions:
        """From draws (S, quantities) of every region, of which some are kept."""
        kept = [a[evenly(len(a), REMEMBERED)] for a in features]
        labels = np.repeat(regions, [len(a) for a in kept])
        return cls(watch, np.concatenate(kept), _within(kept), labels)

    @cached_property
    def _nearest(self) -> KNeighborsClassifier:
        return KNeighborsClassifier(NEIGHBOURS).fit(self.features / self.scale, self.labels)

    def of(self, params: Params) -> np.ndarray:
        """The region of each draw, (S,)."""
        return np.asarray(self._nearest.predict(features_of(self.watch, params) / self.scale))

    def inside(self, members: Sequence[int]) -> Callable[[Params], np.ndarray]:
        """Whether a draw lies in one of these regions."""
        return lambda params: np.isin(self.of(params), members)


def features_of(watch: Watch, params: Params) -> np.ndarray:
    """The label-free quantities of draws as a matrix (S, quantities); what is not finite is far away."""
    return np.nan_to_num(np.stack(list(watch(params).values()), axis=-1), nan=-BEYOND, posinf=BEYOND, neginf=-BEYOND)


def _within(samples: Sequence[np.ndarray]) -> np.ndarray:
    """Standard deviations within samples, (quantities,); 1 where a quantity stands still in all of them."""
    scale = np.sqrt(np.mean([a.var(axis=0) for a in samples], axis=0))
    typical = np.abs(np.concatenate(samples)).max(axis=0)
    return np.where(scale > 1e-12 * (1 + typical), scale, 1.0)


def pieces_apart(family: Likelihood, pieces: xr.Dataset, lp: xr.DataArray) -> tuple[int, ...]:
    """A number per piece of a chain: pieces share one where links lead from one to the other; 0 for those in passing.

    Two pieces are linked where R-hat cannot tell them apart. A chain that goes over from one mode to another, once,
    links nothing: a piece with a share p of the other mode has an R-hat of 1 / sqrt(1 - p) with a piece that has none,
    which cannot be below 1.3 on both sides. Pieces whose own halves are apart are in passing.
    """
    watched = invariants(family, pieces, lp)
    middle = pieces.sizes["draw"] // 2
    halves = [watched.isel(draw=slice(0, middle)), watched.isel(draw=slice(middle, 2 * middle))]
    settled = [c for c in range(pieces.sizes["chain"]) if not separated(_pair(halves[0], c, halves[1], c))]
    by_piece = dict(zip(settled, chain_groups(watched.isel(chain=settled)), strict=True))
    return tuple(by_piece.get(c, 0) for c in range(pieces.sizes["chain"]))


def _pair(a: xr.DataArray, i: int, b: xr.DataArray, j: int) -> xr.DataArray:
    """Two chains side by side."""
    cut = [v.isel(chain=[c]).drop_vars(["chain", "draw"]) for v, c in ((a, i), (b, j))]
    return xr.concat(cut, dim="chain", coords="minimal", compat="override")


@dataclass(frozen=True)
class Mass:
    """Share of the posterior, its error, the log-integral behind it and whether it is established."""

    share: float
    error: float
    evidence: Evidence

    @property
    def established(self) -> bool:
        """Whether the share can be relied on."""
        return bool(np.isfinite(self.error)) and self.evidence.established

    @property
    def matters(self) -> bool:
        """Whether it cannot be said to be negligible."""
        return not self.established or self.share + 2 * self.error >= NEGLIGIBLE


def masses(evidence: Mapping[int, Evidence]) -> dict[int, Mass]:
    """Shares of the regions from their integrals: exp(value) over the sum of all.

    A share p_g with relative errors e has the variance p_g^2 ((1 - 2 p_g) e_g^2 + sum_h p_h^2 e_h^2).
    """
    values = np.array([e.value for e in evidence.values()])
    errors = np.array([e.standard_error for e in evidence.values()])
    known = np.isfinite(values)
    p = np.where(known, np.exp(values - np.max(values[known], initial=-np.inf)), np.nan)
    p = p / np.nansum(p)
    sure = all(e.established for e, share in zip(evidence.values(), p, strict=True) if not share < NEGLIGIBLE)
    with np.errstate(invalid="ignore"):
        variance = p**2 * ((1 - 2 * p) * errors**2 + np.nansum(p**2 * errors**2))
    error = np.sqrt(np.maximum(variance, 0.0)) if sure else np.full(len(p), np.nan)
    return {
        g: Mass(float(share), float(e), found) for (g, found), share, e in zip(evidence.items(), p, error, strict=True)
    }


def weigh(
    target: Target,
    family: Likelihood,
    draws: Mapping[int, tuple[xr.Dataset, xr.DataArray]],
    inside: Callable[[int], Callable[[Params], np.ndarray]] | None,
) -> dict[int, Evidence]:
    """The log-integral of the posterior over every region, over all labellings, from draws (posterior, lp) in it.

    ``inside``: of a region's number, which points are in it; None where there is one region.
    """
    labellings = log_labellings(family)
    found = {}
    for g, (posterior, lp) in draws.items():
        region = None if inside is None else inside(g)
        one = local_evidence(target, family, posterior, lp.to_numpy(), region=region)
        found[g] = Evidence(one.value + labellings, one.standard_error, one.established)
    return found


def check_order(argument: str, spec: Mixture) -> None:
    """An order leaves one labelling of K! where the priors of the means are alike."""
    for name, value in spec.priors[spec.order].parameters.items() if spec.order else ():
        if value.ndim == 2 and np.ptp(value, axis=0).any():
            raise ValueError(
                f"{argument}: with order={spec.order!r} the {spec.order} must share one prior; {name} differs between "
                "components"
            )


def total(parts: Sequence[Evidence]) -> Evidence:
    """The log-integral over several regions together."""
    values, errors = (np.array([getattr(e, name) for e in parts]) for name in ("value", "standard_error"))
    value = float(np.logaddexp.reduce(values))
    relative = float(np.sqrt((np.exp(2 * (values - value)) * errors**2).sum()))
    return Evidence(value, relative, all(e.established for e in parts))


def log_labellings(family: Likelihood) -> float:
    """log of the number of ways to label the components: the factorials of the groups that may switch.

    With an order log K!: PyMC's density of ordered means lacks this factor, by which it is normalized.
    """
    if family.spec.order is not None:
        return float(gammaln(1.0 + len(family.components)))
    return float(sum(gammaln(1.0 + n) for n in np.unique(exchange_groups(family), return_counts=True)[1]))
