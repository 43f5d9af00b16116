"""Runs of NUTS, ours and a textbook model's, with the same clock around the sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import arviz as az
import numpy as np
import nutpie
import pymc as pm
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from benchmarks import textbook
from benchmarks.figures import Figure, median
from benchmarks.problems import Problem
from benchmarks.timing import timed, watching

RATIO = "ours, times as many per second"
PARAMETERS = ("weights", "means", "scales")


@dataclass(frozen=True)
class Run:
    """Seconds compiling, sampling and in all, and what the draws are worth."""

    compiling: float
    sampling: float
    total: float
    draws: int
    gradients: float
    ess: float
    r_hat: float


def ours(problem: Problem, seed: int, **settings: Any) -> Run:
    """``bm.sample``; the sampler's seconds are those of all its calls, scouting chains included."""
    compiling, compiled = timed(lambda: CompiledModel(bm.build(problem.spec, problem.data)))
    with watching(nutpie, "sample") as watch:
        total, dt = timed(
            lambda: bm.sample(problem.spec, problem.data, compiled=compiled, seed=seed, progress=False, **settings)
        )
    if not watch.calls:
        raise RuntimeError("bm.sample did not call nutpie.sample: the clock has to be set anew")
    return summary(dt, compiling, watch.seconds, compiling + total)


def pymc(problem: Problem, seed: int, **settings: Any) -> Run:
    """``pm.sample`` on the textbook model from the true order of the means; nutpie where PyMC chooses it."""
    model = textbook.model(problem)
    start = {"means": problem.params["means"][:, 0]}
    with model, watching(nutpie, "sample") as watch:
        total, dt = timed(
            lambda: pm.sample(initvals=start, random_seed=seed, progressbar=False, quiet=True, **settings)
        )
    sampling = watch.seconds if watch.calls else dt["posterior"].attrs["sampling_time"]
    return summary(dt, total - sampling, sampling, total)


def summary(dt: xr.DataTree, compiling: float, sampling: float, total: float) -> Run:
    """A run from its draws and its seconds."""
    posterior = dt["posterior"].to_dataset()[list(PARAMETERS)]
    sizes = dt["posterior"].sizes
    steps = dt["sample_stats"].get("n_steps")
    return Run(
        compiling,
        sampling,
        total,
        sizes["chain"] * sizes["draw"],
        float("nan") if steps is None else float(steps.mean()),
        worst(az.ess(posterior), np.min),
        worst(az.rhat(posterior), np.max),
    )


def worst(found: xr.Dataset, pick: Any) -> float:
    """The smallest or largest of a diagnostic over all scalars."""
    return float(pick([pick(found[v].to_numpy()) for v in found.data_vars]))


def figures(runs: list[Run]) -> dict[str, Figure]:
    """Medians over runs."""
    rest = [r.total - r.compiling - r.sampling for r in runs]
    found = {
        "ESS per sampling second": median([r.ess / r.sampling for r in runs], "/s"),
        "sampling": median([r.sampling for r in runs], "s"),
        "smallest bulk ESS": median([r.ess for r in runs], ""),
        "ESS per gradient": median([r.ess / (r.draws * r.gradients) for r in runs], ""),
        "largest R-hat": median([r.r_hat for r in runs], ""),
        "draws": median([r.draws for r in runs], ""),
        "compiling": median([r.compiling for r in runs], "s"),
        "starts and labels": median(rest, "s"),
        "together": median([r.total for r in runs], "s"),
    }
    return {name: figure for name, figure in found.items() if np.isfinite(figure.value)}
