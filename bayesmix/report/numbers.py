"""summary.json: every number of a report, machine-readable. Strict JSON: what is not a finite number is null."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.checks.compare import scores_on
from bayesmix.checks.convergence import of_parameters, parts
from bayesmix.checks.distinguishing import comparable, distinguishing
from bayesmix.drawing.level import TAILS
from bayesmix.em.fit_em import EMFit
from bayesmix.mixture import scalars
from bayesmix.multimodality.table import describe_mode
from bayesmix.multimodality.thresholds import PARETO_K
from bayesmix.posterior.responsibilities import responsibilities
from bayesmix.report.checks import predictive_checks
from bayesmix.report.density import density_numbers
from bayesmix.report.fits import Fits, aligned, scores_with_and_without
from bayesmix.report.judgement import verdict_of
from bayesmix.report.priors import prior_numbers
from bayesmix.report.subject import CARD_TEXTS

AMBIGUOUS = 10


def summarize(fits: Fits) -> dict[str, Any]:
    """The summary, with the expectations judged and ``verdict`` in words."""
    summary = {
        "model": _model(fits),
        "em": _em(fits.comparison.em) | {"starts": _records(fits.em.starts.loc[:, :"chosen"])},
        "map": _map(fits),
        "hard": _hard(fits),
        "posterior": _posterior(fits),
        "modes": _modes(fits),
        "distinguishing": _records(distinguishing(fits.record)) if comparable(fits.likelihood) else [],
        "comparison": _comparison(fits),
        "scores": {} if fits.all_known else _table(fits.comparison.scores),
        "test": {} if fits.model.test is None else _table(scores_on(fits.comparison.em, fits.record, fits.model.test)),
        "expected_error": {name: error.to_dict() for name, error in fits.comparison.errors.items()},
        **density_numbers(fits),
        "loo": _loo(fits),
        "model_check": {str(name): float(p) for name, p in fits.check.model.measures.get("p_value", {}).items()},
        "prior": prior_numbers(fits),
        "ppc": {} if fits.replicates is None else predictive_checks(fits.likelihood, fits.replicates),
        "unlabelled": _unlabelled(fits),
        "settings": json.loads(fits.dt.attrs["settings"]),
        "versions": json.loads(fits.dt.attrs["versions"]),
        "seed": int(fits.dt.attrs["seed"]),
        "date": date.today().isoformat(),
        "command": fits.command,
    }
    summary = clean(summary)
    summary["expectations"] = [clean(expectation.judge(summary)) for expectation in fits.model.expectations]
    return {"model": summary.pop("model"), "verdict": clean(verdict_of(fits, summary)), **summary}


def clean(value: Any) -> Any:
    """Plain Python for strict JSON: NumPy's numbers become Python's, NaN and infinities null."""
    if isinstance(value, Mapping):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Iterable):
        return [clean(v) for v in value]
    raise TypeError(f"summary: {value!r} cannot be written as JSON")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _table(table: pd.DataFrame) -> dict[str, Any]:
    return {str(name): row.to_dict() for name, row in table.iterrows()}


def _model(fits: Fits) -> dict[str, Any]:
    data, model = fits.data, fits.model
    return {
        **{text: getattr(model, text) for text in CARD_TEXTS},
        "title": model.title or model.name,
        "family": fits.em.spec.family,
        "n_components": fits.em.spec.n_components,
        "components": fits.likelihood.components,
        "spec": fits.em.spec.to_dict(),
        "n": len(data),
        "n_test": 0 if model.test is None else len(model.test),
        "columns": data.feature_names,
        "covariates": list(fits.likelihood.covariates),
        "classes": data.classes,
        "labelled": int(data.labelled.sum()),
        "known": int(fits.data.known.sum()),
        "weighted": data.weighted,
        "missing_cells": int(np.isnan(data.x).sum()),
        "dropped": data.dropped,
        "n_parameters": fits.likelihood.n_parameters,
    }


def _estimates(fit: EMFit) -> dict[str, dict[str, float]]:
    likelihood = fit.likelihood
    values = scalars.of_estimate(likelihood, fit.params, derived=True)
    errors = scalars.of_estimate(likelihood, fit.standard_errors, derived=True)
    return {name: {"estimate": value, "se": errors[name]} for name, value in values.items()}


def _em(fit: EMFit) -> dict[str, Any]:
    """What every EM fit says of itself."""
    said = ("log_likelihood", "aic", "bic", "n_iter", "converged", "degenerate", "reasons")
    return {v: getattr(fit, v) for v in said} | {"n_starts": len(fit.starts), "parameters": _estimates(fit)}


def _map(fits: Fits) -> dict[str, Any]:
    fit = aligned(fits, fits.map)
    if fit is None:
        return {}
    said = ("log_posterior", "log_likelihood", "converged")
    return {v: getattr(fit, v) for v in said} | {"parameters": _estimates(fit)}


def _hard(fits: Fits) -> dict[str, Any]:
    """EM with hard assignment, where there is one, and how its groups differ from those of soft EM."""
    fit = aligned(fits, fits.hard)
    if fit is None:
        return {}
    z = [responsibilities(of).to_numpy().argmax(axis=1) for of in (fit, fits.comparison.em)]
    return {
        "classification_log_likelihood": fit.log_likelihood,
        **{v: getattr(fit, v) for v in ("n_iter", "converged", "reasons")},
        "moved": int((z[0] != z[1]).sum()),
        "parameters": scalars.of_estimate(fits.likelihood, fit.params, derived=True),
    }


def _posterior(fits: Fits) -> dict[str, Any]:
    draws = scalars.of_posterior(fits.likelihood, fits.record.posterior, derived=True)
    table = of_parameters(fits.record, parts(fits.record), derived=True)
    table = table.loc[draws["scalar"].to_numpy()]
    flat = draws.stack(sample=("chain", "draw")).transpose("scalar", "sample").to_numpy()
    ends = {"lower": TAILS[0], "upper": TAILS[1], "lower99": 0.005, "upper99": 0.995}
    for name, value in zip(ends, np.quantile(flat, list(ends.values()), axis=1), strict=True):
        table[name] = value
    free = fits.check.parameters
    return {
        "parameters": _table(table),
        "invariants": _table(fits.check.invariants),
        "max_r_hat": free["r_hat"].max(),
        "min_ess_bulk": free["ess_bulk"].min(),
        "min_ess_tail": free["ess_tail"].min(),
        "chain_groups": fits.check.chain_groups,
        **fits.check.sampler,
    }


def _modes(fits: Fits) -> list[dict[str, Any]]:
    modes = fits.dt["modes"].to_dataset()
    columns = ("log_posterior", "laplace", "reached", "region", "mass", "mass_error", "established")
    rows = []
    for i in range(modes.sizes["mode"]):
        one: xr.Dataset = modes.isel(mode=i)
        row = {name: one[name].item() for name in columns}
        starts = [c for c, m in enumerate(modes["chain_start"].to_numpy()) if m == int(one["mode"])]
        rows.append(
            row | {"established": bool(row["established"]), "chains": starts, "description": describe_mode(one)}
        )
    return rows


def _comparison(fits: Fits) -> dict[str, Any]:
    comparison = fits.comparison
    columns = ["em_component", "posterior_component", "entropy"]
    ambiguous = comparison.ambiguous(AMBIGUOUS)
    return {
        "parameters": _table(comparison.parameters),
        "flips": len(comparison.flips),
        "flipped_rows": list(comparison.flips.index[:1000]),
        "ambiguous": {str(row): entry for row, entry in _table(ambiguous[columns]).items()},
        "largest_difference": _largest_difference(comparison.parameters),
    }


def _largest_difference(table: pd.DataFrame) -> dict[str, Any]:
    """The scalar whose EM estimate lies farthest from the posterior mean, in posterior standard deviations."""
    z = ((table["em"] - table["mean"]) / table["sd"]).dropna()
    if z.empty:
        return {}
    worst = int(np.argmax(np.abs(z)))
    return {"parameter": z.index[worst], "sds": z.iloc[worst]}


def _loo(fits: Fits) -> dict[str, Any]:
    if fits.loo is None:
        return {}
    elpd, k = fits.loo["elpd"].to_numpy(), fits.loo["pareto_k"].to_numpy()
    return {
        "elpd": elpd.sum(),
        "se": np.sqrt(len(elpd) * elpd.var()),
        "p": fits.loo["p"].to_numpy().sum(),
        "pareto_k_max": k.max(),
        "pareto_k_bad": int((k > PARETO_K).sum()),
    }


def _unlabelled(fits: Fits) -> dict[str, Any]:
    """What the unlabelled rows add; empty where all rows are labelled, or none."""
    if not fits.semi_supervised:
        return {}
    alone = fits.labelled_alone
    return {
        "n_labelled": int(fits.data.labelled.sum()),
        "problem": fits.labelled_problem,
        "labelled_alone": {} if alone is None else _em(alone),
        "scores": _table(scores_with_and_without(fits)),
    }
