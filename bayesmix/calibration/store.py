"""Records of simulations as a text file: a header, then one line of JSON per simulation, appended as they finish."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bayesmix.calibration.simulation import Line, Simulator
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
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(json.dumps(line) + "\n" for line in (head, *records)), encoding="utf-8")
    os.replace(partial, path)


def append(path: Path, record: Line) -> None:
    """One more simulation."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read(path: Path) -> tuple[dict[str, Any], list[Line]]:
    """Header and records, by number; what a killed process left of a last line is dropped.

    Raises
    ------
    ValueError
        Where the file is not one of these.
    """
    lines: list[Line] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    if not lines or "quantities" not in lines[0]:
        raise ValueError(f"path: {path} is no file of calibration records")
    by_number = {record["simulation"]: record for record in lines[1:]}
    return lines[0], [by_number[number] for number in sorted(by_number)]
