"""Responsibilities with their uncertainty, and EM beside the posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.checks.compare import CLEAR_ROW
from bayesmix.inputs.data import Data
from bayesmix.report.blocks import Block, Heading, Inline, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import Column, number, parameter_table, records, score_rows, span
from bayesmix.report.text import DASH, decimals_of, fixed, interval, percent, plural, whole

LISTED_ROWS = 10
FEWEST_ROWS = 3
WIDEST_HEAD, WIDTH_OF_MORE = 48, 14
"""Letters that columns may take up beside the others of a table; a further one takes so many of them."""


def responsibilities(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """P(group | row), with intervals; the most ambiguous rows."""
    if len(fits.likelihood.components) == 1:
        return None
    title = "Which row belongs where"
    if not fits.open_rows.any():
        settled = "Every row carries a label" if fits.all_known else "No row can belong to more than one group"
        text = f"{settled}: the groups are known, and there is nothing to infer about these rows."
        return Section("responsibilities", title, [Paragraph(text, "lead")])
    lead = (
        "A responsibility is the probability that a row belongs to a group, given its values. Its posterior interval "
        "says how far that probability itself is known."
    )
    ambiguous = _distinct(fits, fits.comparison.ambiguous(len(fits.data)))
    ambiguous = ambiguous[(ambiguous["entropy"] > CLEAR_ROW) | (np.arange(len(ambiguous)) < FEWEST_ROWS)]
    blocks: list[Block] = [
        Paragraph(lead, "lead"),
        *figures(fits, summary, "responsibilities"),
        *_errors(fits, summary["expected_error"]),
        Heading("The most ambiguous rows"),
        _rows_table(fits, ambiguous, "Posterior mean responsibilities with 90% intervals, and EM's."),
    ]
    return Section("responsibilities", title, blocks)


def _errors(fits: Fits, errors: Mapping[str, Any]) -> list[Block]:
    """How often the most probable group is expected to be wrong: what belongs beside every list of groups."""
    em, posterior = errors["em"], errors["posterior"]
    open_ = "rows without a sure label" if fits.data.known.any() else "rows"
    interval_of_it = f"90% interval of this expectation {_percents(posterior)}"
    text = (
        f"Whoever puts every row into its most probable group must expect {percent(posterior['error'])} of the {open_} "
        f"to be in the wrong one ({interval_of_it}; by EM {percent(em['error'])}), if the model is "
        "right. To go on without pretending that the groups are known, draw them: bm.classes."
    )
    rows = [
        [name, whole(group["rows"]), percent(group["error"]), _percents(group), percent(em["by_group"][name]["error"])]
        for name, group in posterior["by_group"].items()
    ]
    heads = ("Put into", "Rows", "Expected to be wrong", "90% interval", "By EM")
    caption = f"Of the {open_} that are most probably in a group, the share that is expected to belong elsewhere."
    return [
        Heading("How many are in the wrong group"),
        Paragraph(text),
        Table(heads, rows, (False, *[True] * 4), caption),
    ]


def _percents(entry: Mapping[str, float]) -> str:
    return "" if entry["error"] is None else f"{percent(entry['lower'])} to {percent(entry['upper'])}"


def _rows_table(fits: Fits, table: pd.DataFrame, caption: str) -> Table:
    """Values, then for the most probable groups EM and posterior."""
    data = fits.data
    position = {name: i for i, name in enumerate(data.obs_names)}
    flips, several = bool(table["flips"].any()), bool((table["alike"] > 1).any())
    shown = _that_fit(data, WIDEST_HEAD - WIDTH_OF_MORE * (flips + several))
    decimals = [decimals_of(data.x[[position[name] for name in table.index], j]) for j in range(len(shown))]
    fewer = "" if len(shown) == len(data.feature_names) else f" The first {len(shown)} columns alone."
    rows: list[Sequence[Inline]] = []
    for name, row in records(table).items():
        cells = zip(data.x[position[name]], data.levels, decimals, strict=False)
        values = [_shown(x, levels, d) for x, levels, d in cells]
        best = row["posterior_component"]
        lower, upper = row[f"lower[{best}]"], row[f"upper[{best}]"]
        chances = [best, fixed(row[f"mean[{best}]"], 3), interval(lower, upper, 2), fixed(row[f"em[{best}]"], 3)]
        alike = [whole(row["alike"])] if several else []
        rows.append([name, *alike, *values, *chances, *([row["em_component"]] if flips else [])])
    heads = [
        data.id or "Row",
        *(["Rows alike"] if several else []),
        *shown,
        "Group",
        "Posterior",
        "90% interval",
        "EM",
        *(["EM's group"] if flips else []),
    ]
    numeric = [
        False,
        *([True] if several else []),
        *(not levels for levels in data.levels[: len(shown)]),
        False,
        True,
        True,
        True,
        *([False] if flips else []),
    ]
    return Table(
        heads,
        rows,
        numeric,
        f"{caption} Group: the most probable one under the posterior; the probabilities are its own.{fewer}",
    )


def _distinct(fits: Fits, table: pd.DataFrame) -> pd.DataFrame:
    """The first rows of a table, of rows that are alike one, with how many there are of it: ``alike``.

    Alike are rows with the same values and, by covariates and labels, the same responsibilities.
    """
    number = {name: i for i, name in enumerate(fits.data.obs_names)}
    values = pd.DataFrame(fits.data.x[[number[name] for name in table.index]], index=table.index)
    values["entropy"] = table["entropy"].round(9)
    alike = values.groupby(list(values.columns), dropna=False)["entropy"].transform("size")
    return table.assign(alike=alike)[~values.duplicated()].head(LISTED_ROWS)


def _shown(x: float, levels: Sequence[str], decimals: int) -> str:
    """A cell as it was given."""
    if np.isnan(x):
        return DASH
    return levels[int(x)] if levels else fixed(x, decimals)


def _that_fit(data: Data, room: int) -> list[str]:
    """The first columns, as many as leave room for the rest of the table."""
    names = data.feature_names
    widths = [
        max(map(len, (name, *levels))) for name, levels in zip(names, data.levels or [()] * len(names), strict=True)
    ]
    return [name for name, end in zip(names, np.cumsum(widths), strict=True) if end <= room] or list(names[:1])


def comparison(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Parameters, flips, and scores where the truth is known."""
    differences = summary["comparison"]
    blocks: list[Block] = [Paragraph(_in_words(fits, differences), "lead"), _parameters(fits)]
    blocks += figures(fits, summary, "em_against_posterior")
    if differences["flips"]:
        which = _distinct(fits, fits.comparison.flips.sort_values("entropy", ascending=False))
        count = f"{whole(which['alike'].sum())} of the {plural(differences['flips'], 'row')}."
        blocks += [Heading("Rows that change group"), _rows_table(fits, which, count)]
    blocks += _scores(fits, summary)
    return Section("comparison", "EM beside the posterior", blocks)


