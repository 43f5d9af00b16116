"""Rows as a Dataset that NetCDF can hold, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from bayesmix.inputs.storage import coordinates, restored, stored

SAID = ("id", "read_as")
"""Texts that a Dataset carries as attributes where they are not empty."""


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
