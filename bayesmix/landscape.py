"""The modes of the posterior that EM's solutions lead to: which there are, which chains cross between, their masses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayesmix.arrange import canonical_order, reorder, to_dataset
from bayesmix.engine import Whitening
from bayesmix.evidence import Evidence, sampled_rows, switching_groups
from bayesmix.families import Family, Params
from bayesmix.graphs import Graph
from bayesmix.kernels import responsibilities
from bayesmix.runs import SAME_AGREEMENT, WITHIN_REACH, Run, similarity, solutions
from bayesmix.spec import Mixture
from bayesmix.target import Target, root

NEGLIGIBLE = 1e-3
"""A mode with less than this share of the posterior mass is negligible."""
LAPLACE_ERROR = 5.0
"""How far, in nats, a Laplace approximation of a mode's mass may be off (near-empty components: up to 5)."""
WEAKEST_CURVATURE = 0.01
SAME_VALUE = 0.05


@dataclass(frozen=True)
class PosteriorMode:
    """A local maximum of the log-posterior on the unconstrained scale.

    ``log_mass``: its Laplace approximation. ``reached``: how many starts led here. ``precision``: minus the Hessian.
    ``r``: its responsibilities on a sample of rows. ``group``: modes that chains cross between share a number, 1 is
    that of the largest group; no chain was sent to modes of group 0, whose Laplace mass is negligible, and to those of
    group -1, which compete but were too many.
    """

    x: np.ndarray
    params: Params
    log_posterior: float
    log_mass: float
    precision: np.ndarray
    r: np.ndarray
    reached: int = 1
    group: int = 0

    @property
    def whitening(self) -> Whitening:
        """Coordinates in which the posterior is round here."""
        return Whitening(self.x, root(self.precision))

    def jittered(self, rng: np.random.Generator) -> np.ndarray:
        """A point around the mode, from the normal approximation; flat and upward directions count as weakly curved.

        Never the mode itself: nutpie takes its first mass matrix from the gradient, which vanishes there.
        """
        scale = np.sqrt(np.maximum(np.abs(self.precision.diagonal()), np.finfo(float).tiny))
        values, vectors = np.linalg.eigh(self.precision / np.outer(scale, scale))
        curvature = np.maximum(np.abs(values), WEAKEST_CURVATURE)
        return self.x + vectors @ (rng.standard_normal(len(values)) / np.sqrt(curvature)) / scale


def find_modes(target: Target, parts: Graph, spec: Mixture, runs: Sequence[Run]) -> list[PosteriorMode]:
    """Climb the posterior from every EM solution, spikes included; equal ends are one mode. The largest mass first.

    A climb that itself ends in a spike is dropped: no chain can begin there.
    """
    family, groups = sampled_rows(parts.family), switching_groups(spec, parts.family)
    found: list[PosteriorMode] = []
    for run, starts in _within_reach(solutions(runs), parts.family):
        climb = target.mode(target.start(parts.start(run.params)))
        values = target.values(climb.x)
        params = {v: np.asarray(values[v]) for v in family.parameter_names}
        if not np.isfinite(climb.value) or family.spikes(params):
            continue
        r = responsibilities(family, params)
        for i, mode in enumerate(found):
            if abs(mode.log_posterior - climb.value) < SAME_VALUE and similarity(mode.r, r, groups) > SAME_AGREEMENT:
                found[i] = replace(mode, reached=mode.reached + starts)
                break
        else:
            precision = target.precision(climb.x)
            mass = laplace(climb.value, precision)
            found.append(PosteriorMode(climb.x, params, climb.value, mass, precision, r, reached=starts))
    if not found:
        raise RuntimeError(
            "no posterior mode was found: every climb of the log-posterior ran into a spike or left its domain"
        )
    found.sort(key=lambda mode: -mode.log_mass)
    return [replace(found[0], group=1), *found[1:]]


def _within_reach(ends: Sequence[tuple[Run, int]], family: Family) -> list[tuple[Run, int]]:
    """Solutions whose likelihood does not rule them out; a spike's likelihood tells nothing of the posterior there."""
    sound = [run.log_likelihood for run, _ in ends if not run.reasons]
    least = max(sound, default=-np.inf) - WITHIN_REACH - 2 * family.n_parameters
    return [(run, starts) for run, starts in ends if run.reasons or run.log_likelihood >= least]


