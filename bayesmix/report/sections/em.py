"""EM: how it got there, from how many starts, the estimates with standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesmix.report.blocks import Block, Heading, Notice, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import parameter_rows
from bayesmix.report.text import DASH, TIMES, decimals_for, fixed, plural, whole


def em(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """The maximum likelihood fit."""
    em_numbers = summary["em"]
    blocks: list[Block] = [Paragraph(_in_words(fits, em_numbers), "lead")]
    if fits.em.degenerate:
        reasons = "; ".join(fits.em.reasons)
        text = (
            f"Every start ran into a spike or a boundary ({reasons}). The estimate is shown, without standard errors."
        )
        blocks.append(Notice("bad", "The EM estimate is degenerate", text))
    blocks += figures(fits, summary, "em_steps", "em_history")
    blocks += [Heading("Every start"), _starts(fits.em.starts), *figures(fits, summary, "em_starts")]
    blocks += [Heading("Estimates"), _estimates(fits, em_numbers)]
    return Section("em", "EM: the most likely parameters", blocks)


def _in_words(fits: Fits, em_numbers: Mapping[str, Any]) -> str:
    state = "converged" if fits.em.converged else "did not converge"
    return (
        f"Maximum likelihood by EM from {plural(em_numbers['n_starts'], 'start')}: log-likelihood "
        f"{fixed(em_numbers['log_likelihood'], 3)} with {plural(fits.family.n_parameters, 'free parameter')}, "
        f"AIC {fixed(em_numbers['aic'], 2)}, BIC {fixed(em_numbers['bic'], 2)}; the kept run {state} in "
        f"{plural(em_numbers['n_iter'], 'iteration')}."
    )


def _starts(starts: pd.DataFrame) -> Table:
    """Starts that reached the same solution share a row."""
    rows = []
    for _, group in starts.groupby("solution"):
        kinds = group["kind"].value_counts()
        first, last = group["n_iter"].min(), group["n_iter"].max()
        reasons = "; ".join(dict.fromkeys(r for r in group["reasons"] if r))
        rows.append(
            [
                fixed(group["log_likelihood"].max(), 3),
                whole(len(group)),
                ", ".join(f"{kind} {TIMES}{n}" if n > 1 else str(kind) for kind, n in kinds.items()),
                f"{first}{DASH}{last}" if first < last else whole(last),
                "kept" if group["chosen"].any() else f"degenerate: {reasons}" if reasons else _state(group),
            ]
        )
    heads = ("Log-likelihood", "Starts", "Kinds of start", "Iterations", "")
    return Table(
        heads, rows, (True, True, False, True, False), "One row per distinct solution, the highest likelihood first."
    )


def _state(group: pd.DataFrame) -> str:
    return "" if group["converged"].all() else "not converged"


def _estimates(fits: Fits, em_numbers: Mapping[str, Any]) -> Table:
    def cells(entry: Mapping[str, Any]) -> list[str]:
        d = decimals_for(entry["se"])
        return [fixed(entry["estimate"], d), fixed(entry["se"], d)]

    rows = parameter_rows(em_numbers["parameters"], cells)
    caption = "Maximum likelihood estimates; standard errors from the observed information (delta method)."
    return Table(("Parameter", "Estimate", "Standard error"), rows, (False, True, True), caption)
