"""Draws outlive what goes wrong after them: they are written to a file, and the error says where."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import xarray as xr

from bayesmix.inputs.errors import FitError, described

KEPT = ("posterior", "sample_stats")


@contextmanager
def rescued(draws: xr.DataTree) -> Iterator[None]:
    """Whatever fails here, the draws are kept: the error names their file.

    Raises
    ------
    FitError
        In place of any other error; an interruption stays one.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"the draws were made; {_where(keep(draws))}") from stop
    except Exception as problem:
        raise FitError(
            f"the draws were made, but a step after them failed ({described(problem)}); {_where(keep(draws))}"
        ) from problem


def _where(path: Path) -> str:
    return (
        f"they are in {path}, labels as the sampler left them: read them with "
        f"{'numpy.load' if path.suffix == '.npz' else 'xarray.open_datatree'}({str(path)!r})"
    )


def keep(draws: xr.DataTree) -> Path:
    """Write the draws to a new file: NetCDF, or NumPy's format where that refuses them.

    In the working folder, or in that for temporary files where nothing can be written there.
    """
    name = f"bayesmix_draws_{uuid4().hex[:8]}"
    groups = {group: draws[group].to_dataset() for group in KEPT if group in draws.children}
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        path = folder / f"{name}.nc"
        try:
            xr.DataTree.from_dict(groups).to_netcdf(path, engine="h5netcdf")
            return path
        except Exception:  # a name, a type, a full disk: whatever it is, the draws are still to be written
            path.unlink(missing_ok=True)
        path = folder / f"{name}.npz"
        try:
            arrays: dict[str, Any] = {f"{g}.{v}": a.to_numpy() for g, ds in groups.items() for v, a in ds.items()}
            np.savez(path, **arrays)
            return path
        except OSError:
            path.unlink(missing_ok=True)
    raise FitError(
        "the draws could not be kept: neither the working folder nor that for temporary files can be written"
    )
