"""What is compared: EM's estimate, the mode of the posterior, the posterior, each fitted to the same rows.

All give probabilities of groups for the same rows. Components carry the names of the groups that they agree with most
under the *true parameters* (not the true groups of the rows that are scored), in the same way for all; where rows are
labelled the labels name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.em.fit_em import EMFit, ml_fit
from bayesmix.em.fit_starts import fit_starts
from bayesmix.em.iterations import iterate
from bayesmix.em.posterior_mode import map_fit
from bayesmix.em.starts import StartResult
from bayesmix.estep import responsibilities
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import bind
from bayesmix.model.build import graph
from bayesmix.posterior.record import stacked
from reports.em_against_mcmc import scoring
from reports.em_against_mcmc.design import Simulated

EM = {"n_starts": 20, "seed": 1}
NUTS: dict[str, Any] = {"draws": 1000, "tune": 500, "chains": 4, "n_starts": 5}
LONGER = NUTS | {"draws": 4000}
REFITS = 100
TOLERANCE = 1e-9
REFIT_TOLERANCE = 1e-7
NUMERICAL = 0.01
"""Log-likelihoods that differ by less, in nats, are those of one solution."""


@dataclass(frozen=True)
class Bench:
    """One data set with all that its contestants share."""

    spec: bm.Mixture
    case: Simulated
    compiled: CompiledModel

    @property
    def likelihood(self) -> Likelihood:
        """Over the rows that are fitted."""
        return bind(self.spec, self.case.data)

    @property
    def unseen(self) -> Likelihood:
        """Over the rows that are not."""
        return self.likelihood.rebind(self.case.new)

    def order(self, r: np.ndarray) -> np.ndarray:
        """The component that stands for each group, from responsibilities of the rows that no fit sees."""
        if self.case.data.labelled.any():
            return np.arange(r.shape[1])
        return scoring.matching(r, responsibilities(self.unseen, self.case.truth))

    def scores(self, params: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], np.ndarray]:
        """Scores on new rows and on the data's own unlabelled ones, and the order of components; means over draws."""
        new, own = (_mean(responsibilities(f, params)) for f in (self.unseen, self.likelihood))
        order, open_ = self.order(new), ~self.case.data.labelled
        new, own = new[:, order], own[open_][:, order]
        own_groups = self.case.groups[open_]
        table = scoring.reliability(new, self.case.new_groups)
        found = {
            "log_score": scoring.log_score(new, self.case.new_groups),
            "brier": scoring.brier(new, self.case.new_groups),
            "own_log_score": scoring.log_score(own, own_groups),
            "own_brier": scoring.brier(own, own_groups),
            "reliability": table.tolist(),
        }
        return found, order


def _mean(r: np.ndarray) -> np.ndarray:
    return r.mean(axis=0) if r.ndim == 3 else r


def _scalars(values: Mapping[str, np.ndarray], order: np.ndarray) -> np.ndarray:
    """The weight of group a, the means of a and b, (..., 3)."""
    return np.concatenate([values["weights"][..., order[:1]], values["means"][..., order, 0]], axis=-1)


def truth(bench: Bench) -> dict[str, Any]:
    """The scores of the true parameters: nobody can expect better."""
    found, _ = bench.scores(bench.case.truth)
    return found | {"parameters": _scalars(bench.case.truth, np.arange(2)).tolist()}


def _point(bench: Bench, fit: EMFit) -> tuple[dict[str, Any], np.ndarray]:
    found, order = bench.scores(_arrays(fit.params, bench.likelihood))
    estimate = _scalars(_arrays(fit.params, bench.likelihood), order)
    error = _scalars(_arrays(fit.standard_errors, bench.likelihood), order)
    return found | {"ends": scoring.normal_ends(estimate, error).tolist()}, order


def _arrays(dataset: xr.Dataset, likelihood: Likelihood) -> dict[str, np.ndarray]:
    return {v: dataset[v].to_numpy() for v in likelihood.parameter_names}


