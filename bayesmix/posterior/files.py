"""A posterior on disk: NetCDF, whole or not at all."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

import xarray as xr

from bayesmix.inputs.arguments import shown
from bayesmix.posterior.varying import converted


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
    partial = path.with_name(path.name + ".partial")
    try:
        dt.to_netcdf(partial, engine="h5netcdf")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def load_fit(path: str | Path) -> xr.DataTree:
    """Read a posterior written by :func:`save`, into memory; one of an older bayesmix in today's layout.

    Raises
    ------
    ValueError
        Where the file does not exist, or is not a posterior of bayesmix.
    """
    if not isinstance(path, str | PathLike):
        raise ValueError(f"path: must be the path of a file; got {shown(path)}")
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"path: {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            dt = tree.load()
    except (OSError, ValueError) as error:
        raise ValueError(f"path: {path} cannot be read as NetCDF: {error}") from None
    if "spec" not in dt.attrs or "posterior" not in dt.children:
        raise ValueError(f"path: {path} is not a posterior written by bayesmix.save")
    return converted(dt)
