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

from bayesmix.evidence import Evidence, local_evidence
from bayesmix.families import Family, Params
from bayesmix.invariants import Watch, invariants, joined, separated
from bayesmix.landscape import NEGLIGIBLE
from bayesmix.predict import stacked
from bayesmix.spec import Mixture, exchange_groups
from bayesmix.target import Target

NEIGHBOURS = 5
REMEMBERED = 500
"""Draws of every region that are kept to tell others by."""
FAR = 1e100
CROSSED = 0.01
"""Two chains are linked where more than this share of the draws of one lies among the other's."""


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
        kept = [a[np.unique(np.linspace(0, len(a) - 1, REMEMBERED).astype(int))] for a in features]
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
    return np.nan_to_num(np.stack(list(watch(params).values()), axis=-1), nan=-FAR, posinf=FAR, neginf=-FAR)


def _within(samples: Sequence[np.ndarray]) -> np.ndarray:
    """Standard deviations within samples, (quantities,); 1 where a quantity stands still in all of them."""
    scale = np.sqrt(np.mean([a.var(axis=0) for a in samples], axis=0))
    typical = np.abs(np.concatenate(samples)).max(axis=0)
    return np.where(scale > 1e-12 * (1 + typical), scale, 1.0)


def chains_apart(family: Family, posterior: xr.Dataset, lp: xr.DataArray) -> tuple[int, ...]:
    """A number per chain: chains share one where a link leads from one to the other.

    Two chains are linked where their R-hat says so, or where draws of the one lie among the other's.
    """
    watched = invariants(family, posterior, lp)
    n, shape = posterior.sizes["chain"], (posterior.sizes["chain"], posterior.sizes["draw"])
    features = features_of(Watch(family), stacked(posterior, family)).reshape(*shape, -1)
    pairs = [(a, b) for a in range(n) for b in range(a)]
    return joined(
        n,
        [(a, b) for a, b in pairs if not separated(watched.isel(chain=[a, b])) or crossed(features[a], features[b])],
    )


def crossed(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether more than ``CROSSED`` of every second draw of a lie among the other draws of b, or of b among those of a.

    a, b: (draws, quantities).
    """
    known, asked = np.concatenate([a[::2], b[::2]]), np.concatenate([a[1::2], b[1::2]])
    own, owner = np.repeat([0, 1], [len(a[::2]), len(b[::2])]), np.repeat([0, 1], [len(a[1::2]), len(b[1::2])])
    scale = _within([a, b])
    found = KNeighborsClassifier(NEIGHBOURS).fit(known / scale, own).predict(asked / scale)
    return any(float((found[owner == side] != side).mean()) > CROSSED for side in (0, 1))


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
    family: Family,
    spec: Mixture,
    draws: Mapping[int, tuple[xr.Dataset, xr.DataArray]],
    inside: Callable[[int], Callable[[Params], np.ndarray]] | None,
) -> dict[int, Evidence]:
    """The log-integral of the posterior over every region, over all labellings, from draws (posterior, lp) in it.

    ``inside``: of a region's number, which points are in it; None where there is one region.
    """
    labellings = log_labellings(spec, family)
    found = {}
    for g, (posterior, lp) in draws.items():
        region = None if inside is None else inside(g)
        one = local_evidence(target, family, spec, posterior, lp.to_numpy(), region=region)
        found[g] = Evidence(one.value + labellings, one.standard_error, one.established)
    return found


def log_labellings(spec: Mixture, family: Family) -> float:
    """log of the number of ways to label the components: the factorials of the groups that may switch.

    With an order too: PyMC's density of ordered means is that of the unordered ones on one part of these many.
    """
    return float(sum(gammaln(1.0 + n) for n in np.unique(exchange_groups(spec, family), return_counts=True)[1]))
