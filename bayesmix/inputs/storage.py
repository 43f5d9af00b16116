"""Rows as xarray and a file hold them: covariates as variables, names along dimensions as coordinates."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

from bayesmix.inputs.covariates import as_levels

COLUMN, LEVELS = "covariate_", "levels_"
"""Column names are free text, with slashes and spaces, so that no variable of a file can be called by them."""
NUMERIC = "biufmM"
"""Kinds of NumPy's types that a file holds as they are."""
FORMULA = re.compile(r"^(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")
"""Where a cell begins that a spreadsheet would compute; the last four are the wide forms of the first four."""


def stored(frame: pd.DataFrame) -> dict[str, Any]:
    """Variables over ``obs`` that NetCDF can hold; :func:`restored` makes the columns of them again.

    Numbers and times are as they are, factors are codes beside their levels; names are in attributes.
    """
    variables: dict[str, Any] = {}
    for number, name in enumerate(frame.columns):
        column = frame[name].infer_objects()
        attrs = {"name": json.dumps(str(name))}
        if pd.api.types.is_numeric_dtype(column) and not (column.isna().any() or pd.api.types.is_complex_dtype(column)):
            column = column.astype(column.dtype.numpy_dtype) if hasattr(column.dtype, "numpy_dtype") else column
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in NUMERIC:
            variables[f"{COLUMN}{number}"] = ("obs", column.to_numpy(), attrs | {"pandas_dtype": str(column.dtype)})
            continue
        factor = as_levels(column, unused=True)
        text = json.dumps(factor.cat.categories.tolist())  # a variable: HDF5 attributes end at 64 kB
        attrs["ordered"] = str(factor.cat.ordered)
        variables[f"{COLUMN}{number}"] = ("obs", factor.cat.codes.to_numpy("int32"), attrs)
        variables[f"{LEVELS}{number}"] = ((), text)
    return variables


def restored(dataset: xr.Dataset) -> pd.DataFrame:
    """The columns of :func:`stored`: factors have text for levels, in the same order."""
    numbers = [str(v).removeprefix(COLUMN) for v in dataset if str(v).startswith(COLUMN)]
    columns = {}
    for number in numbers:
        held = dataset[f"{COLUMN}{number}"]
        name = json.loads(held.attrs["name"])
        if f"{LEVELS}{number}" not in dataset:
            dtype = np.dtype(held.attrs["pandas_dtype"])
            if dtype.kind not in NUMERIC:
                raise ValueError(f"covariates: {name!r} is said to be {dtype}, which holds neither numbers nor times")
            columns[name] = pd.Series(held.to_numpy()).astype(dtype)
            continue
        levels = pd.Index(json.loads(dataset[f"{LEVELS}{number}"].item()), dtype=object)
        factor = pd.Categorical.from_codes(held.to_numpy(), levels, ordered=held.attrs["ordered"] == "True")
        columns[name] = pd.Series(factor)
    rows = pd.Index([str(v) for v in dataset.indexes["obs"]])
    return pd.DataFrame(columns, index=None if columns else rows).set_axis(rows, axis=0)


def coordinates(names: Mapping[str, Sequence[str]]) -> xr.Coordinates:
    """Text coordinates by dimension, over the very strings that are given.

    Of a million rows each name is held once, whoever shows it; xarray would copy each twice.
    """
    coords = xr.Coordinates()
    for dim, texts in names.items():
        longest = max([1, *map(len, texts)])
        index = PandasIndex(pd.Index(texts, dtype=object), dim, coord_dtype=np.dtype(f"U{longest}"))
        coords = coords.assign(xr.Coordinates.from_xindex(index))
    return coords


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
            safe.isetitem(position, cells.map(_text_alone))
    return safe.rename(columns=_text_alone, index=_text_alone).rename_axis(index=_text_alone(table.index.name))


def _text_alone(cell: Any) -> Any:
    return FORMULA.sub("'", cell) if isinstance(cell, str) else cell
