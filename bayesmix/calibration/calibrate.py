"""Simulation-based calibration of a mixture: what is refused, which simulations are still to do, who does them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from bayesmix.calibration import store
from bayesmix.calibration.result import Calibration
from bayesmix.calibration.simulation import FIT_SETTINGS, Build, Line, Simulator
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.kernels.parallel import in_processes
from bayesmix.mixture.spec import Mixture, bind
from bayesmix.model.build import build as build_model


def calibrate(
    spec: Mixture,
    design: Data,
    *,
    n_sims: int = 200,
    seed: int = 1,
    folder: str | Path | None = None,
    cores: int | None = None,
    progress: bool = True,
    build: Build = build_model,
    sampler: str = "nuts",
    **settings: int,
) -> Calibration:
    """Simulation-based calibration: whether bayesmix draws from the posterior of this mixture.

    Again and again parameters are drawn from the prior, data from the parameters, and the data are fitted as
    :func:`bayesmix.sample` fits any. Where model and sampler are right, the rank of every true quantity among 255
    thinned draws is uniform (Talts et al. 2018, arXiv:1804.06788). Quantities are the parameters, with components that
    could switch in the order of their first mean, log-likelihood and log-prior, the entropy of the weights, a
    responsibility, and products of pairs of parameters (Modrak et al. 2023, doi:10.1214/23-BA1404).

    Parameters
    ----------
    spec : Mixture
        With every prior written out: see :func:`bayesmix.resolve`. Defaults that follow the scale of each data set
        would be a prior that knows the data.
    design : Data
        The layout: number of rows, columns, covariates, classes, and which rows are labelled. Observations and labels
        are replaced by simulated ones.
    n_sims : int
        Number of simulations.
    seed : int
        Simulation number i is the same whatever the others, the number of processes or their order.
    folder : path, optional
        Where the records are kept, in a file named by spec, design, settings, seed and versions: a run that was
        stopped, or one of fewer simulations, is carried on.
    cores : int, optional
        Processes; by default as many as the machine has cores.
    progress : bool
        Show a progress bar.
    build : callable
        Makes the model that is fitted, by default :func:`bayesmix.build`: how to see that a wrong one is found. Its
        records need a folder of their own.
    sampler : {"nuts", "exchange", "auto"}
        As for :func:`bayesmix.sample`.
    **settings
        ``draws, tune, chains, n_starts`` of every fit. Where the slowest quantity has fewer than 400 effective draws,
        more are drawn.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        Where a prior is not written out, rows are weighted, labels are soft or sets, or some component is no class
        though rows are labelled (how such a row would be labelled is then not defined).

    Examples
    --------
    Two simulations show how it works; a verdict takes hundreds:

    >>> from bayesmix import Data, Mixture, Prior
    >>> priors = {"rate_coef": Prior("Normal", mu=1.0, sigma=0.5), "zero_coef": Prior("Normal", mu=0.0, sigma=1.0)}
    >>> spec = Mixture("zero_inflated_poisson", priors=priors)
    >>> result = calibrate(spec, Data([0, 0, 1, 3]), n_sims=2, cores=1, progress=False)
    >>> result.ranks.shape, result.ok
    ((2, 7), True)
    """
    for name in settings:
        if name not in FIT_SETTINGS:
            raise ValueError(f"{name}: not a setting of a fit; choose from {', '.join(FIT_SETTINGS)}")
    given: dict[str, Any] = whole_numbers(**settings) | ({} if sampler == "nuts" else {"sampler": sampler})
    asked = whole_numbers(n_sims=n_sims, seed=seed, cores=1 if cores is None else cores)
    n_sims, seed = asked["n_sims"], asked["seed"]
    _check_design(spec, design)
    simulator = Simulator(spec, design, seed, FIT_SETTINGS | given, build)
    head = store.header(simulator)
    path = None if folder is None else Path(folder) / f"{store.key(head)}.jsonl"
    head, done = _begun(path, head)
    todo = [number for number in range(n_sims) if number not in done]
    workers = min(cores or os.cpu_count() or 1, max(1, len(todo)))
    records = in_processes(simulator, todo, processes=workers)
    with click.progressbar(records, length=len(todo), label="Simulations", file=sys.stderr, hidden=not progress) as bar:
        for record in bar:
            done[record["simulation"]] = record
            if path is not None:
                store.append(path, record)
    return Calibration(head, [done[number] for number in range(n_sims)])


def _begun(path: Path | None, head: dict[str, Any]) -> tuple[dict[str, Any], dict[int, Line]]:
    """Header and finished simulations of the file; a new one where there is none. Unfinished ones are tried again."""
    if path is None:
        return head, {}
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        store.write(path, head, [])
    head, records = store.read(path)
    finished = [record for record in records if "ranks" in record]
    store.write(path, head, finished)  # whole lines again, should the last one have been cut
    return head, {record["simulation"]: record for record in finished}


def _check_design(spec: Mixture, design: Data) -> None:
    """Only a joint law of parameters, labels and data that is written down can be simulated."""
    likelihood = bind(spec, design)
    needed = [v for v in likelihood.default_priors() if v in likelihood.dims]
    missing = [v for v in needed if v not in spec.priors]
    if missing:
        raise ValueError(
            f"spec: the prior of {missing[0]!r} is not written out, and the default follows the scale of each data "
            "set; write it down, or take that of one data set: calibrate(bm.resolve(spec, data), data)"
        )
    if design.weighted:
        raise ValueError("design: row weights must be 1: what a weighted row would look like is not defined")
    soft = np.flatnonzero(design.labelled & ~design.known)
    if len(soft):
        raise ValueError(
            f"design: labels must be single classes to be simulated; row {design.obs_names[soft[0]]} allows several"
        )
    unnamed = [c for c in likelihood.components if c not in design.classes]
    if design.labelled.any() and unnamed:
        raise ValueError(
            f"design: rows are labelled, but component {unnamed[0]!r} is no class: what a labelled row of it would "
            "show is not defined; name all of them with classes="
        )
