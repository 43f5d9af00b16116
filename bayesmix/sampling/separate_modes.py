"""The modes of a posterior: found, told apart, weighed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.model.build import graph, model_of
from bayesmix.multimodality.labellings import check_order
from bayesmix.multimodality.masses import weigh
from bayesmix.multimodality.table import Modes
from bayesmix.posterior.record import Record
from bayesmix.sampling.sample import sample


def modes(
    spec: Mixture,
    data: Data,
    *,
    n_starts: int = 100,
    draws: int = 2000,
    tune: int = 500,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float = 0.9,
    seed: int = 1,
    progress: bool = True,
    compiled: CompiledModel | None = None,
) -> Modes:
    r"""The distinct modes of a posterior, up to relabelling, with their shares of its mass.

    The log-posterior is climbed from every EM solution and from as many random allocations of the rows. A mode is what
    chains do not leave: local maxima between which chains cross are one. Chains are sent to every mode that may matter;
    the posterior's integral over the region of each,

    .. math:: Z_g = \int_{R_g} p(\theta)\, p(x \mid \theta)\, d\theta, \qquad \text{mass}_g = Z_g / \sum_h Z_h,

    is found by bridge sampling over the chains' draws. The regions R_g share out the whole parameter space, so nothing
    is counted twice.

    Parameters
    ----------
    spec, data
        The mixture and what was observed.
    n_starts : int
        EM starts, and climbs from random allocations (of up to 20,000 rows).
    draws, tune, chains, cores, target_accept, seed, progress, compiled
        As for :func:`bayesmix.sample`.

    Returns
    -------
    Modes
        ``.table``: one row per mode with ``mass``, ``mass_error``, ``log_evidence``, ``log_posterior``, ``reached``,
        ``description``; and ``log_evidence_error``, ``established``.

    Raises
    ------
    ValueError
        Where an argument is impossible, naming it; with ``order="means"`` for a prior that differs between the means,
        where the evidence of the ordered prior is not known.

    References
    ----------
    Gronau et al. (2017), doi:10.1016/j.jmp.2017.09.005, for bridge sampling; Stephens (2000),
    doi:10.1111/1467-9868.00265, for modes up to relabelling.

    Examples
    --------
    >>> import bayesmix as bm
    >>> found = bm.modes(*bm.load("old_faithful"), progress=False)  # doctest: +SKIP
    >>> found.table[["mass", "log_evidence"]]  # doctest: +SKIP
    """
    likelihood = resolved(spec, data)
    check_order("modes", likelihood.spec)
    model = model_of(graph(likelihood))
    compiled = CompiledModel(model) if compiled is None else compiled.with_data(model)
    dt = sample(
        likelihood.spec,
        data,
        n_starts=n_starts,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        seed=seed,
        progress=progress,
        compiled=compiled,
        log_likelihood=False,
    )
    maxima = dt["modes"].to_dataset()
    if not Record.of(dt).resampled and not np.isfinite(maxima["log_evidence"]).any():
        maxima = _with_evidence(maxima, dt, compiled, likelihood)
    return Modes(maxima, float(data.row_weights.sum()))


def _with_evidence(maxima: xr.Dataset, dt: xr.DataTree, compiled: CompiledModel, likelihood: Likelihood) -> xr.Dataset:
    """The integral of the one region there is."""
    drawn = {1: (dt["posterior"].to_dataset(), dt["sample_stats"].to_dataset()["lp"])}
    integral = weigh(compiled, likelihood, drawn, None)[1]
    only = maxima["region"].to_numpy() == 1
    return maxima.assign(
        log_evidence=("mode", np.where(only, integral.value, np.nan)),
        log_evidence_error=("mode", np.where(only, integral.standard_error, np.nan)),
        established=("mode", np.where(only, maxima["established"] * integral.established, maxima["established"])),
    )
