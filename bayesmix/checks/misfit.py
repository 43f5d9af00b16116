"""Does the model describe the data? Realized discrepancies beside replicated ones, and what leaving rows out says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix import estep
from bayesmix.checks.columns import ColumnsDiscrepancies
from bayesmix.checks.problems import Problem
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.discrepancies import Discrepancies, Measure
from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.multimodality.thresholds import PARETO_K
from bayesmix.parts.part import Params
from bayesmix.posterior.leave_one_out import tail_size
from bayesmix.posterior.record import Record

MISFIT_LEVEL = 0.005
"""A model is refuted by a measure that so small a share of replicated data sets reaches."""
LOO_ROWS = 1000
P_LOO, INFLUENTIAL = 3.0, 0.05
"""A model is refuted by so many effective parameters for each that it has; by half as many where so large a share of
the rows are too influential to be left out (Pareto k above ``PARETO_K``)."""
DRAWS, ROWS, NUMBERS = 2000, 2000, 2_000_000
"""Draws and rows that are looked at, and how many numbers are held at once."""


@dataclass(frozen=True, eq=False)
class ModelCheck:
    """What the data say of the model.

    Attributes
    ----------
    misfits : tuple of Problem
        What refutes the model; empty where nothing does.
    measures : DataFrame
        One row per measure that can differ between data sets (dependence cannot in one column): ``p_value``, the share
        of draws whose replicated data are at least as extreme.
    undefined : str
        Why nothing can be said, in words; empty where something is.
    """

    misfits: tuple[Problem, ...]
    measures: pd.DataFrame
    undefined: str = ""

    @property
    def ok(self) -> bool | None:
        """True where nothing refutes the model, None where that is not defined."""
        return None if self.undefined else not self.misfits

    @property
    def verdict(self) -> str:
        """In plain words."""
        if self.undefined:
            return f"Whether the model describes the data was not looked at: {self.undefined}."
        if self.misfits:
            return "The data refute the model. " + " ".join(str(misfit) for misfit in self.misfits)
        held = f"Held against data that it makes: {', '.join(self.measures.index)}. " if len(self.measures) else ""
        return f"Nothing in the data refutes the model. {held}Nor do single rows matter too much."


NOT_ASKED = ModelCheck((), pd.DataFrame(), "it was not asked")


def discrepancies_of(likelihood: Likelihood) -> Discrepancies:
    """The measures of a family's facet ``misfit``, or those of independent columns."""
    module = facet(likelihood.name, "misfit")
    return ColumnsDiscrepancies(likelihood.family.observation) if module is None else module.DISCREPANCIES


def check_model(record: Record) -> ModelCheck:
    """Hold the data against data that the model makes, draw by draw (Gelman, Meng and Stern 1996).

    Of at most 2,000 draws and 2,000 rows, evenly spaced, and with a fixed seed. A measure refutes the model where at
    most five replicated data sets in a thousand are as extreme: these p-values are too large rather than too small,
    for the parameters were fitted to the rows. So does an effective number of parameters, by leaving rows out, far
    above the number that the model has.

    Parameters
    ----------
    record
        A posterior that was read.

    Returns
    -------
    ModelCheck
    """
    likelihood = record.likelihood
    if likelihood.data.weighted:
        return ModelCheck((), pd.DataFrame(), "rows carry weights, for which replicated data are not defined")
    some = likelihood.evenly(ROWS)
    params = record.params
    own = discrepancies_of(likelihood)
    p = _p_values(own, some, params)
    asked = [(measure, float(value)) for measure, value in zip(own.measures, p, strict=True) if np.isfinite(value)]
    names = pd.Index([measure.name for measure, _ in asked], name="measure", dtype=str)
    table = pd.DataFrame({"p_value": [value for _, value in asked]}, index=names)
    problems = [
        Problem(measure.name, value, MISFIT_LEVEL, _in_words(measure, value), measure.advice)
        for measure, value in asked
        if value <= MISFIT_LEVEL
    ]
    return ModelCheck((*problems, *_influence(record)), table)


def _in_words(measure: Measure, p: float) -> str:
    shown = f"p = {p:.2g}" if p > 0 else f"p < {1 / DRAWS:g}"
    return f"{measure.meaning.removesuffix('.')} ({shown})."


def _influence(record: Record) -> list[Problem]:
    """Whether single rows move the posterior more than rows of this model do."""
    likelihood, rows = record.likelihood, record.likelihood.evenly(LOO_ROWS)
    elpd, k, known = estep.leave_one_out(estep.pointwise(rows, record.params), tail_size(record.posterior))
    p = float((known - elpd).sum()) * len(likelihood.data) / len(rows.data)
    influential = float((k > PARETO_K).mean())
    most = P_LOO * likelihood.n_parameters / (2 if influential > INFLUENTIAL else 1)
    if not p > most:
        return []
    message = (
        f"Single rows matter too much: {p:.1f} effective parameters, of {likelihood.n_parameters} that there are, and "
        f"{influential:.1%} of the rows with a Pareto k above {PARETO_K}."
    )
    return [Problem("influence", p, most, message, "Look at the rows hardest to leave out; try heavier tails.")]


def _p_values(own: Discrepancies, likelihood: Likelihood, params: Params) -> np.ndarray:
    """The share of draws whose replicated data are at least as extreme as the rows, ties counted half; (measures,).

    NaN where all are the same in every draw: there is nothing to measure.
    """
    rng, size = np.random.default_rng(1), len(next(iter(params.values())))
    draws = evenly(size, DRAWS) if size >= DRAWS else np.arange(DRAWS) % size
    step = max(1, NUMBERS // (len(likelihood.data) * (likelihood.data.n_features + len(likelihood.components))))
    total, alike = np.zeros((2, len(own.measures)))
    for first in range(0, DRAWS, step):
        some = {v: a[draws[first : first + step]] for v, a in params.items()}
        here, new = own.compare(likelihood, some, rng)
        ties = (new == here).sum(axis=0)
        total += (new > here).sum(axis=0) + 0.5 * ties
        alike += ties
    return np.where(alike == DRAWS, np.nan, total / DRAWS)
