"""Runs of chains on disk, each as soon as it is there: where a process is killed, what was drawn is not drawn again.

nutpie can write draws as it makes them, but not go on with a chain: a run of chains is what can be kept and used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from bayesmix.inputs.data import Data
from bayesmix.inputs.storage import digest, whole
from bayesmix.mixture.spec import Mixture
from bayesmix.posterior.assemble import PACKAGES
from bayesmix.sampling.rescue import KEPT


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
            except (OSError, RuntimeError, ValueError):
                path.unlink(missing_ok=True)
        return made


def _write(made: xr.DataTree, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    groups = {group: made[group].to_dataset() for group in KEPT}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["digest"] = json.dumps({group: _digest(ds) for group, ds in groups.items()})
    with whole(path) as partial:
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
    """Of the numbers; the names of coordinates come back from a file in another type."""
    return digest(draws[[v for v in draws if draws[v].dtype.kind in "fiub"]].drop_vars(list(draws.coords)))
