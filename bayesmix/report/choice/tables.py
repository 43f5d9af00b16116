"""The tables of a choice's page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bayesmix.choosing.choice import ROUTES, Choice
from bayesmix.report.blocks import Inline, Table
from bayesmix.report.text import DASH, decimals_for, fixed, interval, percent, whole

NO_BREAK = "\N{NO-BREAK SPACE}"
BAR = f"{NO_BREAK}\N{DIVIDES}{NO_BREAK}"
"""The bar of a conditional probability: after a vertical line a row of text may end."""
CHOSEN = "◂"
"""Beside the best of a column."""
WHAT_IS_COUNTED = {
    "probability": f"Components, p(K{BAR}y)",
    "occupied": f"Components with rows, p(K+{BAR}y)",
    "modes": "Modes of the density",
}
"""What is counted, by its column in :attr:`Choice.posterior`."""
QUALITY = {
    "expected error": "Expected error of the most probable groups",
    "sure": "Share of rows that are sure of their group (above 90%)",
    "relative entropy": "Relative entropy, 1 where all rows are certain",
}
"""What is said of all rows."""


def of_em(choice: Choice) -> Table:
    """What needs no draws."""

    def cells(name: str, row: pd.Series) -> list[Inline]:
        return [
            fixed(row["log_likelihood"], 2),
            percent(row["reached"], 0),
            whole(row["df"]),
            *(_best(choice, v, name, fixed(row[v], 2)) for v in ("bic", "icl", "aic", "held_out")),
        ]

    heads = ("K", "Log-likelihood", "Starts that reach it", "Parameters", "BIC", "ICL", "AIC", "Held-out log-density")
    caption = f"EM. Smaller BIC, ICL and AIC are better, larger held-out densities; {CHOSEN} marks the best."
    return Table(heads, _rows(choice, cells), (False, *[True] * 7), caption)


def of_posteriors(choice: Choice) -> Table:
    """What needs draws."""

    def cells(name: str, row: pd.Series) -> list[Inline]:
        return [
            _best(choice, "elpd_loo", name, _with_error(row["elpd_loo"], row["elpd_se"], 1)),
            _with_error(row["elpd_diff"], row["elpd_diff_se"], 1) if row["elpd_diff"] else DASH,
            fixed(row["pareto_k"], 2),
            _with_error(row["log_evidence"], row["log_evidence_error"]),
            _with_error(row["nobile"], row["nobile_error"]),
            _best(choice, "probability", name, fixed(row["probability"], 3)),
            f"{_judged(row['draws_ok'] and row['established'])},{NO_BREAK}{_judged(row['model_ok'])}",
        ]

    heads = (
        "K",
        "Leave-one-out",
        "Below the best",
        "Pareto k",
        "Log evidence",
        "By Nobile's identity",
        f"p(K{BAR}y)",
        "Draws, model",
    )
    caption = (
        "Posteriors. After ± are standard errors: of leave-one-out those of so few rows, of evidences those of so few "
        "draws. A dash: not defined, or not established. The largest Pareto k is that of rows that were not fitted "
        "without; the last column says whether the draws are trusted, and whether the data leave the model unrefuted."
    )
    return Table(heads, _rows(choice, cells), (False, *[True] * 6, False), caption)


def of_number(choice: Choice) -> Table:
    """p(K), p(K | y), p(K+ | y) and the probability of every number of modes."""
    names = [name for name in WHAT_IS_COUNTED if name in choice.posterior]
    rows: list[Sequence[Inline]] = [
        [
            whole(float(str(number))),
            fixed(row["prior"], 3),
            *(_with_error(row[name], row[f"{name}_error"], 3) for name in names),
        ]
        for number, row in choice.posterior.iterrows()
    ]
    heads = ("Number", "Before the rows, p(K)", *(WHAT_IS_COUNTED[name] for name in names))
    return Table(heads, rows, (True,) * len(heads), "After ± are Monte Carlo errors.")


def of_quality(choice: Choice) -> Table:
    """How sure all rows are."""
    rows = [
        [QUALITY[entry["quality"]], _between(entry["value"], entry["lower"], entry["upper"])]
        for entry in choice.best_record["quality"]
    ]
    return Table(("Of all rows", "Mean, 90% interval"), rows, (False, True))


def of_groups(choice: Choice) -> Table:
    """How sure the rows of every group are."""
    rows = [
        [
            entry["group"],
            whole(entry["rows"]),
            _between(entry["average"], entry["average_lower"], entry["average_upper"]),
            _between(entry["sure"], entry["sure_lower"], entry["sure_upper"]),
        ]
        for entry in choice.best_record["groups"]
    ]
    heads = ("Group", "Rows put into it", "Mean probability of belonging", "Share above 90%")
    return Table(heads, rows, (False, True, True, True), "Intervals are 90%, over draws of the posterior.")


def of_merging(choice: Choice) -> Table:
    """Entropy as components are merged."""
    rows = [
        [whole(entry["clusters"]), entry["merged"], _between(entry["entropy"], entry["lower"], entry["upper"], 2)]
        for entry in choice.best_record["merging"]
    ]
    caption = (
        "Components merged two at a time, those first whose union lowers the entropy of the allocation most. Where it "
        "falls steeply they overlap and make up one cluster; where it hardly falls, clusters are apart."
    )
    return Table(("Clusters", "Merged", "Entropy, 90% interval"), rows, (True, False, True), caption)


def _between(value: float, lower: float, upper: float, digits: int = 3) -> str:
    return DASH if pd.isna(value) else f"{fixed(value, digits)} ({interval(lower, upper, digits)})"


def _rows(choice: Choice, cells: object) -> list[Sequence[Inline]]:
    assert callable(cells)
    return [[str(name).replace(" ", NO_BREAK), *cells(str(name), row)] for name, row in choice.table.iterrows()]


def _best(choice: Choice, column: str, name: str, text: str) -> str:
    assert column in ROUTES
    return f"{text} {CHOSEN}" if choice.routes.get(column) == name else text


def _with_error(value: float, error: float, digits: int | None = None) -> str:
    if pd.isna(value):
        return DASH
    d = min(3, max(2, decimals_for(error, 1))) if digits is None else digits
    return f"{fixed(value, d)} ± {fixed(error, d)}"


def _judged(ok: bool | None) -> str:
    return DASH if ok is None or pd.isna(ok) else "yes" if ok else "no"