def em(bench: Bench, rng: np.random.Generator, *, bootstrap: bool) -> tuple[dict[str, Any], list[StartResult]]:
    """Maximum likelihood from 20 starts, how the starts ended, bootstrap intervals where asked for; EM's results."""
    results = fit_starts(bench.likelihood, **EM)
    fit = ml_fit(bench.likelihood, results)
    found, order = _point(bench, fit)
    found |= starts(
        results, iterate(bench.likelihood, "truth", bench.case.truth, max_iter=2000, tolerance=TOLERANCE), fit
    )
    found["first_log_score"] = bench.scores(results[0].params)[0]["log_score"]
    if bootstrap and not fit.degenerate:
        found["bootstrap"] = _bootstrap(bench, fit, order, rng)
    return found, results


def starts(results: list[StartResult], from_truth: StartResult, fit: EMFit) -> dict[str, Any]:
    """Where EM stops, with all its starts and with the first alone, and how each start compares with the best.

    ``kept, first``: see :func:`place`. ``spikes, worse_starts``: of the starts, how many end in a spike, and soundly
    but below the best sound end known, that from the true parameters included.
    """
    sound = [result.log_likelihood for result in (*results, from_truth) if not result.reasons]
    ends = [_end(result, max(sound, default=float("nan"))) for result in results]
    return {
        "kept": place(fit.log_likelihood, fit.degenerate, from_truth),
        "first": place(results[0].log_likelihood, bool(results[0].reasons), from_truth),
        "spikes": ends.count("spike"),
        "worse_starts": ends.count("worse"),
    }


def place(log_likelihood: float, spike: bool, from_truth: StartResult) -> str:
    """Where EM stopped: in a spike; at the solution that it reaches from the true parameters; above that; below it.

    Above: the maximum of the likelihood is elsewhere (or there is no sound solution next to the truth). Below: a better
    one is known.
    """
    if spike:
        return "spike"
    gap = np.inf if from_truth.reasons else log_likelihood - from_truth.log_likelihood
    return "truth" if abs(gap) <= NUMERICAL else "above" if gap > 0 else "below"


def _end(result: StartResult, best: float) -> str:
    return "spike" if result.reasons else "worse" if best - result.log_likelihood > NUMERICAL else "best"


def _bootstrap(bench: Bench, fit: EMFit, order: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Percentile intervals of refits from the estimate on rows drawn anew; those that end in a spike are left out."""
    n, params = len(bench.case.data), _arrays(fit.params, bench.likelihood)
    reference = responsibilities(bench.unseen, params)[:, order]
    values = []
    for _ in range(REFITS):
        drawn = np.bincount(rng.integers(n, size=n), minlength=n).astype(float)
        likelihood = bench.likelihood.rebind(bench.case.data.with_row_weights(drawn))
        result = iterate(likelihood, "refit", params, max_iter=1000, tolerance=REFIT_TOLERANCE)
        if not result.reasons:
            own = scoring.matching(responsibilities(bench.unseen, result.params), reference)
            values.append(_scalars(result.params, order if bench.case.data.labelled.any() else own))
    if len(values) < REFITS // 2:
        return {"sound": len(values)}
    return {"sound": len(values), "ends": np.quantile(values, scoring.TAILS, axis=0).T.tolist()}


def posterior_mode(bench: Bench, results: list[StartResult]) -> dict[str, Any]:
    """The MAP estimate under the posterior's own priors; an error of the fit is recorded."""
    try:
        fit = map_fit(bench.compiled, graph(bench.likelihood), results)
    except RuntimeError as error:
        return {"error": str(error)}
    return _point(bench, fit)[0]


def posterior(
    bench: Bench, results: list[StartResult], *, seed: int, settings: Mapping[str, int] = NUTS
) -> dict[str, Any]:
    """The posterior by NUTS as a user runs it, with what its diagnostics say; an error of the fit is recorded."""
    try:
        dt = bm.sample(
            bench.spec,
            bench.case.data,
            compiled=bench.compiled,
            start_results=results,
            seed=seed,
            cores=1,
            log_likelihood=False,
            progress=False,
            sampler="nuts",
            **settings,
        )
    except (RuntimeError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    draws = stacked(dt["posterior"].to_dataset(), bench.likelihood)
    found, order = bench.scores(draws)
    ends = np.quantile(_scalars(draws, order), scoring.TAILS, axis=0).T
    regions = len(np.unique(dt["sample_stats"]["region"]))
    check = bm.diagnose(dt)
    problems = [problem.name for problem in (*check.problems, *check.limits)]
    return found | {"ends": ends.tolist(), "problems": problems, "regions": regions}
