"""What is kept of every finished candidate: one JSON file each, whole or not there, so that a run goes on later."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bayesmix.choosing.by_em import Numbers
from bayesmix.choosing.candidates import Candidate
from bayesmix.inputs.data import Data
from bayesmix.posterior.assemble import PACKAGES


def digest(data: Data) -> str:
    """Of everything that the rows hold."""
    held, made = data.to_dataset(), hashlib.sha256()
    for name in sorted(map(str, held.variables)):
        values = held[name].to_numpy()
        content = values.tobytes() if values.dtype.kind in "fiub" else repr(values.tolist()).encode()
        made.update(f"{name} {values.dtype} {values.shape} ".encode() + content)
    return made.hexdigest()[:16]


def key(candidate: Candidate, stage: str, settings: Mapping[str, Any], rows: str) -> str:
    """The name of a record: of the mixture with its priors, the rows, the settings and the versions."""
    identity = {
        "spec": candidate.spec.to_dict(),
        "rows": rows,
        "stage": stage,
        "settings": dict(settings),
        "versions": {name: version(name) for name in PACKAGES},
    }
    made = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return f"{candidate.name.replace(' ', '_')}-{stage}-{made}.json"


def kept(path: Path | None, make: Callable[[], Numbers]) -> Numbers:
    """What is in the file; where there is none, what ``make`` makes, which is then written there."""
    if path is not None and path.is_file():
        read: Numbers = json.loads(path.read_text(encoding="utf-8"))
        return read
    made = make()
    if path is not None:
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(made) + "\n", encoding="utf-8")
        os.replace(partial, path)
    return made
