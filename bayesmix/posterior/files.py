"""A posterior on disk: NetCDF, whole or not at all; read as the file of a stranger, who may have written anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

from bayesmix.inputs.arguments import shown
from bayesmix.inputs.errors import described
from bayesmix.inputs.storage import whole
from bayesmix.posterior.record import Record, stacked
from bayesmix.posterior.varying import converted

UNPACKED = 1 << 28
"""Bytes to which a file may unpack that is smaller itself; a larger one to twice its size."""
MOST_OBJECTS = 100_000
"""Groups and variables."""
LONGEST_TEXT = 1 << 24
"""Characters of an attribute: the mixture with all its priors is one of them."""
JSON_ATTRIBUTES = ("spec", "settings", "versions", "exchange", "model")
"""Each a table, where it is there."""


def rehearse(dataset: xr.Dataset) -> None:
    """Write a few rows to memory, so that what cannot be saved is known before sampling, not after.

    Raises
    ------
    ValueError
        Where a name or a value cannot be written.
    """
    try:
        dataset.isel(obs=slice(0, 2)).to_netcdf(engine="h5netcdf")
    except (ValueError, TypeError, UnicodeError) as error:
        raise ValueError(f"data: a name or value in it cannot be written to a file: {error}") from None


def save(dt: xr.DataTree, path: str | Path) -> Path:
    """Write a posterior to NetCDF. A file of that name is replaced only when the new one is complete.

    Parameters
    ----------
    dt
        From :func:`bayesmix.sample`.
    path
        Where to; by convention ``*.nc``.

    Returns
    -------
    Path
    """
    path = Path(path)
    if not isinstance(dt, xr.DataTree):
        raise ValueError(f"dt: must be a posterior from bayesmix.sample, a DataTree; got a {type(dt).__name__}")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"path: {path} must be a file in a folder that exists")
    with whole(path, room=sum(node.dataset.nbytes for node in dt.subtree)) as partial:
        dt.to_netcdf(partial, engine="h5netcdf")
    return path


def load_fit(path: str | Path) -> xr.DataTree:
    """Read a posterior written by :func:`save`, into memory; one of an older bayesmix in today's layout.

    Raises
    ------
    ValueError
        Where the file does not exist, or is not a posterior of bayesmix: also where it refers to other files, unpacks
        to much more than it is, or its parts do not belong together.
    """
    if not isinstance(path, str | PathLike):
        raise ValueError(f"path: must be the path of a file; got {shown(path)}")
    path = Path(path)
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is no plain file" if path.exists() else "does not exist"
        raise ValueError(f"path: {path} {kind}")
    try:
        _check_contents(path)
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            dt = tree.load()
    except Exception as error:  # of a broken or made-up file xarray and HDF5 raise whatever comes
        raise ValueError(f"path: {path} cannot be read as NetCDF: {described(error)}") from None
    if "spec" not in dt.attrs or "posterior" not in dt.children or "input" not in dt.children:
        raise ValueError(f"path: {path} is not a posterior written by bayesmix.save")
    for name in JSON_ATTRIBUTES:
        _check_json(dt.attrs, name, path)
    try:
        dt = converted(dt)
        _check_whole(dt)
    except ValueError as error:
        raise ValueError(f"path: {path}: {error}") from None
    except Exception as error:  # the mixture, its rows and the draws of another, or what only looks like them
        raise ValueError(f"path: {path} is no whole posterior: {described(error)}") from None
    return dt


def _check_contents(path: Path) -> None:
    """Nothing that reads other files, no object twice, no object of Python's, no more than ``UNPACKED`` bytes."""
    allowed = max(UNPACKED, 2 * path.stat().st_size)
    with h5py.File(path, "r") as file:
        total = 0
        for name, held in _contents(file):
            if not isinstance(held, h5py.Dataset):
                continue
            if held.external or held.is_virtual:
                raise ValueError(f"{name} lies in another file")
            if held.dtype.kind not in "biufS" and h5py.check_string_dtype(held.dtype) is None:
                raise ValueError(f"{name} holds neither numbers nor text")
            total += held.size * max(held.dtype.itemsize, 8)  # xarray makes floats of what is packed
            if total > allowed:
                raise ValueError(f"it unpacks to more than {allowed:,} bytes")


def _contents(file: h5py.File) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Every group and dataset once; ValueError for links, and for more of them than there can be."""
    todo: list[tuple[str, h5py.Group]] = [("/", file)]
    seen = {h5py.h5o.get_info(file.id).addr}
    while todo:
        place, group = todo.pop()
        for name in group:
            path = f"{place}{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path} is a link")
            held = group[name]
            if not isinstance(held, h5py.Group | h5py.Dataset):
                raise ValueError(f"{path} is neither a group nor a variable")
            address = h5py.h5o.get_info(held.id).addr
            if address in seen or len(seen) > MOST_OBJECTS:
                raise ValueError(f"{path} is there twice" if address in seen else f"more than {MOST_OBJECTS} objects")
            seen.add(address)
            yield path, held
            if isinstance(held, h5py.Group):
                todo.append((f"{path}/", held))


def _check_json(attrs: Any, name: str, path: Path) -> None:
    """An attribute that is there is the JSON of a table."""
    if name not in attrs:
        return
    text = attrs[name]
    try:
        value = json.loads(text) if isinstance(text, str) and len(text) <= LONGEST_TEXT else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"path: {path}: its attribute {name!r} is not one of bayesmix; got {shown(text)}")


def _check_whole(dt: xr.DataTree) -> None:
    """Mixture, rows and draws belong together: every parameter has draws, of the shape that it has in the mixture."""
    record = Record.of(dt)
    if "family" not in json.loads(dt.attrs["spec"]):
        return  # whoever asks for its mixture is told
    likelihood = record.likelihood
    one = record.posterior.isel(chain=slice(0, 1), draw=slice(0, 1))
    stacked(one, likelihood)
    for name, dims in likelihood.dims.items():
        sizes = one[name].sizes if name in one else {}
        wanted = {d: len(likelihood.coords[d]) for d in dims if d in sizes and d in likelihood.coords}
        if any(sizes[d] != n for d, n in wanted.items()):
            raise ValueError(f"{name} has {dict(sizes)} entries in a draw; the mixture wants {wanted}")
    int(dt.attrs.get("seed", 0))
