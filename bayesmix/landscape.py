"""The local maxima of the posterior that EM's solutions and climbs from random allocations lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesmix.arrange import reorder
from bayesmix.engine import Whitening
from bayesmix.errors import FitError
from bayesmix.evidence import switching_groups
from bayesmix.families import Family, Params
from bayesmix.graphs import Graph
from bayesmix.kernels import responsibilities
from bayesmix.runs import COMPARED_ROWS, SAME_AGREEMENT, WITHIN_REACH, Run, similarity, solutions
from bayesmix.spec import Mixture
from bayesmix.switching import labellings
from bayesmix.target import Target, root

NEGLIGIBLE = 1e-3
"""A mode with less than this share of the posterior mass is negligible."""
LAPLACE_ERROR = 5.0
"""How far, in nats, a Laplace approximation of a mode's mass may be off (near-empty components: up to 5)."""
WEAKEST_CURVATURE = 0.01
SAME_VALUE = 0.05
OCCUPIED = 3.0
"""A component that fewer rows belong to is near-empty: where it lies says little."""
MOST_TRIED, MOST_NAMED = 720, 24
"""Of the ways to name the components of a point so many are looked at, and so many begin climbs."""
MOST_CLIMBED_ROWS = 20_000
"""With more rows a climb costs seconds, and starts from EM's solutions alone."""


@dataclass(frozen=True)
class PosteriorMode:
    """A local maximum of the log-posterior on the unconstrained scale.

    ``log_mass``: its Laplace approximation. ``reached``: how many starts led here. ``precision``: minus the Hessian.
    ``r``: its responsibilities on a sample of the rows; ``rows``: how many of all rows belong to each component, by
    their weights. ``group``: modes that chains cross between share a number; no chain was sent to modes of group 0,
    whose Laplace mass is negligible, and to those of group -1, which compete but were too many.
    """

    x: np.ndarray
    params: Params
    log_posterior: float
    log_mass: float
    precision: np.ndarray
    r: np.ndarray
    rows: np.ndarray
    reached: int = 1
    group: int = 0
    converged: bool = True

    @property
    def whitening(self) -> Whitening:
        """Coordinates in which the posterior is round here."""
        return Whitening(self.x, root(self.precision))

    @property
    def occupied(self) -> np.ndarray:
        """The responsibilities of the components that rows belong to; 0 for near-empty ones."""
        r = np.where(self.rows >= OCCUPIED, self.r, 0.0)
        return np.asarray(r / np.maximum(r.sum(axis=1, keepdims=True), np.finfo(float).tiny))

    def jittered(self, rng: np.random.Generator) -> np.ndarray:
        """A point around the mode, from the normal approximation; flat and upward directions count as weakly curved.

        Never the mode itself: nutpie takes its first mass matrix from the gradient, which vanishes there.
        """
        scale = np.sqrt(np.maximum(np.abs(self.precision.diagonal()), np.finfo(float).tiny))
        values, vectors = np.linalg.eigh(self.precision / np.outer(scale, scale))
        curvature = np.maximum(np.abs(values), WEAKEST_CURVATURE)
        return self.x + vectors @ (rng.standard_normal(len(values)) / np.sqrt(curvature)) / scale


