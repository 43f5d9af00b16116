"""The mode of the Bayesian model's posterior, climbed from EM's solutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bayesmix.compiled.log_posterior import CompiledModel, LocalMode
from bayesmix.em.fit_em import EMFit, ml_fit
from bayesmix.em.starts import StartResult, best_result, merged, solutions
from bayesmix.estep import e_step
from bayesmix.inputs.errors import FitError
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.estimates import canonical_order, reorder, to_dataset
from bayesmix.mixture.spec import exchange_groups
from bayesmix.model.variables import Graph
from bayesmix.parts.part import Params


def _at_mode(
    likelihood: Likelihood, result: StartResult, mode: LocalMode, values: Mapping[str, np.ndarray]
) -> StartResult:
    """The result, after the climb of the posterior from its end."""
    end = {v: np.asarray(values[v]) for v in result.params}
    reasons, steps = tuple(likelihood.spikes(end)), len(mode.history) - 1
    return StartResult(result.kind, end, mode.history, mode.converged, reasons, steps)


def inside(likelihood: Likelihood, params: Params, spread: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Standard deviations, NaN for estimates on a boundary: there the density has no curvature to read them off."""
    edge = likelihood.on_boundary(params)
    if not edge.any():
        return dict(spread)
    moved = likelihood.spread(params, np.diag(edge.astype(float)))
    return dict(spread) | {v: np.where((a > 0) | (spread[v] == 0), np.nan, spread[v]) for v, a in moved.items()}


def map_fit(compiled: CompiledModel, parts: Graph, results: list[StartResult]) -> EMFit:
    """The posterior mode, climbed from every distinct EM solution."""
    likelihood = parts.likelihood
    distinct = [result for result, _ in solutions(results)]
    modes = [compiled.mode(compiled.start(parts.start(result.params)), jacobian=False) for result in distinct]
    ends = [
        _at_mode(likelihood, result, mode, compiled.values(mode.x))
        for result, mode in zip(distinct, modes, strict=True)
    ]
    at_modes = merged(likelihood, ends, exchange_groups(likelihood))
    chosen = best_result(at_modes)
    result = at_modes[chosen]
    if result.reasons:
        raise FitError(
            f"no posterior mode was found: every climb ran into a spike ({'; '.join(result.reasons)}); use fewer "
            f"components, or a prior that keeps scales away from 0"
        )
    fit = ml_fit(likelihood, at_modes)
    order = canonical_order(likelihood, likelihood.named(result.params))
    L, _ = e_step(likelihood, reorder(likelihood, result.params, order))
    spread = inside(likelihood, result.params, compiled.standard_deviations(modes[chosen].x))
    spread = reorder(likelihood, {v: spread[v] for v in likelihood.dims}, order)
    return replace(
        fit,
        log_likelihood=L,
        log_posterior=result.log_likelihood,
        method="map",
        posterior_spread=to_dataset(likelihood, spread),
    )
