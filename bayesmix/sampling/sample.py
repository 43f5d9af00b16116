"""Draw from the posterior by NUTS: chains spread over the modes, labels sorted out, everything in one DataTree."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel, check_compiled
from bayesmix.em.fit_starts import Manner, fit_starts
from bayesmix.em.starts import StartResult, solutions
from bayesmix.gallery.model_toml import SAMPLERS
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import CHAINS, DRAWS_PER_CHAIN, EVIDENCE_ERROR, MINUTES, N_STARTS, TUNE
from bayesmix.inputs.errors import FitError, explained
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.model.build import graph, model_of
from bayesmix.model.symmetry import measure
from bayesmix.model.variables import Graph
from bayesmix.multimodality.maxima import Climber, PosteriorMode, find_modes
from bayesmix.posterior.files import rehearse
from bayesmix.sampling.by_chains import by_chains, scouted, unknown_masses, unsettled
from bayesmix.sampling.by_exchange import by_exchange
from bayesmix.sampling.nutpie import data_groups
from bayesmix.sampling.rescue import KeptRuns
from bayesmix.sampling.scouts import Scouts
from bayesmix.sampling.task import Task
from bayesmix.sampling.until import until_trusted
from bayesmix.tempering.budget import Budget


def sample(
    spec: Mixture,
    data: Data,
    *,
    model: pm.Model | None = None,
    draws: int = DRAWS_PER_CHAIN,
    tune: int = TUNE,
    chains: int = CHAINS,
    cores: int | None = None,
    target_accept: float = 0.9,
    seed: int = 1,
    n_starts: int = N_STARTS,
    log_likelihood: bool | str = "auto",
    sampler: str = "auto",
    until: str | None = None,
    minutes: float = MINUTES,
    evidence_error: float = EVIDENCE_ERROR,
    progress: bool = True,
    keep: str | Path | None = None,
    compiled: CompiledModel | None = None,
    start_results: list[StartResult] | None = None,
) -> xr.DataTree:
    """Sample the posterior of a mixture with NUTS (nutpie).

    EM runs from many starts; from each of its solutions and from as many random allocations (of up to 20,000 rows), the
    log-posterior is climbed to a mode. Where modes compete, short chains are sent to them:
    pieces of these chains that R-hat tells apart make regions, which are weighed by bridge sampling. Every region that
    holds more than a thousandth of the mass, or an unknown share, gets chains in proportion, two at least, so that more
    than ``chains`` chains may run; the posterior then holds ``chains`` times ``draws`` of their draws, each region's in
    proportion to its mass. After sampling the labels are sorted out: each draw's components are permuted to agree with
    the allocation at the best draw of its region (or sorted, with ``order="means"``). Labelled classes stay, and so do
    components that the model tells apart, the user's part of it included: only those whose exchange, in all variables
    with the dimension ``component``, leaves the log-density as it is are permuted. That is measured, at scattered
    points. Deterministics are those of the permuted variables.

    Parameters
    ----------
    spec, data
        The mixture and what was observed.
    model : pymc.Model, optional
        The user's own extension of :func:`bayesmix.build`'s model. Variables of its own that run over components need
        the dimension ``component``, to be permuted with the rest.
    draws, tune : int
        Kept draws and warm-up draws per chain.
    chains, cores : int
        Number of chains, and how many run at once (by default all that the machine has).
    target_accept : float
        NUTS' target acceptance rate. With the 0.8 that is common elsewhere the curved posteriors of overlapping groups
        diverge.
    seed : int
        Same seed, same draws, for any number of cores of one machine. Another kind of processor, and the one run that
        compiles the model for the first time, may round sums in another order, and so draw other numbers.
    n_starts : int
        EM starts from which modes are sought, and climbs from random allocations.
    log_likelihood : {"auto", True, False}
        Store the pointwise log-likelihood; "auto": up to 64 MB.
    sampler : {"auto", "nuts", "exchange"}
        "nuts": the chains above. "exchange": replica exchange over powers of the likelihood, whose chains cross between
        modes (:mod:`bayesmix.tempering.exchange`). "auto": replica exchange where scouts cannot say how the modes share
        the mass, or where at least as many draws as by default diverged or do not agree.
    until : {None, "trusted"}
        "trusted": where the verdict on the draws is bad for a reason that effort mends, go on with what it asks for:
        more draws, a longer warm-up, a higher ``target_accept``, replica exchange. Every step is kept in
        ``attrs["effort"]``.
    minutes : float
        How long a replica exchange may take, and with ``until`` the whole. An exchange ends once its chains agree;
        where it runs out of time, it keeps what it has, and the verdict says so. Where the time would not do for a
        start, the chains stay.
    evidence_error : float
        The standard error of the log evidence to which a replica exchange goes on, for up to 16,000 sweeps. A larger
        one takes less time: half the error takes four times as many sweeps.
    progress : bool
        Show progress bars.
    keep : str or Path, optional
        Folder that keeps every finished run of chains (the scouts, the chains of one region, every step of ``until``),
        so that the same call goes on where it was stopped. A replica exchange is made anew.
    compiled : CompiledModel, optional
        ``model`` compiled before, to sample again without compiling.
    start_results : list of StartResult, optional
        Of EM from the same ``n_starts`` and ``seed``, where there are any already.

    Returns
    -------
    DataTree
        ``posterior`` (what varies), ``derived`` (variables with constant entries, whole, where there are any: the only
        weight, diagonal covariance matrices of several features), ``sample_stats`` (with ``log_likelihood``, the sum
        over rows, and the ``region`` of each draw), ``raw_posterior`` and ``raw_sample_stats`` (the chains as they were
        made, where there are several regions; ``sample_stats.raw_draw`` says which of these draws each is),
        ``observed_data``, ``constant_data``, ``input`` (the data as given), ``relabelling`` (the permutation of each
        draw), ``modes``, ``log_likelihood``. Attributes: ``spec`` as JSON, seed, settings, versions. Interrupted by
        Ctrl-C, it holds the draws there are and says so in ``attrs["interrupted"]``; before the chains have begun,
        nothing is kept.

    Raises
    ------
    ValueError
        Where an argument is impossible, naming it.
    FitError
        Where no mode is found, no chain can begin, or a step fails after the draws, which are then in a file.

    Examples
    --------
    >>> import bayesmix as bm
    >>> counts = bm.Data([0, 0, 0, 2, 3, 5, 0, 1])
    >>> dt = sample(bm.Mixture("zero_inflated_poisson"), counts, draws=200, chains=2, progress=False)
    >>> dt["posterior"]["rate"].sizes
    Frozen({'chain': 2, 'draw': 200})
    """
    settings: dict[str, Any] = whole_numbers(draws=draws, tune=tune, chains=chains)
    settings["target_accept"] = _probability(target_accept)
    extra: dict[str, Any] = whole_numbers(seed=seed, n_starts=n_starts)
    cores = None if cores is None else whole_numbers(cores=cores)["cores"]
    _check_objects(compiled, log_likelihood)
    _check_choices(sampler, until)
    budget = Budget.of(minutes, evidence_error, whole=until is not None)
    parts = graph(resolved(spec, data))
    stored = data.with_covariates(parts.likelihood.covariates)
    rehearse(stored.to_dataset().assign_coords(parts.likelihood.coords))
    compiled = _compiled(parts, model, compiled)
    if start_results is None:
        start_results = fit_starts(parts.likelihood, manner=Manner(progress=progress), **extra)
    task = Task(
        *_climbed(compiled, parts, start_results, progress=progress, **extra),
        data_groups(compiled.model, stored),
        cores=cores,
        seed=extra["seed"],
        progress=progress,
        log_likelihood=log_likelihood,
        budget=budget,
        kept=None if keep is None else KeptRuns.of(keep, parts.likelihood.spec, stored),
        **settings,
    )

    @cache
    def scouts() -> Scouts:
        return scouted(task)

    def drawn(*, sampler: str, **settings: Any) -> xr.DataTree:
        dt = _drawn(replace(task, **settings), scouts, sampler)
        dt.attrs["settings"] = json.dumps(settings | extra)
        dt.attrs["extended_model"] = int(model is not None or task.extended)
        return dt

    settings["sampler"] = sampler
    return drawn(**settings) if until is None else until_trusted(drawn, settings, budget)


def _climbed(
    compiled: CompiledModel, parts: Graph, results: list[StartResult], *, n_starts: int, seed: int, progress: bool
) -> tuple[Climber, Exchange, list[PosteriorMode]]:
    """Which components may switch labels, and the modes."""
    with explained("finding the posterior's modes"):
        sound = [result.params for result, _ in solutions(results) if not result.reasons]
        exchange = measure(compiled, parts, sound or [results[0].params])
        climber = Climber(compiled, parts.over(parts.likelihood.with_measured(exchange.groups)))
        return climber, exchange, find_modes(climber, results, climbs=n_starts, seed=seed, progress=progress)


def _drawn(task: Task, scouts: Callable[[], Scouts], sampler: str) -> xr.DataTree:
    """By chains where these can say how the modes share the mass, and agree; else by replica exchange."""
    if sampler == "exchange":
        made = by_exchange(task)
        if made is not None:
            return made
        raise FitError(f"the replica exchange needs more than {task.budget.minutes:g} minutes here: raise minutes")
    sent = scouts()
    if sampler == "auto" and unknown_masses(sent) and (made := by_exchange(task)) is not None:
        return made
    dt = by_chains(task, sent)
    asked = sampler == "auto" and task.draws >= DRAWS_PER_CHAIN and task.chains > 1  # fewer were meant for a look
    made = by_exchange(task) if asked and unsettled(dt, task.likelihood) else None
    return dt if made is None else made


def _check_choices(sampler: str, until: str | None) -> None:
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler: must be one of {', '.join(map(repr, SAMPLERS))}; got {sampler!r}")
    if until not in (None, "trusted"):
        raise ValueError(f"until: must be None or 'trusted'; got {until!r}")


def _check_objects(compiled: Any, log_likelihood: Any) -> None:
    check_compiled(compiled)
    if log_likelihood != "auto" and not isinstance(log_likelihood, bool):
        raise ValueError(f"log_likelihood: must be 'auto', True or False; got {log_likelihood!r}")


def _compiled(parts: Graph, model: pm.Model | None, compiled: CompiledModel | None) -> CompiledModel:
    """The compiled model to sample: of the user's model or compiled before, checked before anything compiles."""
    if model is not None and compiled is not None and compiled.model is not model:
        raise ValueError("compiled: is another model than model; give one of the two")
    if compiled is None:
        model = model_of(parts) if model is None else model
        check_model(model, parts)
        return CompiledModel(model)
    check_model(compiled.model, parts)
    return compiled.with_data(compiled.model)  # pm.set_data may have changed its data since it was compiled


