"""Hard assignment: what it does to the estimates, beside soft EM and the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.report.blocks import Block, Notice, Paragraph, Section, Table
from bayesmix.report.fits import Fits
from bayesmix.report.tables import parameter_rows
from bayesmix.report.text import decimals_for, fixed, interval, plural


def hard(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Only where the model asks for it, by ``assignment = "hard"``."""
    hard_numbers = summary["hard"]
    if not hard_numbers:
        return None
    blocks: list[Block] = [Paragraph(_in_words(fits, hard_numbers), "lead"), Paragraph(_why(summary))]
    if hard_numbers["reasons"]:
        blocks.append(Notice("bad", "Hard assignment is degenerate", f"{'; '.join(hard_numbers['reasons'])}."))
    return Section("hard", "Hard assignment", [*blocks, _table(summary)])


def _in_words(fits: Fits, hard_numbers: Mapping[str, Any]) -> str:
    moved = hard_numbers["moved"]
    rows = f"{plural(moved, 'row is', 'rows are')} in another group" if moved else "no row is in another group"
    return (
        "Every row counts wholly for its most probable component, as in k-means. What is maximized is the "
        f"classification log-likelihood, {fixed(hard_numbers['classification_log_likelihood'], 3)}, another quantity "
        f"than the log-likelihood of soft EM; {rows} than by that."
    )


def _why(summary: Mapping[str, Any]) -> str:
    """How many estimates lie outside the posterior's intervals."""
    posterior = summary["posterior"]["parameters"]
    of_hard = summary["hard"]["parameters"]
    of_soft = {name: row["estimate"] for name, row in summary["em"]["parameters"].items()}
    names = [name for name in of_hard if name in posterior]
    out = [sum(not _inside(of[name], posterior[name]) for name in names) for of in (of_hard, of_soft)]
    return (
        "Groups that overlap are cut where they meet, and rows beyond the cut count on the wrong side: centres are "
        "pushed apart, spreads shrink, weights drift, and more rows do not cure it. Here "
        f"{out[0]} of {plural(len(names), 'estimate')} by hard assignment {'lies' if out[0] == 1 else 'lie'} outside "
        f"the posterior's 90% interval, {out[1]} by soft EM. It has no standard errors."
    )


def _inside(value: float, row: Mapping[str, float]) -> bool:
    return row["lower"] <= value <= row["upper"]


def _table(summary: Mapping[str, Any]) -> Table:
    posterior, of_hard, of_soft = (
        summary["posterior"]["parameters"],
        summary["hard"]["parameters"],
        summary["em"]["parameters"],
    )
    entries = {
        name: {**row, "hard": of_hard[name], "soft": of_soft[name]["estimate"]}
        for name, row in posterior.items()
        if name in of_hard
    }

    def cells(row: Mapping[str, float]) -> list[str]:
        d = decimals_for(row["sd"])
        return [
            fixed(row["hard"], d),
            fixed(row["soft"], d),
            fixed(row["mean"], d),
            interval(row["lower"], row["upper"], d),
            fixed((row["hard"] - row["mean"]) / row["sd"], 1),
        ]

    heads = ("Parameter", "Hard", "Soft EM", "Mean", "90% interval", "Hard off by")
    caption = "Mean and interval are the posterior's; the last column is in its standard deviations."
    return Table(heads, parameter_rows(entries, cells), (False, *[True] * 5), caption)
