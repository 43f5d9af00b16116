"""The data: where they come from, how many, what is known of their groups, which cells are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from bayesmix.inputs.covariates import as_levels, decoded
from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import patterns
from bayesmix.report.blocks import Block, Inline, Notice, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.links import with_links
from bayesmix.report.text import decimals_for, fixed, listed, percent, plural, whole

MOST_PATTERNS = 8
AT_RANDOM = (
    "The likelihood of a row is that of the cells that were observed; the others are summed out, and no value is "
    "filled in. This is right where cells are missing at random: whether a cell is missing may depend on what was "
    "observed of its row, but, given that, neither on the value that it would have had nor on the row's group. The "
    "data cannot tell whether that holds. It does not where, for example, large values were less often recorded than "
    "small ones."
)
COMPLETELY = (
    "What is left is a fair sample of all rows only where cells are missing completely at random: for reasons that "
    'have nothing to do with any value, observed or not. With missing = "model" the rows are kept, where the family '
    "can sum their gaps out."
)

MOST_COUNTED = 12
"""Answers of a column that are counted one by one."""


def data(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Source, columns, labels, a picture."""
    rows = fits.data
    held_out = (
        f", and {plural(summary['model']['n_test'], 'row')} held out for scoring" if fits.model.test is not None else ""
    )
    counted = fits.likelihood.family.observation
    shape = f"{plural(len(rows), 'row')} of {plural(rows.n_features, counted)}{held_out}."
    blocks: list[Block] = [Paragraph(shape, "lead")]
    if fits.model.source:
        blocks.append(Paragraph(Markup("<strong>Source.</strong> {}").format(with_links(fits.model.source))))
    if rows.read_as:
        blocks.append(Paragraph(rows.read_as))
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
    rows += [_column(name, fits.data.covariates[name]) for name in fits.likelihood.covariates]
    if fits.likelihood.covariates:
        n, observed = fits.data.n_features, fits.likelihood.family.observation.capitalize()
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
    x = x[~np.isnan(x)]
    decimals = decimals_for(x.std(), 3)
    statistics = (x.mean(), x.std(), x.min(), np.median(x), x.max())
    return [name, *(fixed(v, decimals) for v in statistics), ""]


def _labels(fits: Fits) -> Table:
    """How many rows may be of each component, and of how many that is known."""
    evidence, labelled = fits.likelihood.evidence, fits.data.labelled
    alone = labelled & fits.data.known
    rows = [
        [name, whole(int((alone & (evidence[:, k] > -np.inf)).sum()))]
        for k, name in enumerate(fits.likelihood.components)
    ]
    several = int((labelled & ~fits.data.known).sum())
    rows += [["several classes possible, or probabilities", whole(several)]] if several else []
    rows += [["no label", whole(int((~labelled).sum()))]]
    return Table(("Label", "Rows"), rows, (False, True), "What is known beforehand of the rows' groups.")


def gaps(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Counts by column, patterns, missing at random in words, the missing cells over the data."""
    rows = fits.data
    if not (rows.gaps or rows.dropped):
        return None
    blocks: list[Block] = []
    if rows.dropped:
        left = (
            f"{plural(rows.dropped, 'row was', 'rows were')} left out for a missing cell; {whole(len(rows))} are left."
        )
        blocks += [Paragraph(left, "lead"), Notice("note", "Missing completely at random", COMPLETELY)]
    if rows.gaps:
        blocks += [Paragraph(_gaps_in_words(rows), "lead"), Notice("note", "Missing at random", AT_RANDOM)]
        blocks += [_gaps_by_column(rows), _gaps_by_pattern(rows), *figures(fits, summary, "imputed")]
    return Section("gaps", "Missing cells", blocks)


def _gaps_in_words(data: Data) -> str:
    gone = np.isnan(data.x)
    cells, share = whole(int(gone.sum())), percent(float(gone.mean()), 1)
    rows, empty = plural(int(gone.any(axis=1).sum()), "row"), int(gone.all(axis=1).sum())
    none = f"; {plural(empty, 'row has', 'rows have')} no cell at all" if empty else ""
    return f"{cells} of {whole(gone.size)} cells ({share}) are missing, in {rows} of {whole(len(data))}{none}."


def _gaps_by_column(data: Data) -> Table:
    gone = np.isnan(data.x).sum(axis=0)
    rows: list[Sequence[Inline]] = [
        [name, whole(int(n)), percent(n / len(data), 1)] for name, n in zip(data.feature_names, gone, strict=True) if n
    ]
    return Table(("Column", "Missing", "Share of the rows"), rows, (False, True, True), "Missing cells by column.")


def _gaps_by_pattern(data: Data) -> Table:
    missing_patterns = sorted(((len(rows), there) for there, rows in patterns(data.x)), key=lambda pattern: -pattern[0])
    shown: list[Sequence[Inline]] = [[_missing(data, there), whole(n)] for n, there in missing_patterns[:MOST_PATTERNS]]
    rest = missing_patterns[MOST_PATTERNS:]
    if rest:
        shown.append([f"{len(rest)} other patterns", whole(sum(n for n, _ in rest))])
    return Table(("Missing together", "Rows"), shown, (False, True), "Which cells are missing in the same rows.")


def _missing(data: Data, there: np.ndarray) -> str:
    gone = [name for j, name in enumerate(data.feature_names) if j not in there]
    return "every cell" if len(gone) == data.n_features else listed(gone, most=6) if gone else "nothing"