def laplace(value: float, precision: np.ndarray) -> float:
    """log of the normal approximation's integral; flat and upward directions count as weakly curved."""
    scale = np.sqrt(np.maximum(np.abs(precision.diagonal()), np.finfo(float).tiny))
    curvature = np.maximum(np.linalg.eigvalsh(precision / np.outer(scale, scale)), WEAKEST_CURVATURE)
    return float(value + 0.5 * len(scale) * np.log(2 * np.pi) - 0.5 * np.log(curvature).sum() - np.log(scale).sum())


def competing(modes: Sequence[PosteriorMode]) -> list[int]:
    """Modes other than the largest whose mass cannot be called negligible, rough as the approximation is."""
    bound = modes[0].log_mass + np.log(NEGLIGIBLE) - LAPLACE_ERROR
    return [i for i, mode in enumerate(modes) if i and mode.log_mass > bound]


def link(modes: Sequence[PosteriorMode], scouted: Sequence[int], groups: Sequence[int]) -> list[PosteriorMode]:
    """Modes with the group in which the chain that was sent to them ended; 0 or -1 where none was sent."""
    by_mode = dict(zip(scouted, groups, strict=True)) | {i: -1 for i in competing(modes) if i not in scouted}
    return [replace(mode, group=by_mode.get(i, 0)) for i, mode in enumerate(modes)]


def assign_chains(modes: Sequence[PosteriorMode], chains: int) -> np.ndarray:
    """The mode of group 1 at which each chain begins: every second chain at the largest, the others over the rest."""
    first, *others = [i for i, mode in enumerate(modes) if mode.group == 1]
    assigned = np.full(chains, first)
    for i, chain in enumerate(range(1, chains, 2)):
        assigned[chain] = others[i % len(others)] if others else first
    return assigned


def masses(modes: Sequence[PosteriorMode], evidence: Mapping[int, Evidence]) -> dict[int, tuple[float, float, bool]]:
    """Share of the posterior mass of every group, its error and whether it is established.

    Groups without an estimate of their own (``evidence`` empty: one group) hold all of it.
    """
    if not evidence:
        return {1: (1.0, 0.0, True)}
    values = np.array([e.value for e in evidence.values()])
    known = np.isfinite(values)
    share = np.where(known, np.exp(values - np.max(values[known], initial=-np.inf)), np.nan)
    share = share / np.nansum(share)
    relative = np.hypot([e.standard_error for e in evidence.values()], evidence[1].standard_error)
    sure = evidence[1].established
    return {
        g: (float(s), float(s * (1 - s) * e) if np.isfinite(e) else float("nan"), bool(sure and found.established))
        for (g, found), s, e in zip(evidence.items(), share, relative, strict=True)
    }


def modes_dataset(
    modes: Sequence[PosteriorMode],
    family: Family,
    spec: Mixture,
    assigned: np.ndarray,
    evidence: Mapping[int, Evidence],
) -> xr.Dataset:
    """The modes as a group of the DataTree: values, rough and bridge-sampled masses, named estimates, chain starts."""
    rows = []
    for mode in modes:
        named = family.named(mode.params)
        rows.append(to_dataset(family, reorder(family, named, canonical_order(spec, family, named))))
    share = masses(modes, evidence)
    nothing = (float("nan"), float("nan"), False)
    by_mode = [share.get(mode.group, nothing) for mode in modes]
    table = xr.concat(rows, dim="mode").assign_coords(mode=np.arange(1, len(modes) + 1))
    return table.assign(
        log_posterior=("mode", [mode.log_posterior for mode in modes]),
        laplace=("mode", [mode.log_mass - modes[0].log_mass for mode in modes]),
        reached=("mode", [mode.reached for mode in modes]),
        group=("mode", [mode.group for mode in modes]),
        mass=("mode", [m for m, _, _ in by_mode]),
        mass_error=("mode", [e for _, e, _ in by_mode]),
        established=("mode", np.array([sure for *_, sure in by_mode], dtype="int8")),
        chain_start=("chain", assigned + 1),
    )