@dataclass(frozen=True)
class Climber:
    """Climbs the posterior of a mixture and tells the ends apart."""

    target: Target
    parts: Graph
    spec: Mixture

    @property
    def groups(self) -> np.ndarray:
        """Components of one group may switch labels."""
        return switching_groups(self.spec, self.parts.family)

    def named(self, params: Params) -> list[np.ndarray]:
        """Unconstrained points at these parameters, in every way to name components that only the likelihood confuses.

        The most probable comes first; of many ways only so many are tried as climbs can be afforded.
        """
        family = self.parts.family
        ways = labellings(family.groups, self.groups, most=MOST_TRIED, seed=1)
        if self.spec.order is not None or len(ways) == 1:
            return [self.target.start(self.parts.start(params))]
        points = [self.target.start(self.parts.start(reorder(family, params, way))) for way in ways]
        values = np.array([self.target.log_density(x)[0] for x in points])
        return [points[i] for i in np.argsort(-values, kind="stable")[:MOST_NAMED]]

    def climb(self, x: np.ndarray, starts: int = 1) -> PosteriorMode | None:
        """The mode above an unconstrained point; None where the climb itself ends in a spike: no chain begins there."""
        end = self.target.mode(x)
        if not np.isfinite(end.value) or self.parts.family.evenly(COMPARED_ROWS).spikes(self._params(end.x)):
            return None
        return replace(self.at(end.x), reached=starts, converged=end.converged)

    def at(self, x: np.ndarray) -> PosteriorMode:
        """An unconstrained point as it is, as if it were a mode that no start led to."""
        value, params = self.target.log_density(x)[0], self._params(x)
        family = self.parts.family.evenly(COMPARED_ROWS)
        precision, r, v = self.target.precision(x), responsibilities(family, params), family.row_weights
        rows = self.parts.family.row_weights.sum() * (v @ r) / max(v.sum(), np.finfo(float).tiny)
        return PosteriorMode(x, params, value, laplace(value, precision), precision, r, rows, 0, converged=False)

    def _params(self, x: np.ndarray) -> Params:
        values = self.target.values(x)
        return {v: np.asarray(values[v]) for v in self.parts.family.parameter_names}

    def merge(self, modes: Sequence[PosteriorMode], ends: Iterable[PosteriorMode]) -> list[PosteriorMode]:
        """The modes and those ends of climbs that are none of them; the modes keep their places."""
        found = list(modes)
        for end in ends:
            same = [i for i, mode in enumerate(found) if self._same(mode, end)]
            if same:
                found[same[0]] = replace(found[same[0]], reached=found[same[0]].reached + end.reached)
            else:
                found.append(end)
        return found

    def _same(self, a: PosteriorMode, b: PosteriorMode) -> bool:
        close = abs(a.log_posterior - b.log_posterior) < SAME_VALUE
        return close and similarity(a.r, b.r, self.groups) > SAME_AGREEMENT

    def alike(self, a: PosteriorMode, b: PosteriorMode) -> bool:
        """Whether two modes leave the same rows together, near-empty components aside: one plateau has many maxima."""
        return similarity(a.occupied, b.occupied, self.groups) > SAME_AGREEMENT


def find_modes(climber: Climber, runs: Sequence[Run], *, climbs: int = 0, seed: int = 1) -> list[PosteriorMode]:
    """Climb the posterior from every EM solution, spikes included, and from ``climbs`` random allocations.

    EM knows neither priors nor what a user added to the model: where these tell components apart that are alike to it,
    each solution is named in every way, each random allocation in the most probable one. Equal ends are one mode; the
    largest mass comes first. A climb that stopped on a slope ended at no mode: its curvature says nothing of a mass. It
    counts only where none did better.
    """
    family = climber.parts.family
    starts = [(x, n) for run, n in _within_reach(solutions(runs), family) for x in climber.named(run.params)]
    starts += [(x, 1) for params in _random(family, climbs, seed) for x in climber.named(params)[:1]]
    ends = [end for end in (climber.climb(x, n) for x, n in starts) if end is not None]
    found = climber.merge([], [end for end in ends if end.converged] or ends)
    if not found:
        raise FitError(
            "no posterior mode was found: every climb of the log-posterior ran into a spike or left its domain; use "
            "fewer components, look for tied or duplicated rows and for terms added to the model, or give priors that "
            "keep scales away from 0"
        )
    return sorted(found, key=lambda mode: -mode.log_mass)


def _random(family: Family, n: int, seed: int) -> Iterator[Params]:
    """Parameters after random allocations of the rows."""
    rng = np.random.default_rng(seed)
    if len(family.data) <= MOST_CLIMBED_ROWS and len(family.components) > 1:
        yield from (family.initial(family.start_kinds[-1], rng) for _ in range(n))


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


def representatives(climber: Climber, modes: Sequence[PosteriorMode]) -> dict[int, int]:
    """For the largest mode and every competing one: the first that is alike, which stands for it."""
    standing: dict[int, int] = {}
    for i in (0, *competing(modes)):
        standing[i] = next((j for j in dict.fromkeys(standing.values()) if climber.alike(modes[j], modes[i])), i)
    return standing
