"""The data: where they come from, how many, what is known of their groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bayesmix.inputs.covariates import as_levels, decoded
from bayesmix.report.blocks import Block, Inline, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.links import with_links
from bayesmix.report.text import decimals_for, fixed, plural, whole

MOST_COUNTED = 12
"""Answers of a column that are counted one by one."""


def data(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Source, columns, labels, a picture."""
    rows = fits.data
    held_out = (
        f", and {plural(summary['model']['n_test'], 'row')} held out for scoring" if fits.model.test is not None else ""
    )
    counted = fits.family.family.observation
    shape = f"{plural(len(rows), 'row')} of {plural(rows.n_features, counted)}{held_out}."
    blocks: list[Block] = [Paragraph(shape, "lead")]
    if fits.model.source:
        blocks.append(Paragraph(Markup("<strong>Source.</strong> {}").format(with_links(fits.model.source))))
    blocks.append(_answers(fits) if all(rows.levels) else _columns(fits))
    if rows.labelled.any():
        blocks.append(_labels(fits))
    if rows.weighted:
        v = rows.row_weights
        text = f"Rows carry weights from {v.min():.3g} to {v.max():.3g} that sum to {v.sum():.6g}."
        blocks.append(Paragraph(text))
    return Section("data", "The data", [*blocks, *figures(fits, summary, "data")])


def _columns(fits: Fits) -> Table:
    rows = [_column(name, x) for name, x in zip(fits.data.feature_names, fits.data.x.T, strict=True)]
    rows += [_column(name, fits.data.covariates[name]) for name in fits.family.covariates]
    if fits.family.covariates:
        n, observed = fits.data.n_features, fits.family.family.observation.capitalize()
        rows = [[f"{observed}s"], *rows[:n], ["Covariates"], *rows[n:]]
    heads = ["Column", "Mean", "SD", "Smallest", "Median", "Largest", "Values"]
    numeric = [False, True, True, True, True, True, False]
    caption = "The columns that enter the model."
    if all(row[-1] == "" for row in rows if len(row) > 1):
        return Table(heads[:-1], [row[:6] for row in rows], numeric[:-1], caption)
    return Table(heads, rows, numeric, caption)


def _answers(fits: Fits) -> Table:
    """Columns of levels: how many rows give each answer, and how many none."""
    rows: list[Sequence[Inline]] = []
    for name, x, levels in zip(fits.data.feature_names, fits.data.x.T, fits.data.levels, strict=True):
        given = decoded(x, levels).value_counts(sort=False)
        answers = [f"{level} ({n:,})" for level, n in given.items()]
        left = len(answers) - MOST_COUNTED
        answers = [*answers[:MOST_COUNTED], *([f"and {left} more"] if left > 0 else [])]
        rows.append([name, whole(len(levels)), ", ".join(answers), whole(int(np.isnan(x).sum()))])
    heads = ("Column", "Levels", "Answers, with their rows", "No answer")
    return Table(heads, rows, (False, True, False, True), "The columns that enter the model.")


def _column(name: str, values: Any) -> Sequence[Inline]:
    if not pd.api.types.is_numeric_dtype(values):
        kinds = as_levels(values).value_counts()
        return [name, *[""] * 5, ", ".join(f"{k} ({n})" for k, n in kinds.head(6).items())]
    x = np.asarray(values, dtype=float)
    decimals = decimals_for(x.std(), 3)
    found = (x.mean(), x.std(), x.min(), np.median(x), x.max())
    return [name, *(fixed(v, decimals) for v in found), ""]


def _labels(fits: Fits) -> Table:
    """How many rows may be of each component, and of how many that is known."""
    evidence, labelled = fits.family.evidence, fits.data.labelled
    alone = labelled & fits.data.known
    rows = [
        [name, whole(int((alone & (evidence[:, k] > -np.inf)).sum()))] for k, name in enumerate(fits.family.components)
    ]
    several = int((labelled & ~fits.data.known).sum())
    rows += [["several classes possible, or probabilities", whole(several)]] if several else []
    rows += [["no label", whole(int((~labelled).sum()))]]
    return Table(("Label", "Rows"), rows, (False, True), "What is known beforehand of the rows' groups.")
