"""Tables of parameters, grouped by variable: ``means[component_1, waiting]`` stands under *means*."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from bayesmix.report.blocks import Inline, Table
from bayesmix.report.text import decimals_for, fixed, interval, significant

SCORES = {
    "accuracy": ("Accuracy", "higher is better"),
    "adjusted_rand": ("Adjusted Rand", "higher is better"),
    "brier": ("Brier score", "lower is better"),
    "log_score": ("Log score", "lower is better"),
    "calibration_error": ("Calibration error", "lower is better"),
}
FITS = {"em": "EM", "posterior": "Posterior mean"}


type Column = tuple[Inline, Callable[[Any], Inline]]
"""A head, and what a cell says of its row."""


def table(
    rows: Iterable[Any], columns: Sequence[Column], caption: Inline = "", *, words: Container[int] = (0,)
) -> Table:
    """A row for each entry; ``words`` are the columns of text, the others are numbers."""
    heads, cells = zip(*columns, strict=True)
    numeric = [j not in words for j in range(len(columns))]
    return Table(heads, [[cell(row) for cell in cells] for row in rows], numeric, caption)


def parameter_table(
    entries: Mapping[str, Any],
    columns: Sequence[Column],
    caption: str,
    *,
    first: str = "Parameter",
    words: Container[int] = (),
) -> Table:
    """One row per scalar: its indices ("all" without any), then its cells; a heading row where a variable begins."""
    rows: list[Sequence[Inline]] = []
    before = ""
    for name, entry in entries.items():
        variable, _, inside = name.partition("[")
        if variable != before:
            rows.append([variable])
            before = variable
        rows.append([inside.removesuffix("]") or "all", *(cell(entry) for _, cell in columns)])
    heads = [first, *(head for head, _ in columns)]
    return Table(heads, rows, [False, *(j not in words for j in range(len(columns)))], caption)


def number(name: str, spread: str = "sd") -> Callable[[Mapping[str, Any]], str]:
    """A number of an entry, to the decimals that its spread deserves."""
    return lambda entry: fixed(entry[name], decimals_for(entry[spread]))


def span(entry: Mapping[str, Any]) -> str:
    """The interval of an entry."""
    return interval(entry["lower"], entry["upper"], decimals_for(entry["sd"]))


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
