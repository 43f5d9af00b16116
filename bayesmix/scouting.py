"""Short chains from the competing modes: which of them lead to one region, how much mass each region holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.engine import Whitening
from bayesmix.evidence import DRAWS_PER_DIMENSION
from bayesmix.invariants import Watch
from bayesmix.landscape import Climber, PosteriorMode, competing, representatives
from bayesmix.predict import stacked
from bayesmix.regions import Mass, Regions, chains_apart, features_of, masses, weigh
from bayesmix.runner import Begin, Runner, finished, tidy
from bayesmix.target import Target

MOST_SCOUTS = 8
SCOUT_DRAWS = 3000
SCOUT_TUNE = 300
WHITENING_DRAWS = 750
FEWEST_CHAINS = 2
"""In every region that matters: one chain alone says nothing of convergence."""


@dataclass(frozen=True)
class Scouts:
    """What short chains from the competing modes found.

    ``modes``: with the number of their region, 1 the largest. ``mass``: by region; empty where there is one. ``ends``:
    by mode, late points of the chain sent to it, the last one first. ``whitening``: by region; of the curvature at the
    mode where no scout was sent, else of the draws of the region's first scout, which has seen more.
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

    def starts(self, group_of_chain: np.ndarray) -> np.ndarray:
        """The mode at which each chain begins: in its region, every second at the largest, the others over the rest."""
        start = np.empty(len(group_of_chain), dtype=int)
        for g in np.unique(group_of_chain):
            first, *others = [i for i, mode in enumerate(self.modes) if mode.group == g]
            for use, chain in enumerate(np.flatnonzero(group_of_chain == g)):
                start[chain] = others[use // 2 % len(others)] if others and use % 2 else first
        return start

    def sample(self, run: Runner, group_of_chain: np.ndarray, start: np.ndarray, **settings: Any) -> xr.DataTree:
        """The chains of every region, one region after the other, in coordinates of that region."""
        begin = [self._point(int(mode), int((start[:c] == mode).sum())) for c, mode in enumerate(start)]
        done = []
        for g in np.unique(group_of_chain):
            own = replace(run, whitening=self.whitening[g], seed=run.seed + int(g) - 1)
            done.append(own([begin[c] for c in np.flatnonzero(group_of_chain == g)], **settings))
            if int(done[-1]["sample_stats"]["logp"].notnull().sum("draw").min()) < settings["draws"]:
                break  # interrupted: the other regions stay without chains
        return done[0] if len(done) == 1 else _beside(done)

    def _point(self, mode: int, use: int) -> Begin:
        """For the ``use``-th chain that begins at a mode."""
        if mode not in self.ends:
            return self.modes[mode].jittered
        point = self.ends[mode][use % len(self.ends[mode])]
        return lambda _: point


def _beside(runs: Sequence[xr.DataTree]) -> xr.DataTree:
    """The chains of several runs, of one length where one was interrupted."""
    groups = {name: [run[name].to_dataset() for run in runs] for name in ("posterior", "sample_stats")}
    joint = {name: xr.concat(parts, dim="chain", join="outer") for name, parts in groups.items()}
    n = joint["posterior"].sizes["chain"]
    return xr.DataTree.from_dict({name: part.assign_coords(chain=np.arange(n)) for name, part in joint.items()})


def explore(run: Runner, climber: Climber, modes: list[PosteriorMode], settings: Mapping[str, Any]) -> Scouts:
    """Send a chain to the largest mode and to every competing one: those that end in one region link their modes.

    Regions are told apart by the last quarter of the draws and weighed by the last half: a chain that has left a mode
    has left it.
    """
    standing = representatives(climber, modes)
    scouted = list(dict.fromkeys(standing.values()))[: 1 + MOST_SCOUTS]
    if len(scouted) == 1:
        one = [replace(mode, group=1 if i in standing else 0) for i, mode in enumerate(modes)]
        return Scouts(one, {1: modes[0].whitening}, None, {}, {})
    draws = max(SCOUT_DRAWS, 6 * DRAWS_PER_DIMENSION * run.target.n_dim)
    accept = {k: v for k, v in settings.items() if k == "target_accept"}
    raw, arrived = finished(run([modes[i].jittered for i in scouted], draws=draws, tune=SCOUT_TUNE, **accept))
    if len(arrived) < len(scouted) or raw["posterior"].sizes["draw"] < draws:
        raise KeyboardInterrupt
    posterior, lp = tidy(raw["posterior"].to_dataset()), raw["sample_stats"].to_dataset()["logp"]
    return _surveyed(run.target, climber, modes, standing, scouted, posterior, lp)


def _surveyed(
    target: Target,
    climber: Climber,
    modes: list[PosteriorMode],
    standing: Mapping[int, int],
    scouted: list[int],
    posterior: xr.Dataset,
    lp: xr.DataArray,
) -> Scouts:
    """What the scouts' draws say: regions, their masses, the modes in them, where chains may begin."""
    family, draws = climber.parts.family, posterior.sizes["draw"]
    last, half = {"draw": slice(3 * draws // 4, None)}, {"draw": slice(draws // 2, None)}
    group = np.array(chains_apart(family, posterior.isel(last), lp.isel(last)))
    late = posterior.isel(draw=slice(-1, 3 * draws // 4, -max(1, draws // 16)))
    ends = {i: points(target, late.isel(chain=c)) for c, i in enumerate(scouted)}
    mass: dict[int, Mass] = {}
    regions = None
    if len(set(group)) > 1:
        of = {int(g): np.flatnonzero(group == g) for g in np.unique(group)}
        settled = {g: posterior.isel(half).isel(chain=c) for g, c in of.items()}
        watch = Watch(family)
        remembered = [features_of(watch, stacked(part, family)) for part in settled.values()]
        rough = Regions.remember(watch, remembered, list(of))
        inside = {g: (settled[g], lp.isel(half).isel(chain=c)) for g, c in of.items()}
        evidence = weigh(target, family, climber.spec, inside, lambda g: rough.inside([g]))
        ranked = sorted(of, key=lambda g: -np.nan_to_num(evidence[g].value, nan=-np.inf))
        number = {g: i + 1 for i, g in enumerate(ranked)}
        group = np.array([number[g] for g in group])
        regions = replace(rough, labels=np.array([number[g] for g in rough.labels]))
        mass = masses({number[g]: evidence[g] for g in ranked})
    by_scout = dict(zip(scouted, (int(g) for g in group), strict=True))
    found = _numbered(climber, modes, standing, by_scout, ends)
    first = {int(g): int(np.argmax(group == g)) for g in np.unique(group)}
    whitening = {g: _whitening(target, modes[scouted[c]], posterior.isel(half).isel(chain=c)) for g, c in first.items()}
    return Scouts(found, whitening, regions, mass, ends)


def _numbered(
    climber: Climber,
    modes: list[PosteriorMode],
    standing: Mapping[int, int],
    by_scout: Mapping[int, int],
    ends: Mapping[int, np.ndarray],
) -> list[PosteriorMode]:
    """The modes with the region in which the chain that was sent to them ended, and modes that only chains found."""
    rivals = set(competing(modes)) | {0}
    group = {i: by_scout.get(standing[i], -1) if i in rivals else 0 for i in range(len(modes))}
    numbered = [replace(mode, group=group[i]) for i, mode in enumerate(modes)]
    ended = [(climber.climb(points[0], 0), by_scout[i]) for i, points in ends.items()]
    return climber.merge(numbered, [replace(mode, group=g) for mode, g in ended if mode is not None and mode.converged])


def _whitening(target: Target, mode: PosteriorMode, draws: xr.Dataset) -> Whitening:
    x = points(target, draws.isel(draw=slice(None, None, max(1, draws.sizes["draw"] // WHITENING_DRAWS))))
    try:
        return Whitening(x.mean(axis=0), np.linalg.cholesky(np.atleast_2d(np.cov(x.T))))
    except np.linalg.LinAlgError:  # the scout stood still
        return mode.whitening


def points(target: Target, draws: xr.Dataset) -> np.ndarray:
    """Draws of one chain as unconstrained vectors."""
    free = [rv.name for rv in target.model.free_RVs]
    return np.array([target.start({v: draws[v][s].to_numpy() for v in free}) for s in range(draws.sizes["draw"])])
