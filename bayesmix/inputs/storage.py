"""Covariates in a file: numbers and times as they are, factors as codes beside their levels, names in attributes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.inputs.levels import as_levels

COLUMN, LEVELS = "covariate_", "levels_"
"""Column names are free text, with slashes and spaces, so that no variable of a file can be called by them."""


def stored(frame: pd.DataFrame) -> dict[str, Any]:
    """Variables over ``obs`` that NetCDF can hold; :func:`restored` makes the columns of them again."""
    variables: dict[str, Any] = {}
    for number, name in enumerate(frame.columns):
        column = frame[name].infer_objects()
        attrs = {"name": json.dumps(str(name))}
        if pd.api.types.is_numeric_dtype(column) and not (column.isna().any() or pd.api.types.is_complex_dtype(column)):
            column = column.astype(column.dtype.numpy_dtype) if hasattr(column.dtype, "numpy_dtype") else column
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
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
            columns[name] = pd.Series(held.to_numpy()).astype(held.attrs["pandas_dtype"])
            continue
        levels = pd.Index(json.loads(dataset[f"{LEVELS}{number}"].item()), dtype=object)
        factor = pd.Categorical.from_codes(held.to_numpy(), levels, ordered=held.attrs["ordered"] == "True")
        columns[name] = pd.Series(factor)
    rows = pd.Index([str(v) for v in dataset.indexes["obs"]])
    return pd.DataFrame(columns, index=None if columns else rows).set_axis(rows, axis=0)
