"""Where rows lie in the density of the fit: regions, and the rows that lie far out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.report.blocks import Heading, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import Column, table
from bayesmix.report.text import fixed, interval, percent, plural, significant, whole

ODD = 0.05
"""A row is called odd where fewer than so many rows are expected as far out."""


def density(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """The picture of the density, the least dense rows."""
    least = summary["outliers"]
    return Section(
        "density",
        "Density and outliers",
        [
            Paragraph(_in_words(fits, least), "lead"),
            *figures(fits, summary, "density"),
            Heading("The least dense rows"),
            *figures(fits, summary, "outliers"),
            _table(fits, least),
        ],
    )


def _in_words(fits: Fits, least: list[Mapping[str, Any]]) -> str:
    odd = [row["row"] for row in least if row["expected"] < ODD]
    n = len(fits.data)
    words = (
        "The density says where new rows are to be expected; rows where it is low are the ones to look at. A row is "
        "judged by how many of so many new rows would lie as far out: "
    )
    if not odd:
        return words + f"none of the {plural(n, 'row')} lies oddly far out."
    is_ = plural(len(odd), "row lies", "rows lie")
    return words + f"{is_} where fewer than {fixed(ODD, 2)} are expected ({', '.join(map(str, odd))})."


def _table(fits: Fits, least: list[Mapping[str, Any]]) -> Table:
    columns: list[Column] = [
        (fits.data.id or "Row", lambda row: str(row["row"])),
        ("Log density", lambda row: fixed(row["log_density"], 2)),
        ("90% interval", lambda row: interval(row["lower"], row["upper"], 2)),
        ("Rank", lambda row: whole(row["rank"])),
        ("90% interval", lambda row: f"{whole(row['rank_lower'])} to {whole(row['rank_upper'])}"),
        (f"Among the {len(least)}", lambda row: percent(row["among"], 0)),
        ("Tail probability", lambda row: significant(row["tail_probability"], 2)),
        ("Expected", lambda row: significant(row["expected"], 2)),
    ]
    covariates = "" if fits.likelihood.alike else " Rows with other covariates: only the last two columns compare them."
    if fits.data.gaps:
        covariates = " Rows with gaps are held against rows with the same ones, and ranks are by tail probability."
    labels = " Labels do not enter." if fits.data.labelled.any() else ""
    caption = (
        "Log predictive density, and the interval of the log-density over draws; rank 1 is the least dense. Among: the "
        "probability to be one of so many least dense rows. Tail probability: that a new row is no denser under one "
        "draw of the parameters, averaged over draws, which need not rank rows as averaged densities do; expected: how "
        f"many of {plural(len(fits.data), 'new row')} are.{covariates}{labels}"
    )
    return table(least, columns, caption)
