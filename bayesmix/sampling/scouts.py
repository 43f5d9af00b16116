"""Short chains from the competing modes: which of them lead to one region, how much mass each region holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.compiled.whitening import Whitening, thinned
from bayesmix.multimodality.masses import Mass, masses, weigh
from bayesmix.multimodality.maxima import Climber, PosteriorMode, competing, representatives
from bayesmix.multimodality.proposal import DRAWS_PER_DIMENSION
from bayesmix.multimodality.regions import Regions, features_of, pieces_apart
from bayesmix.multimodality.watched import Watch
from bayesmix.posterior.assemble import tidy
from bayesmix.posterior.record import stacked
from bayesmix.posterior.relabel import apply, permutations
from bayesmix.sampling.nutpie import Begin, Runner, finished
from bayesmix.sampling.rescue import rescued

MOST_SCOUTS = 8
SCOUT_DRAWS = 3000
SCOUT_TUNE = 300
WHITENING_DRAWS = 750
PIECES = 4
"""Of every scout; a scout may go over to another mode, and its pieces tell both."""
FEWEST_CHAINS = 2
"""In every region that matters: one chain alone says nothing of convergence."""


@dataclass(frozen=True)
class Scouts:
    """What short chains from the competing modes found.

    ``modes``: with the number of their region, 1 the largest. ``mass``: by region; empty where there is one. ``ends``:
    by region, points of the scouts' draws in it; empty where no scout was sent. ``whitening``: by region; of the
    curvature at the mode where no scout was sent, else of draws.
    """

    modes: list[PosteriorMode]
    whitening: Mapping[int, Whitening]
    regions: Regions | None
    mass: Mapping[int, Mass]
    ends: Mapping[int, np.ndarray]

    def allocate(self, chains: int) -> np.ndarray:
        """The region of every chain: in proportion to the masses, but two at least in each region that matters."""
        wanted = {g: m for g, m in self.mass.items() if m.matters}
        if len(wanted) < 2:
            return np.ones(chains, dtype=int)
        least = min(FEWEST_CHAINS, chains)
        n = {g: max(least, round(np.nan_to_num(m.share) * chains)) for g, m in wanted.items()}
        return np.repeat(list(n), list(n.values()))

    def starts(self, region_of_chain: np.ndarray) -> np.ndarray:
        """The mode to which each chain belongs: in its region, every second the largest, the others over the rest."""
        start = np.empty(len(region_of_chain), dtype=int)
        for g in np.unique(region_of_chain):
            first, *others = [i for i, mode in enumerate(self.modes) if mode.region == g]
            for use, chain in enumerate(np.flatnonzero(region_of_chain == g)):
                start[chain] = others[use // 2 % len(others)] if others and use % 2 else first
        return start

    def sample(self, run: Runner, region_of_chain: np.ndarray, start: np.ndarray, **settings: Any) -> xr.DataTree:
        """The chains of every region, one region after the other, in coordinates of that region."""
        done: list[xr.DataTree] = []
        for g in np.unique(region_of_chain):
            own = replace(run, whitening=self.whitening[g], seed=run.seed + int(g) - 1)
            chains = enumerate(np.flatnonzero(region_of_chain == g))
            begin = [self._begin(int(g), use, int(start[c])) for use, c in chains]
            with rescued(_beside(done)) if done else nullcontext():
                done.append(own(begin, **settings))
            if int(done[-1]["sample_stats"]["logp"].notnull().sum("draw").min()) < settings["draws"]:
                break  # interrupted: the other regions stay without chains
        return done[0] if len(done) == 1 else _beside(done)

    def _begin(self, region: int, use: int, mode: int) -> Begin:
        """Where the ``use``-th chain of a region begins: where scouts have been, else around its mode."""
        if region not in self.ends:
            return self.modes[mode].jittered
        point = self.ends[region][use % len(self.ends[region])]
        return lambda _: point


def _beside(runs: Sequence[xr.DataTree]) -> xr.DataTree:
    """The chains of several runs, of one length where one was interrupted."""
    groups = {name: [run[name].to_dataset() for run in runs] for name in ("posterior", "sample_stats")}
    joint = {name: xr.concat(parts, dim="chain", join="outer") for name, parts in groups.items()}
    n = joint["posterior"].sizes["chain"]
    return xr.DataTree.from_dict({name: part.assign_coords(chain=np.arange(n)) for name, part in joint.items()})


def explore(
    run: Runner, climber: Climber, modes: list[PosteriorMode], target_accept: float, *, progress: bool = False
) -> Scouts:
    """Send a chain to the largest mode and to every competing one; pieces of them that are apart make the regions."""
    standing = representatives(climber, modes)
    scouted = list(dict.fromkeys(standing.values()))[: 1 + MOST_SCOUTS]
    if len(scouted) == 1:
        one = [replace(mode, region=1 if i in standing else 0) for i, mode in enumerate(modes)]
        return Scouts(one, {1: modes[0].whitening}, None, {}, {})
    draws = max(SCOUT_DRAWS, 6 * DRAWS_PER_DIMENSION * run.compiled.n_dim)
    raw, arrived = finished(
        run(
            [modes[i].jittered for i in scouted],
            draws=draws,
            tune=SCOUT_TUNE,
            target_accept=target_accept,
            progress=progress,
        )
    )
    if len(arrived) < len(scouted) or raw["posterior"].sizes["draw"] < draws:
        raise KeyboardInterrupt
    pieces = in_pieces(tidy(raw["posterior"].to_dataset()))
    lp = in_pieces(raw["sample_stats"].to_dataset()[["logp"]])["logp"]
    unknown = {i for i, j in standing.items() if j not in scouted}
    return _surveyed(run.compiled, climber, modes, unknown, pieces, lp)


def in_pieces(draws: xr.Dataset) -> xr.Dataset:
    """Every chain cut into equal parts, which stand side by side as chains; the last parts of all chains first."""
    length = draws.sizes["draw"] // PIECES
    cut = [draws.isel(draw=slice(k * length, (k + 1) * length)).drop_vars("draw") for k in reversed(range(PIECES))]
    joint = xr.concat(cut, dim="chain", coords="minimal", compat="override")
    return joint.assign_coords(chain=np.arange(joint.sizes["chain"]), draw=np.arange(length))


def _surveyed(
    compiled: CompiledModel,
    climber: Climber,
    modes: list[PosteriorMode],
    unknown: set[int],
    pieces: xr.Dataset,
    lp: xr.DataArray,
) -> Scouts:
    """What the scouts' draws say: regions, their masses, the modes in them, where chains may begin."""
    likelihood = climber.parts.likelihood
    region = np.array(pieces_apart(likelihood, pieces, lp))
    if not region.any():  # no piece has settled: the verdict will say so
        region[:] = 1
    members = {int(g): np.flatnonzero(region == g) for g in np.unique(region[region > 0])}
    mass: dict[int, Mass] = {}
    regions = None
    if len(members) > 1:
        watch = Watch(likelihood)
        features = [features_of(watch, stacked(pieces.isel(chain=c), likelihood)) for c in members.values()]
        rough = Regions.remember(watch, features, list(members))
        inside = {g: (pieces.isel(chain=c), lp.isel(chain=c)) for g, c in members.items()}
        integrals = weigh(compiled, likelihood, inside, lambda g: rough.inside([g]))
        ranked = sorted(members, key=lambda g: -np.nan_to_num(integrals[g].value, nan=-np.inf))
        number = {g: i + 1 for i, g in enumerate(ranked)}
        regions = replace(rough, labels=np.array([number[g] for g in rough.labels]))
        mass = masses({number[g]: integrals[g] for g in ranked})
        members = {number[g]: members[g] for g in ranked}
    else:
        members = {1: next(iter(members.values()))}
    seen = {g: _in_one_labelling(climber, pieces.isel(chain=c), lp.isel(chain=c)) for g, c in members.items()}
    ends = {g: points(compiled, draws.isel(draw=0)) for g, draws in seen.items()}
    whitening = {g: _whitening(compiled, modes[0], draws) for g, draws in seen.items()}
    return Scouts(_numbered(climber, modes, unknown, regions, ends), whitening, regions, mass, ends)


