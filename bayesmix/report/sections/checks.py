"""Does the model describe the data? Predictive checks and leave-one-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.checks.misfit import DRAWS, MISFIT_LEVEL
from bayesmix.multimodality.thresholds import PARETO_K
from bayesmix.report.blocks import Block, Heading, Notice, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import Column, table
from bayesmix.report.text import fixed, p_value, plural, significant, whole

EXTREME = 0.01
WORST_ROWS = 5
MANY_EFFECTIVE = 1.1
"""So many effective parameters for each that there is are worth a word."""


def predictive(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Replicated data beside the data."""
    title = "Posterior predictive check"
    if fits.replicates is None:
        text = "Rows carry weights, for which replicated data are not defined: there is no predictive check."
        return Section("predictive", title, [Paragraph(text, "lead")])
    statistics = summary["ppc"]
    odd = [name for name, row in statistics.items() if min(row["p_value"], 1 - row["p_value"]) < EXTREME]
    lead = (
        f"If the model is right, the data look like one more of {len(fits.replicates)} data sets simulated from the "
        "posterior. "
        + (
            f"{plural(len(odd), 'statistic lies', 'statistics lie')} outside 98% of them: {', '.join(odd)}."
            if odd
            else "All statistics below lie within the middle 98% of them."
        )
    )
    blocks: list[Block] = [Paragraph(lead, "lead")]
    if "zeros" in statistics:
        blocks.append(_zeros(statistics["zeros"]))
    blocks += [
        *figures(fits, summary, "predictive"),
        _table(statistics, len(fits.replicates)),
        Heading("Draw by draw"),
        _measures(summary),
    ]
    return Section("predictive", title, blocks)


def _zeros(row: Mapping[str, Any]) -> Paragraph:
    middle = f"90% of them between {whole(row['lower'])} and {whole(row['upper'])}"
    return Paragraph(
        f"Number of zeros: {whole(row['observed'])} observed; replicated data have {fixed(row['mean'], 1)} on average, "
        f"{middle} (predictive p-value {fixed(row['p_value'], 3)})."
    )


def _table(statistics: Mapping[str, Any], replicates: int) -> Table:
    columns: list[Column] = [
        ("Statistic", lambda row: row["name"]),
        ("Observed", lambda row: significant(row["observed"], 4)),
        ("Replicated, mean", lambda row: significant(row["mean"], 4)),
        ("90% of replicated", lambda row: f"{significant(row['lower'], 4)} to {significant(row['upper'], 4)}"),
        ("p-value", lambda row: p_value(row["p_value"], replicates, 3)),
    ]
    caption = (
        "p-value: the share of replicated data sets with a larger value (ties half); near 0 or 1 the model misses it."
    )
    return table(({"name": name, **row} for name, row in statistics.items()), columns, caption)


def _measures(summary: Mapping[str, Any]) -> Table:
    """What the second line of the verdict rests on."""
    rows = [
        [name, p_value(p, DRAWS, 4), "refutes the model" if p <= MISFIT_LEVEL else ""]
        for name, p in summary["model_check"].items()
    ]
    caption = (
        "The data held against data that each draw of the parameters makes, by residuals within components and parts: "
        f"p is the share of draws whose data are as extreme; at {MISFIT_LEVEL:g} or less the model is refuted."
    )
    return Table(("Measure", "p-value", ""), rows, (False, True, False), caption)


def leave_one_out(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """LOO with Pareto k."""
    title = "Leave-one-out"
    if fits.loo is None:
        text = "Rows carry weights, for which leaving one out is not defined here."
        return Section("loo", title, [Paragraph(text, "lead")])
    loo = summary["loo"]
    lead = (
        f"Expected log density of new rows: elpd {fixed(loo['elpd'], 2)} (standard error {fixed(loo['se'], 2)}); "
        f"effective number of parameters {fixed(loo['p'], 1)} of {fits.likelihood.n_parameters}."
    )
    if loo["p"] > MANY_EFFECTIVE * fits.likelihood.n_parameters:
        lead += " More than there are: some rows are not what the model expects."
    if fits.data.labelled.any():
        lead += " It is that of measurements and labels together: compare it only between fits with the same labels."
    blocks: list[Block] = [Paragraph(lead, "lead")]
    if loo["pareto_k_bad"]:
        count = plural(loo["pareto_k_bad"], "row has", "rows have")
        text = f"{count} a Pareto k above {PARETO_K}: elpd is unreliable there."
        blocks.append(Notice("note", "Some rows are too influential", text))
    blocks += [*figures(fits, summary, "pareto_k"), Heading("The rows hardest to leave out"), _worst(fits)]
    return Section("loo", title, blocks)


def _worst(fits: Fits) -> Table:
    assert fits.loo is not None
    k, elpd = fits.loo["pareto_k"].to_numpy(), fits.loo["elpd"].to_numpy()
    first = ~pd.DataFrame(np.column_stack([fits.data.x, k, elpd])).duplicated().to_numpy()
    worst = [i for i in np.argsort(-k, kind="stable") if first[i]][:WORST_ROWS]
    rows = [[fits.data.obs_names[i], fixed(k[i], 2), fixed(elpd[i], 2)] for i in worst]
    alike = "" if first.all() else "Of rows that are alike the first."
    return Table((fits.data.id or "Row", "Pareto k", "elpd of the row"), rows, (False, True, True), alike)
