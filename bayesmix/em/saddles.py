"""Where EM stands still there need not be a maximum: saddles, and what lies above them.

EM stays where two components are alike, or in any other plane of symmetry that it begins in. There the observed
information has a direction in which it is not positive: from a step along it, either way, EM goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, compress
from typing import Any

import numpy as np

from bayesmix.em.iterations import iterate
from bayesmix.em.starts import COMPARED_ROWS, StartResult, best_result
from bayesmix.estep import e_step, responsibilities
from bayesmix.likelihood import curvature
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

ALIKE = 0.98
"""Two components are alike where the cosine between their responsibilities is at least this."""
MULTIPLICATIONS, LOOKED_ROWS = 2e9, 5000
"""The information is taken over no more rows than that, and so few that its products take no more multiplications."""
MOST_DECOMPOSED = 3000
"""With more, only components that are alike are looked for."""
SURELY = 0.5
"""A bound on the missing information below which there is no saddle, over some rows or over all."""
LEADS_AWAY = 1e-3
"""From components that are alike, directions with less curvature than this, of 1 along every coordinate, lead away."""
LEAST_INFORMATION = 1e-6
"""Information below this share of the largest counts as so much: along weights of alike components there is none."""
STEPS = (0.5, 2.0)
"""The largest coordinate of a step away from a saddle, in its units."""
DIRECTIONS = 3
HIGHER = 1e-6
"""An end this much (1 + |L|) above is another point; less is the same plateau."""
PATIENCE = 30
"""E-steps before EM may end that begins near a saddle: what falls back hides what grows."""


@dataclass(frozen=True)
class WayUp:
    """Directions in which the likelihood does not fall from a point, (n, p), and why, in words."""

    directions: np.ndarray
    why: str
    alike: bool


def beyond_saddles(
    likelihood: Likelihood, results: Sequence[StartResult], *, max_iter: int, tolerance: float
) -> list[StartResult]:
    """The same, where the best one is no saddle: those that ended in one are carried on, or say so."""
    results, looked_at = list(results), set[int]()
    while True:
        best = results[best_result(results)]
        if best.reasons or not best.converged or id(best.params) in looked_at:
            return results
        end = _beyond(likelihood, best, max_iter, tolerance)
        looked_at.add(id(end.params))
        if end is best:
            return results
        results = [
            old if old.params is not best.params else end if old is best else replace(old.at(end), n_iter=old.n_iter)
            for old in results
        ]


def _beyond(likelihood: Likelihood, result: StartResult, max_iter: int, tolerance: float) -> StartResult:
    """The best sound end above the result's; that itself where it is a maximum, with a reason where it is a saddle."""
    way = way_up(likelihood, result.params)
    if way is None:
        return result
    steps = [s * t * u for t in STEPS for u in way.directions for s in (1, -1)]
    starts = [likelihood.moved(result.params, step) for step in steps]
    settings: dict[str, Any] = {
        "max_iter": max_iter,
        "tolerance": tolerance,
        "patience": PATIENCE,
        "trace": bool(result.path),
    }
    ends = [iterate(likelihood, result.kind, x, **settings) for x in starts]
    spent = result.n_iter + sum(end.n_iter for end in ends)
    sound = [end for end in ends if not end.reasons and end.converged]
    top = max(sound, key=lambda end: end.log_likelihood, default=result)
    if top.log_likelihood > result.log_likelihood + HIGHER * (1 + abs(result.log_likelihood)):
        above = top.history > result.log_likelihood
        path = (*result.path, *compress(top.path, above))
        return replace(top, history=np.concatenate([result.history, top.history[above]]), path=path, n_iter=spent)
    spikes = [end for end in ends if end.reasons]
    if spikes:
        why = f"saddle: {way.why}; every start that rises from here ends so: {spikes[0].reasons[0]}"
    elif way.alike:
        why = f"{way.why}: the likelihood of fewer components, and none higher near it"
    else:
        return result
    return replace(result, reasons=(why,), n_iter=spent)


def way_up(likelihood: Likelihood, params: Params) -> WayUp | None:
    """Where the likelihood rises from a stationary point, or does not fall; None at a maximum."""
    pairs = _alike(likelihood, params)
    values, vectors = _curvature(likelihood, params, everything=bool(pairs))
    if pairs:
        names = " and ".join(likelihood.components[k] for k in pairs)
        flat = vectors[:, values < LEADS_AWAY].T if (values < LEADS_AWAY).any() else np.eye(likelihood.n_parameters)
        mixed = np.random.default_rng(0).standard_normal((DIRECTIONS, len(flat))) @ flat
        return WayUp(_longest(np.vstack([flat[:DIRECTIONS], mixed])), f"{names} are alike", True)
    directions = _longest(vectors[:, values < 0].T[:1])
    if len(directions) and _curves_up(likelihood, params, directions[0]):
        return WayUp(directions, "the observed information is not positive definite", False)
    return None


def _alike(likelihood: Likelihood, params: Params) -> list[int]:
    """The components that another one equals."""
    r = responsibilities(likelihood.evenly(COMPARED_ROWS), params)
    r = r / np.maximum(np.linalg.norm(r, axis=0), np.finfo(float).tiny)
    cosine = r.T @ r
    pairs = [pair for pair in combinations(range(len(cosine)), 2) if cosine[pair] > ALIKE]
    return sorted({k for pair in pairs for k in pair})


def _curvature(likelihood: Likelihood, params: Params, *, everything: bool) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and -vectors of the information over some rows, or none where it is positive definite.

    ``everything``: in any case. The eigenvectors are directions in the coordinates of ``likelihood.information``.
    """
    p = likelihood.n_parameters
    nothing = np.empty(0), np.empty((p, 0))
    if p > MOST_DECOMPOSED:
        return nothing
    some = likelihood.evenly(min(max(int(MULTIPLICATIONS / p**2), COMPARED_ROWS), LOOKED_ROWS))
    if not everything and curvature.missing(some, params) < SURELY:
        return nothing
    information = some.information(params)
    size = np.abs(np.diag(information))
    scale = 1 / np.sqrt(np.maximum(size, LEAST_INFORMATION * size.max() + np.finfo(float).tiny))
    scaled = information * np.outer(scale, scale)
    if not np.isfinite(scaled).all():
        return nothing
    if not everything:
        try:
            np.linalg.cholesky(scaled)
        except np.linalg.LinAlgError:
            pass
        else:
            return nothing
    values, vectors = np.linalg.eigh(scaled)
    return values, scale[:, None] * vectors


def _longest(directions: np.ndarray) -> np.ndarray:
    """Directions whose largest coordinate is 1."""
    return np.asarray(directions / np.maximum(np.abs(directions).max(axis=1, keepdims=True), 1e-300))


def _curves_up(likelihood: Likelihood, params: Params, direction: np.ndarray, h: float = 1e-3) -> bool:
    """Whether L over all rows is convex along the direction."""
    L, up, down = (e_step(likelihood, likelihood.moved(params, s * h * direction))[0] for s in (0, 1, -1))
    return up + down - 2 * L > 1e-12 * (1 + abs(L))
