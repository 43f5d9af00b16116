"""Rows as xarray and a file hold them: covariates as variables, names along dimensions as coordinates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

from bayesmix.inputs.covariates import as_levels

COLUMN, LEVELS = "covariate_", "levels_"
"""Column names are free text, with slashes and spaces, so that no variable of a file can be called by them."""
SAID = ("id", "read_as")
"""Texts that a Dataset carries as attributes where they are not empty."""


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


def dataset_of(fields: Mapping[str, Any], obs_names: Sequence[str]) -> xr.Dataset:
    """The fields of :class:`bayesmix.Data` as a Dataset that NetCDF can hold; :func:`fields_of` is the inverse."""
    variables: dict[str, Any] = {
        "x": (("obs", "feature"), fields["x"]),
        "class_evidence": (("obs", "class"), fields["class_evidence"]),
        "labelled": ("obs", fields["labelled"].astype("int8")),
        "row_weights": ("obs", fields["row_weights"]),
        "levels": ((), json.dumps(fields["levels"])),
    }
    if fields["truth"] is not None:
        variables["truth"] = ("obs", fields["truth"].astype(str))
    variables |= stored(fields["covariates"])
    names = {"obs": obs_names, "feature": fields["feature_names"], "class": fields["classes"]}
    said = {name: fields[name] for name in SAID if fields[name]}
    said |= {"scale": fields["scale"]} if fields["scale"] != 1 else {}
    return xr.Dataset(variables, coords=coordinates(names), attrs={"dropped": fields["dropped"]} | said)


def fields_of(dataset: xr.Dataset) -> dict[str, Any]:
    """The fields of :class:`bayesmix.Data` that a Dataset holds; those that an older one lacks are empty."""
    levels = json.loads(dataset["levels"].item()) if "levels" in dataset else [()] * dataset.sizes["feature"]
    fields = {
        "x": dataset["x"].to_numpy().astype(float),
        "feature_names": tuple(str(v) for v in dataset["feature"].values),
        "levels": tuple(map(tuple, levels)),
        "covariates": restored(dataset),
        "classes": tuple(str(v) for v in dataset["class"].values),
        "class_evidence": dataset["class_evidence"].to_numpy(),
        "labelled": dataset["labelled"].to_numpy().astype(bool),
        "row_weights": dataset["row_weights"].to_numpy(),
        "truth": dataset["truth"].to_numpy().astype(str) if "truth" in dataset else None,
        "dropped": int(dataset.attrs.get("dropped", 0)),
        "scale": float(dataset.attrs.get("scale", 1.0)),
    }
    return fields | {name: str(dataset.attrs.get(name, "")) for name in SAID}
