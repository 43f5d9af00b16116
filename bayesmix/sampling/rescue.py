"""Draws outlive what goes wrong after them: finished runs are kept, and an error says in which file its draws are.

nutpie can write draws as it makes them, but not go on with a chain: a run of chains is what can be kept and used.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import xarray as xr

from bayesmix.inputs.data import Data
from bayesmix.inputs.errors import FitError, described
from bayesmix.inputs.storage import digest, whole
from bayesmix.mixture.spec import Mixture
from bayesmix.posterior.assemble import PACKAGES

KEPT = ("posterior", "sample_stats")


@dataclass(frozen=True)
class KeptRuns:
    """A folder of finished runs, each in a file named by what determines it.

    Attributes
    ----------
    folder : Path
    identity : str
        Of the mixture, the rows and the versions.
    """

    folder: Path
    identity: str

    @classmethod
    def of(cls, folder: str | Path, spec: Mixture, data: Data) -> KeptRuns:
        """Of the runs of one mixture over its rows."""
        told = [spec.to_dict(), digest(data.to_dataset()), {name: version(name) for name in PACKAGES}]
        return cls(Path(folder), hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16])

    def __call__(self, told: Mapping[str, Any], draw: Callable[[], xr.DataTree]) -> xr.DataTree:
        """The run that is in the file; where there is none, or a torn one, what ``draw`` makes, which is then kept.

        An interrupted run is not kept; neither is one where the disk is full: it is none the worse for it.
        """
        name = hashlib.sha256(json.dumps([self.identity, told], sort_keys=True).encode()).hexdigest()[:16]
        path = self.folder / f"{name}.nc"
        found = _read(path)
        if found is not None:
            return found
        made = draw()
        if bool(made["sample_stats"]["logp"].notnull().all()):
            try:
                _write(made, path)
            except (OSError, RuntimeError, ValueError, TypeError):
                path.unlink(missing_ok=True)
        return made


def _write(made: xr.DataTree, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    groups = {group: _numbers(made[group].to_dataset()) for group in KEPT}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["digest"] = json.dumps({group: _digest(ds) for group, ds in groups.items()})
    with whole(path, room=sum(ds.nbytes for ds in groups.values())) as partial:
        tree.to_netcdf(partial, engine="h5netcdf")


def _read(path: Path) -> xr.DataTree | None:
    """The run of a file, None where there is no whole one."""
    if not path.is_file():
        return None
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            found = tree.load()
        told = json.loads(found.attrs.pop("digest"))
        right = all(told[group] == _digest(found[group].to_dataset()) for group in KEPT)
    except Exception:  # whatever is wrong with it, it is drawn again
        return None
    return found if right else None


def _digest(draws: xr.Dataset) -> str:
    """Without the names of coordinates, which come back from a file in another type."""
    return digest(draws.drop_vars(list(draws.coords)))


def _numbers(draws: xr.Dataset) -> xr.Dataset:
    """What is numbers: messages are objects, of which a file makes something else."""
    return draws[[v for v in draws if draws[v].dtype.kind in "fiub"]]


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
            with whole(path, room=sum(ds.nbytes for ds in groups.values())) as partial:
                xr.DataTree.from_dict(groups).to_netcdf(partial, engine="h5netcdf")
            return path
        except Exception:  # a name, a type, a full disk: whatever it is, the draws are still to be written
            pass
        path = folder / f"{name}.npz"
        try:
            arrays: dict[str, Any] = {f"{g}.{v}": a.to_numpy() for g, ds in groups.items() for v, a in ds.items()}
            with whole(path) as partial:
                np.savez(partial, **arrays)
            return path
        except OSError:
            pass
    raise FitError(
        "the draws could not be kept: neither the working folder nor that for temporary files can be written"
    )
