"""Everything that a report is about, fitted once: EM, MAP, NUTS, diagnostics, comparison, LOO, replicated data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.checks.compare import Comparison, compare, matched
from bayesmix.checks.diagnose import Diagnostics, diagnose
from bayesmix.checks.prior import PriorPredictive, prior_data_sets
from bayesmix.checks.scores import score_table
from bayesmix.em.fit_em import EMFit, fit_em, ml_fit
from bayesmix.em.fit_starts import Manner, fit_starts
from bayesmix.em.posterior_mode import map_fit
from bayesmix.em.starts import StartResult
from bayesmix.gallery.read import GalleryModel
from bayesmix.inputs import errors
from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import N_STARTS
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import exchange_groups, resolved
from bayesmix.posterior.leave_one_out import loo
from bayesmix.posterior.record import Record
from bayesmix.posterior.responsibilities import open_rows, replicate, responsibilities, summary_of
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.outliers import LISTED_OUTLIERS, outliers_of

PARTIAL_STARTS = 10
SAMPLER_STARTS = {"n_starts": N_STARTS, "seed": 1}
"""What :func:`bayesmix.sample` starts from where it is not told."""

type Say = Callable[[str], None]


@dataclass(frozen=True)
class Fits:
    """One model, its fits, and what follows from them.

    ``map`` may be missing. ``hard``: EM with hard assignment, where the model asks for it. ``command``: how to run it
    again. ``labelled_alone``: EM on the labelled rows alone, for semi-supervised data where they suffice;
    ``labelled_problem`` says why they do not.
    """

    model: GalleryModel
    record: Record
    em: EMFit
    map: EMFit | None
    check: Diagnostics
    comparison: Comparison
    loo: xr.Dataset | None
    replicates: np.ndarray | None
    hard: EMFit | None
    labelled_alone: EMFit | None
    labelled_problem: str
    command: str

    @property
    def data(self) -> Data:
        """The rows."""
        return self.em.data

    @property
    def dt(self) -> xr.DataTree:
        """The posterior."""
        return self.record.dt

    @property
    def likelihood(self) -> Likelihood:
        """Of the mixture, over the rows."""
        return self.record.likelihood

    @cached_property
    def prior_data_sets(self) -> PriorPredictive | str:
        """Data sets from the prior, or why they are not defined."""
        try:
            return prior_data_sets(self.likelihood, seed=int(self.dt.attrs["seed"]))
        except ValueError as error:
            return str(error)

    @property
    def all_known(self) -> bool:
        """Whether labels settle the component of every row, so that there is nothing to score."""
        return bool(self.data.known.all())

    @property
    def semi_supervised(self) -> bool:
        """Whether some rows are labelled and some are not."""
        return bool(self.data.labelled.any()) and not self.data.labelled.all()

    @cached_property
    def fitted(self) -> Fitted:
        """The posterior as questions about rows see it."""
        return Fitted.of(self.record)

    @cached_property
    def outliers(self) -> pd.DataFrame:
        """The least dense rows."""
        return outliers_of(self.fitted, min(LISTED_OUTLIERS, len(self.data)))

    @cached_property
    def open_rows(self) -> np.ndarray:
        """(n,) bool: rows that can belong to more than one component."""
        return open_rows(self.likelihood, self.em.arrays)


def silent(_: str) -> None:
    """Say nothing."""


def aloud(step: str) -> None:
    """Say it to a person who waits, apart from what a program prints."""
    errors.say(step, err=True)


def run(model: GalleryModel, sampler: dict[str, Any], em: dict[str, Any], *, command: str, progress: bool) -> Fits:
    """Fit a model by EM, MAP and NUTS, on one compiled model and, where the settings agree, from the same starts."""
    from bayesmix.compiled.log_posterior import CompiledModel
    from bayesmix.model.build import graph, model_of
    from bayesmix.sampling.sample import sample

    say = aloud if progress else silent
    likelihood = resolved(model.spec, model.data)
    parts = graph(likelihood)
    say(f"{model.name}: EM")
    soft = softly(em)
    by_likelihood, by_posterior = _from_starts(likelihood, soft)
    point = ml_fit(likelihood, by_likelihood)
    say(f"{model.name}: compiling the model")
    compiled = CompiledModel(model_of(parts))
    say(f"{model.name}: the posterior's mode")
    mode = map_fit(compiled, parts, by_posterior)
    say(f"{model.name}: sampling")
    same = soft == {name: sampler.get(name, default) for name, default in SAMPLER_STARTS.items()}
    start_results = by_posterior if same else None
    dt = sample(
        likelihood.spec, likelihood.data, compiled=compiled, start_results=start_results, progress=progress, **sampler
    )
    return examine(model, Record.of(dt), point, mode, em_settings=em, command=command, say=say)


def _from_starts(likelihood: Likelihood, em: dict[str, Any]) -> tuple[list[StartResult], list[StartResult]]:
    """EM from its starts, told apart as the likelihood does and as the posterior does.

    They are the same where the priors leave the same labels exchangeable as the evidence does.
    """
    groups = exchange_groups(likelihood)
    by_likelihood = fit_starts(likelihood, manner=Manner(trace=True), **em)
    if len(np.unique(groups)) == len(np.unique(likelihood.exchangeable)):
        return by_likelihood, by_likelihood
    return by_likelihood, fit_starts(likelihood, groups=groups, **em)


def softly(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of EM with soft assignment: hard assignment stands beside it in a report, not in its place."""
    return {name: value for name, value in settings.items() if name != "assignment"}


