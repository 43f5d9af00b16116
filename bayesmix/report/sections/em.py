"""EM: how it got there, from how many starts, the estimates with standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesmix.report.blocks import Block, Heading, Notice, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import Column, number, parameter_table, span
from bayesmix.report.text import DASH, TIMES, fixed, plural, whole


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
        f"{fixed(em_numbers['log_likelihood'], 3)} with {plural(fits.likelihood.n_parameters, 'free parameter')}, "
        f"AIC {fixed(em_numbers['aic'], 2)}, BIC {fixed(em_numbers['bic'], 2)}; the kept run {state} "
        f"after {plural(em_numbers['n_iter'], 'E-step')}."
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
    heads = ("Log-likelihood", "Starts", "Kinds of start", "E\N{NON-BREAKING HYPHEN}steps", "")
    caption = (
        "One row per distinct end, the highest likelihood first; E-steps of steps that were not taken count too. "
        "Starts that would not have become the best are given up on the way: their likelihood is that of no solution."
    )
    return Table(heads, rows, (True, True, False, True, False), caption)


def _state(group: pd.DataFrame) -> str:
    return "" if group["converged"].any() else "given up" if group["left"].all() else "not converged"


def _estimates(fits: Fits, em_numbers: Mapping[str, Any]) -> Table:
    columns = [("Estimate", number("estimate", "se")), ("Standard error", number("se", "se"))]
    caption = "Maximum likelihood estimates; standard errors from the observed information (delta method)."
    return parameter_table(em_numbers["parameters"], columns, caption)


def hard(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Only where the model asks for it, by ``assignment = "hard"``."""
    hard_numbers = summary["hard"]
    if not hard_numbers:
        return None
    blocks: list[Block] = [Paragraph(_hard_in_words(fits, hard_numbers), "lead"), Paragraph(_hard_why(summary))]
    if hard_numbers["reasons"]:
        blocks.append(Notice("bad", "Hard assignment is degenerate", f"{'; '.join(hard_numbers['reasons'])}."))
    return Section("hard", "Hard assignment", [*blocks, _hard_table(summary)])


def _hard_in_words(fits: Fits, hard_numbers: Mapping[str, Any]) -> str:
    moved = hard_numbers["moved"]
    rows = f"{plural(moved, 'row is', 'rows are')} in another group" if moved else "no row is in another group"
    return (
        "Every row counts wholly for its most probable component, as in k-means. What is maximized is the "
        f"classification log-likelihood, {fixed(hard_numbers['classification_log_likelihood'], 3)}, another quantity "
        f"than the log-likelihood of soft EM; {rows} than by that."
    )


def _hard_why(summary: Mapping[str, Any]) -> str:
    """How many estimates lie outside the posterior's intervals."""
    posterior = summary["posterior"]["parameters"]
    of_hard = summary["hard"]["parameters"]
    of_soft = {name: row["estimate"] for name, row in summary["em"]["parameters"].items()}
    names = [name for name in of_hard if name in posterior]
    ends = {name: (posterior[name]["lower"], posterior[name]["upper"]) for name in names}
    out = [sum(not low <= of[name] <= high for name, (low, high) in ends.items()) for of in (of_hard, of_soft)]
    return (
        "Groups that overlap are cut where they meet, and rows beyond the cut count on the wrong side: centres are "
        "pushed apart, spreads shrink, weights drift, and more rows do not cure it. Here "
        f"{out[0]} of {plural(len(names), 'estimate')} by hard assignment {'lies' if out[0] == 1 else 'lie'} outside "
        f"the posterior's 90% interval, {out[1]} by soft EM. It has no standard errors."
    )


def _hard_table(summary: Mapping[str, Any]) -> Table:
    posterior, of_hard, of_soft = (summary[fit]["parameters"] for fit in ("posterior", "hard", "em"))
    entries = {
        name: {**row, "hard": of_hard[name], "soft": of_soft[name]["estimate"]}
        for name, row in posterior.items()
        if name in of_hard
    }

    columns: list[Column] = [
        ("Hard", number("hard")),
        ("Soft EM", number("soft")),
        ("Mean", number("mean")),
        ("90% interval", span),
        ("Hard off by", lambda row: fixed((row["hard"] - row["mean"]) / row["sd"], 1)),
    ]
    caption = "Mean and interval are the posterior's; the last column is in its standard deviations."
    return parameter_table(entries, columns, caption)
