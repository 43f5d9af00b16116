"""Tables as CSV files: the one function by which all of them are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.inputs.storage import whole

FORMULA = re.compile(r"^(?![+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?\Z)(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")
"""Where a cell begins that a spreadsheet would compute, and is no plain number; the last four are the wide forms of the
first four."""


def write_csv(table: pd.DataFrame, path: str | Path, *, index: bool = True) -> Path:
    """Write a table as UTF-8 CSV, whole or not at all; no text in it is a spreadsheet's formula.

    Parameters
    ----------
    table
        Numbers are written with all their digits.
    path
        A file of that name is replaced once the new one is whole.
    index
        Whether the names of rows are the first column.

    Returns
    -------
    Path
    """
    path = Path(path)
    with whole(path) as partial:
        without_formulas(table).to_csv(partial, index=index)
    return path


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before every text that a spreadsheet would take for a formula: names are free text.

    Cells, the names of rows and those of columns; numbers stay numbers.

    Examples
    --------
    >>> without_formulas(pd.DataFrame({"group": ["=1+1", "b"], "x": [-1.0, 2.0]}))["group"].tolist()
    ["'=1+1", 'b']
    """
    safe = table.copy()
    for position, (_, cells) in enumerate(table.items()):
        if isinstance(cells.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(cells):
            safe.isetitem(position, cells.map(_text_alone).array)
    return safe.rename(columns=_text_alone, index=_text_alone).rename_axis(
        index=[_text_alone(name) for name in table.index.names]
    )


def _text_alone(cell: Any) -> Any:
    return FORMULA.sub("'", cell) if isinstance(cell, str) else cell