def examine(
    model: GalleryModel,
    record: Record,
    em: EMFit,
    mode: EMFit | None,
    *,
    em_settings: dict[str, Any],
    command: str,
    say: Say = silent,
) -> Fits:
    """What follows from the fits: diagnostics, comparison, LOO, replicated data, the labelled rows alone."""
    say(f"{model.name}: diagnostics, comparison, leave-one-out, predictive checks")
    weighted = em.data.weighted
    soft, hard = softly(em_settings), em_settings.get("assignment") == "hard"
    alone, problem = _labelled_alone(em, soft)
    return Fits(
        model=model,
        record=record,
        em=em,
        map=mode,
        check=diagnose(record),
        comparison=compare(em, record, map_fit=mode),
        loo=None if weighted else _leave_one_out(record),
        replicates=None if weighted else replicate(record),
        hard=fit_em(em.spec, em.data, assignment="hard", **soft) if hard else None,
        labelled_alone=alone,
        labelled_problem=problem,
        command=command,
    )


def _leave_one_out(record: Record) -> xr.Dataset:
    """LOO without ArviZ' warnings: the report names the rows that they are about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return loo(record)


def _labelled_alone(em: EMFit, settings: dict[str, Any]) -> tuple[EMFit | None, str]:
    """EM on the labelled rows alone, where some rows are labelled and some are not; else why there is none."""
    labelled = em.data.labelled
    if not labelled.any() or labelled.all():
        return None, ""
    try:
        fit = fit_em(em.spec, em.data.take(labelled), **(settings | {"n_starts": PARTIAL_STARTS}))
    except ValueError as error:
        return None, str(error)
    return fit, "; ".join(fit.reasons)


def scores_with_and_without(fits: Fits) -> pd.DataFrame:
    """Scores of EM on the labelled rows alone, of EM and of the posterior on all rows, where no label was seen."""
    rows = fits.model.test if fits.model.test is not None else fits.data.take(~fits.data.labelled).without_labels()
    if fits.labelled_alone is None:
        return pd.DataFrame()
    summary = summary_of(fits.record, data=rows)[0]["mean"].to_numpy()
    r = {
        "EM, labelled rows alone": responsibilities(fits.labelled_alone, data=rows).to_numpy(),
        "EM, all rows": responsibilities(fits.comparison.em, data=rows).to_numpy(),
        "Posterior mean, all rows": summary,
    }
    return score_table(r, rows, fits.likelihood.components)


def aligned(fits: Fits, fit: EMFit | None) -> EMFit | None:
    """Another estimate, such as MAP, with its components in the posterior's order."""
    if fit is None:
        return None
    rows = fits.comparison.responsibilities
    return matched(fit, np.column_stack([rows[f"mean[{k}]"] for k in fits.likelihood.components]))
