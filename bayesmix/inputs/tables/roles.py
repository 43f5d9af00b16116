"""From a file and what its columns are to the rows of a mixture: the one way of model folders and of Data.read_csv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.inputs.arguments import of_file, shown
from bayesmix.inputs.csv_columns import column, numeric
from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import MODEL
from bayesmix.inputs.tables.options import OPTION_NAMES, Options
from bayesmix.inputs.tables.read import read_table

ROLES = ("columns", "response", "label", "classes", "truth", "row_weights", "id", "scale", "missing")
"""What may be said of the columns."""
SPECIAL = ("label", "truth", "row_weights")
"""Columns that are no measurements and no covariates, and do not name the rows."""


def read_data(path: Path, said: Mapping[str, Any]) -> Data:
    """The rows of a file, with what is said of its columns and of how it is written.

    Parameters
    ----------
    path
        A CSV, Parquet or Arrow file.
    said
        Keys of ``ROLES`` and of :class:`bayesmix.inputs.tables.options.Options`; None is not said.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        Naming the file, and the column, row and value, or the option.
    """
    unknown = [name for name in said if name not in (*ROLES, *OPTION_NAMES)]
    if unknown:
        raise ValueError(f"{unknown[0]}: no such argument; choose from {', '.join((*ROLES, *OPTION_NAMES))}")
    said = {name: value for name, value in said.items() if value is not None}
    scale, options = _scale(said), {name: said[name] for name in OPTION_NAMES if name in said}
    table = read_table(path, text=[said["id"]] if "id" in said else [], **options)
    try:
        return _rows(table.frame, said, scale).with_source(table.told, scale, Options.of(options).na)
    except ValueError as error:
        raise of_file(path, str(error)) from None


def _scale(said: Mapping[str, Any]) -> float:
    """By what the features are multiplied; ValueError for what is no positive number, and beside a response."""
    scale = said.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < float("inf"):
        raise ValueError(f"scale: must be a positive number; got {shown(scale)}")
    if "scale" in said and "response" in said:
        raise ValueError("scale: is for columns of measurements, not for counts (response)")
    return float(scale)


def _rows(frame: pd.DataFrame, said: Mapping[str, Any], scale: float) -> Data:
    extra = {key: column(frame, said[key], key).tolist() for key in ("label", "truth") if key in said}
    weights = numeric(column(frame, said["row_weights"], "row_weights").to_frame()) if "row_weights" in said else None
    return Data(
        _observed(frame, said, scale),
        extra.get("label"),
        classes=said.get("classes"),
        row_weights=None if weights is None else weights[:, 0],
        response=said.get("response"),
        truth=extra.get("truth"),
        id=said.get("id"),
        missing=said.get("missing", MODEL),
    )


def _observed(frame: pd.DataFrame, said: Mapping[str, Any], scale: float) -> pd.DataFrame:
    """The features, or the counts with their covariates; and what names the rows."""
    others = [said[key] for key in (*SPECIAL, "id") if key in said]
    for name in said.get("columns", ()):
        column(frame, name, "columns")
        if name == said.get("id"):
            raise ValueError(f"id: {name!r} is among the columns that are fitted; it names the rows")
    features = frame[said["columns"]] if "columns" in said else frame.drop(columns=others, errors="ignore")
    if scale != 1:
        features = pd.DataFrame(numeric(features) * scale, features.index, features.columns)
    return features if "id" not in said else features.assign(**{said["id"]: column(frame, said["id"], "id")})
