"""Files: how all of them are written, whole or not at all; records; rows as xarray and NetCDF hold them."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex

from bayesmix.inputs.covariates import as_levels
from bayesmix.inputs.errors import DISK_FULL

COLUMN, LEVELS = "covariate_", "levels_"
"""Column names are free text, with slashes and spaces, so that no variable of a file can be called by them."""
NUMERIC = "biufmM"
"""Kinds of NumPy's types that a file holds as they are."""
SAID = ("id", "read_as")
"""Texts that a Dataset carries as attributes where they are not empty."""
CHECKSUM = "checksum"
"""Of a record, among its own entries."""


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
    said |= {"na": json.dumps(fields["na"])} if fields["na"] else {}
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
        "na": tuple(map(str, json.loads(dataset.attrs.get("na", "[]")))),
    }
    return fields | {name: str(dataset.attrs.get(name, "")) for name in SAID}


@contextmanager
def whole(path: Path, *, room: int = 0) -> Iterator[Path]:
    """A path beside ``path`` to write to, which takes its place once all is on the disk; else nothing changes.

    What a killed process left there is removed by the next one that writes this file. ``room``: bytes that there must
    be, or an OSError says so before anything is written: HDF5 crashes where a disk fills up under it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole(path) as partial:
    ...     _ = partial.write_text("all of it")
    >>> path.read_text(), len(list(path.parent.iterdir()))
    ('all of it', 1)
    """
    clear(path)
    partial = beside(path)
    try:
        if room:
            _reserve(partial, room)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _reserve(path: Path, room: int) -> None:
    with path.open("wb") as file:
        try:
            getattr(os, "posix_fallocate", lambda *_: None)(file.fileno(), 0, room)
        except OSError as error:
            if error.errno in DISK_FULL:  # a system of files that reserves nothing is none the worse
                raise OSError(error.errno, os.strerror(error.errno), str(path)) from None


def beside(path: Path) -> Path:
    """The name under which this process writes what is to be ``path``; the ending is the same."""
    return path.with_name(f".{os.getpid()}.partial.{path.name}")


def left(path: Path) -> list[Path]:
    """What processes that are no more have left beside ``path``."""
    there = path.parent.glob(f".*.partial.{glob.escape(path.name)}")
    return [p for p in there if (pid := p.name.split(".")[1]).isdigit() and not _alive(int(pid))]


def clear(path: Path) -> None:
    """Remove it."""
    for leftover in left(path):
        leftover.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    """Whether there is a process of that number; taken for granted where asking would end it."""
    if os.name != "posix" or pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """A text as UTF-8, whole or not at all."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sealed(record: Mapping[str, Any]) -> str:
    """A record as one line of JSON that says by a checksum whether it is whole; :func:`unsealed` reads it.

    Examples
    --------
    >>> line = sealed({"a": 1})
    >>> unsealed(line), unsealed(line.replace("1", "2", 1)), unsealed(line[:-3])
    ({'a': 1}, None, None)
    """
    return json.dumps({**record, CHECKSUM: _checksum(record)}) + "\n"


def unsealed(line: str) -> dict[str, Any] | None:
    """The record of a line; None where it is torn or changed. Lines of older files carry no checksum."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    told = record.pop(CHECKSUM, None)
    return record if told is None or told == _checksum(record) else None


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record).encode()).hexdigest()[:16]


def append(path: Path, line: str) -> None:
    """One more line at the end of a file, on the disk when this returns; where that fails, the file is as it was."""
    content = line.encode()
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(before)
            raise


def digest(dataset: xr.Dataset) -> str:
    """Of everything that a Dataset holds."""
    made = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        values = dataset[name].to_numpy()
        content = values.tobytes() if values.dtype.kind in "fiub" else repr(values.tolist()).encode()
        made.update(f"{name} {values.dtype} {values.shape} ".encode() + content)
    return made.hexdigest()[:16]