def check_model(model: pm.Model, parts: Graph) -> None:
    """A model of the user's own must be an extension of this mixture's over these rows, for NUTS to sample."""
    if not isinstance(model, pm.Model):
        raise ValueError(f"model: must be a pymc.Model, as bm.build makes one; got a {type(model).__name__}")
    for rv in model.free_RVs:
        if not rv.dtype.startswith("float"):
            raise ValueError(f"model: {rv.name} is {rv.dtype}; NUTS samples continuous variables only")
    for name, dims in model.named_vars_to_dims.items():
        if len(set(dims) - {None}) < len([d for d in dims if d is not None]):
            raise ValueError(
                f"model: {name} has a dimension twice, {dims}; call the second one by a name of its own "
                "('component_bis' runs over components too)"
            )
    wanted = {
        "x_data": parts.x_data(),
        "label_evidence": parts.likelihood.evidence,
        "row_weights": parts.likelihood.row_weights,
    }
    for name, values in wanted.items():
        held = model[name].get_value(borrow=True) if name in model.named_vars else None
        if held is None or not np.array_equal(held, values, equal_nan=True):
            raise ValueError(f"model: its {name} is not that of spec and data; extend bm.build(spec, data)")


def _probability(target_accept: float) -> float:
    if not (isinstance(target_accept, Real) and 0 < target_accept < 1):
        raise ValueError(f"target_accept: must lie between 0 and 1; got {target_accept!r}")
    return float(target_accept)
