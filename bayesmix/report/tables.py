"""Tables of parameters, grouped by variable: ``means[component_1, waiting]`` stands under *means*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from bayesmix.report.blocks import Inline, Table
from bayesmix.report.text import fixed, significant

SCORES = {
    "accuracy": ("Accuracy", "higher is better"),
    "adjusted_rand": ("Adjusted Rand", "higher is better"),
    "brier": ("Brier score", "lower is better"),
    "log_score": ("Log score", "lower is better"),
    "calibration_error": ("Calibration error", "lower is better"),
}
FITS = {"em": "EM", "posterior": "Posterior mean"}


def parameter_rows(entries: Mapping[str, Any], cells: Callable[[Any], Sequence[Inline]]) -> list[Sequence[Inline]]:
    """One row per scalar: its indices ("all" without any), then its cells; a heading row where a variable begins."""
    rows: list[Sequence[Inline]] = []
    before = ""
    for name, entry in entries.items():
        variable, _, inside = name.partition("[")
        if variable != before:
            rows.append([variable])
            before = variable
        rows.append([inside.removesuffix("]") or "all", *cells(entry)])
    return rows


def score_rows(scores: Mapping[str, Mapping[str, float | None]], caption: str) -> Table:
    """Scores against true classes: one row per score, one column per fit."""
    rows = [
        [f"{title} ({sense})", *(fixed(fit[name], 4) for fit in scores.values())]
        for name, (title, sense) in SCORES.items()
    ]
    heads = ["Score", *(FITS.get(name, name) for name in scores)]
    return Table(heads, rows, [False, *[True] * len(scores)], caption)


def records(table: pd.DataFrame) -> dict[str, Any]:
    """Rows of a table by their index, as dicts."""
    return {str(name): row for name, row in zip(table.index, table.to_dict("records"), strict=True)}


def found_value(value: float | list[float] | None) -> str:
    """What was found for a claim: a number, or the ends of an interval."""
    if isinstance(value, list):
        return f"{significant(value[0], 5)} to {significant(value[1], 5)}"
    return significant(value, 7)
