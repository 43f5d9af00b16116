"""Where rows lie in the density of the fit: regions, and the rows that lie far out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.report.blocks import Heading, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.text import fixed, interval, percent, plural, significant, whole

ODD = 0.05
"""A row is called odd where fewer than so many rows are expected as far out."""


def density(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """The picture of the density, the least dense rows."""
    table = summary["outliers"]
    return Section(
        "density",
        "Density and outliers",
        [
            Paragraph(_in_words(fits, table), "lead"),
            *figures(fits, summary, "density"),
            Heading("The least dense rows"),
            *figures(fits, summary, "outliers"),
            _table(fits, table),
        ],
    )


def _in_words(fits: Fits, table: list[Mapping[str, Any]]) -> str:
    odd = [row["row"] for row in table if row["expected"] < ODD]
    n = len(fits.data)
    words = (
        "The density says where new rows are to be expected; rows where it is low are the ones to look at. A row is "
        "judged by how many of as many new rows would lie as far out: "
    )
    if not odd:
        return words + f"none of the {plural(n, 'row')} lies oddly far out."
    is_ = plural(len(odd), "row lies", "rows lie")
    return words + f"{is_} where fewer than {fixed(ODD, 2)} are expected ({', '.join(map(str, odd))})."


def _table(fits: Fits, table: list[Mapping[str, Any]]) -> Table:
    rows = [
        [
            str(row["row"]),
            fixed(row["log_density"], 2),
            interval(row["lower"], row["upper"], 2),
            whole(row["rank"]),
            f"{whole(row['rank_lower'])} to {whole(row['rank_upper'])}",
            percent(row["among"], 0),
            significant(row["tail_probability"], 2),
            significant(row["expected"], 2),
        ]
        for row in table
    ]
    heads = (
        "Row",
        "Log density",
        "90% interval",
        "Rank",
        "90% interval",
        f"Among the {len(table)}",
        "Tail probability",
        "Expected",
    )
    covariates = "" if fits.likelihood.alike else " Rows with other covariates: only the last two columns compare them."
    if fits.data.gaps:
        covariates = " Rows with gaps are held against rows with the same ones, and ranks are by tail probability."
    labels = " Labels do not enter." if fits.data.labelled.any() else ""
    caption = (
        "Log predictive density, and the interval of the log-density over draws; rank 1 is the least dense. Among: the "
        "probability to be one of so many least dense rows. Tail probability: that a new row is no denser; expected: "
        f"how many of {plural(len(fits.data), 'new row')} are.{covariates}{labels}"
    )
    return Table(heads, rows, (False, *[True] * 7), caption)
