"""CSV files and their columns, checked: what is wrong is named by file, line, column, row and value."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

WRITTEN_NUMBER = re.compile(r"\s*[+-]?(\d+([.,' \u00a0\u202f]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?\s*%?\s*")
"""What looks like a number, however its decimals and thousands are set off."""
WRITTEN_GAPS = ("", "-", ".", "?", "na", "n/a", "none", "null", "missing")
"""Texts, in small letters, by which people mark a missing cell."""
PLAIN_NUMBERS = "a decimal point, no thousands separators (pandas.read_csv has decimal= and thousands=)"


def read_csv(path: Path | str) -> pd.DataFrame:
    """Read a CSV file with a header line; the errors name the file, the line and what is wrong with it.

    Cells are read as numbers where a whole column is numeric; rows count from 1. A cell is missing that pandas takes
    for it: empty, NA, N/A, None, null, nan or the like. Every line must have as many fields as the header:
    pandas would cut long lines, fill short ones and drop blank ones in silence.
    """
    path = Path(path)
    try:
        _check_lines(path)
        frame = pd.read_csv(
            path, index_col=False, skipinitialspace=True, encoding="utf-8-sig", low_memory=False, compression=None
        )
    except FileNotFoundError:
        raise ValueError(f"{path}: the file does not exist") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as CSV: {str(error).strip()}") from None
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1))


def _check_lines(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, skipinitialspace=True, strict=True)
        header = next(lines, [])
        if not any(header):
            raise ValueError(f"{path}: the file is empty, or its first line is blank: it needs a header line")
        for position, name in enumerate(header):
            if name in header[:position]:
                raise ValueError(f"{path}: the column {name!r} occurs twice in the header")
        blank = row = 0
        for row, fields in enumerate(lines, start=1):
            if not fields:
                blank = blank or lines.line_num
            elif blank:
                raise ValueError(f"{path}: line {blank} is blank")
            elif len(fields) != len(header):
                raise ValueError(
                    f"{path}: row {row} (line {lines.line_num}) has {len(fields)} fields, the header has {len(header)}"
                    f"; the row is {','.join(fields)[:80]!r}"
                )
        if row == 0 or blank == 2:
            raise ValueError(f"{path}: there is a header and no rows")


def column(frame: pd.DataFrame, name: str, argument: str) -> pd.Series:
    """One column by name, or an error that lists the columns there are."""
    if name not in frame.columns:
        raise ValueError(f"{argument}: no column {name!r}; the columns are {', '.join(map(str, frame.columns))}")
    return frame[name]


def numeric(frame: pd.DataFrame) -> np.ndarray:
    """All columns as finite numbers, (n, n_columns), NaN where a cell is missing.

    The error names column, row and value of the first cell that is neither.
    """
    columns = []
    for name in frame.columns:
        raw = frame[name]
        if pd.api.types.is_complex_dtype(raw):
            raise ValueError(f"X: column {str(name)!r} must hold real numbers; got complex ones")
        if pd.api.types.is_datetime64_any_dtype(raw) or pd.api.types.is_timedelta64_dtype(raw):
            raise ValueError(f"X: column {str(name)!r} must hold numbers; got times, from {raw.iloc[0]}")
        values = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        bad = np.flatnonzero(~np.isfinite(values) & ~raw.isna().to_numpy())
        if len(bad):
            shown = raw.iloc[bad[0] : bad[0] + 1].tolist()[0]
            what = f"is not a finite number: {shown!r}"
            more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
            raise ValueError(
                f"X: column {str(name)!r}, row {frame.index[bad[0]]} {what}{more}{number_advice(str(shown))}"
            )
        columns.append(values)
    return np.ascontiguousarray(np.column_stack(columns))


def number_advice(shown: str) -> str:
    """What to do about a text in a column of numbers: one that is written otherwise, or stands for a missing cell."""
    if WRITTEN_NUMBER.fullmatch(shown):
        return f"; numbers need {PLAIN_NUMBERS}"
    return "; a missing cell must be NaN or None" if shown.strip().lower() in WRITTEN_GAPS else ""
