"""Chains from several regions as one posterior: the draws of each region resampled by its mass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.multimodality.masses import Mass, masses, total, weigh
from bayesmix.multimodality.watched import joined
from bayesmix.posterior.record import RAW, stacked
from bayesmix.sampling.scouts import Scouts

STAYED = 0.1
"""A chain with this share of its draws in a region has been there long enough to speak for it."""
BY_DRAW = ("posterior", "sample_stats", "log_likelihood", "relabelling")


@dataclass(frozen=True)
class Settled:
    """What the finished chains say of the scouts' regions.

    ``number``: of every scouts' region, that of the region it is part of, 1 the largest. ``mass``: by region.
    ``where``: the region of every draw (chain, draw).
    """

    number: Mapping[int, int]
    mass: Mapping[int, Mass]
    where: np.ndarray

    @property
    def sampled(self) -> list[int]:
        """Regions with chains of their own."""
        return [int(g) for g in np.unique(self.where) if len(chains_in(self.where, int(g)))]


def chains_in(where: np.ndarray, region: int) -> np.ndarray:
    """The chains that speak for a region: those that are nearly always in it; where these are not two, all with some.

    A chain may leave a region or enter it. Its draws there are good draws from the region all the same.
    """
    share = (where == region).mean(axis=1)
    at_home = np.flatnonzero(share >= 1 - STAYED)
    return at_home if len(at_home) > 1 else np.flatnonzero(share >= STAYED)


def settle(
    dt: xr.DataTree, compiled: CompiledModel, likelihood: Likelihood, scouts: Scouts, region_of_chain: np.ndarray
) -> Settled:
    """Weigh the regions by the draws in them, or as the scouts did where chains stayed too briefly.

    A region in which no chain stayed at all is part of where they went.
    """
    posterior, lp = dt["posterior"].to_dataset(), dt["sample_stats"].to_dataset()["lp"]
    shape = posterior.sizes["chain"], posterior.sizes["draw"]
    if scouts.regions is None:
        return Settled({1: 1}, {}, np.ones(shape, dtype=int))
    regions, known = scouts.regions, sorted(scouts.mass)
    where = regions.of(stacked(posterior, likelihood)).reshape(shape)
    deserted = [g for g in np.unique(region_of_chain) if not len(chains_in(where, int(g)))]
    went = {int(g): int(np.bincount(where[region_of_chain == g].ravel()).argmax()) for g in deserted}
    numbers = joined(len(known), lambda a, b: went.get(known[a]) == known[b] or went.get(known[b]) == known[a])
    joint = dict(zip(known, numbers, strict=True))
    members = {j: [g for g in known if joint[g] == j] for j in joint.values()}
    where = np.vectorize(joint.get)(where)
    chains = {j: chains_in(where, j) for j in members}
    drawn = {j: (posterior.isel(chain=c), lp.isel(chain=c)) for j, c in chains.items() if len(c)}
    integrals = weigh(compiled, likelihood, drawn, lambda j: regions.inside(members[j]))
    seen = {j: total([scouts.mass[g].integral for g in of]) for j, of in members.items()}
    integrals = {j: e if (e := integrals.get(j, seen[j])).established else seen[j] for j in members}
    ranked = sorted(integrals, key=lambda j: -np.nan_to_num(integrals[j].value, nan=-np.inf))
    number = {g: ranked.index(joint[g]) + 1 for g in known}
    mass = masses({i + 1: integrals[j] for i, j in enumerate(ranked)})
    return Settled(number, mass, np.vectorize({j: i + 1 for i, j in enumerate(ranked)}.get)(where))


def pool(dt: xr.DataTree, settled: Settled, *, chains: int, seed: int) -> xr.DataTree:
    """The posterior: the chains themselves where they share one region, else ``chains`` x draws resampled by mass.

    Each region gives as many draws as its share of the mass, evenly spaced over its own; their order is shuffled, so
    that every chain is a sample of the whole. The draws as they were made stay beside, in ``raw_posterior`` and
    ``raw_sample_stats``; ``raw_draw`` is the number of each among them, chain after chain.
    """
    statistics = dt["sample_stats"].to_dataset().assign(region=(("chain", "draw"), settled.where.astype("int32")))
    whole = dt.copy()
    whole["sample_stats"] = xr.DataTree(statistics)
    if len(settled.sampled) < 2:
        return whole
    draws = dt["posterior"].sizes["draw"]
    index = resampled(settled, chains * draws, np.random.default_rng(seed)).reshape(chains, draws)
    for name in BY_DRAW:
        if name in whole.children:
            raw = whole[name].to_dataset()
            if name in ("posterior", "sample_stats"):
                whole[RAW + name] = xr.DataTree(raw)
            whole[name] = xr.DataTree(take(raw, index))
    numbered = whole["sample_stats"].to_dataset().assign(raw_draw=(("chain", "draw"), index))
    whole["sample_stats"] = xr.DataTree(numbered)
    return whole


def resampled(settled: Settled, n: int, rng: np.random.Generator) -> np.ndarray:
    """``n`` numbers of draws (chain-major) that hold every region in proportion to its mass, in random order."""
    share = np.array([np.nan_to_num(settled.mass[g].share) for g in settled.sampled])
    share = share if share.any() else np.ones(len(share))  # all unknown: the verdict says so
    ends = np.round(np.cumsum(share / share.sum()) * n).astype(int)
    picked = []
    for g, count in zip(settled.sampled, np.diff(ends, prepend=0), strict=True):
        own = np.flatnonzero(settled.where.ravel() == g)
        picked.append(own[(np.arange(count) * len(own)) // max(count, 1)])
    return rng.permutation(np.concatenate(picked))


def take(draws: xr.Dataset, index: np.ndarray) -> xr.Dataset:
    """The draws with these chain-major numbers, as (chain, draw)."""
    moved = {}
    for name, array in draws.items():
        ordered = array.transpose("chain", "draw", ...)
        flat = ordered.to_numpy().reshape(-1, *ordered.shape[2:])
        moved[name] = (ordered.dims, flat[index], array.attrs)
    coords = {d: draws[d].values for d in draws.coords if d not in ("chain", "draw")}
    own = {"chain": np.arange(len(index)), "draw": np.arange(index.shape[1])}
    return xr.Dataset(moved, coords=coords | own, attrs=draws.attrs)
