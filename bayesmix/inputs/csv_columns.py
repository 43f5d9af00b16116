"""Columns of a table, checked: what is wrong is named by column, row and value."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayesmix.inputs.arguments import listed, meant, shown
from bayesmix.inputs.tables.numbers import WRITTEN_GAPS, possible
from bayesmix.inputs.tables.options import Options

WRITTEN_NUMBER = re.compile(r"\s*[+-]?(\d+([.,' \u00a0\u202f]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?\s*%?\s*")
"""What looks like a number, however its decimals and thousands are set off."""
DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ].*)?")
"""What looks like a date, with or without a time."""
PLAIN_NUMBERS = (
    "a decimal point, no thousands separators (model.toml, Data.read_csv and pandas.read_csv have decimal= and "
    "thousands=)"
)

LOOKED_THROUGH = 1000
"""Wrong cells among which one is looked for that is no number in any spelling: it says best what is wrong."""


def column(frame: pd.DataFrame, name: str, argument: str) -> pd.Series:
    """One column by name, or an error that lists the columns there are."""
    if name not in frame.columns:
        names = list(map(str, frame.columns))
        raise ValueError(f"{argument}: no column {shown(name)}; the columns are {listed(names)}{meant(name, names)}")
    return frame[name]


def numeric(frame: pd.DataFrame) -> np.ndarray:
    """All columns as finite numbers, (n, n_columns), NaN where a cell is missing.

    The error names column, row and value of the first cell that is neither.
    """
    columns = []
    for name in frame.columns:
        raw = frame[name]
        if _is_of_times(raw):
            raise ValueError(f"X: column {str(name)!r} must hold numbers; got times, from {raw.iloc[0]}")
        values = floats(raw)
        if values is None:
            raise ValueError(f"X: column {str(name)!r} must hold real numbers; got complex ones")
        bad = np.flatnonzero(~np.isfinite(values) & ~raw.isna().to_numpy())
        if len(bad):
            at = bad[telling(raw.iloc[bad[:LOOKED_THROUGH]].map(str))]
            cell = raw.iloc[at : at + 1].tolist()[0]
            what = f"is not a finite number: {shown(cell)}"
            more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
            advice = number_advice(cell) if isinstance(cell, str) else ""
            raise ValueError(f"X: column {str(name)!r}, row {frame.index[at]} {what}{more}{advice}")
        columns.append(values)
    return np.ascontiguousarray(np.column_stack(columns))


def telling(cells: Iterable[str]) -> int:
    """Which of some cells that are no plain numbers says best what is wrong: the first that is none in any spelling."""
    return next((i for i, cell in enumerate(cells) if not possible([cell.strip()], Options())), 0)


def floats(column: pd.Series) -> np.ndarray | None:
    """A column as floats, (n,): NaN for a cell that is no number, infinite beyond the floats; None for complex ones."""
    if column.dtype == object:  # pandas fails at integers that no float can hold
        column = column.mask(column.map(lambda cell: type(cell) is int and abs(cell) > sys.float_info.max), np.inf)
    values = pd.to_numeric(column, errors="coerce")
    if pd.api.types.is_complex_dtype(values):
        return None
    with np.errstate(over="ignore"):
        return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))


def _is_of_times(column: pd.Series) -> bool:
    times = pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column)
    return times or isinstance(column.dtype, pd.PeriodDtype)


def number_advice(shown: str) -> str:
    """What to do about a text in a column of numbers: one that is written otherwise, a date, or a missing cell.

    Examples
    --------
    >>> number_advice("1,234")
    '; it may be 1.234 or 1234: say which by decimal or thousands, in model.toml or Data.read_csv'
    """
    values = sorted({spelling.value(shown.strip()) for spelling in possible([shown.strip()], Options())})
    if len(values) > 1:
        either = " or ".join(f"{value:.15g}" for value in values)
        return f"; it may be {either}: say which by decimal or thousands, in model.toml or Data.read_csv"
    if DATE.fullmatch(shown):
        return "; dates have no unit of their own: make them numbers, such as days since the first"
    if WRITTEN_NUMBER.fullmatch(shown):
        return f"; numbers need {PLAIN_NUMBERS}"
    return "; a missing cell must be NaN or None" if shown.strip().lower() in WRITTEN_GAPS else ""
