"""One simulation: parameters from the prior, data from the parameters, a fit as users run it, ranks.

Talts et al. (2018), arXiv:1804.06788.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import arviz as az
import numpy as np
import pymc as pm
import xarray as xr

from bayesmix.calibration.quantities import parameters, quantities
from bayesmix.calibration.ranks import RANKED_DRAWS, rank
from bayesmix.checks.convergence import parts
from bayesmix.checks.diagnose import diagnose
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.simulate import one, parameters_from_prior, simulate
from bayesmix.mixture.spec import Mixture, bind
from bayesmix.model.build import build, graph
from bayesmix.multimodality.thresholds import ESS
from bayesmix.posterior.record import Record, stacked
from bayesmix.sampling.sample import sample

MOST_PER_CHAIN = 20_000
"""Per chain."""
RUNS = 3
CENTRE_DRAWS = 1000
FIT_SETTINGS: dict[str, Any] = {"draws": 500, "tune": 300, "chains": 4, "n_starts": 6}

type Line = dict[str, Any]
"""What is kept of a simulation, as JSON: its number and ranks, or its error."""
type Build = Callable[[Mixture, Data], pm.Model]


@dataclass(frozen=True)
class Simulator:
    """Everything that the simulations of one calibration share. Compiled once per process, at the first fit."""

    spec: Mixture
    design: Data
    seed: int
    settings: dict[str, Any] = field(default_factory=lambda: dict(FIT_SETTINGS))
    build: Build = build

    @cached_property
    def likelihood(self) -> Likelihood:
        """The likelihood over the design."""
        return bind(self.spec, self.design)

    @cached_property
    def centres(self) -> dict[str, float]:
        """The prior medians of the scalars."""
        draws = parameters_from_prior(self.likelihood, CENTRE_DRAWS, np.random.default_rng(self.seed))
        values = parameters(self.likelihood, self.likelihood.named(draws))
        return {label: float(np.median(a)) for label, a in values.items()}

    @cached_property
    def names(self) -> list[str]:
        """Names of the test quantities."""
        draws = parameters_from_prior(self.likelihood, 1, np.random.default_rng(self.seed))
        return list(quantities(self.likelihood, draws, self.centres))

    @cached_property
    def _compiled(self) -> CompiledModel:
        return CompiledModel(self.build(self.spec, self.draw(0)[1]))

    def _compiled_over(self, likelihood: Likelihood) -> CompiledModel:
        """The compiled model with other observations and labels: building it anew takes longer than sampling."""
        parts, model = graph(likelihood), self._compiled.model
        model["x_data"].set_value(parts.x_data().astype(model["x_data"].dtype))
        model["label_evidence"].set_value(likelihood.evidence)
        return self._compiled.with_data(model)

    def draw(self, number: int) -> tuple[dict[str, np.ndarray], Data, np.random.Generator]:
        """True parameters (1, ...), data, and the generator for what follows: a function of seed and number alone."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))
        truth = dict(parameters_from_prior(self.likelihood, 1, rng))
        return truth, simulate(self.likelihood, one(truth, 0), rng), rng

    def __call__(self, number: int) -> Line:
        """Run simulation ``number``; an error of the fit is recorded, not raised."""
        start = time.perf_counter()
        truth, data, rng = self.draw(number)
        try:
            outcome = self._ranked(truth, data, rng)
        except Exception as error:  # whatever it is, the simulation did not finish, and that is reported
            outcome = {"error": f"{type(error).__name__}: {error}"}
        return {"simulation": number} | outcome | {"seconds": round(time.perf_counter() - start, 3)}

    def _ranked(self, truth: dict[str, np.ndarray], data: Data, rng: np.random.Generator) -> Line:
        likelihood = bind(self.spec, data)
        record, draws, ess = self._fit(data, likelihood, int(rng.integers(2**31)))
        check = diagnose(record, model=False)
        true = quantities(likelihood, truth, self.centres)
        thinned = np.linspace(0, len(draws) - 1, RANKED_DRAWS).round().astype(int)
        return {
            "ranks": rank(draws[thinned], np.array([true[name][0] for name in self.names]), rng).tolist(),
            "ess": round(ess, 1),
            "draws": len(draws),
            "problems": [problem.name for problem in (*check.problems, *check.limits)],
        }

    def _fit(self, data: Data, likelihood: Likelihood, seed: int) -> tuple[Record, np.ndarray, float]:
        """A posterior, its test quantities (draws, Q) and the smallest ESS; longer where the chains are slow.

        The draws of several regions are a mixture with shares p_g: 1 / ESS = sum_g p_g^2 / ESS_g.
        """
        settings = {"sampler": "nuts"} | self.settings
        compiled = self._compiled_over(likelihood)
        for run in range(RUNS):
            dt = sample(
                self.spec, data, compiled=compiled, seed=seed, cores=1, log_likelihood=False, progress=False, **settings
            )
            record = Record.of(dt)
            regions = parts(record)
            values = [self._values(part.posterior, likelihood) for part in regions]
            ess = 1 / sum(part.share**2 / smallest_ess(v) for part, v in zip(regions, values, strict=True))
            if ess >= ESS or settings["draws"] >= MOST_PER_CHAIN or run == RUNS - 1:
                break
            settings["draws"] = min(MOST_PER_CHAIN, int(settings["draws"] * min(16.0, 1.5 * ESS / ess)))
        pooled = values[0] if len(regions) == 1 else self._values(record.posterior, likelihood)
        return record, pooled.reshape(-1, len(self.names)), ess

    def _values(self, posterior: xr.Dataset, likelihood: Likelihood) -> np.ndarray:
        """The test quantities of draws, (chain, draw, Q)."""
        by_name = quantities(likelihood, stacked(posterior, likelihood), self.centres)
        return np.stack([by_name[name] for name in self.names], axis=-1).reshape(
            posterior.sizes["chain"], -1, len(by_name)
        )


def smallest_ess(draws: np.ndarray) -> float:
    """The smallest bulk ESS of (chain, draw, quantity) values, those that stand still aside."""
    moving = draws[..., np.ptp(draws, axis=(0, 1)) > 0]
    if not moving.shape[-1]:
        return float(draws.shape[0] * draws.shape[1])
    values = xr.Dataset({"value": (("chain", "draw", "quantity"), moving)})
    return float(az.ess(values, method="bulk")["value"].min())
