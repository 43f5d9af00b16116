"""Records of simulations as a text file: a header, then one line of JSON per simulation, appended as they finish."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix.calibration.simulation import Line, Simulator
from bayesmix.inputs import storage
from bayesmix.posterior.assemble import PACKAGES

IDENTITY = ("spec", "seed", "settings", "design", "versions")


def header(simulator: Simulator) -> dict[str, Any]:
    """What fixes every record, then what a reader wants to know beside it."""
    design = simulator.design
    layout = {
        "n": len(design),
        "columns": list(design.feature_names),
        "classes": list(design.classes),
        "labelled": int(design.labelled.sum()),
        "hash": hashlib.sha256(_layout(simulator).encode()).hexdigest()[:16],
    }
    return {
        "spec": simulator.spec.to_dict(),
        "seed": simulator.seed,
        "settings": simulator.settings,
        "design": layout,
        "quantities": simulator.names,
        "versions": {name: version(name) for name in PACKAGES},
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _layout(simulator: Simulator) -> str:
    """All of the design that simulations keep."""
    design = simulator.design
    kept = [design.labelled.tolist(), list(design.obs_names), design.covariates.to_csv()]
    return json.dumps(kept + ([np.isnan(design.x).tolist()] if design.gaps else []))


def key(head: Mapping[str, Any]) -> str:
    """The name of a calibration: of its spec, design, settings, seed and versions."""
    return hashlib.sha256(json.dumps({k: head[k] for k in IDENTITY}, sort_keys=True).encode()).hexdigest()[:12]


def write(path: Path, head: Mapping[str, Any], records: list[Line]) -> None:
    """A whole file, or none."""
    storage.write_text(path, "".join(map(storage.sealed, (head, *records))))


def append(path: Path, record: Line) -> None:
    """One more simulation."""
    storage.append(path, storage.sealed(record))


def read(path: Path) -> tuple[dict[str, Any], list[Line]]:
    """Header and records, by number; a line that is torn is dropped.

    Raises
    ------
    ValueError
        Where the file is not one of these.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in map(storage.unsealed, text.splitlines()) if line is not None]
    if not lines or "quantities" not in lines[0]:
        raise ValueError(f"path: {path} is no file of calibration records")
    by_number = {record["simulation"]: record for record in lines[1:]}
    return lines[0], [by_number[number] for number in sorted(by_number)]
