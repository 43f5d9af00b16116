"""The local maxima of the posterior that EM's solutions and climbs from random allocations lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayesmix.compiled.log_posterior import CompiledModel, above, root
from bayesmix.compiled.whitening import Whitening, thinned
from bayesmix.em.starts import COMPARED_ROWS, SAME_AGREEMENT, WITHIN_REACH, StartResult, similarity, solutions
from bayesmix.estep import responsibilities
from bayesmix.inputs.errors import FitError, steps
from bayesmix.kernels.parallel import one_blas_thread
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.estimates import reorder
from bayesmix.mixture.permutations import best_permutations, labellings
from bayesmix.mixture.spec import switching_groups
from bayesmix.model.variables import Graph
from bayesmix.parts.part import Params

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
APPROACHES = 4
"""So often a climb looks at which known end it may be on the way to."""
MOST_CLIMBED_ROWS = 20_000
"""With more rows a climb costs seconds, and starts from EM's solutions alone."""


@dataclass(frozen=True)
class PosteriorMode:
    """A local maximum of the log-posterior on the unconstrained scale.

    ``log_mass``: its Laplace approximation. ``reached``: how many starts led here. ``precision``: minus the Hessian.
    ``r``: its responsibilities on a sample of the rows; ``rows``: how many of all rows belong to each component, by
    their weights. ``region``: modes that chains cross between share a number; no chain was sent to modes of region 0,
    whose Laplace mass is negligible, and to those of region -1, which compete but were too many.
    """

    x: np.ndarray
    params: Params
    log_posterior: float
    log_mass: float
    precision: np.ndarray
    r: np.ndarray
    rows: np.ndarray
    reached: int = 1
    region: int = 0
    converged: bool = True

    @cached_property
    def whitening(self) -> Whitening:
        """Coordinates in which the posterior is round here."""
        return Whitening(self.x, thinned(root(self.precision)))

    @property
    def occupied(self) -> np.ndarray:
        """The responsibilities of the components that rows belong to; 0 for near-empty ones."""
        r = np.where(self.rows >= OCCUPIED, self.r, 0.0)
        return np.asarray(r / np.maximum(r.sum(axis=1, keepdims=True), np.finfo(float).tiny))

    def jittered(self, rng: np.random.Generator) -> np.ndarray:
        """A point around the mode, from the normal approximation; flat and upward directions count as weakly curved.

        Never the mode itself: nutpie takes its first mass matrix from the gradient, which vanishes there.
        """
        scale, values, vectors = self._axes
        curvature = np.maximum(np.abs(values), WEAKEST_CURVATURE)
        return self.x + vectors @ (rng.standard_normal(len(values)) / np.sqrt(curvature)) / scale

    @cached_property
    def _axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scales of the coordinates; eigenvalues and eigenvectors of the precision in units of these."""
        scale = np.sqrt(np.maximum(np.abs(self.precision.diagonal()), np.finfo(float).tiny))
        values, vectors = np.linalg.eigh(self.precision / np.outer(scale, scale))
        return scale, values, vectors


@dataclass(frozen=True)
class Climber:
    """Climbs the posterior of a mixture and tells the ends apart."""

    compiled: CompiledModel
    parts: Graph

    @property
    def switching(self) -> np.ndarray:
        """Components of one group may switch labels."""
        return switching_groups(self.parts.likelihood)

    def named(self, params: Params) -> list[np.ndarray]:
        """Unconstrained points at these parameters, in every way to name components that only the likelihood confuses.

        The most probable comes first; of many ways only so many are tried as climbs can be afforded.
        """
        likelihood = self.parts.likelihood
        ways = labellings(likelihood.exchangeable, self.switching, most=MOST_TRIED, seed=1)
        if likelihood.spec.order is not None or len(ways) == 1:
            return [self.compiled.start(self.parts.start(params))]
        points = [self.compiled.start(self.parts.start(reorder(likelihood, params, way))) for way in ways]
        values = np.array([self.compiled.log_density(x)[0] for x in points])
        return [points[i] for i in np.argsort(-values, kind="stable")[:MOST_NAMED]]

    def climb(self, x: np.ndarray, starts: int = 1) -> PosteriorMode | None:
        """The mode above an unconstrained point; None where the climb itself ends in a spike: no chain begins there."""
        return next(iter(self.climb_unless_known(x, starts, [])), None)

    def climb_unless_known(self, x: np.ndarray, starts: int, known: list[PosteriorMode]) -> list[PosteriorMode]:
        """The known ends of climbs, and that above an unconstrained point.

        Most climbs end where others did. In the labels and the coordinates of the known end that is most alike, which
        is found again on the way, this takes some dozen gradients; only a climb that comes to no known end needs a
        curvature of its own.
        """
        arrived = not any(end.converged for end in known)
        for _ in range(APPROACHES):
            if arrived:
                break
            x, arrived = self._approach(x, [end for end in known if end.converged])
            if (counted := self._counted(x, starts, known)) is not None:
                return counted
        end = self.compiled.mode(x)
        if (counted := self._counted(end.x, starts, known)) is not None:
            return counted
        if not np.isfinite(end.value) or self._rows.spikes(self._params(end.x)):
            return known
        mode = self.at(end.x)
        if not np.isfinite(mode.log_mass):  # so near to a spike that its curvature exceeds the floats
            return known
        return [*known, replace(mode, reached=starts, converged=end.converged)]

    @cached_property
    def _rows(self) -> Likelihood:
        """The likelihood over a sample of the rows, by which ends are compared."""
        return self.parts.likelihood.evenly(COMPARED_ROWS)

    def _approach(self, x: np.ndarray, ends: list[PosteriorMode]) -> tuple[np.ndarray, bool]:
        """Some steps upwards in the labels and coordinates of the end that is most alike; whether it ends there.

        A spike is alike to none: its responsibilities may not exist.
        """
        params = self._params(x)
        if self._rows.spikes(params):
            return x, True
        r = responsibilities(self._rows, params)
        like = max(ends, key=lambda end: similarity(end.r, r, self.switching))
        order = best_permutations((r.T @ like.r)[None], self.switching)[0]
        if (order != np.arange(len(order))).any():
            x = self.compiled.start(self.parts.start(reorder(self.parts.likelihood, params, order)))
        return self.compiled.approach(x, like.whitening.factor)

    def _counted(self, x: np.ndarray, starts: int, known: list[PosteriorMode]) -> list[PosteriorMode] | None:
        """The known ends, that at which ``x`` is reached from more starts; None where it is at none."""
        value = self.compiled.log_density(x)[0]
        for i, end in enumerate(known):
            if not (end.converged and abs(end.log_posterior - value) < SAME_VALUE):
                continue
            if self._close(end, value, responsibilities(self._rows, self._params(x))):
                return [*known[:i], replace(end, reached=end.reached + starts), *known[i + 1 :]]
        return None

    def at(self, x: np.ndarray) -> PosteriorMode:
        """An unconstrained point as it is, as if it were a mode that no start led to."""
        value, params = self.compiled.log_density(x)[0], self._params(x)
        likelihood = self._rows
        precision, r, v = self.compiled.precision(x), responsibilities(likelihood, params), likelihood.row_weights
        rows = self.parts.likelihood.row_weights.sum() * (v @ r) / max(v.sum(), np.finfo(float).tiny)
        return PosteriorMode(x, params, value, laplace(value, precision), precision, r, rows, 0, converged=False)

    def _params(self, x: np.ndarray) -> Params:
        values = self.compiled.values(x)
        return {v: np.asarray(values[v]) for v in self.parts.likelihood.parameter_names}

    def merge(self, modes: Sequence[PosteriorMode], ends: Iterable[PosteriorMode]) -> list[PosteriorMode]:
        """The modes and those ends of climbs that are none of them; the modes keep their places."""
        merged = list(modes)
        for end in ends:
            same = [i for i, mode in enumerate(merged) if self._close(mode, end.log_posterior, end.r)]
            if same:
                merged[same[0]] = replace(merged[same[0]], reached=merged[same[0]].reached + end.reached)
            else:
                merged.append(end)
        return merged

    def _close(self, end: PosteriorMode, value: float, r: np.ndarray) -> bool:
        """Whether a point with this log-posterior and these responsibilities is at an end of a climb."""
        return abs(end.log_posterior - value) < SAME_VALUE and similarity(end.r, r, self.switching) > SAME_AGREEMENT

    def alike(self, a: PosteriorMode, b: PosteriorMode) -> bool:
        """Whether two modes leave the same rows together, near-empty components aside: one plateau has many maxima."""
        return similarity(a.occupied, b.occupied, self.switching) > SAME_AGREEMENT


def find_modes(
    climber: Climber, results: Sequence[StartResult], *, climbs: int = 0, seed: int = 1, progress: bool = False
) -> list[PosteriorMode]:
    """Climb the posterior from every EM solution, spikes included, and from ``climbs`` random allocations.

    EM knows neither priors nor what a user added to the model: where these tell components apart that are alike to it,
    each solution is named in every way, each random allocation in the most probable one. Equal ends are one mode; the
    largest mass comes first. A climb that stopped on a slope ended at no mode: its curvature says nothing of a mass. It
    counts only where none did better. Where no climb came to a mode, as from spikes alone, others begin where EM does.
    """
    likelihood = climber.parts.likelihood
    starts = [
        (x, n) for result, n in _within_reach(solutions(results), likelihood) for x in climber.named(result.params)
    ]
    starts += [(x, 1) for params in _random(likelihood, climbs, seed) for x in climber.named(params)[:1]]
    ends: list[PosteriorMode] = []
    with one_blas_thread():
        for x, n in steps(starts, "Climbing to modes", progress=progress):
            ends = climber.climb_unless_known(x, n, ends)
        if not any(end.converged for end in ends):
            for x in (x for params in _begun(likelihood, seed) for x in climber.named(params)[:1]):
                ends = climber.climb_unless_known(x, 1, ends)
        modes = climber.merge([], [end for end in ends if end.converged] or ends)
    if not modes:
        raise FitError(
            "no posterior mode was found: every climb of the log-posterior ran into a spike or left its domain; use "
            "fewer components, look for tied or duplicated rows and for terms added to the model, or give priors that "
            "keep scales away from 0"
        )
    return sorted(modes, key=lambda mode: -mode.log_mass)


def _random(likelihood: Likelihood, n: int, seed: int) -> Iterator[Params]:
    """Parameters after random allocations of the rows."""
    rng = np.random.default_rng(seed)
    if len(likelihood.data) <= MOST_CLIMBED_ROWS and len(likelihood.components) > 1:
        yield from (likelihood.initial(likelihood.start_kinds[-1], rng) for _ in range(n))


def _begun(likelihood: Likelihood, seed: int) -> Iterator[Params]:
    """Where EM begins, by every kind of start: none is a spike."""
    rng = np.random.default_rng(seed)
    return (likelihood.initial(kind, rng) for kind in likelihood.start_kinds)


def _within_reach(ends: Sequence[tuple[StartResult, int]], likelihood: Likelihood) -> list[tuple[StartResult, int]]:
    """Solutions whose likelihood does not rule them out; a spike's likelihood tells nothing of the posterior there."""
    sound = [result.log_likelihood for result, _ in ends if not result.reasons]
    least = max(sound, default=-np.inf) - WITHIN_REACH - 2 * likelihood.n_parameters
    return [(result, starts) for result, starts in ends if result.reasons or result.log_likelihood >= least]


def laplace(value: float, precision: np.ndarray) -> float:
    """log of the normal approximation's integral; flat and upward directions count as weakly curved.

    NaN where the curvature is not finite.
    """
    if not np.isfinite(precision).all():
        return float("nan")
    scale = np.sqrt(np.maximum(np.abs(precision.diagonal()), np.finfo(float).tiny))
    scaled = precision / np.outer(scale, scale)
    if above(scaled, WEAKEST_CURVATURE):
        half_log_det = np.log(np.linalg.cholesky(scaled).diagonal()).sum()
    else:
        half_log_det = 0.5 * np.log(np.maximum(np.linalg.eigvalsh(scaled), WEAKEST_CURVATURE)).sum()
    return float(value + 0.5 * len(scale) * np.log(2 * np.pi) - half_log_det - np.log(scale).sum())


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