def _in_words(fits: Fits, differences: Mapping[str, Any]) -> str:
    text = "The same model, fitted twice: EM gives the single most likely parameters, NUTS all plausible ones."
    worst = differences["largest_difference"]
    if worst:
        far = fixed(abs(worst["sds"]), 2)
        text += f" They differ most in {worst['parameter']}, by {far} posterior standard deviations."
    n = int(fits.open_rows.sum())
    if n and differences["flips"]:
        changes = plural(differences["flips"], "row changes its", "rows change their")
        text += f" {changes} most probable group, {percent(differences['flips'] / n)} of those whose group is open."
    elif n:
        text += " No row changes its most probable group."
    return text


def _parameters(fits: Fits) -> Table:
    table = fits.comparison.parameters
    with_map = "map" in table

    columns: list[Column] = [("EM", number("em")), ("SE", number("em_se"))]
    columns += [("MAP", number("map"))] if with_map else []
    columns += [("Mean", number("mean")), ("SD", number("sd")), ("90% interval", span)]
    columns.append(("EM rank", lambda row: fixed(row["em_rank"], 2)))
    caption = "Mean, SD and interval are the posterior's. EM rank: the share of draws below the EM estimate."
    if with_map:
        caption += (
            " MAP: the highest point of the joint density of the model's own parameters, without Jacobian terms; "
            "it depends on how the model is parametrized."
        )
    return parameter_table(records(table), columns, caption)


def _scores(fits: Fits, summary: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    known = "whose group no label settles" if fits.data.known.any() else "of the fit"
    if summary["scores"]:
        caption = f"Scores on the rows {known}; the true classes were used for nothing else."
        blocks += [Heading("Against the true classes"), score_rows(summary["scores"], caption)]
        blocks += figures(fits, summary, "calibration")
    if summary["test"]:
        held = summary["held_out"]
        n = summary["model"]["n_test"]
        blocks += [
            Heading("On held-out rows"),
            score_rows(summary["test"], f"Scores on {plural(n, 'row')} that no fit saw."),
            Paragraph(
                f"Mean log predictive density of these rows, without their labels: {fixed(held['posterior'], 4)} by "
                f"the posterior, {fixed(held['em'], 4)} by EM."
            ),
        ]
    truth = fits.data.truth
    if summary["scores"] and truth is not None and not set(truth) <= set(fits.likelihood.components):
        blocks.append(Paragraph("Components stand for the classes with which they share most rows.", "note"))
    return blocks