def _numbered(
    climber: Climber,
    modes: list[PosteriorMode],
    unknown: set[int],
    regions: Regions | None,
    ends: Mapping[int, np.ndarray],
) -> list[PosteriorMode]:
    """The modes with the region in which they lie, and modes above the scouts' ends that only chains found."""
    above = [climber.climb(x[0], 0) for x in ends.values()]
    known = climber.merge(modes, [mode for mode in above if mode is not None and mode.converged])
    rivals = {0, *competing(modes), *range(len(modes), len(known))}
    lies = np.ones(len(known), dtype=int)
    if regions is not None:
        stacked_up = {v: np.stack([mode.params[v] for mode in known]) for v in known[0].params}
        lies = regions.of(stacked_up)
    region = [-1 if i in unknown else int(lies[i]) if i in rivals else 0 for i in range(len(known))]
    here = [replace(mode, region=g) for mode, g in zip(known, region, strict=True)]
    return here + [replace(climber.at(x[0]), region=g) for g, x in ends.items() if g not in region]


def _in_one_labelling(climber: Climber, pieces: xr.Dataset, lp: xr.DataArray) -> xr.Dataset:
    """Some draws of every piece, the last one first, all in the labels of the best of them.

    Scouts come with labels of their own: their draws as they are would have the shape of several labellings at once.
    """
    step = max(1, pieces.sizes["chain"] * pieces.sizes["draw"] // WHITENING_DRAWS)
    some, values = pieces.isel(draw=slice(None, None, -step)), lp.isel(draw=slice(None, None, -step)).to_numpy()
    if "component" not in some.dims:
        return some
    everywhere = np.ones(values.shape, dtype=int)
    order = permutations(some, values, everywhere, climber.parts.likelihood, "ecr")
    return apply(xr.DataTree.from_dict({"posterior": some}), order)["posterior"].to_dataset()


def _whitening(compiled: CompiledModel, mode: PosteriorMode, draws: xr.Dataset) -> Whitening:
    x = points(compiled, draws.stack(sample=("chain", "draw"), create_index=False))
    try:
        return Whitening(x.mean(axis=0), thinned(np.linalg.cholesky(np.atleast_2d(np.cov(x.T)))))
    except np.linalg.LinAlgError:  # the scouts stood still
        return mode.whitening


def points(compiled: CompiledModel, draws: xr.Dataset) -> np.ndarray:
    """Draws along one dimension, chain or sample, as unconstrained vectors."""
    free = [rv.name for rv in compiled.model.free_RVs]
    (along,) = {"chain", "sample"} & set(draws.dims)
    values = {v: draws[v].transpose(along, ...).to_numpy() for v in free}
    return np.array([compiled.start({v: a[s] for v, a in values.items()}) for s in range(draws.sizes[along])])
